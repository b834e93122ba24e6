"""Diagnoses why Directus does not make a derivative: its messages say little or mislead, so the picture is examined."""

from directus_assets.directus.models import File
from directus_assets.errors import BadInput, Correctable, DirectusAssetsError, Overloaded, Rejected, TooLarge
from directus_assets.images.inspection import Facts
from directus_assets.images.originals import Originals
from directus_assets.images.render import Source, render
from directus_assets.images.transforms import UNKNOWN_SIZES_REMEDY, Derivative, SizesUnknown

_REFUSED = "Illegal asset transformation"
"""Directus' message for a picture or derivative that it refuses because of its size."""

_MOST_BYTES_TO_ASK = 100_000_000
"""A larger file is not read just for a more precise message."""


def diagnose(
    originals: Originals, file: File, derivative: Derivative, error: DirectusAssetsError
) -> DirectusAssetsError:
    """The error for a faulty picture, if that is why Directus failed; else the original error.

    Directus answers 500 to a truncated picture, just as when it has problems itself, and 400 to garbage and to pictures
    that are too large. If nothing can be rendered here, the error is returned unchanged.

    Args:
        originals: reads the picture.
        file: the file.
        derivative: the derivative requested from Directus.
        error: the failure of that request.
    """
    if not isinstance(error, (Overloaded, Rejected)):
        return error
    is_refused = isinstance(error, Rejected) and _REFUSED in error.message
    if is_refused and file.width and file.height:
        return _too_large(file, derivative)
    try:
        with originals.open(file) as (content, facts):
            if is_refused:
                return _sizes_unknown(file, facts)
            if isinstance(error, Overloaded) and facts.is_refused_by_directus:
                return _sizes_of_another(file, facts)
            render(Source(content), derivative, max_pixels=originals.max_pixels)
    except TooLarge:
        pass
    except BadInput as damage:
        return damage
    except DirectusAssetsError:
        pass
    return error


def why_no_sizes(originals: Originals, file: File, error: SizesUnknown) -> BadInput:
    """Why Directus has no size for a picture: it is not a picture, it is damaged, or, as `error` says, it is too large.

    Args:
        originals: reads the picture.
        file: the file.
        error: the error for a picture that can be read.
    """
    try:
        with originals.open(file, most=_MOST_BYTES_TO_ASK):
            pass
    except TooLarge:
        pass
    except BadInput as damage:
        return damage
    except DirectusAssetsError:
        pass
    return error


def _too_large(file: File, derivative: Derivative) -> Correctable:
    return Correctable(
        f"{file.name} ({file.id}) has {file.width} x {file.height} pixels. One side of it, or of the derivative "
        f"'{derivative.label}', exceeds Directus' limit, which is 6000 by default.",
        remedy="Upload a smaller version, reduce the size in the preset, raise ASSETS_TRANSFORM_IMAGE_MAX_DIMENSION "
        "and ASSETS_TRANSFORM_IMAGE_MAX_OUTPUT_DIMENSION in Directus, or use delivery `storage`.",
    )


def _sizes_unknown(file: File, facts: Facts) -> BadInput:
    width, height = facts.upright
    return BadInput(
        f"{file.name} ({file.id}) has {width} x {height} pixels, but Directus has no width and height for it, and "
        "does not transform such pictures.",
        remedy=f"{UNKNOWN_SIZES_REMEDY} Or use delivery `storage`.",
    )


def _sizes_of_another(file: File, facts: Facts) -> BadInput:
    width, height = facts.upright
    return BadInput(
        f"{file.name} ({file.id}) has {width} x {height} pixels, which is too large for Directus to render.",
        remedy=UNKNOWN_SIZES_REMEDY,
    )
