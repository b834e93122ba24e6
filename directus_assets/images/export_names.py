"""The names of exported derivatives: valid in any file system and URL, and unique."""

import hashlib
import re
from typing import Final

MANIFEST: Final = "manifest.json"

_EXTENSIONS: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/tiff": ".tiff",
    "image/avif": ".avif",
}
"""Not the machine's own table: a slim container does not know WebP."""

_UNSAFE: Final = frozenset('/\\~:*?"<>|%#')
"""`~` marks escapes; the others have a meaning in a file system or a URL."""

_SPECIAL: Final = re.compile(
    rf"{re.escape(MANIFEST)}|(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE | re.DOTALL
)
"""Names that are taken: by the manifest beside the folders, or by the devices of Windows."""

_LONGEST: Final = 120
"""Maximum bytes of a folder's name."""


def folder_of(preset_key: str) -> str:
    """The folder of a preset: its key, with invalid characters escaped as `~` and their bytes in hexadecimal.

    Folders are unique per key, and never special names such as `..`.
    """
    spelt = "".join(
        character
        if character.isprintable() and character not in _UNSAFE
        else "".join(f"~{byte:02X}" for byte in character.encode())
        for character in preset_key
    )
    is_plain = spelt.strip(" .") == spelt and spelt and len(spelt.encode()) <= _LONGEST
    return (
        spelt
        if is_plain and not _SPECIAL.fullmatch(spelt)
        else f"~~{hashlib.sha256(preset_key.encode()).hexdigest()[:32]}"
    )


def export_name(preset_key: str, file_id: str, mime_type: str) -> str:
    """`<preset>/<file id><extension>`, for a format that is rendered here."""
    return f"{folder_of(preset_key)}/{file_id}{_EXTENSIONS[mime_type]}"
