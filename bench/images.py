"""Throughput: from uploading pictures until all derivatives are served and recorded, compared with the alternatives.

Each alternative starts with uploading the same pictures, one by one, into the same Directus.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.bed import PRESETS, Bed, Running, fresh_directus, phases, photographs, running_pipeline, set_up_pushes
from bench.figures import Figure, ratio_at_least, ratio_at_most
from directus_assets.directus.models import File
from directus_assets.images.render import Source, render
from directus_assets.images.transforms import derivatives
from directus_assets.local.progress import Say
from directus_assets.orchestration.names import Names

NAMES = Names()

PICTURES, MANY = 24, 96
"""A batch, and as many as show what one more picture costs."""

_RECIPE_ENGINE = 1 / 1.22
"""Pictures a second. The recipe itself (Directus hook, Inngest, one function at a time) was measured once, on two
cores: 16 uploads took 19.5 s. It is no part of this bench, since it needs software that is not installed with it."""

_BARE = "the bare loop: the same rendering calls on all cores, nothing else"
_ONE = "the recipe's flow: HEAD /assets on Directus, one at a time"
_FOUR = "HEAD /assets on Directus, four at a time"
_RECIPE = "the recipe with its engine, as recorded once (1.22 s a picture)"

_STORAGE, _WARM, _PUSHED = "storage", "warm", "pushed"


@dataclass(frozen=True, kw_only=True)
class Lap:
    """One way, once.

    Attributes:
        seconds: from the first upload to the last record of `PICTURES`.
        directus_cpu: of Directus: all of it, or ours from the answer to the last upload on. What an upload takes varies
            more than what comes then.
        work: from the start of the first run to the end of the last.
        many: as `seconds`, of `MANY`; 0 where that was not measured.
    """

    seconds: float
    directus_cpu: float = 0.0
    work: float = 0.0
    many: float = 0.0


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    say("drawing pictures")
    pictures = photographs(PICTURES)
    laps: dict[str, list[Lap]] = {}
    with fresh_directus() as bed:
        ways: dict[str, Callable[[float], Lap]] = {
            _STORAGE: lambda phase: _ours(bed, pictures, _STORAGE, phase),
            "one at a time": lambda _: _heads(bed, pictures, at_once=1),
            "four at a time": lambda _: _heads(bed, pictures, at_once=4),
            _WARM: lambda phase: _ours(bed, pictures, _WARM, phase),
            _PUSHED: lambda phase: _pushed(pictures, phase),
            "bare loop": lambda _: _bare_loop(pictures),
            "uploads": lambda _: _heads(bed, pictures, at_once=0),
        }
        for number, phase in enumerate(phases(rounds)):
            # Another one begins each time, so that no way always follows the same other.
            names = list(ways)[number % len(ways) :] + list(ways)[: number % len(ways)]
            for name in names:
                say(f"round {number + 1} of {rounds}: {name}")
                laps.setdefault(name, []).append(ways[name](phase))
    return [*_throughput(laps), *_load(laps)]


def _throughput(laps: dict[str, list[Lap]]) -> Iterator[Figure]:
    rates = {name: tuple(PICTURES / lap.seconds for lap in taken) for name, taken in laps.items()}
    further = tuple((MANY - PICTURES) / (lap.many - lap.seconds) for lap in laps[_STORAGE])
    at_work = tuple(PICTURES / lap.work for lap in laps[_STORAGE])
    what = f"pictures of 12 MP x {len(PRESETS)} presets, delivery"
    compared = {
        _RECIPE: (_RECIPE_ENGINE,),
        _ONE: rates["one at a time"],
        _FOUR: rates["four at a time"],
        _BARE: rates["bare loop"],
    }
    burst, each = f"{PICTURES} {what}", f"each of {MANY - PICTURES} further {what}"
    starts = "Without the sensor, the plan of the run, and the start of its process."
    fixed = f"What waits and starts take is in the first {PICTURES}; their uploads are in here."
    spans: list[tuple[str, str, tuple[float, ...], str, dict[str, float]]] = [
        (
            burst,
            "from the first upload to the last record",
            rates[_STORAGE],
            "With the wait for the sensor, too.",
            {_ONE: 1.4, _BARE: 0.55},
        ),
        (burst, "the same, pushed by a flow", rates[_PUSHED], "", {_ONE: 1.8, _BARE: 0.7}),
        (burst, "from the start of the first run to the end of the last", at_work, starts, {}),
        (each, "the whole way", further, fixed, {_RECIPE: 6.5, _ONE: 2.2, _FOUR: 1.2, _BARE: 0.87}),
    ]
    for subject, span, ours, note, goals in spans:
        for against, theirs in compared.items():
            yield Figure(
                part="images",
                what=f"{subject} {_STORAGE}: {span}",
                unit="pictures/s",
                ours=ours,
                against=against,
                theirs=theirs,
                goal=ratio_at_least(goals[against]) if against in goals else None,
                note=note,
            )
    yield Figure(
        part="images",
        what=f"{PICTURES} {what} {_WARM}: from the first upload to the last record",
        unit="pictures/s",
        ours=rates[_WARM],
        against=_ONE,
        theirs=rates["one at a time"],
    )
    yield Figure(
        part="images",
        what=f"{PICTURES} pictures by {_BARE}",
        unit="pictures/s",
        ours=rates["bare loop"],
        against=_RECIPE,
        theirs=(_RECIPE_ENGINE,),
        note="The most that this machine gives; the recipe was recorded on another day.",
    )


def _load(laps: dict[str, list[Lap]]) -> list[Figure]:
    uploads = statistics.median(lap.directus_cpu for lap in laps["uploads"])
    theirs = tuple(lap.directus_cpu - uploads for lap in laps["one at a time"])
    return [
        Figure(
            part="images",
            what=f"CPU of Directus beyond the uploads, {PICTURES} pictures, delivery {delivery}",
            unit="s",
            ours=tuple(lap.directus_cpu for lap in laps[delivery]),
            against=_ONE,
            theirs=theirs,
            goal=goal,
        )
        for delivery, goal in ((_STORAGE, ratio_at_most(0.05)), (_WARM, None))
    ]


def _pushed(pictures: Sequence[bytes], phase: float) -> Lap:
    # A Directus of its own: its flows would push the uploads of other ways, too.
    with fresh_directus() as bed:
        return _ours(bed, pictures, _STORAGE, phase, is_pushed=True)


def _ours(bed: Bed, pictures: Sequence[bytes], delivery: str, phase: float, *, is_pushed: bool = False) -> Lap:
    config = f"images: {{delivery: {delivery}}}\n"
    with running_pipeline(bed, config=config) as running:
        _warm_up(bed, running)
        if is_pushed:
            set_up_pushes(running)
            _warm_up(bed, running)
        running.let_pass(phase)
        started = time.monotonic()
        uploaded = [bed.upload(picture) for picture in pictures]
        before = bed.cpu_seconds
        running.wait_until_recorded(uploaded)
        seconds, cpu = time.monotonic() - started, bed.cpu_seconds - before
        runs = [run for run in running.wait_until_quiet()[:-1] if run.dagster_run.job_name == NAMES.images_job]
        begun, ended = (min(run.start_time or 0 for run in runs), max(run.end_time or 0 for run in runs))
        many = 0.0 if is_pushed or delivery == _WARM else _many(bed, running, pictures, phase)
        return Lap(seconds=seconds, directus_cpu=cpu, work=ended - begun, many=many)


def _many(bed: Bed, running: Running, pictures: Sequence[bytes], phase: float) -> float:
    running.let_pass(phase)
    started = time.monotonic()
    running.wait_until_recorded([bed.upload(pictures[number % len(pictures)]) for number in range(MANY)])
    return time.monotonic() - started


def _warm_up(bed: Bed, running: Running) -> None:
    """Process one picture, so that first-time costs are not measured."""
    running.wait_until_recorded([bed.upload(photographs(1, size=(800, 600))[0])])


def _heads(bed: Bed, pictures: Sequence[bytes], *, at_once: int) -> Lap:
    """Upload pictures and request each preset of each one; with 0 concurrent requests, only upload."""
    small = bed.upload(photographs(1, size=(800, 600))[0])
    for preset in PRESETS:
        bed.admin.head_asset(small, preset=preset.key)
    before, started = bed.cpu_seconds, time.monotonic()
    with ThreadPoolExecutor(max(1, at_once)) as pool:
        futures = [
            pool.submit(bed.admin.head_asset, file_id, preset=preset.key)
            for file_id in (bed.upload(picture) for picture in pictures)
            for preset in (PRESETS if at_once else ())
        ]
    for future in futures:
        future.result()
    return Lap(seconds=time.monotonic() - started, directus_cpu=bed.cpu_seconds - before)


def _bare_loop(pictures: Sequence[bytes]) -> Lap:
    started = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for future in [pool.submit(render_all, picture) for picture in pictures]:
            future.result()
    return Lap(seconds=time.monotonic() - started)


def render_all(picture: bytes) -> None:
    """Render one picture of 12 megapixels through all presets, with the calls that delivery `storage` makes."""
    source, file = Source(picture), _row(picture)
    for preset in PRESETS:
        for derivative in derivatives(preset, file):
            render(source, derivative)


def _row(picture: bytes) -> File:
    return File(
        id="bare",
        storage="local",
        filename_disk="bare.jpg",
        filename_download="bare.jpg",
        title=None,
        type="image/jpeg",
        filesize=len(picture),
        width=4000,
        height=3000,
        focal_point_x=None,
        focal_point_y=None,
        uploaded_on="2026-01-01T00:00:00Z",
        modified_on=None,
    )
