"""The Directus filters in the YAML file, with their locations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from directus_assets.settings.sections import Config


@dataclass(frozen=True, kw_only=True)
class ConfiguredFilter:
    """One filter."""

    where: str
    """Its location, such as `translations.collections.posts.filter`."""
    collection: str
    """The Directus collection whose items it selects."""
    condition: Mapping[str, Any]


def configured_filters(config: Config) -> Iterator[ConfiguredFilter]:
    """All filters of a project that are in use."""
    if config.images.filter:
        yield ConfiguredFilter(where="images.filter", collection="directus_files", condition=config.images.filter)
    if config.translations.enabled:
        for name, own in config.translations.collections.items():
            if own.enabled and own.filter:
                where = f"translations.collections.{name}.filter"
                yield ConfiguredFilter(where=where, collection=name.partition(".")[0], condition=own.filter)
    for collection, enrichments in config.enrichments.items():
        for name, enrichment in enrichments.items():
            if enrichment.enabled and enrichment.filter:
                where = f"enrichments.{collection}.{name}.filter"
                yield ConfiguredFilter(where=where, collection=collection, condition=enrichment.filter)
