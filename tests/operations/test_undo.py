import datetime as dt
from pathlib import Path

import pytest

from directus_assets.commands.prune.undo import FOLDER, Orphan, Remover, put_back, read_undo_list
from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import BadInput, ConfigurationError, Unreachable

NAME = "a__1.webp"
ORPHAN = Orphan(place="storage 'local'", name=NAME, size=5, reason="file deleted", file_id="f1")


class Bench:
    def __init__(self, folder: Path) -> None:
        (folder / "uploads").mkdir()
        self.storage = LocalStorage(folder / "uploads")
        self.places = {"storage 'local'": self.storage}
        self.list = folder / "pruned" / "list.jsonl"
        self.storage.write(NAME, b"bytes", content_type="image/webp")

    def remove(self, *orphans: Orphan, keep: bool = True) -> list[Orphan]:
        return list(Remover(places=self.places, undo_list=self.list, keep=keep).remove(orphans))

    def put_back(self, *, replaced_on: dt.datetime | None = None) -> str:
        (line,) = read_undo_list(self.list)
        return put_back(line, self.places, replaced_on=replaced_on)

    def kept(self) -> list[Path]:
        return [path for path in (self.storage.root / FOLDER).rglob("*") if path.is_file()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_is_deleted_is_listed_and_can_be_put_back(bench: Bench) -> None:
    assert bench.remove(ORPHAN) == [ORPHAN]
    assert bench.storage.size(NAME) is None
    (line,) = read_undo_list(bench.list)
    assert (line.name, line.size, line.reason, line.file_id) == (NAME, 5, "file deleted", "f1")

    assert bench.put_back() == ""
    assert bench.storage.read(NAME) == b"bytes"
    assert bench.kept() == []


@pytest.mark.parametrize("content", [b"other bytes", None])
def test_what_has_changed_since_it_was_shown_is_left_alone(bench: Bench, content: bytes | None) -> None:
    bench.storage.delete(NAME)
    if content:
        bench.storage.write(NAME, content, content_type="image/webp")

    assert bench.remove(ORPHAN) == []
    assert read_undo_list(bench.list) == []


def test_the_list_is_complete_when_the_storage_fails_half_way(bench: Bench) -> None:
    class Failing(LocalStorage):
        def delete(self, name: str) -> None:
            raise Unreachable(f"{name}: the disk is gone.")

    bench.places["storage 'local'"] = Failing(bench.storage.root)

    with pytest.raises(Unreachable):
        bench.remove(ORPHAN)

    assert [line.name for line in read_undo_list(bench.list)] == [NAME]
    assert bench.put_back() == "another file has taken its place"


def test_what_is_not_kept_cannot_be_put_back(bench: Bench) -> None:
    bench.remove(ORPHAN, keep=False)

    assert bench.kept() == []
    assert bench.put_back() == "its content was deleted permanently (--no-undo)"


def test_a_damaged_or_missing_copy_is_not_put_back(bench: Bench) -> None:
    bench.remove(ORPHAN)
    bench.kept()[0].write_bytes(b"bytez")

    assert bench.put_back() == "the kept content is damaged"

    bench.kept()[0].unlink()
    assert bench.put_back() == "its content is no longer kept"


def test_a_derivative_of_another_picture_is_not_put_back(bench: Bench) -> None:
    bench.remove(ORPHAN)
    now = dt.datetime.now(dt.UTC)

    assert bench.put_back(replaced_on=now + dt.timedelta(seconds=1)) == "its file has been replaced since"
    assert bench.put_back(replaced_on=now - dt.timedelta(seconds=5)) == ""


def test_a_place_that_is_not_reached_is_named(bench: Bench) -> None:
    bench.remove(ORPHAN)
    bench.places.clear()

    with pytest.raises(ConfigurationError, match=r"a__1\.webp was deleted from storage 'local', which is not"):
        bench.put_back()


@pytest.mark.parametrize("text", ["no json", '{"name": 5}', "{}"])
def test_what_is_no_list_is_refused_with_its_line(bench: Bench, text: str) -> None:
    bench.remove(ORPHAN)
    bench.list.write_text(bench.list.read_text() + text + "\n")

    with pytest.raises(BadInput, match=r"list\.jsonl, line 2: "):
        read_undo_list(bench.list)
