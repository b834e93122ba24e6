"""Choices from rows of the project's own collections, read once for all items of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from directus_assets.directus.client import DirectusClient, items_path
from directus_assets.directus.models import JsonValue
from directus_assets.directus.project_schema import FieldSchema
from directus_assets.enrichment.declaration import Declaration, with_choices
from directus_assets.errors import PermanentError
from directus_assets.json_text import well_formed
from directus_assets.settings import ResultOptions

_MOST = 500
"""The maximum number of choices in strict mode (OpenAI)."""


@dataclass
class Vocabularies:
    """The choices of one enrichment."""

    client: DirectusClient
    declaration: Declaration
    _keys: dict[str, dict[str, JsonValue]] = field(default_factory=dict)

    def result(self) -> Mapping[str, ResultOptions]:
        """The result with all current choices.

        Raises:
            PermanentError: there are no choices, or too many.
        """
        choices = {path: list(self._read(path)) for path in self.declaration.vocabularies}
        return with_choices(self.declaration.result, choices)

    def stored(self, value: JsonValue, path: str, target: FieldSchema) -> JsonValue:
        """Convert a value for writing: a field that references the chosen row gets its key."""
        if path in self.declaration.vocabularies and target.type not in ("string", "text", "json", "csv"):
            return self._read(path).get(str(value)) if value is not None else None
        return value

    def _read(self, path: str) -> dict[str, JsonValue]:
        if path not in self._keys:
            source = self.declaration.vocabularies[path]
            key = self.declaration.vocabulary_keys[path]
            rows = self.client.rows(
                items_path(source.collection),
                most=_MOST + 1,
                fields=[key, source.field],
                filter=source.filter,
                sort=key,
            )
            named = ((row.get(source.field), row[key]) for row in rows)
            found = {well_formed(str(name)): own for name, own in named if name not in (None, "")}
            if not 0 < len(found) <= _MOST:
                raise PermanentError(
                    f"'{source.collection}' has {len(found) or 'no'} rows to choose from for `{path}`; between 1 and "
                    f"{_MOST} are needed.",
                    remedy="Add some, or give `choices` a `filter` in the YAML file.",
                )
            self._keys[path] = found
        return self._keys[path]
