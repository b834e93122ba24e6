"""Latency: from the response to an upload, or to a new post, until everything derived from it is there."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.bed import (
    POLL_SECONDS,
    Bed,
    Running,
    fresh_directus,
    phases,
    photographs,
    running_pipeline,
    set_up_pushes,
    wait_until,
)
from bench.figures import Figure, ours_at_most
from bench.images import render_all
from bench.texts import post
from directus_assets.local.progress import Say

_PER_ROUND = 7
_ENGINE = {"TRANSLATION_ENGINE": "pseudo"}
_RECIPE_SECONDS = 1.05
"""One 12-megapixel picture, four presets, with the recipe's engine: recorded once, on two cores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How the pipeline learns of a change, and how its runs start."""

    name: str
    upload_seconds: float
    post_seconds: float
    """The goals."""
    is_pushed: bool = False

    @property
    def poll_seconds(self) -> int:
        """The minimum for any polling pipeline: the interval between two polls of Directus."""
        return 0 if self.is_pushed else POLL_SECONDS


_WAYS = (
    Way(name="found by the sensors", upload_seconds=3.3, post_seconds=3.2),
    Way(name="pushed by a flow", upload_seconds=0.75, post_seconds=0.55, is_pushed=True),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lap:
    """The measurements of one way, in seconds."""

    uploads: list[float] = field(default_factory=list)
    posts: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    pictures = photographs(rounds * _PER_ROUND + 1)
    figures = []
    for way in _WAYS:
        lap = _measured(way, pictures, say)
        figures += _figures(way, lap)
    return figures


def _measured(way: Way, pictures: Sequence[bytes], say: Say) -> Lap:
    lap = Lap()
    with _running(way) as running:
        bed = running.bed
        say(f"{way.name}: first time")
        running.wait_until_recorded([bed.upload(pictures[0])])
        _post(bed)
        count = len(pictures) - 1
        moments = zip(phases(count), phases(count), strict=True)
        for number, (picture, (of_upload, of_post)) in enumerate(zip(pictures[1:], moments, strict=True)):
            say(f"{way.name}: {number + 1} of {count}")
            running.let_pass(of_upload)
            lap.uploads.append(_upload(bed, picture))
            running.let_pass(of_post)
            lap.posts.append(_post(bed))
            lap.bare.append(_bare(picture))
    return lap


@contextmanager
def _running(way: Way) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="directus-assets-bench-") as folder, fresh_directus(with_texts=True) as bed:
        home = Path(folder)
        with running_pipeline(bed, environment=_ENGINE, home=home) as running:
            if way.is_pushed:
                set_up_pushes(running)
            yield running


def _figures(way: Way, lap: Lap) -> list[Figure]:
    picture = f"{way.name}: one picture of 12 MP, from the upload's answer to 4 presets stored"
    poll = f"the poll interval ({way.poll_seconds} s) and " if way.poll_seconds else ""
    return [
        Figure(
            part="latency",
            what=picture,
            unit="s",
            ours=tuple(lap.uploads),
            against=f"{poll}the bare rendering",
            theirs=tuple(way.poll_seconds + seconds for seconds in lap.bare),
            goal=ours_at_most(way.upload_seconds),
        ),
        Figure(
            part="latency",
            what=picture,
            unit="s",
            ours=tuple(lap.uploads),
            against="the recipe with its engine, which is told of each upload, as recorded once",
            theirs=(_RECIPE_SECONDS,),
        ),
        Figure(
            part="latency",
            what=f"{way.name}: one post, from the answer to 4 languages written (engine pseudo)",
            unit="s",
            ours=tuple(lap.posts),
            against=f"the poll interval ({POLL_SECONDS} s)",
            theirs=(float(POLL_SECONDS),),
            goal=ours_at_most(way.post_seconds),
        ),
    ]


def _upload(bed: Bed, picture: bytes) -> float:
    file_id = bed.upload(picture)
    answered = time.monotonic()
    bed.wait_until_stored([file_id])
    return time.monotonic() - answered


def _post(bed: Bed) -> float:
    key = bed.admin.post("/items/posts", post("A short post", paragraphs=3))["id"]
    answered = time.monotonic()

    def is_translated() -> bool:
        # Not more often: each look takes some of Directus' time.
        time.sleep(0.1)
        rows = bed.admin.get("/items/posts_translations", filter={"posts_id": {"_eq": key}}, fields=["id"])
        return len(rows) == 5

    wait_until(is_translated, "The languages are not there")
    return time.monotonic() - answered


def _bare(picture: bytes) -> float:
    started = time.monotonic()
    render_all(picture)
    return time.monotonic() - started
