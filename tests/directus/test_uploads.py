import datetime as dt
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.uploads import UploadPosition, follow_uploads
from tests.directus_query import answer_query

START = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
POSITIONS = TypeAdapter(UploadPosition)


class Library:
    """The files of a Directus by upload time, and a clock shared with us."""

    def __init__(self, *, zone: str = "", chunked: bool = True, version: str = "12.4.1") -> None:
        self.zone = zone
        self.dated = "uploaded_on" if version.startswith("12.") else "modified_on"
        self.files: dict[str, dt.datetime | None] = {}
        self.sizes: dict[str, int] = {}
        self.size = 1000
        self.now = START
        self.requests: list[str] = []
        self.server: dict[str, Any] = {
            "version": version,
            "uploads": {"tus": True, "chunkSize": 1000} if chunked else {"maxConcurrency": 5},
        }
        self.position: UploadPosition | None = None
        self.client = DirectusClient("http://cms.example.com", "t", transport=httpx.MockTransport(self._answer))

    def upload(self, *ids: str, ago_seconds: float = 0) -> None:
        self.size += 1
        for file_id in ids:
            self.files[file_id] = self.now - dt.timedelta(seconds=ago_seconds)
            self.sizes[file_id] = self.size

    def follow(self, *, after_seconds: float = 5, limit: int = 500) -> list[str]:
        self.now += dt.timedelta(seconds=after_seconds)
        page = follow_uploads(self.client, self.position, now=self.now, limit=limit)
        assert page.position is not None
        # As a cursor keeps it.
        self.position = POSITIONS.validate_json(POSITIONS.dump_json(page.position))
        return [change.item for change in page.changes]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.url.path)
        if request.url.path == "/server/info":
            return httpx.Response(200, json={"data": self.server})
        return answer_query(request, [self._row(key, moment) for key, moment in self.files.items()])

    def _row(self, file_id: str, moment: dt.datetime | None) -> dict[str, Any]:
        text = moment.replace(tzinfo=None).isoformat(timespec="seconds") + self.zone if moment else None
        return {"id": file_id, "uploaded_on": None, self.dated: text, "filesize": self.sizes.get(file_id)}


@pytest.fixture(params=[("", "12.4.1"), ("Z", "12.4.1"), ("Z", "11.17.4")])
def library(request: pytest.FixtureRequest) -> Library:
    """Some databases keep times with a zone, and older versions do not date the end of an upload in chunks."""
    zone, version = request.param
    return Library(zone=zone, version=version)


def test_what_was_there_before_is_history_and_each_later_upload_is_told_once(library: Library) -> None:
    library.upload("f1", "f2", ago_seconds=10)

    assert library.follow() == []
    library.upload("f3")
    assert (library.follow(), library.follow()) == (["f3"], [])
    library.upload("f1")
    assert (library.follow(), library.follow()) == (["f1"], [])


def test_in_an_empty_library_the_first_upload_is_told(library: Library) -> None:
    assert library.follow() == []
    library.upload("f1")
    library.files["under way"] = None

    assert (library.follow(), library.follow()) == (["f1"], [])


def test_an_upload_that_becomes_visible_late_is_told(library: Library) -> None:
    library.follow()
    library.upload("f1")
    assert library.follow() == ["f1"]

    library.upload("f2", ago_seconds=20)

    assert (library.follow(), library.follow()) == (["f2"], [])


def test_a_file_that_is_replaced_twice_is_told_twice(library: Library) -> None:
    library.upload("f1")
    library.follow()

    library.upload("f1")
    first = library.follow()
    library.upload("f1")

    assert (first, library.follow()) == (["f1"], ["f1"])


def test_replacements_within_a_second_are_told_by_their_sizes(library: Library) -> None:
    library.upload("f1")
    assert library.follow(after_seconds=0) == []

    library.upload("f1")
    first = library.follow(after_seconds=0)
    library.upload("f1")
    second = library.follow(after_seconds=0)

    assert (first, second, library.follow()) == (["f1"], ["f1"], [])


def test_many_uploads_of_one_second_are_told_page_by_page(library: Library) -> None:
    library.follow()
    library.upload(*(f"f{number}" for number in range(25)))

    pages = [library.follow(limit=10) for _ in range(4)]

    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert len({key for page in pages for key in page}) == 25


def test_a_quiet_read_is_one_request_and_brings_nothing_for_long(library: Library) -> None:
    library.follow()
    for number in range(100):
        library.upload(f"f{number}", ago_seconds=(99 - number) / 5)
    library.follow()
    library.follow(after_seconds=120)
    library.requests.clear()

    assert library.follow() == []
    assert library.requests == ["/files"]
    assert library.position is not None
    assert len(library.position.seen) == 1
    library.upload("f100")
    assert library.follow() == ["f100"]


def test_a_time_in_the_far_future_blinds_nobody(library: Library) -> None:
    library.upload("mistake", ago_seconds=-10 * 365 * 86400)
    library.follow()
    library.upload("f1")

    assert (library.follow(), library.follow()) == (["f1"], [])


def test_without_uploads_in_chunks_no_file_is_read() -> None:
    library = Library(chunked=False)
    library.upload("f1")

    for _ in range(10):
        assert library.follow() == []

    assert library.requests == ["/server/info"]


def test_a_directus_that_takes_uploads_in_chunks_from_now_on_is_noticed() -> None:
    library = Library(chunked=False)
    library.follow()
    library.server = {"uploads": {"chunkSize": 1000}}
    library.follow(after_seconds=601)
    library.upload("f1")

    assert library.follow() == ["f1"]
