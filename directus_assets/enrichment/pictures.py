"""Prepares a picture for a model: small, upright, without metadata, as a `data:` URI."""

import base64
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from directus_assets.directus.models import File, JsonValue
from directus_assets.errors import BadInput
from directus_assets.images.inspection import Facts
from directus_assets.images.originals import Originals
from directus_assets.images.previews import thumbnail
from directus_assets.images.sharp.load import libvips

Measure: TypeAlias = Callable[[bytes, Facts], Mapping[str, JsonValue]]
"""Computes values from a picture and its header."""

_SIDE: Final = 1024
"""The resolution that models use; a larger picture costs more and shows them nothing more."""

_VERSION: Final = 1
"""Part of every fingerprint: increment it when the same picture is prepared differently."""


def content_of(file: File) -> tuple[object, ...]:
    """The inputs that determine what a model sees: a new title leaves the picture the same."""
    return (file.id, file.storage, file.filename_disk, file.type, file.filesize, file.uploaded_on, _VERSION)


def measured(originals: Originals, file: File, measure: Measure) -> Mapping[str, JsonValue]:
    """Measure the picture itself.

    Raises:
        BadInput: as for `shown`.
        DirectusAssetsError: as for `shown`.
    """
    _require_picture(file)
    with originals.open(file) as (content, facts):
        try:
            return measure(content, facts)
        except BadInput as error:
            raise _damaged(file, error.message) from None


def shown(originals: Originals, file: File) -> str:
    """The picture as a JPEG of at most 1024 pixels per side; transparent parts become white.

    Raises:
        BadInput: it is not a readable picture, or too large; names the file and the remedy.
        ConfigurationError: libvips is not installed.
        DirectusAssetsError: Directus does not provide the original.
    """
    _require_picture(file)
    try:
        with originals.open(file) as (content, _):
            small = thumbnail(content, _SIDE)
            flat = small.flatten(background=255) if small.hasalpha() else small
            encoded = flat.jpegsave_buffer(Q=80, keep="none")
    except libvips().Error as error:
        raise _damaged(file, str(error)) from None
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode()}"


def _require_picture(file: File) -> None:
    if not file.is_transformable:
        raise BadInput(
            f"{file.name} ({file.id}) is {file.type}, which is not a supported picture format.",
            remedy="Use a JPEG, PNG, WebP, TIFF or AVIF picture.",
        )


def _damaged(file: File, reason: str) -> BadInput:
    return BadInput(
        f"{file.name} ({file.id}) is damaged and could not be decoded: {reason}".replace("\n", " ").strip(),
        remedy="Open it in an image editor, save it again, and replace the file in Directus.",
    )
