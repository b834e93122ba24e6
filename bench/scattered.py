"""Edits of items that are not neighbours among their partitions, compared with edits of neighbours."""

import time
from collections.abc import Sequence
from itertools import count

from bench.bed import Bed, Running, fresh_directus, phases, running_pipeline, wait_until
from bench.figures import Figure, ours_at_most, ratio_at_most
from bench.texts import post
from directus_assets.local.progress import Say

_ITEMS, _EDITED = 400, 200
_LANGUAGES = 4
_ENGINE = {"TRANSLATION_ENGINE": "pseudo"}


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    seconds: dict[str, list[float]] = {"scattered": [], "neighbours": []}
    runs: dict[str, list[float]] = {"scattered": [], "neighbours": []}
    with fresh_directus(with_texts=True) as bed, running_pipeline(bed, environment=_ENGINE) as running:
        say(f"{_ITEMS} posts for the first time")
        posts = [post(f"Post {number}", paragraphs=1, seed=number) for number in range(_ITEMS)]
        keys = [str(row["id"]) for row in bed.admin.post("/items/posts", posts)]
        _wait_until_translated(bed, keys)
        chosen = {"scattered": keys[:: _ITEMS // _EDITED], "neighbours": keys[:_EDITED]}
        marks = count(1000)
        for number, phase in enumerate(phases(rounds)):
            # The other one begins each time.
            for name in sorted(chosen, reverse=bool(number % 2)):
                say(f"round {number + 1} of {rounds}: {_EDITED} {name}")
                took, made = _edit(running, chosen[name], mark=str(next(marks)), phase=phase)
                seconds[name].append(took)
                runs[name].append(made)
    what = f"{_EDITED} edited posts of {_ITEMS} that are not neighbours, {_LANGUAGES} languages (engine pseudo)"
    return [
        Figure(
            part="scattered",
            what=f"{what}, found by the sensors",
            unit="s",
            ours=tuple(seconds["scattered"]),
            against="as many neighbours",
            theirs=tuple(seconds["neighbours"]),
            goal=ratio_at_most(1.2),
        ),
        Figure(
            part="scattered",
            what=f"runs for {what}",
            unit="runs",
            ours=tuple(runs["scattered"]),
            against="as many neighbours",
            theirs=tuple(runs["neighbours"]),
            goal=ours_at_most(4),
        ),
    ]


def _edit(running: Running, keys: Sequence[str], *, mark: str, phase: float) -> tuple[float, float]:
    """Edit these posts; return the seconds until all are translated, and the number of runs."""
    running.let_pass(phase)
    before = len(running.wait_until_quiet())
    source = {"_and": [{"posts_id": {"_in": list(keys)}}, {"languages_code": {"_eq": "en-US"}}]}
    rows = running.bed.admin.get("/items/posts_translations", filter=source, fields=["id"], limit=-1)
    running.bed.admin.patch("/items/posts_translations", [{"id": row["id"], "title": f"Edit {mark}"} for row in rows])
    started = time.monotonic()
    _wait_until_translated(running.bed, keys, mark)
    return time.monotonic() - started, len(running.wait_until_quiet()) - before


def _wait_until_translated(bed: Bed, keys: Sequence[str], mark: str = "") -> None:
    """Wait until these posts have a title with this mark in all languages."""
    title = {"_contains": mark} if mark else {"_nempty": True}
    wanted = {"_and": [{"posts_id": {"_in": list(keys)}}, {"title": title}]}

    def are_translated() -> bool:
        # Not more often: each look takes some of Directus' time.
        time.sleep(0.2)
        rows = bed.admin.get("/items/posts_translations", filter=wanted, fields=["id"], limit=-1)
        return len(rows) == len(keys) * (1 + _LANGUAGES)

    wait_until(are_translated, "The languages are not there")
