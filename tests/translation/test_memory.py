"""The translation memory: each segment is translated once for the whole project."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from directus_assets.directus.storage import LocalStorage
from directus_assets.translation.memory import Memory, MemoryEntry, key_of_any_kind, pair_of

PAIR = pair_of("en-US", "de-DE")
BOILERPLATE = "Our products are baked by hand in a small bakery near Munich every morning."


def entry(source: str, text: str, *, key: str = "", pair: str = PAIR, human: bool = False) -> MemoryEntry:
    return MemoryEntry(pair=pair, key=key or source, source=source, text=text, engine="openai:x", human=human)


@contextmanager
def opened(tmp_path: Path, machine: str = "one") -> Iterator[Memory]:
    memory = Memory(LocalStorage(tmp_path / "shared"), tmp_path / machine / "index.sqlite")
    (tmp_path / "shared").mkdir(exist_ok=True)
    yield memory
    memory.close()


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with opened(tmp_path) as memory:
        yield memory


def test_an_exact_match_is_found_in_its_languages_only(memory: Memory) -> None:
    memory.remember([entry("Bread", "Brot"), entry("Bread", "Pain", pair=pair_of("en-US", "fr-FR"))])

    found = memory.find(PAIR, ["Bread", "Butter"])

    assert {key: each.text for key, each in found.items()} == {"Bread": "Brot"}
    assert memory.find(pair_of("de-DE", "en-US"), ["Bread"]) == {}


def test_a_persons_version_wins_whoever_comes_first(memory: Memory) -> None:
    memory.remember([entry("Bread", "Brot"), entry("Salt", "Salz von Hand", human=True)])

    memory.remember([entry("Bread", "Laib", human=True), entry("Salt", "Salz")])

    assert memory.find(PAIR, ["Bread"])["Bread"].text == "Laib"
    assert memory.find(PAIR, ["Salt"])["Salt"].text == "Salz von Hand"


def test_the_latest_of_two_persons_wins(memory: Memory) -> None:
    memory.remember([entry("Bread", "Laib", human=True)])
    memory.remember([entry("Bread", "Brotlaib", human=True)])

    assert memory.find(PAIR, ["Bread"])["Bread"].text == "Brotlaib"


def test_machines_that_share_no_disk_learn_from_each_other(tmp_path: Path) -> None:
    with opened(tmp_path, "one") as one, opened(tmp_path, "two") as two:
        one.remember([entry("Bread", "Brot"), entry("Salt", "Salz")])
        two.remember([entry("Bread", "Laib", human=True)])

    with opened(tmp_path, "three") as three, opened(tmp_path, "one") as again:
        assert {each.text for each in three.find(PAIR, ["Bread", "Salt"]).values()} == {"Laib", "Salz"}
        assert again.find(PAIR, ["Bread"])["Bread"].text == "Laib"


def test_what_people_made_of_a_text_wherever_it_stands_is_found_in_each_kind_of_place(memory: Memory) -> None:
    memory.remember(
        [
            entry("Bread", "Laib", key=key_of_any_kind("Bread"), human=True),
            entry("Bread", "Brot", key="a heading"),
            entry("Bread", "Brotlaib", key="a label", human=True),
        ]
    )

    found = memory.find(
        PAIR, ["a heading", "a label", "a cell"], sources=dict.fromkeys(("a heading", "a label", "a cell"), "Bread")
    )

    assert {key: each.text for key, each in found.items()} == {
        "a heading": "Laib",
        "a label": "Brotlaib",
        "a cell": "Laib",
    }
    assert memory.find(PAIR, ["a cell"]) == {}


def test_all_entries_are_listed_by_language_and_key(memory: Memory) -> None:
    german = [entry(f"Bread {number:04}", "Brot") for number in range(2_345)]
    memory.remember([*reversed(german), entry("Bread", "Pain", pair=pair_of("en-US", "fr-FR"))])

    assert list(memory.entries(targets=["de-DE"])) == german
    assert [each.text for each in memory.entries()][-1] == "Pain"
    assert (memory.count(), memory.count(targets=["fr-FR"])) == (2_346, 1)


def test_an_index_of_an_earlier_version_is_made_anew(tmp_path: Path) -> None:
    with opened(tmp_path, "one") as one:
        one.remember([entry("Bread", "Brot")])
    with closing(sqlite3.connect(tmp_path / "one" / "index.sqlite")) as index:
        index.executescript("ALTER TABLE entries DROP COLUMN kind; PRAGMA user_version = 0;")
    old = tmp_path / "shared" / "memory" / "1.jsonl"
    old.write_text(json.dumps({"pair": PAIR, "key": "Salt", "source": "Salt", "text": "Salz"}))

    with opened(tmp_path, "one") as again:
        assert [each.text for each in again.find(PAIR, ["Bread", "Salt"]).values()] == ["Brot", "Salz"]


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path, "one") as one:
        one.remember([entry("Bread", "Brot")])
    (tmp_path / "shared" / "memory" / "0.jsonl").write_text('{"pair": "cut off')

    with opened(tmp_path, "two") as two:
        assert two.find(PAIR, ["Bread"])["Bread"].text == "Brot"
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        (BOILERPLATE.replace("every morning", "every evening"), True),
        (BOILERPLATE.replace("Munich", "Augsburg"), True),
        (BOILERPLATE, False),
        ("Our products are shipped to every country of the European Union.", False),
        ("Something else.", False),
    ],
)
def test_similar_segments_go_along_as_examples(memory: Memory, source: str, is_found: bool) -> None:
    memory.remember([entry(BOILERPLATE, "Von Hand."), *(entry(f"Product {n} of our list.", "x") for n in range(50))])

    found = memory.similar(PAIR, source)

    assert [each.source for each in found] == ([BOILERPLATE] if is_found else [])


def test_many_at_once_ask_for_a_segment_once(memory: Memory) -> None:
    asked: list[str] = []

    def translate(number: int) -> None:
        wanted = [BOILERPLATE, f"Title {number}"]
        with memory.asking(PAIR, wanted) as answered:
            left = [key for key in wanted if key not in answered]
            asked.extend(left)
            memory.remember([entry(key, key.upper()) for key in left])

    with ThreadPoolExecutor(max_workers=16) as pool, ExitStack():
        list(pool.map(translate, range(200)))

    assert asked.count(BOILERPLATE) == 1
    assert len(asked) == 201


def test_whoever_waits_asks_where_the_first_one_failed(memory: Memory) -> None:
    with pytest.raises(ValueError, match="no answer"), memory.asking(PAIR, ["Bread"]):
        raise ValueError("no answer")

    with memory.asking(PAIR, ["Bread"]) as answered:
        assert answered == {}
