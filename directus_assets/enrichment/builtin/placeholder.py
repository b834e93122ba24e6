"""`placeholder`: a stand-in while a picture loads; measured, without a model."""

from typing import Final

from directus_assets.enrichment.builtin.model import Builtin, Values
from directus_assets.images.inspection import Facts
from directus_assets.images.previews import placeholder, thumbhash_of
from directus_assets.settings import EnrichmentOptions, ResultOptions


def _measure(content: bytes, facts: Facts) -> Values:
    width, height = facts.upright
    found = placeholder(content)
    return {
        "blurhash": found.blurhash,
        "thumbhash": thumbhash_of(content),
        "dominant_colour": found.colour,
        "aspect_ratio": round(width / height, 4),
    }


BUILTIN: Final = Builtin(
    defaults=EnrichmentOptions(
        prompt="Measure the picture.",
        picture="id",
        result={
            "blurhash": ResultOptions(type="text"),
            "thumbhash": ResultOptions(type="text"),
            "dominant_colour": ResultOptions(type="text"),
            "aspect_ratio": ResultOptions(type="number"),
        },
        targets={
            "blurhash": "blurhash",
            "thumbhash": "thumbhash",
            "dominant_colour": "dominant_colour",
            "aspect_ratio": "aspect_ratio",
        },
        engine="local",
    ),
    follows_content=True,
    measure=_measure,
)
