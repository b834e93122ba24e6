"""`tags` and `categories`: chosen only from the project's own; missing ones are proposed separately.

The project's list is one of these, in order of precedence::

    options: {collection: tags, field: name}     # the rows of a collection, with an optional `filter`
    options: {choices: [food, harbour]}          # said here
                                                 # neither: the choices of the target field in Directus
"""

from collections.abc import Callable
from typing import Final

from pydantic import Field, model_validator

from directus_assets.directus.project_schema import CollectionSchema
from directus_assets.enrichment.builtin.model import Builtin, Material, Values
from directus_assets.enrichment.text_statistics import fitting, keywords
from directus_assets.settings import ChoiceSource, EnrichmentOptions, ResultOptions
from directus_assets.settings.section import Section


class _Options(Section):
    choices: tuple[str, ...] = ()
    collection: str | None = None
    field: str = "name"
    filter: dict[str, object] = Field(default_factory=dict)
    most: int = Field(default=5, ge=1, le=50)
    """The maximum number per item."""

    @model_validator(mode="after")
    def _one_list(self) -> "_Options":
        if self.choices and self.collection:
            raise ValueError("`choices` and `collection` are two lists; give one of them")
        return self


def _builtin(name: str, one: str, prompt: str) -> Builtin:
    def expand(options: EnrichmentOptions, collection: CollectionSchema) -> EnrichmentOptions:
        own = _Options.model_validate(options.options)
        targets = (collection.field(options.targets.get(each, each)) for each in (name, one))
        choices = _choices(own, next((target.choices for target in targets if target and target.choices), ()))
        found = ResultOptions(
            type="list", of=ResultOptions(type="choice", choices=choices), max_items=own.most, description=prompt
        )
        return options.model_copy(update={"result": {name: found, **options.result}})

    return Builtin(
        defaults=EnrichmentOptions(
            prompt=(
                f"Choose the {name} that fit the content, the best first. Take only what really fits; none is an "
                "answer, too. Where an important one is missing among the allowed ones, propose it apart."
            ),
            result={
                "proposals": ResultOptions(
                    type="list",
                    of=ResultOptions(type="text", max_length=60),
                    max_items=3,
                    description=f"{name.capitalize()} that are missing among the allowed ones.",
                )
            },
            targets={name: name, one: one, "proposals": f"{one}_proposals"},
        ),
        expects=("title", "body"),
        expand=expand,
        derive=_first(name, one),
        derives={one: "choice"},
        local=_local(name),
    )


def _choices(own: _Options, of_field: tuple[str, ...]) -> tuple[str, ...] | ChoiceSource:
    if own.collection:
        return ChoiceSource(collection=own.collection, field=own.field, filter=own.filter)
    if choices := own.choices or of_field:
        return choices
    raise ValueError(
        "there is no list to choose from: name a `collection` or `choices` here, or give the target field choices"
    )


def _first(name: str, one: str) -> Callable[[Values, Values, EnrichmentOptions], Values]:
    def derive(values: Values, _inputs: Values, _options: EnrichmentOptions) -> Values:
        found = values[name]
        return {**values, one: found[0] if isinstance(found, list) and found else None}

    return derive


def _local(name: str) -> Callable[[Material], Values]:
    def local(material: Material) -> Values:
        wanted = material.result[name]
        choices = wanted.of.choices if wanted.of and isinstance(wanted.of.choices, tuple) else ()
        found = fitting(material.text, choices, wanted.max_items or 5)
        known = {choice.casefold() for choice in choices}
        missing = [word for word in keywords(material.text, 3) if word not in known]
        return {name: list(found), "proposals": list(missing)}

    return local


TAGS: Final = _builtin("tags", "tag", "From the allowed ones only.")
CATEGORIES: Final = _builtin("categories", "category", "From the allowed ones only.")
