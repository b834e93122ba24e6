"""Directus' records as this project uses them: parsed once, at the edge, and frozen.

Field names are Directus' names. Beyond this module nothing handles the raw JSON of a system collection.
"""

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Final, TypeAlias

from directus_assets.directus.javascript import as_number, is_truthy
from directus_assets.directus.version import LATEST, Version
from directus_assets.errors import Malformed, Rejected
from directus_assets.json_text import well_formed

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"


class Missing(Enum):
    """The type of `MISSING`, for a missing key where Directus distinguishes *missing* from `null`."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING

_DEEPEST: Final = 20
"""Nesting of a preset's transforms: sharp needs three levels."""

_LONGEST_SHOWN: Final = 60

_UNKNOWN_MOMENT: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

TRANSFORMED_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/tiff", "image/avif"})
"""The MIME types that Directus transforms (its `SUPPORTED_IMAGE_TRANSFORM_FORMATS`); other files are served
unchanged.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """One entry of the change feed (`directus_activity`).

    `item` is empty, and `timestamp` is the beginning of 1970, if an extension or a migration wrote unreadable values:
    one such entry must not stop the feed.
    """

    id: int
    action: str
    collection: str
    item: str
    user: str | None
    user_agent: str | None
    timestamp: dt.datetime

    FIELDS: ClassVar[tuple[str, ...]] = ("id", "action", "collection", "item", "user", "user_agent", "timestamp")

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> "Activity":
        """Parse one row of `GET /activity`.

        Raises:
            Rejected: the row lacks a field (the token may not read it) or a value has the wrong type.
        """
        return cls(
            id=_integer(row, "id", "directus_activity"),
            action=_text(row, "action", "directus_activity"),
            collection=_text(row, "collection", "directus_activity"),
            item="" if _shown_field(row, "item", "directus_activity") is None else str(row["item"]),
            user=_optional_text(row, "user"),
            user_agent=_optional_text(row, "user_agent"),
            timestamp=_moment(_shown_field(row, "timestamp", "directus_activity")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """One row of `directus_files`. Sizes are in pixels and bytes; `None` if Directus has no value."""

    id: str
    storage: str
    filename_disk: str
    filename_download: str
    title: str | None
    type: str | None
    filesize: int | None
    width: int | None
    height: int | None
    focal_point_x: float | None
    focal_point_y: float | None
    uploaded_on: str
    modified_on: str | None

    FIELDS: ClassVar[tuple[str, ...]] = (
        "id",
        "storage",
        "filename_disk",
        "filename_download",
        "title",
        "type",
        "filesize",
        "width",
        "height",
        "focal_point_x",
        "focal_point_y",
        "uploaded_on",
        "modified_on",
    )

    @property
    def is_transformable(self) -> bool:
        """Whether Directus makes derivatives of this file."""
        return self.type in TRANSFORMED_TYPES

    @property
    def name(self) -> str:
        """The file's name for editors."""
        return self.title or self.filename_download or self.id

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> "File":
        """Parse one row of `GET /files`.

        Raises:
            Rejected: the row lacks a field (the token may not read it) or a value has the wrong type.
        """
        return cls(
            id=_text(row, "id", "directus_files"),
            storage=_text(row, "storage", "directus_files"),
            filename_disk=_optional_text(row, "filename_disk") or "",
            filename_download=_optional_text(row, "filename_download") or "",
            title=_optional_text(row, "title"),
            type=_optional_text(row, "type"),
            filesize=_optional_integer(row, "filesize", "directus_files"),
            width=_optional_integer(row, "width", "directus_files"),
            height=_optional_integer(row, "height", "directus_files"),
            focal_point_x=_optional_number(row, "focal_point_x"),
            focal_point_y=_optional_number(row, "focal_point_y"),
            uploaded_on=_optional_text(row, "uploaded_on") or "",
            modified_on=_optional_text(row, "modified_on"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """One entry of `storage_asset_presets`, with its values as Directus hashes them.

    `fit` is `MISSING` if the key is missing, which leads to a different file name than `null`. `transforms` holds sharp
    operations as lists: the method's name, then its arguments.
    """

    key: str
    fit: "JsonValue | Missing" = MISSING
    width: float | None = None
    height: float | None = None
    quality: float | None = None
    without_enlargement: bool | None = None
    format: str | None = None
    transforms: tuple[tuple[JsonValue, ...], ...] = ()
    # Fields added later are excluded from the text behind the presets' digests, unless they are set.
    focal_point_x: float | None = field(default=None, repr=False)
    """Directus has no form field for it, but if set it takes precedence over the file's."""
    focal_point_y: float | None = field(default=None, repr=False)
    fault: str = field(default="", repr=False)
    """What Directus cannot process; empty if there is nothing of that kind."""
    directus: Version = field(default=LATEST, repr=False)
    """The version of the preset's Directus, which determines how derivatives are named."""

    @property
    def is_auto(self) -> bool:
        """Whether the output format depends on the caller's Accept header."""
        return self.format == "auto"

    @classmethod
    def parse(cls, row: Mapping[str, Any], directus: Version = LATEST) -> "Preset":
        """Parse one entry of `settings.storage_asset_presets`, with its `fault` if it cannot work.

        Directus does not validate it on saving; a value has the meaning that JavaScript gives it.

        Raises:
            Rejected: an entry without a key.
        """
        faults: list[str] = []
        numbers = {
            name: _preset_number(row.get(name), name, faults)
            for name in ("width", "height", "quality", "focal_point_x", "focal_point_y")
        }
        without_enlargement = row.get("withoutEnlargement")
        output = row.get("format")
        if is_truthy(output) and not isinstance(output, str):
            faults.append(f"`format` is {_shown(output)}, which is not a format name")
        return cls(
            key=_text(row, "key", "storage_asset_presets"),
            fit=row.get("fit", MISSING),
            without_enlargement=True if isinstance(without_enlargement, list | dict) else without_enlargement,
            format=output if isinstance(output, str) else None,
            transforms=_preset_transforms(row.get("transforms"), faults),
            fault="; ".join(faults),
            directus=directus,
            **numbers,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class GlossaryTerm:
    """One entry of `ai_translation_glossary`: a term and its translation."""

    term: str
    translation_note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectSettings:
    """The parts of `directus_settings` that this project uses."""

    directus: Version = LATEST
    presets: tuple[Preset, ...] = ()
    asset_transform: str = "all"
    """`all`, `none` or `presets`: the transformations that Directus allows."""
    default_language: str | None = None
    glossary: tuple[GlossaryTerm, ...] = ()
    style_guide: str = ""
    faults: tuple[str, ...] = ()
    """Malformed entries, which are skipped."""

    FIELDS: ClassVar[tuple[str, ...]] = (
        "storage_asset_presets",
        "storage_asset_transform",
        "default_language",
        "ai_translation_glossary",
        "ai_translation_style_guide",
    )
    SORTABLE: ClassVar[str] = "storage_asset_transform"
    """One of the fields that every database can sort by."""
    VERSION: ClassVar[str] = "directus_version"
    """The key added to the row's fields: the version of the Directus that returned it."""

    @classmethod
    def fields_of(cls, directus: Version) -> tuple[str, ...]:
        """The fields that this version of Directus has."""
        return tuple(name for name in cls.FIELDS if directus.has_glossary or not name.startswith("ai_translation_"))

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> "ProjectSettings":
        """Parse the response of `GET /settings` with the version added; without one, assume the newest Directus.

        Raises:
            Rejected: the token may not read the presets, or they are so malformed that Directus serves no asset at all.
        """
        if "storage_asset_presets" not in row:
            raise Rejected(
                "Directus returned its settings without `storage_asset_presets`.",
                remedy="Give the token's policy permission to read that field of directus_settings.",
            )
        presets: dict[str, Preset] = {}
        entries = row["storage_asset_presets"] or []
        usable = list(_askable(entries))
        directus = Version.parse(_optional_text(row, cls.VERSION) or "")
        for preset in (Preset.parse(entry, directus) for entry in usable):
            # Of two with the same key, Directus uses the first (its assets controller).
            presets.setdefault(preset.key, preset)
        return cls(
            directus=directus,
            presets=tuple(presets.values()),
            asset_transform=_optional_text(row, "storage_asset_transform") or "all",
            default_language=_optional_text(row, "default_language"),
            glossary=tuple(_glossary(row.get("ai_translation_glossary"))),
            style_guide=_optional_text(row, "ai_translation_style_guide") or "",
            faults=("Skipped an image preset without a key.",) * (len(entries) - len(usable)),
        )


def _glossary(entries: object) -> Iterator[GlossaryTerm]:
    """The entries with a term: the field is JSON and may contain anything."""
    for entry in entries if isinstance(entries, list) else ():
        term = _optional_text(entry, "term") if isinstance(entry, Mapping) else None
        if term and term.strip():
            yield GlossaryTerm(term=term, translation_note=_optional_text(entry, "translation_note") or "")


def _askable(rows: Any) -> Iterator[Mapping[str, Any]]:
    """The presets that can be requested: Directus compares their keys with a text."""
    if not isinstance(rows, list) or None in rows:
        raise Rejected(
            "With these presets, Directus responds to every asset request with an error.",
            remedy="In Directus' settings, make `storage_asset_presets` a list of presets without null entries.",
        )
    yield from (row for row in rows if isinstance(row, Mapping) and isinstance(row.get("key"), str))


def _preset_number(value: Any, name: str, faults: list[str]) -> float | None:
    is_focal = name.startswith("focal")
    if not is_truthy(value):
        return 0 if value == 0 and not is_focal and not isinstance(value, bool) else None
    number = as_number(value)
    # Directus checks the stored value for truth, so "0" counts as present and 0 does not.
    if not math.isfinite(number) or (number == 0 and not is_focal):
        faults.append(f"`{name}` is {_shown(value)}, which is not a number that sharp accepts")
        return None
    return number


def _preset_transforms(value: Any, faults: list[str]) -> tuple[tuple[JsonValue, ...], ...]:
    if not is_truthy(value):
        return ()
    if not isinstance(value, list) or not all(isinstance(t, list) and t and isinstance(t[0], str) for t in value):
        faults.append("`transforms` is not a list of [operation, argument, ...]")
        return ()
    if _is_deep(value, _DEEPEST):
        faults.append("`transforms` is nested too deeply")
        return ()
    return tuple(tuple(transform) for transform in value)


def _is_deep(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deep(each, levels - 1) for each in inner)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} …"


def _present(row: Mapping[str, Any], field: str, collection: str) -> Any:
    if row.get(field) is None:
        raise _without(field, collection)
    return row[field]


def _shown_field(row: Mapping[str, Any], field: str, collection: str) -> Any:
    if field not in row:
        raise _without(field, collection)
    return row[field]


def _without(field: str, collection: str) -> Rejected:
    return Rejected(
        f"Directus returned a row of {collection} without `{field}`.",
        remedy=f"Give the token's policy permission to read the field `{field}` of {collection}.",
    )


def _text(row: Mapping[str, Any], field: str, collection: str) -> str:
    return well_formed(str(_present(row, field, collection)))


def _optional_text(row: Mapping[str, Any], field: str) -> str | None:
    value = row.get(field)
    return None if value is None else well_formed(str(value))


def _integer(row: Mapping[str, Any], field: str, collection: str) -> int:
    try:
        return int(_present(row, field, collection))
    except (TypeError, ValueError, OverflowError):
        raise Malformed(f"Directus returned a `{field}` of {collection} that is not a whole number.") from None


def _optional_integer(row: Mapping[str, Any], field: str, collection: str) -> int | None:
    return None if row.get(field) is None else _integer(row, field, collection)


def _optional_number(row: Mapping[str, Any], field: str) -> float | None:
    value = row.get(field)
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Malformed(f"Directus returned `{field}` = {str(value)[:80]!r}, which is not a number.")
    return int(number) if number.is_integer() else number


def _moment(value: object) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(str(value))
        return max(_UNKNOWN_MOMENT, (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC))
    except (ValueError, OverflowError):
        return _UNKNOWN_MOMENT
