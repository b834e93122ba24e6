"""Built-in enrichments, enabled by name: each is a declaration with defaults that the YAML file may override.

One module for each, or for those that differ only in wording; `BUILTINS` is the registry.
"""

from collections.abc import Mapping
from typing import Final

from directus_assets.enrichment.builtin import (
    alt_text,
    analysis,
    entities,
    focal_point,
    moderation,
    placeholder,
    related,
    seo,
    summary,
    vocabulary,
)
from directus_assets.enrichment.builtin.model import Builtin

BUILTINS: Final[Mapping[str, Builtin]] = {
    "seo": seo.BUILTIN,
    "summary": summary.BUILTIN,
    "analysis": analysis.BUILTIN,
    "entities": entities.BUILTIN,
    "tags": vocabulary.TAGS,
    "categories": vocabulary.CATEGORIES,
    "alt_text": alt_text.BUILTIN,
    "focal_point": focal_point.BUILTIN,
    "placeholder": placeholder.BUILTIN,
    "text_moderation": moderation.TEXT,
    "image_moderation": moderation.IMAGE,
    "related": related.BUILTIN,
}
