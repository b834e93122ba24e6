"""Edits of pictures that are not neighbours among their partitions, compared with edits of neighbours."""

import time
from collections.abc import Sequence
from itertools import cycle

from bench.bed import NAMES, Running, fresh_directus, phases, photographs, running_pipeline
from bench.figures import Figure, ours_at_most, ratio_at_most
from directus_assets.local.progress import Say

_PICTURES, _EDITED = 400, 200
_SIZE = (600, 400)
_FOCAL_POINTS = (150, 200, 250, 300, 350, 400)
"""In pixels from the left and from the top: each cuts out something else than the one before."""
_SCATTERED, _NEIGHBOURS = "scattered", "neighbours"


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    seconds: dict[str, list[float]] = {_SCATTERED: [], _NEIGHBOURS: []}
    runs: dict[str, list[float]] = {_SCATTERED: [], _NEIGHBOURS: []}
    with fresh_directus() as bed, running_pipeline(bed) as running:
        say(f"{_PICTURES} pictures for the first time")
        [picture] = photographs(1, size=_SIZE)
        files = [bed.upload(picture) for _ in range(_PICTURES)]
        running.wait_until_recorded(files)
        # In Dagster's order, which need not be that of the uploads.
        order = [
            key for key in running.instance.get_dynamic_partitions(str(NAMES.files_partitions.name)) if key in files
        ]
        chosen = {_SCATTERED: order[:: _PICTURES // _EDITED], _NEIGHBOURS: order[:_EDITED]}
        points = cycle(_FOCAL_POINTS)
        for number, phase in enumerate(phases(rounds)):
            # The other one begins each time.
            for name in sorted(chosen, reverse=bool(number % 2)):
                say(f"round {number + 1} of {rounds}: {_EDITED} {name}")
                took, made = _edit(running, chosen[name], focal_point=next(points), phase=phase)
                seconds[name].append(took)
                runs[name].append(made)
    what = f"{_EDITED} edited pictures of {_PICTURES} that are not neighbours"
    return [
        Figure(
            part="scattered",
            what=f"{what}, found by the sensor, until all derivatives are there",
            unit="s",
            ours=tuple(seconds[_SCATTERED]),
            against="as many neighbours",
            theirs=tuple(seconds[_NEIGHBOURS]),
            goal=ratio_at_most(1.2),
        ),
        Figure(
            part="scattered",
            what=f"runs for {what}",
            unit="runs",
            ours=tuple(runs[_SCATTERED]),
            against="as many neighbours",
            theirs=tuple(runs[_NEIGHBOURS]),
            goal=ours_at_most(4),
        ),
    ]


def _edit(running: Running, files: Sequence[str], *, focal_point: int, phase: float) -> tuple[float, int]:
    """Move the focal point of these pictures; return the seconds until all is made anew, and the number of runs."""
    running.let_pass(phase)
    before = len(running.wait_until_quiet())
    running.bed.admin.patch(
        "/files", [{"id": each, "focal_point_x": focal_point, "focal_point_y": focal_point} for each in files]
    )
    started = time.monotonic()
    running.bed.wait_until_stored(files)
    seconds = time.monotonic() - started
    return seconds, len(running.wait_until_quiet()) - before
