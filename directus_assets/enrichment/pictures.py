"""A picture as a model is shown it: small, upright, without metadata, as a `data:` URI."""

import base64
from typing import Final

from directus_assets.directus.models import File
from directus_assets.errors import BadInput
from directus_assets.images.originals import Originals
from directus_assets.images.previews import thumbnail
from directus_assets.images.sharp.load import libvips

_SIDE: Final = 1024
"""What models look at; a larger picture costs more and shows them no more."""

_VERSION: Final = 1
"""Part of every fingerprint: raise it when the same picture is shown in another way."""


def content_of(file: File) -> tuple[object, ...]:
    """What decides what a model sees: another title is the same picture."""
    return (file.id, file.storage, file.filename_disk, file.type, file.filesize, file.uploaded_on, _VERSION)


def shown(originals: Originals, file: File) -> str:
    """The picture as a JPEG of at most 1024 pixels a side; what is transparent becomes white.

    Raises:
        BadInput: it is no picture that can be read, or too large; names the file and the way out.
        ConfigurationError: there is no libvips on this machine.
        DirectusAssetsError: Directus does not hand out the original.
    """
    if not file.is_transformable:
        raise BadInput(
            f"{file.name} ({file.id}) is {file.type}, which cannot be looked at.",
            remedy="Use a JPEG, PNG, WebP, TIFF or AVIF picture.",
        )
    try:
        with originals.open(file) as (content, _):
            small = thumbnail(content, _SIDE)
            flat = small.flatten(background=255) if small.hasalpha() else small
            encoded = flat.jpegsave_buffer(Q=80, keep="none")
    except libvips().Error as error:
        raise BadInput(
            f"{file.name} ({file.id}) is damaged and cannot be looked at: {error}".replace("\n", " ").strip(),
            remedy="Open it in an image editor, save it again, and replace the file in Directus.",
        ) from None
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode()}"
