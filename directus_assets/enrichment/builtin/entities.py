"""`entities`: the people and things that a text names, with their types and relations.

With `options: {collection: people, field: name}` an entity is linked to the matching item of that collection.
"""

from typing import Final

from directus_assets.directus.project_schema import CollectionSchema
from directus_assets.enrichment.builtin.model import Builtin, Material, Values
from directus_assets.enrichment.text_statistics import names
from directus_assets.settings import ChoiceSource, EnrichmentOptions, ResultOptions

_TYPES: Final = ("person", "organization", "place", "product", "work", "event", "date", "other")
_NAME: Final = ResultOptions(type="text", max_length=120)
_ENTITY: Final = {"name": _NAME, "type": ResultOptions(type="choice", choices=_TYPES)}


def _expand(options: EnrichmentOptions, _collection: CollectionSchema) -> EnrichmentOptions:
    if not options.options:
        return options
    item = ResultOptions(
        type="choice",
        optional=True,
        description="Which of the items of the project it is; null where it is none of them.",
        choices=ChoiceSource.model_validate(options.options),
    )
    entities = options.result["entities"]
    element = entities.of or ResultOptions(type="object", fields=_ENTITY)
    linked = element.model_copy(update={"fields": {**element.fields, "item": item}})
    result = {**options.result, "entities": entities.model_copy(update={"of": linked})}
    return options.model_copy(update={"result": result})


def _local(material: Material) -> Values:
    wanted = material.result["entities"]
    fields = wanted.of.fields if wanted.of else {}
    items = fields["item"].choices if "item" in fields else ()
    known = {choice.casefold(): choice for choice in items} if isinstance(items, tuple) else {}
    found = names(material.text, wanted.max_items or 30)
    linked = [{"item": known.get(name.casefold())} if "item" in fields else {} for name in found]
    return {
        "entities": [{"name": name, "type": "other", **link} for name, link in zip(found, linked, strict=True)],
        "relations": [],
    }


BUILTIN: Final = Builtin(
    defaults=EnrichmentOptions(
        prompt=(
            "Find the entities that the content names: each once, by its full name as the content has it, with its "
            "type. Then the relations between them that the content states, as subject, relation in a few words, and "
            "object, where subject and object are names of entities."
        ),
        result={
            "entities": ResultOptions(type="list", of=ResultOptions(type="object", fields=_ENTITY), max_items=30),
            "relations": ResultOptions(
                type="list",
                of=ResultOptions(
                    type="object",
                    fields={"subject": _NAME, "relation": ResultOptions(type="text", max_length=80), "object": _NAME},
                ),
                max_items=30,
            ),
        },
        targets={"entities": "entities", "relations": "relations"},
    ),
    expects=("title", "body"),
    expand=_expand,
    local=_local,
)
