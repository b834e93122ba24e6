"""Which derivatives a Directus encodes to the very bytes that are made here.

Both sides work with libvips, Directus through the sharp that it comes with. What differs was found by comparing the
whole corpus of the tests on each version that they run on.
"""

from typing import Final

from directus_assets.directus.version import Version
from directus_assets.images.inspection import Facts
from directus_assets.images.transforms import Derivative, encoding

_SAME_IN_OLDER: Final = frozenset({"jpeg", "webp"})
"""Formats that sharp 0.34 writes as 0.35 does, but for pictures in CMYK."""


def why_left(directus: Version, derivative: Derivative, facts: Facts | None = None, *, accept_similar: bool) -> str:
    """Why a derivative cannot be put into the storage of a Directus, which is to make it itself; empty where it can.

    Args:
        directus: who would serve it.
        derivative: what is to be made.
        facts: of the picture itself; without them, only what is true of every picture is told.
        accept_similar: whether other bytes than those of Directus will do.
    """
    if derivative.other_name:
        return (
            f"Directus {directus} may use either of two names for '{derivative.label}', because "
            "`withoutEnlargement` is set and the picture is smaller than the preset's size."
        )
    return "" if accept_similar else difference(directus, derivative, facts)


def difference(directus: Version, derivative: Derivative, facts: Facts | None = None) -> str:
    """Why this Directus makes other bytes of a derivative than are made here; empty where it makes the same."""
    form = encoding(derivative.transforms, facts.mime_type) if facts else derivative.format
    if directus.same_bytes == "all":
        return ""
    if directus.same_bytes == "none" or form not in _SAME_IN_OLDER:
        return f"Directus {directus} encodes {form.upper()} differently from our encoder."
    if facts and facts.interpretation == "cmyk":
        return f"Directus {directus} renders CMYK pictures differently from our renderer."
    return ""
