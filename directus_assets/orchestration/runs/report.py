"""Converts outcomes to Dagster metadata, which editors and operators read on a partition's page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Self
from urllib.parse import quote

import dagster as dg

from directus_assets.enrichment.work import Enriched
from directus_assets.images.outcomes import Delivered, Made
from directus_assets.images.purge import address_of, digests_of
from directus_assets.ownership.field_records import canonical
from directus_assets.redaction import redact
from directus_assets.spending.usage import Usage
from directus_assets.translation.corrections import Correction
from directus_assets.translation.engines.protocol import Engine
from directus_assets.translation.results import Review, Translated
from directus_assets.translation.scope import Scope
from directus_assets.waiting import Notice

REVIEW_MARK = "+review"
"""Appended to the fingerprint of a partition that needs review: the next human change then triggers a check."""

LEFT_OUT = "left-out"
"""The data version of a partition that a filter excludes.

It is never a fingerprint: once the filter matches the item again, it is stale.
"""

LEFT_OUT_BY_FILTER = "Left out: the item does not match the filter of the YAML file."
"""Describes such a partition."""

KEPT = ("human_text_kept", "human_value_kept")
"""The metadata keys that list human texts, which stayed as they were."""

_TEXT_SHOWN = 300
"""Maximum characters of a text on its partition's page."""

_PROPOSALS_SHOWN = 50

_MARKUP = re.compile(r"[\\`*\[\]<~&]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.")

ADOPTED = "Already correct: recorded without making anything."
"""Describes the materialization of an output that an instance without history found in Directus."""


@dataclass(frozen=True, kw_only=True)
class OutputRecord:
    """What Dagster records of an output.

    Attributes:
        data_version: its fingerprint, with `REVIEW_MARK` if it waits for a person.
        metadata: its metadata.
        note: its description; Markdown.
        notice: the notice for editors.
    """

    data_version: str
    metadata: Mapping[str, Any]
    note: str = ""
    notice: Notice | None = None

    def as_adopted(self) -> Self:
        """The record of an output that was already correct: no engine was asked."""
        asked = ("seconds", "engine", "segments_sent", "segments_reused", "cost")
        metadata = {name: value for name, value in self.metadata.items() if name not in asked} | {"adopted": True}
        return replace(self, metadata=metadata, note=ADOPTED)


def as_markdown(text: str) -> str:
    """Escape `text` for Markdown: Dagster's UI reads descriptions as Markdown, and would load pictures and follow links
    that an editor has put into a file name or a text.
    """
    return _MARKUP.sub(r"\\\g<0>", text).replace("://", ":\\//")


def derivative_record(outcome: Delivered, *, public_url: str) -> OutputRecord:
    """What Dagster records of one file through one preset."""
    return OutputRecord(data_version=outcome.fingerprint, metadata=_derivative_metadata(outcome, public_url))


def _derivative_metadata(outcome: Delivered, public_url: str) -> dict[str, Any]:
    """Metadata of one file through one preset.

    The numbers are those of the largest derivative, so that Dagster can plot them; a preset with the format `auto`
    lists all of its derivatives in a table.
    """
    largest = max(outcome.made, key=lambda made: made.bytes, default=None)
    link = address_of(public_url, outcome.file_id, outcome.preset)
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
    if digests := digests_of(outcome):
        metadata["digest"] = digests
    metadata["stored_as"] = ", ".join(made.name for made in outcome.made)
    preview = next((made.preview for made in outcome.made if made.preview), None)
    metadata["preview"] = dg.MetadataValue.md(f"![preview]({preview or link})")
    return metadata


def stored_sizes(metadata: Mapping[str, Any]) -> dict[str, int]:
    """Stored sizes in bytes by name, from a record (`Latest`) of `derivative_record`; omits those not recorded."""
    if (rows := metadata.get("derivatives")) is not None:
        return {str(row["name"]): int(str(row["bytes"])) for row in rows}
    name, size = metadata.get("stored_as"), metadata.get("bytes")
    return {str(name): int(str(size))} if name and size is not None else {}


