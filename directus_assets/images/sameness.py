"""Determines which derivatives a Directus encodes to exactly our bytes.

Both sides use libvips, Directus through its bundled sharp. The differences were found by comparing the tests' whole
corpus on each version that they run on.
"""

from typing import Final

from directus_assets.directus.version import Version
from directus_assets.images.inspection import Facts
from directus_assets.images.transforms import Derivative, encoding

_SAME_IN_OLDER: Final = frozenset({"jpeg", "webp"})
"""Formats that sharp 0.34 writes as 0.35 does, except for CMYK pictures."""


def why_left(directus: Version, derivative: Derivative, facts: Facts | None = None, *, accept_similar: bool) -> str:
    """Why a derivative has to be made by Directus itself; empty if ours may be stored for it.

    Args:
        directus: the version that would serve it.
        derivative: the derivative to make.
        facts: about the picture itself; without them, only what is true of every picture is reported.
        accept_similar: whether bytes that differ from Directus' are acceptable.
    """
    if derivative.other_name:
        return (
            f"Directus {directus} may use either of two names for '{derivative.label}', because "
            "`withoutEnlargement` is set and the picture is smaller than the preset's size."
        )
    return "" if accept_similar else difference(directus, derivative, facts)


def difference(directus: Version, derivative: Derivative, facts: Facts | None = None) -> str:
    """Why this Directus produces different bytes for a derivative than we do; empty if they are the same."""
    form = encoding(derivative.transforms, facts.mime_type) if facts else derivative.format
    if directus.same_bytes == "all":
        return ""
    if directus.same_bytes == "none" or form not in _SAME_IN_OLDER:
        return f"Directus {directus} encodes {form.upper()} differently from our encoder."
    if facts and facts.interpretation == "cmyk":
        return f"Directus {directus} renders CMYK pictures differently from our renderer."
    return ""
