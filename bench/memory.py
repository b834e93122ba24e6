"""Memory: the peak resident size of a run over large pictures."""

from bench.bed import Bed, fresh_directus, photographs, running_pipeline
from bench.figures import Figure, ours_at_most
from bench.processes import watched_peaks
from directus_assets.local.pictures import landscape
from directus_assets.local.progress import Say

_RUN_WORKER = "dagster api execute_run"

_PICTURES, _DIFFERENT = 50, 10
_ROUNDS = 1
_HUGE = (11_600, 8_700)
_NO_LIMIT = {"ASSETS_TRANSFORM_IMAGE_MAX_DIMENSION": "12000"}
"""Of a picture with more pixels than this side squared Directus does not read the size; by default that is 36 MP."""


def measure(rounds: int, say: Say) -> list[Figure]:
    """The figures of this part."""
    many, one = [], []
    pictures = photographs(_DIFFERENT)
    say("drawing a picture of 100 megapixels")
    huge = landscape(0, _HUGE)
    # A peak differs little from round to round.
    rounds = min(rounds, _ROUNDS)
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: {_PICTURES} pictures")
        with fresh_directus() as bed:
            many.append(_peak(bed, [bed.upload(pictures[index % _DIFFERENT]) for index in range(_PICTURES)]))
        say(f"round {number + 1} of {rounds}: one picture")
        with fresh_directus(environment=_NO_LIMIT) as bed:
            one.append(_peak(bed, [bed.upload(huge)]))
    return [
        Figure(
            part="memory",
            what=f"peak of a run over {_PICTURES} pictures of 12 MP, 4 presets, delivery storage",
            unit="MB",
            ours=tuple(many),
            goal=ours_at_most(700),
        ),
        Figure(
            part="memory",
            what="peak of a run over one picture of 100 MP, 4 presets, delivery storage",
            unit="MB",
            ours=tuple(one),
            goal=ours_at_most(1200),
        ),
    ]


def _peak(bed: Bed, file_ids: list[str]) -> float:
    """The highest peak of all workers, in megabytes, in one run over files that exist before the pipeline starts."""
    with (
        running_pipeline(bed, config="images: {backfill_on_start: true}\n") as running,
        watched_peaks(running.pid, command=_RUN_WORKER) as peaks,
    ):
        running.wait_until_recorded(file_ids)
        running.wait_until_quiet()
    return max(peaks.values()) / 1e6