def translation_metadata(
    result: Translated, *, scope: Scope, engine: Engine, cost: Decimal | None, public_url: str
) -> dict[str, Any]:
    """Metadata of one item in one language. Dagster plots the numbers over partitions and over time."""
    link = dg.MetadataValue.url(f"{public_url}/admin/content/{quote(scope.collection)}/{quote(result.item)}")
    if result.is_source:
        return {
            "item": link,
            "source": f"The item is written in {result.language}, according to '{scope.source_field}'.",
        }
    metadata: dict[str, Any] = {
        "item": link,
        "engine": engine.name,
        "seconds": round(result.seconds, 3),
        "segments_reused": result.reused,
        "segments_sent": result.sent,
        **_consumed(result.usage, cost),
    }
    if result.written:
        metadata["fields_written"] = ", ".join(result.written)
    if result.texts:
        metadata["texts"] = dg.MetadataValue.table([_text_row(*text) for text in result.texts])
    if result.kept:
        metadata["human_text_kept"] = ", ".join(result.kept)
    if result.left:
        metadata["not_translated"] = f"Text in an unsupported form: {', '.join(result.left)}"
    if result.reviews:
        metadata["needs_review"] = dg.MetadataValue.table([_review_row(review) for review in result.reviews])
    return metadata


def proposal_metadata(corrections: Sequence[Correction], *, remedy: str) -> dict[str, Any]:
    """Metadata of the proposals for one item in one language.

    Args:
        corrections: the human corrections of segments in other items.
        remedy: the command that applies them.
    """
    if not corrections:
        return {"proposals": 0}
    rows = [
        {"source": each.source, "text": each.ours, "proposal": each.theirs} for each in corrections[:_PROPOSALS_SHOWN]
    ]
    shown = [dg.TableRecord({name: _beginning(redact(text)) for name, text in row.items()}) for row in rows]
    return {"proposals": len(corrections), "proposed": dg.MetadataValue.table(shown), "to_apply": remedy}


def enrichment_metadata(
    result: Enriched, *, collection: str, engine: str, cost: Decimal | None, public_url: str
) -> dict[str, Any]:
    """Metadata of one item and one enrichment. Dagster plots the numbers over partitions and over time."""
    outcome = result.outcome
    place = "files" if collection == "directus_files" else f"content/{quote(collection)}"
    metadata: dict[str, Any] = {
        "item": dg.MetadataValue.url(f"{public_url}/admin/{place}/{quote(result.item)}"),
        "engine": engine,
        "seconds": round(result.seconds, 3),
        **_consumed(result.usage, cost),
    }
    if result.values:
        metadata["result"] = dg.MetadataValue.json(dict(result.values))
    if outcome.written:
        metadata["fields_written"] = ", ".join(outcome.written)
    if outcome.rows_written or outcome.rows_removed:
        metadata |= {"rows_written": outcome.rows_written, "rows_removed": outcome.rows_removed}
    if outcome.kept:
        metadata["human_value_kept"] = ", ".join(outcome.kept)
    if outcome.reviews:
        rows = [
            dg.TableRecord({"target": each.target, "human value, kept": each.human, "proposal": each.proposal})
            for each in outcome.reviews
        ]
        metadata["needs_review"] = dg.MetadataValue.table(rows)
    if result.left_out:
        metadata["input_characters_left_out"] = result.left_out
    if result.note:
        metadata["note"] = result.note
    return metadata


def _consumed(usage: Usage, cost: Decimal | None) -> dict[str, Any]:
    figures = {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "characters": usage.characters,
    }
    return figures if cost is None else {**figures, "cost": float(cost)}


def _text_row(field: str, source: str, translation: str) -> dg.TableRecord:
    """One field side by side in both languages; shortened, since every change of it is recorded."""
    short = {"source": source, "translation": translation}
    return dg.TableRecord({"field": field} | {name: _beginning(redact(text)) for name, text in short.items()})


def _beginning(text: str) -> str:
    return text if len(text) <= _TEXT_SHOWN else f"{text[: _TEXT_SHOWN - 1]}…"


def _review_row(review: Review) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "field": review.field,
            "old source": review.old_source,
            "new source": review.new_source,
            "human text, kept": review.human,
            "proposal": canonical(review.proposal),
        }
    )


def _row(made: Made) -> dg.TableRecord:
    size = f"{made.width} x {made.height}" if made.width else "–"
    return dg.TableRecord(
        {"derivative": made.label, "format": made.mime_type, "size": size, "bytes": made.bytes, "name": made.name}
    )
