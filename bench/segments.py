"""The project's memory: what a look-up costs among a million segments, some of them in a script without spaces."""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, ours_at_most
from directus_assets.directus.storage import LocalStorage
from directus_assets.local.progress import Say
from directus_assets.translation.memory import Memory, MemoryEntry, key_of_any_kind, pair_of

_ENGLISH, _JAPANESE = 900_000, 100_000
_PER_FILE = 10_000
_LOOK_UPS, _SIMILAR = 1_000, 200
_WORDS = 20_000


@dataclass(frozen=True)
class _Language:
    """Sentences of made-up words with the word frequencies of a natural language (Zipf's law)."""

    pair: str
    words: Sequence[str]
    between: str
    size: int

    def sentences(self) -> Iterator[str]:
        """The sentences; the same every time."""
        chance = random.Random(1)
        weights = [*accumulate(1 / rank for rank in range(1, len(self.words) + 1))]
        while True:
            yield self.between.join(chance.choices(self.words, cum_weights=weights, k=chance.randint(8, 14)))

    def edited(self, chance: random.Random, sentence: str) -> str:
        """The sentence with one word replaced."""
        old = chance.choice(sentence.split()) if self.between else sentence[4:6]
        return sentence.replace(old, chance.choice(self.words), 1)


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    chance = random.Random(2)
    letters = "abdefghiklmnoprstuw"
    english = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(_WORDS)]
    signs = [chr(code) for code in (*range(0x3042, 0x3094), *range(0x4E00, 0x4E00 + 2_000))]
    japanese = ["".join(chance.choices(signs, k=2)) for _ in range(_WORDS)]
    languages = {
        "English": _Language(pair_of("en-US", "de-DE"), english, " ", _ENGLISH),
        "Japanese": _Language(pair_of("ja-JP", "de-DE"), japanese, "", _JAPANESE),
    }
    found: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder, closing(_memory(Path(folder))) as memory:
        for name, each in languages.items():
            say(f"remembering {each.size:,} segments, {name}")
            _fill(memory, each)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for name, each in languages.items():
                known = [*islice(each.sentences(), 0, each.size, each.size // _LOOK_UPS)]
                keys = [key_of_any_kind(text) for text in known]
                edited = [each.edited(chance, text) for text in known[:_SIMILAR]]
                exact = _slow(lambda key, pair=each.pair: memory.find(pair, [key]), keys)  # type: ignore[misc]
                similar = _slow(lambda text, pair=each.pair: memory.similar(pair, text), edited)  # type: ignore[misc]
                found.setdefault(f"the same segment, {name}", []).append(exact)
                found.setdefault(f"similar segments, {name}", []).append(similar)
    return [
        Figure(
            part="segments",
            what=f"{what}, among {_ENGLISH + _JAPANESE:,}",
            unit="ms of CPU",
            ours=tuple(figures),
            goal=ours_at_most(1 if what.startswith("the same") else 20),
            note="95 of 100 look-ups take no longer",
        )
        for what, figures in found.items()
    ]


def _memory(folder: Path) -> Memory:
    return Memory(LocalStorage(folder), folder / "index.sqlite")


def _fill(memory: Memory, language: _Language) -> None:
    sentences = language.sentences()
    for _ in range(language.size // _PER_FILE):
        some = islice(sentences, _PER_FILE)
        memory.remember(
            [MemoryEntry(pair=language.pair, key=key_of_any_kind(text), source=text, text=text) for text in some]
        )


def _slow(look_up: Callable[[str], object], asked: Sequence[str]) -> float:
    """The 95th percentile of the CPU time of a look-up, in milliseconds."""
    taken = []
    for each in asked:
        started = time.process_time()
        look_up(each)
        taken.append((time.process_time() - started) * 1000)
    return statistics.quantiles(taken, n=20)[-1]
