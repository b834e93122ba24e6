"""Why Directus does not make a derivative: its answer to a HEAD says no more than a status, so the picture is asked."""

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File
from directus_assets.errors import BadInput, DirectusAssetsError, Overloaded, Rejected
from directus_assets.images.budget import PixelBudget
from directus_assets.images.inspection import DIRECTUS_MAX_SIDE, inspect
from directus_assets.images.render import Source, render
from directus_assets.images.transforms import Derivative


def diagnose(
    client: DirectusClient,
    file: File,
    derivative: Derivative,
    error: DirectusAssetsError,
    *,
    budget: PixelBudget,
    max_pixels: int,
) -> DirectusAssetsError:
    """What is wrong with the picture, if that is why Directus failed; else the error as it came.

    Directus answers 500 to a truncated picture, just as when it is in trouble itself, and 400 to garbage and to
    pictures that are too large for it. Where nothing can be rendered here, the error stays as it came, too.

    Args:
        client: Directus.
        file: the file.
        derivative: what Directus was asked for.
        error: how that failed.
        budget: limits what is decoded at the same time.
        max_pixels: larger pictures are not decoded.
    """
    if not isinstance(error, (Overloaded, Rejected)):
        return error
    try:
        original = client.download(file.id)
        facts = inspect(original, file, max_pixels=max_pixels)
        if isinstance(error, Rejected) and facts.is_refused_by_directus:
            return _too_large(file, facts.width, facts.height)
        with budget.hold(facts.width * facts.height):
            render(Source(original), derivative, max_pixels=max_pixels)
    except BadInput as damage:
        return damage
    except DirectusAssetsError:
        pass
    return error


def _too_large(file: File, width: int, height: int) -> BadInput:
    return BadInput(
        f"{file.name} ({file.id}) has {width} x {height} pixels; by default Directus transforms no picture with a side "
        f"over {DIRECTUS_MAX_SIDE}.",
        remedy="Upload a smaller version, raise ASSETS_TRANSFORM_IMAGE_MAX_DIMENSION in Directus, or use delivery "
        "`storage`.",
    )
