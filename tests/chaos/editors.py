"""Simulated editors, who upload pictures and edit posts throughout, and repeat whatever got no response."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import httpx

from directus_assets.errors import DirectusAssetsError
from directus_assets.local.pictures import landscape, upload
from tests.chaos.bed import Bed, admin_of

_SOURCE = "en-US"
_PARAGRAPHS = 4
_PATIENCE_SECONDS = 300.0


@dataclass
class Truth:
    """The changes that Directus has confirmed."""

    pictures: dict[str, bytes] = field(default_factory=dict)
    """Contents, by the id of the file."""
    posts: dict[str, list[str]] = field(default_factory=dict)
    """Paragraphs, by the key of the item."""
    tried_again: int = 0
    """Actions that got no answer, or an error."""
    edits: int = 0


def paragraph(post: int, place: int, version: int) -> str:
    """One that is like no other, and short enough that nobody takes what the engine answers for another language."""
    return f"Paragraph {post:03}{place}{version:03}: the dough has to rest."


def body(paragraphs: list[str]) -> str:
    """The HTML of a post."""
    return "\n".join(f"<p>{text}</p>" for text in paragraphs)


class Editors:
    """Two of them. `start` lets them work, `join` waits until they have done everything.

    Args:
        bed: where they work.
        uploads: how many pictures they upload.
        edits: how often they edit posts, of which there is one for every four edits.
        seconds: over what time they spread it.
    """

    def __init__(self, bed: Bed, *, uploads: int, edits: int, seconds: float) -> None:
        self.truth = Truth()
        self._bed = bed
        self._work_of = {self._upload: (uploads, seconds), self._edit: (edits, seconds)}
        self._working: list[Future[None]] = []
        self._rows: list[tuple[str, str]] = []
        self._posts = max(1, edits // 4)

    def start(self) -> None:
        """Start their work."""
        pool = ThreadPoolExecutor(len(self._work_of), thread_name_prefix="editor")
        self._working = [pool.submit(self._work, act, *work) for act, work in self._work_of.items()]
        pool.shutdown(wait=False)

    def join(self) -> None:
        """Wait until all work is done.

        Raises:
            AssertionError: something could not be done within minutes.
        """
        for work in self._working:
            work.result()

    def _work(self, act: Callable[[httpx.Client, int], None], times: int, seconds: float) -> None:
        with admin_of(self._bed.directus) as admin:
            for number in range(times):
                self._insist(partial(act, admin, number))
                time.sleep(seconds / times)

    def _insist(self, act: Callable[[], None]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                act()
            except (httpx.HTTPError, DirectusAssetsError):
                assert time.monotonic() < deadline, "Directus did not come back."
                self.truth.tried_again += 1
                time.sleep(1)
            else:
                return

    def _upload(self, admin: httpx.Client, number: int) -> None:
        name = f"picture{number:04}.jpg"
        self._clean_up(admin, name)
        content = landscape(number, (320, 240))
        self.truth.pictures[upload(admin, content, filename=name)] = content

    def _clean_up(self, admin: httpx.Client, name: str) -> None:
        """An upload that broke off may have left a file, whole or not: whoever uploads it again deletes that one."""
        query = {"filter[filename_download][_eq]": name, "fields": "id"}
        for row in admin.get("/files", params=query).raise_for_status().json()["data"]:
            admin.delete(f"/files/{row['id']}").raise_for_status()

    def _edit(self, admin: httpx.Client, number: int) -> None:
        post, version = number % self._posts, number // self._posts
        if version == 0:
            self._create(admin, post)
            return
        item, row = self._rows[post]
        paragraphs = list(self.truth.posts[item])
        place = version % _PARAGRAPHS
        paragraphs[place] = paragraph(post, place, version)
        admin.patch(f"/items/posts_translations/{row}", json={"body": body(paragraphs)}).raise_for_status()
        self.truth.posts[item] = paragraphs
        self.truth.edits += 1

    def _create(self, admin: httpx.Client, post: int) -> None:
        title, paragraphs = f"Bread {post}", [paragraph(post, place, 0) for place in range(_PARAGRAPHS)]
        query = {"filter[title][_eq]": title, "fields": "id,posts_id"}
        found = admin.get("/items/posts_translations", params=query).raise_for_status().json()["data"]
        if not found:
            source = {"languages_code": _SOURCE, "title": title, "body": body(paragraphs)}
            made = {"translations": [source]}
            answer = admin.post("/items/posts", json=made, params={"fields": "id,translations.id"})
            data = answer.raise_for_status().json()["data"]
            found = [{"id": data["translations"][0]["id"], "posts_id": data["id"]}]
        self._rows.append((str(found[0]["posts_id"]), str(found[0]["id"])))
        self.truth.posts[str(found[0]["posts_id"])] = paragraphs
        self.truth.edits += 1
