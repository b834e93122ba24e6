"""Outcomes as Dagster metadata: what an editor or an operator reads on a partition's page."""

from typing import Any
from urllib.parse import quote

import dagster as dg

from directus_assets.images.outcomes import Delivered, Made


def derivative_metadata(outcome: Delivered, *, public_url: str) -> dict[str, Any]:
    """Metadata of one file through one preset.

    Numbers are those of the largest derivative, so that Dagster can plot them; a preset with the format `auto` lists
    all of its derivatives in a table.
    """
    largest = max(outcome.made, key=lambda made: made.bytes, default=None)
    link = f"{public_url}/assets/{quote(outcome.file_id)}?key={quote(outcome.preset)}"
    metadata: dict[str, Any] = {
        "file": outcome.file_name,
        "delivery": outcome.delivery,
        "link": dg.MetadataValue.url(link),
        "seconds": round(outcome.seconds, 3),
    }
    if outcome.reason:
        metadata["reason"] = outcome.reason
    if largest is None:
        return {**metadata, "delivery": "original"}
    metadata |= {"bytes": largest.bytes, "format": largest.mime_type.removeprefix("image/")}
    if largest.width and largest.height:
        metadata |= {"width": largest.width, "height": largest.height}
    if outcome.original_bytes:
        metadata["ratio_to_original"] = round(largest.bytes / outcome.original_bytes, 4)
    if len(outcome.made) > 1:
        metadata["derivatives"] = dg.MetadataValue.table([_row(made) for made in outcome.made])
    metadata["stored_as"] = ", ".join(made.name for made in outcome.made)
    preview = next((made.preview for made in outcome.made if made.preview), None)
    metadata["preview"] = dg.MetadataValue.md(f"![preview]({preview or link})")
    return metadata


def _row(made: Made) -> dg.TableRecord:
    size = f"{made.width} x {made.height}" if made.width else "–"
    return dg.TableRecord(
        {"derivative": made.label, "format": made.mime_type, "size": size, "bytes": made.bytes, "name": made.name}
    )
