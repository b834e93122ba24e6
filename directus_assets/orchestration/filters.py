"""Validates the YAML file's filters, for `doctor` and for the collection's sensor."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from directus_assets.directus.client import DirectusClient, items_path
from directus_assets.directus.filters import FilterSchema
from directus_assets.errors import ConfigurationError, Forbidden, Rejected
from directus_assets.settings import Config
from directus_assets.settings.filters import configured_filters


def filter_faults(
    client: DirectusClient, config: Config, *, collection: str | None = None
) -> Iterator[tuple[str, ConfigurationError]]:
    """The filters that cannot work, each with the error. Sends Directus no request if there are no filters.

    Args:
        client: Directus.
        config: the YAML file.
        collection: limits the check to the filters of this collection.

    Raises:
        DirectusAssetsError: Directus cannot be read, for example for want of a right.
    """
    found = [each for each in configured_filters(config) if collection in (None, each.collection)]
    if not found:
        return
    try:
        schema = FilterSchema.read(client)
    except Forbidden:
        schema = FilterSchema({}, {}, {})  # Pictures need no right to read the schema; Directus itself judges then.
    for each in found:
        where = f"`{each.where}` in the YAML file"
        mistakes = list(schema.mistakes(each.condition, each.collection))
        for mistake in mistakes:
            yield each.where, ConfigurationError(f"{where}: {mistake.text}", remedy=mistake.remedy)
        if not mistakes:
            key = schema.keys.get(each.collection, "id")
            try:
                client.get(items_path(each.collection), fields=[key], filter=each.condition, sort=key, limit=1)
            except Rejected as error:
                yield each.where, ConfigurationError(f"{where} was rejected: {error.message}", remedy="Correct it.")


@dataclass
class FilterGuard:
    """Validates the filters of one collection until they are correct.

    A changed filter reloads the definitions, and so starts anew.

    Args:
        config: the YAML file.
        collection: whose filters.
    """

    config: Config
    collection: str
    _is_right: bool = field(default=False, init=False)

    def require(self, client: DirectusClient) -> None:
        """Validates the filters.

        Raises:
            ConfigurationError: the first invalid filter.
        """
        if self._is_right:
            return
        for _, fault in filter_faults(client, self.config, collection=self.collection):
            raise fault
        self._is_right = True
