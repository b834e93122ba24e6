"""What exported derivatives are called: names that any file system and any URL takes, and that no two of them share."""

import hashlib
from typing import Final

_EXTENSIONS: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/tiff": ".tiff",
    "image/avif": ".avif",
}
"""Not those of the machine: a slim container knows no WebP."""

_UNSAFE: Final = frozenset('/\\~:*?"<>|%#')
"""`~` marks what is spelt out; the others mean something to a file system or in a URL."""

_LONGEST: Final = 120
"""Bytes of a folder's name."""


def folder_of(preset_key: str) -> str:
    """The folder of a preset: its key, with what cannot stand in a name spelt out as `~` and its bytes in hexadecimal.

    No two keys have the same folder, and none is one that means another, such as `..`.
    """
    spelt = "".join(
        character
        if character.isprintable() and character not in _UNSAFE
        else "".join(f"~{byte:02X}" for byte in character.encode())
        for character in preset_key
    )
    is_plain = spelt.strip(" .") == spelt and spelt and len(spelt.encode()) <= _LONGEST
    return spelt if is_plain else f"~~{hashlib.sha256(preset_key.encode()).hexdigest()[:32]}"


def export_name(preset_key: str, file_id: str, mime_type: str) -> str:
    """`<preset>/<file id><extension>`, for a format that is rendered here."""
    return f"{folder_of(preset_key)}/{file_id}{_EXTENSIONS[mime_type]}"
