"""Estimates durations from the most recent work."""

import statistics
from collections.abc import Sequence

import dagster as dg

from directus_assets.directus.models import Preset
from directus_assets.orchestration.names import Names

_SAMPLE = 50


def seconds_per_file(instance: dg.DagsterInstance, names: Names, presets: Sequence[Preset]) -> dict[str, float]:
    """The median duration of the latest derivatives by preset; presets without any are omitted."""
    medians = {}
    for preset in presets:
        records = instance.fetch_materializations(names.preset(preset.key), limit=_SAMPLE).records
        events = [record.asset_materialization for record in records if record.asset_materialization]
        seconds = [event.metadata["seconds"].value for event in events if "seconds" in event.metadata]
        if seconds:
            medians[preset.key] = statistics.median(float(str(value)) for value in seconds)
    return medians


def duration(seconds: float) -> str:
    """A time span in words."""
    whole = round(seconds)
    if whole < 60:
        return f"{max(seconds, 0):.1f} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
