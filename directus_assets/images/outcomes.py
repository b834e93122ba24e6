"""The outcome for one file and one preset."""

from dataclasses import dataclass
from typing import TypeAlias

from directus_assets.errors import DirectusAssetsError


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """One derivative as currently served or exported. Sizes in pixels and bytes; None if unknown."""

    label: str
    name: str
    """The stored or exported name, or the URL it is served at."""
    mime_type: str
    bytes: int
    width: int | None = None
    height: int | None = None
    digest: str = ""
    """SHA-256 of the bytes; empty if Directus rendered them."""
    look: str = ""
    """Identifies its appearance apart from its size; empty if it is not exported."""
    preview: str | None = None
    """A small picture as a `data:` URI."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """All derivatives of one file for one preset are delivered."""

    file_id: str
    file_name: str
    preset: str
    fingerprint: str
    delivery: str
    """The actual delivery: `warm`, `storage` or `export`."""
    made: tuple[Made, ...]
    original_bytes: int | None
    seconds: float
    reason: str = ""
    """Why the delivery is not the configured one, or why the bytes differ from Directus' own; else empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The failure of one file and one preset."""

    file_id: str
    file_name: str
    preset: str
    error: DirectusAssetsError


Outcome: TypeAlias = Delivered | Failed
