"""Latency: from the answer to an upload, or to a new post, until everything that follows from it is there."""

import random
import time

from directus_assets.bench.bed import Bed, fresh_directus, photographs, running_pipeline, wait_until
from directus_assets.bench.figures import Figure, ours_at_most
from directus_assets.bench.images import render_all
from directus_assets.bench.texts import post
from directus_assets.local.progress import Say

_PER_ROUND = 7
_POLL_SECONDS = 5
_ENGINE = {"TRANSLATION_ENGINE": "pseudo"}
_RECIPE_SECONDS = 1.05
"""One 12-megapixel picture, four presets, with the recipe's engine: recorded once, on two cores."""


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    count = rounds * _PER_ROUND
    uploads, posts, bare = [], [], []
    pictures = photographs(count + 1)
    with fresh_directus(with_texts=True) as bed, running_pipeline(bed, environment=_ENGINE) as running:
        say("first time")
        running.wait_until_recorded([bed.upload(pictures.pop())])
        _post(bed)
        for number, picture in enumerate(pictures):
            say(f"{number + 1} of {count}")
            running.wait_until_quiet()
            # The next tick is as far away as chance has it.
            time.sleep(random.uniform(0, _POLL_SECONDS))
            uploads.append(_upload(bed, picture))
            running.wait_until_quiet()
            time.sleep(random.uniform(0, _POLL_SECONDS))
            posts.append(_post(bed))
            bare.append(_bare(picture))
    return [
        Figure(
            part="latency",
            what="one picture of 12 MP, from the upload's answer to 4 presets stored",
            unit="s",
            ours=tuple(uploads),
            against=f"the poll interval ({_POLL_SECONDS} s) and the bare rendering",
            theirs=tuple(_POLL_SECONDS + seconds for seconds in bare),
            goal=ours_at_most(8),
        ),
        Figure(
            part="latency",
            what="one picture of 12 MP, from the upload's answer to 4 presets stored",
            unit="s",
            ours=tuple(uploads),
            against="the recipe with its engine, which is told of each upload, as recorded once",
            theirs=(_RECIPE_SECONDS,),
        ),
        Figure(
            part="latency",
            what="one post, from the answer to 4 languages written (engine pseudo)",
            unit="s",
            ours=tuple(posts),
            against=f"the poll interval ({_POLL_SECONDS} s)",
            theirs=(float(_POLL_SECONDS),),
            goal=ours_at_most(8),
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
        # Looked at from outside, and seldom: each look takes some of Directus' time.
        time.sleep(0.2)
        rows = bed.admin.get("/items/posts_translations", filter={"posts_id": {"_eq": key}}, fields=["id"])
        return len(rows) == 5

    wait_until(is_translated, "The languages are not there")
    return time.monotonic() - answered


def _bare(picture: bytes) -> float:
    started = time.monotonic()
    render_all(picture)
    return time.monotonic() - started
