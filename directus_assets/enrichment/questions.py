"""Builds the questions about an item, and their fingerprints."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from directus_assets.directus.models import File, JsonValue
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.engines.protocol import Question
from directus_assets.enrichment.items import EnrichedItem
from directus_assets.enrichment.pictures import content_of
from directus_assets.enrichment.vocabularies import Vocabularies
from directus_assets.errors import BadInput
from directus_assets.json_text import DEEPEST, is_too_deep
from directus_assets.ownership.field_records import canonical
from directus_assets.ownership.protection import is_empty
from directus_assets.settings import ResultOptions
from directus_assets.translation.languages import language


def source_code(declaration: Declaration) -> str:
    """The language of the input; empty if the collection is not translated."""
    return declaration.source.code if declaration.source else ""


def inputs_of(declaration: Declaration, item: EnrichedItem) -> dict[str, str]:
    """The non-empty texts of an item for the engine, by field."""
    values = {
        place.name: _shown(item.value(place, source_code(declaration)), place.field.hidden_members)
        for place in declaration.inputs
    }
    return {name: canonical(value) for name, value in values.items() if not is_empty(value)}


def _shown(value: JsonValue, hidden: Collection[str], path: str = "") -> JsonValue:
    """A repeater's value without the members hidden from people."""
    if not hidden or not isinstance(value, (dict, list)):
        return value
    if isinstance(value, list):
        return [_shown(each, hidden, path) for each in value]
    return {
        name: _shown(each, hidden, f"{path}{name}.") for name, each in value.items() if f"{path}{name}" not in hidden
    }


def refuse_depths(declaration: Declaration, item: EnrichedItem) -> None:
    """Check that all inputs were read completely: JSON that is nested too deeply is not.

    Raises:
        BadInput: JSON that is nested too deeply; names the item and the field.
    """
    for place in declaration.inputs:
        if is_too_deep(item.value(place, source_code(declaration))):
            raise BadInput(
                f"Field '{place.name}' of item {item.key} of {declaration.collection.name}: "
                f"The JSON is nested more than {DEEPEST} levels deep.",
                remedy=f"Simplify it, or remove the field from the `input` of '{declaration.name}' in the YAML file.",
            )


def picture_of(declaration: Declaration, item: EnrichedItem) -> File | None:
    """The picture of an item for the engine."""
    name = declaration.options.picture
    return item.files.get(name) if name else None


def source_of(declaration: Declaration, item: EnrichedItem) -> str:
    """A digest of an item's input; empty if there is none."""
    texts, picture = inputs_of(declaration, item), picture_of(declaration, item)
    return _digest([texts, content_of(picture) if picture else None]) if texts or picture else ""


def fingerprint(declaration: Declaration, item: EnrichedItem) -> str:
    """A digest of everything that determines the outcome.

    Targets do not count: neither our own writes nor an editor's wording require work. Vocabularies do not count either:
    a new tag is no reason to ask again about all items.
    """
    return _digest([source_of(declaration, item), declaration.code_version])[:16]


@dataclass(frozen=True)
class Questioner:
    """Builds the questions of one enrichment."""

    declaration: Declaration
    vocabularies: Vocabularies

    def question(self, item: EnrichedItem, code: str, *, picture: str | None) -> Question:
        """The question in the language `code`; an empty code leaves the language to the task.

        Raises:
            BadInput: there is too much input, and it must not be cut; or JSON is nested too deeply.
        """
        return Question(
            name=self.declaration.name,
            task=self.declaration.options.prompt,
            input=self._texts(item),
            result=self._result,
            language=language(code) if code else None,
            picture=picture,
        )

    def digest(self, item: EnrichedItem, code: str) -> str:
        """Identifies this question."""
        result = {name: field.model_dump(mode="json") for name, field in self._result.items()}
        return _digest([fingerprint(self.declaration, item), code, result])

    def left_out(self, item: EnrichedItem) -> int:
        """Characters of the input that are withheld from the engine."""
        total = sum(map(len, inputs_of(self.declaration, item).values()))
        return max(0, total - self.declaration.options.max_characters)

    @cached_property
    def _result(self) -> Mapping[str, ResultOptions]:
        return self.vocabularies.result()

    def _texts(self, item: EnrichedItem) -> Mapping[str, str]:
        refuse_depths(self.declaration, item)
        left = self.declaration.options.max_characters
        if self.left_out(item) and self.declaration.options.when_longer == "fail":
            raise BadInput(
                f"Item {item.key} of {self.declaration.collection.name} has {self.left_out(item)} characters of input "
                f"for '{self.declaration.name}' over the limit of {left}.",
                remedy="Shorten it, raise `max_characters`, or set `when_longer: cut` in the YAML file.",
            )
        texts = {}
        for name, text in inputs_of(self.declaration, item).items():
            texts[name] = text[:left]
            left -= len(texts[name])
        return {name: text for name, text in texts.items() if text}


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
