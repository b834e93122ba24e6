"""What became of one file and one preset."""

from dataclasses import dataclass
from typing import TypeAlias

from directus_assets.errors import DirectusAssetsError


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """One derivative as it is served or exported now. Sizes in pixels and bytes; None where nobody told us."""

    label: str
    name: str
    """The stored or exported name, or the address it is served under."""
    mime_type: str
    bytes: int
    width: int | None = None
    height: int | None = None
    digest: str = ""
    """SHA-256 of the bytes; empty where Directus has rendered them."""
    look: str = ""
    """What decides how it looks, but for its size; empty where it is not exported."""
    preview: str | None = None
    """A small picture as a `data:` URI."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """All derivatives of one file through one preset are there."""

    file_id: str
    file_name: str
    preset: str
    fingerprint: str
    delivery: str
    """`warm`, `storage` or `export`: what really delivered it."""
    made: tuple[Made, ...]
    original_bytes: int | None
    seconds: float
    reason: str = ""
    """Why the delivery is another than the configured one, or has different bytes from Directus' own; else empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """One file and one preset that could not be made."""

    file_id: str
    file_name: str
    preset: str
    error: DirectusAssetsError


Outcome: TypeAlias = Delivered | Failed
