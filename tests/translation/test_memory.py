"""The translation memory: each segment is translated once for the whole project."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from directus_assets.directus.storage import LocalStorage
from directus_assets.translation.likeness import alike
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


def test_machines_that_share_no_disk_agree_on_who_was_last(tmp_path: Path) -> None:
    with opened(tmp_path, "one") as one, opened(tmp_path, "two") as two:
        two.find(PAIR, [])
        one.remember([entry("Bread", "Laib", human=True), entry("Salt", "Salz von Hand", human=True)])
        two.remember([entry("Bread", "Brotlaib", human=True), entry("Salt", "Salz")])

        for machine in (one, two):
            assert {each.source: each.text for each in machine.entries()} == {
                "Bread": "Brotlaib",
                "Salt": "Salz von Hand",
            }


def test_a_fast_clock_of_another_machine_makes_nothing_final(tmp_path: Path) -> None:
    fast = f"{time.time_ns() + 3_600_000_000_000:020d}-{'f' * 32}.jsonl"
    known = [entry("Bread", "Laib", human=True), entry("Salt", "Übel")]
    (tmp_path / "shared" / "memory").mkdir(parents=True)
    lines = (json.dumps(asdict(each)) for each in known)
    (tmp_path / "shared" / "memory" / fast).write_text("\n".join(lines))

    with opened(tmp_path, "one") as one:
        one.find(PAIR, [])
        one.remember([entry("Bread", "Brotlaib", human=True)])
        one.forget(PAIR, ["Übel"])

    for name in ("one", "two"):
        with opened(tmp_path, name) as machine:
            assert [each.text for each in machine.entries()] == ["Brotlaib"]


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


@pytest.mark.parametrize("content", [b'{"pair": "cut off', b'{"pair": "\xff'])
def test_a_file_that_cannot_be_read_is_passed_over(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path, "one") as one:
        one.remember([entry("Bread", "Brot")])
    (tmp_path / "shared" / "memory" / "0.jsonl").write_bytes(content)

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


JAPANESE = "私たちのパンはミュンヘン近郊の小さな工房で毎朝手作りしています。"
CHINESE = "我们的面包每天早上在慕尼黑附近的一家小面包店里手工制作。"
THAI = "ขนมปังของเราอบด้วยมือทุกเช้าในร้านเล็ก ๆ ใกล้เมืองมิวนิก"


@pytest.mark.parametrize(
    ("source", "other", "is_found"),
    [
        (JAPANESE, JAPANESE.replace("毎朝", "毎晩"), True),
        (JAPANESE, JAPANESE.replace("ミュンヘン", "パリ"), True),
        (JAPANESE, "私たちのパンは世界中のすべての国に毎日発送されています。", False),
        (JAPANESE, "本日は定休日です。", False),
        (CHINESE, CHINESE.replace("早上", "晚上"), True),
        (CHINESE, "我们的产品每天发往欧洲联盟的所有国家。", False),
        (THAI, THAI.replace("ทุกเช้า", "ทุกเย็น"), True),
        (THAI, "ร้านของเราปิดทุกวันอาทิตย์และวันหยุดราชการ", False),
        (f"<g1>Bäckerei</g1> {JAPANESE}", f"<g1>Bäckerei</g1> {JAPANESE.replace('毎朝', '毎晩')}", True),
    ],
)
def test_similar_segments_are_found_where_a_script_has_no_spaces(
    memory: Memory, source: str, other: str, is_found: bool
) -> None:
    memory.remember([entry(source, "Von Hand."), *(entry(f"{n}番目の商品です。", "x") for n in range(50))])

    assert [each.source for each in memory.similar(PAIR, other)] == ([source] if is_found else [])


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("Bread is good today", "Bread is good now", 0.75),
        ("パンは毎朝焼き上げる。", "パンは毎晩焼き上げる。", 10 / 11),
        ("ขนมปังดี", "ขนมปังดา", 7 / 8),
        ("Bread パン", "Bread めし", 0.0),
    ],
)
def test_how_like_texts_are_is_told_by_words_or_by_characters(one: str, other: str, share: float) -> None:
    assert [found for found, _ in alike(one, [(other, "")])] == ([share] if share else [])


def test_what_turned_out_to_be_bad_is_forgotten_on_all_machines_and_a_persons_version_is_not(tmp_path: Path) -> None:
    bad = {"Bread": "Schlecht", "Salt": "Übel", "Oil": "Schlimm", "Flour": "Mies"}
    with opened(tmp_path, "one") as one, opened(tmp_path, "two") as two:
        one.remember([*(entry(source, text) for source, text in bad.items()), entry("Rye", "Roggen")])
        one.remember([entry("Oil", "Öl"), entry("Flour", "Mies", human=True)])
        assert len(two.find(PAIR, bad)) == 4

        two.forget(PAIR, [*bad.values(), "another text"])

        kept = {"Oil": "Öl", "Flour": "Mies", "Rye": "Roggen"}
        assert {each.source: each.text for each in two.entries()} == kept
        assert two.count() == 3
    with opened(tmp_path, "three") as three:
        assert {each.source: each.text for each in three.entries()} == kept
        assert three.similar(PAIR, "Bread Salt") == []
        three.remember([entry("Bread", "Brot")])
        assert three.find(PAIR, ["Bread"])["Bread"].text == "Brot"
    with opened(tmp_path, "one") as again:
        assert again.find(PAIR, ["Bread", "Salt"]).keys() == {"Bread"}


def test_what_is_forgotten_is_of_no_use_to_an_earlier_version_either(memory: Memory, tmp_path: Path) -> None:
    memory.remember([entry("Bread", "Schlecht")])

    memory.forget(PAIR, ["Schlecht"])

    _, last = sorted((tmp_path / "shared" / "memory").iterdir())
    assert json.loads(last.read_text())["glossary"] == "forgotten"  # no digest of terms is called so


def test_a_translation_is_forgotten_however_its_placeholders_are_numbered(memory: Memory) -> None:
    memory.remember(
        [entry("<g1>Bread</g1> and <x2/>", "<x2/> und <g1>Schlechtes</g1>"), entry("Rye", " und Schlechtes")]
    )

    memory.forget(PAIR, ["<x1/> und <g2>Schlechtes</g2>"])

    assert memory.count() == 0


def test_people_are_told_from_engines_by_the_newest_file_of_theirs(memory: Memory) -> None:
    memory.remember([entry("Bread", "Brot")])
    assert memory.newest_by_people() == ""

    memory.remember([entry("Bread", "Laib", human=True)])
    first = memory.newest_by_people()
    memory.remember([entry("Salt", "Salz")])

    assert first == memory.newest_by_people() != ""
    memory.remember([entry("Bread", "Brotlaib", human=True)])
    assert memory.newest_by_people() > first


def tomorrow() -> float:
    return time.time() + 2 * 86_400


def files_of(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "shared" / "memory").iterdir())


def fill(memory: Memory) -> dict[str, str]:
    """Write files of which later ones replace, correct or forget earlier entries; return the resulting memory."""
    for number in range(12):
        memory.remember([entry(f"Bread {number}", f"Brot {number}")])
    memory.remember([entry("Bread 1", "Laib")])
    memory.remember([entry("Bread 2", "Laib von Anna", human=True)])
    memory.forget(PAIR, ["Brot 3"])
    memory.remember([entry("Bread 4", "Übel")])
    memory.forget(PAIR, ["Übel"])
    memory.remember([entry("Bread 4", "Laib 4")])
    return {each.source: each.text for each in memory.entries()}


def test_old_files_are_put_together_and_every_machine_knows_what_it_knew(tmp_path: Path) -> None:
    with opened(tmp_path, "one") as one, opened(tmp_path, "two") as two:
        known = fill(one)
        assert {each.source: each.text for each in two.entries()} == known
        with opened(tmp_path, "half") as half:
            half.find(PAIR, [])
        by_people = one.newest_by_people()
        late = [entry("Bread 1", "Brotlaib"), entry("Bread 2", "Laib von Bea", human=True)]
        two.remember(late)

        assert one.merge_files(now=tomorrow) == one.merge_files(least=10) == 0
        assert one.merge_files(least=10, now=tomorrow) == 19

        known |= {each.source: each.text for each in late}
        assert len(files_of(tmp_path)) == 1
        for machine in (one, two):
            assert {each.source: each.text for each in machine.entries()} == known
        assert one.merge_files(least=10, now=tomorrow) == 0
        assert one.newest_by_people() > by_people
    for name in ("half", "new"):
        with opened(tmp_path, name) as machine:
            assert {each.source: each.text for each in machine.entries()} == known


class Watched:
    """A folder in which another process acts as soon as a file is written or listed."""

    def __init__(self, folder: Path) -> None:
        self.folder = LocalStorage(folder)
        self.on_write: Callable[[], object] = lambda: None
        self.on_list: Callable[[], object] = lambda: None

    def inside(self, folder: str) -> "Watched":
        self.folder = self.folder.inside(folder)
        return self

    def names(self) -> list[tuple[str, int]]:
        found = list(self.folder.names())
        act, self.on_list = self.on_list, lambda: None
        act()
        return found

    def read(self, name: str) -> bytes:
        return self.folder.read(name)

    def delete(self, name: str) -> None:
        self.folder.delete(name)

    def write(self, name: str, content: bytes, *, content_type: str) -> None:
        self.folder.write(name, content, content_type=content_type)
        act, self.on_write = self.on_write, lambda: None
        act()


@contextmanager
def watched(tmp_path: Path, machine: str) -> Iterator[tuple[Watched, Memory]]:
    folder = Watched(tmp_path / "shared")
    memory = Memory(folder, tmp_path / machine / "index.sqlite")  # type: ignore[arg-type]
    yield folder, memory
    memory.close()


@pytest.mark.parametrize("moment", ["before it writes", "after it has written"])
def test_two_machines_that_put_files_together_at_once_lose_nothing(tmp_path: Path, moment: str) -> None:
    with opened(tmp_path, "one") as one, watched(tmp_path, "two") as (folder, two):
        known = fill(one)
        two.find(PAIR, [])
        if moment == "before it writes":
            folder.on_list = lambda: one.merge_files(least=10, now=tomorrow)
        else:
            folder.on_write = lambda: one.merge_files(least=10, now=tomorrow)

        two.merge_files(least=10, now=tomorrow)

    for name in ("one", "new"):
        with opened(tmp_path, name) as machine:
            assert {each.source: each.text for each in machine.entries()} == known


def test_a_machine_that_reads_while_files_are_put_together_finds_all_of_them_the_next_time(tmp_path: Path) -> None:
    with opened(tmp_path, "one") as one, watched(tmp_path, "two") as (folder, two):
        known = fill(one)
        folder.on_list = lambda: one.merge_files(least=10, now=tomorrow)

        two.find(PAIR, [])

        assert {each.source: each.text for each in two.entries()} == known


def test_whoever_is_stopped_while_files_are_put_together_leaves_them_twice_and_nothing_changes(tmp_path: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with opened(tmp_path, "one") as one, watched(tmp_path, "two") as (folder, two):
        known = fill(one)
        folder.on_write = stop
        with pytest.raises(KeyboardInterrupt):
            two.merge_files(least=10, now=tomorrow)

    for name in ("one", "new"):
        with opened(tmp_path, name) as machine:
            assert {each.source: each.text for each in machine.entries()} == known


def test_what_cannot_be_read_stays_where_it_is_when_files_are_put_together(tmp_path: Path) -> None:
    with opened(tmp_path, "one") as one:
        fill(one)
        damaged = tmp_path / "shared" / "memory" / f"{1:020d}-{'a' * 32}.jsonl"
        damaged.write_text('{"pair": "cut off')

        assert one.merge_files(least=10, now=tomorrow) == 18

    assert len(files_of(tmp_path)) == 2
    assert damaged.exists()


def test_many_at_once_ask_for_a_segment_once(memory: Memory) -> None:
    asked: list[str] = []

    def translate(number: int) -> None:
        wanted = [BOILERPLATE, f"Title {number}"]
        with memory.asking(PAIR, wanted) as (answered, _):
            left = [key for key in wanted if key not in answered]
            asked.extend(left)
            memory.remember([entry(key, key.upper()) for key in left])

    with ThreadPoolExecutor(max_workers=16) as pool, ExitStack():
        list(pool.map(translate, range(200)))

    assert asked.count(BOILERPLATE) == 1
    assert len(asked) == 201


def test_without_patience_nobody_waits_for_a_segment_that_others_request(memory: Memory) -> None:
    with (
        memory.asking(PAIR, [BOILERPLATE]),
        memory.asking(PAIR, [BOILERPLATE, "Bread"], is_patient=False) as (answered, elsewhere),
    ):
        assert (answered, elsewhere) == ({}, {BOILERPLATE})

    with memory.asking(PAIR, [BOILERPLATE], is_patient=False) as (answered, elsewhere):
        assert (answered, elsewhere) == ({}, set())


def test_whoever_waits_asks_where_the_first_one_failed(memory: Memory) -> None:
    with pytest.raises(ValueError, match="no answer"), memory.asking(PAIR, ["Bread"]):
        raise ValueError("no answer")

    with memory.asking(PAIR, ["Bread"]) as (answered, _):
        assert answered == {}


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 3]


def overwritten(content: bytes) -> bytes:
    return content[:4096] + bytes(len(content) - 4096)


def without_heading(content: bytes) -> bytes:
    return b"?" * 100 + content[100:]


@pytest.mark.parametrize("damage", [cut_short, overwritten, without_heading])
def test_an_index_that_a_power_failure_damaged_is_made_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    entries = [entry(f"Loaf {number} of rye bread", f"Laib {number}") for number in range(500)]
    with opened(tmp_path) as memory:
        memory.remember(entries)
    index = tmp_path / "one" / "index.sqlite"
    index.write_bytes(damage(index.read_bytes()))

    with opened(tmp_path) as memory:
        memory.remember([entry("Bread", "Brot")])
        assert len(memory.find(PAIR, [each.key for each in entries])) == 500
        assert memory.similar(PAIR, "Loaf 7 of wheat bread")
    with opened(tmp_path, "two") as memory:
        assert memory.count() == 501


def test_an_index_that_is_damaged_while_it_is_read_is_made_anew(memory: Memory, tmp_path: Path) -> None:
    entries = [entry(f"Loaf {number} of rye bread", f"Laib {number}") for number in range(2500)]
    memory.remember(entries)
    reading = memory.entries()
    found = [next(reading)]
    index = tmp_path / "one" / "index.sqlite"
    with closing(sqlite3.connect(index)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    index.write_bytes(overwritten(index.read_bytes()))

    found += reading

    assert {each.key for each in found} == {each.key for each in entries}
    assert len(found) == 2500
