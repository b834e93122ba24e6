"""`recommendations`: items for each audience segment, computed from an interactions collection and written as rows.

Declared among the enrichments of the recommended collection, and recomputed on a schedule::

    enrichments:
      posts:
        recommendations:
          filter: {status: {_eq: published}}
          options:
            interactions: {collection: visits, item: post, segment: audience, at: date, kind: action, kinds: {share: 4}}
            into: {collection: recommendations, segment: audience, item: post, rank: rank, reason: reason}
            tags: tags
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final

from pydantic import Field, ValidationError, model_validator

from directus_assets.directus.project_schema import CollectionSchema, ProjectSchema
from directus_assets.enrichment.declaration import RowTarget
from directus_assets.enrichment.interest import Phrases
from directus_assets.errors import ConfigurationError
from directus_assets.settings import EnrichmentOptions
from directus_assets.settings.known import require_known
from directus_assets.settings.section import Cron, Section

NAME: Final = "recommendations"


class InteractionOptions(Section):
    """The location of interactions, and which of them count."""

    collection: str
    item: str
    """The field that references the item."""
    segment: str
    """The field with the audience segment; also one of a related item, such as `visitor.segment`."""
    at: str
    """The field with the time."""
    kind: str | None = None
    """The field with the kind of interaction."""
    kinds: dict[str, float] = Field(default_factory=dict)
    """The weight of each kind; others count 1. Negative: disliked."""
    weight: str | None = None
    """The field with the weight of an interaction; multiplied by that of the kind."""
    since_days: int = Field(default=365, ge=1)
    """Older interactions neither count nor keep an item from being recommended."""


class IntoOptions(Section):
    """The collection with one row for each segment and item."""

    collection: str
    segment: str
    item: str
    rank: str
    score: str | None = None
    reason: str | None = None


class PhraseOptions(Section):
    """The templates of reasons; `{tags}` and `{title}` are filled in."""

    tags: str = Phrases().tags
    similar: str = Phrases().similar
    both: str = Phrases().both

    @model_validator(mode="after")
    def _can_be_filled(self) -> "PhraseOptions":
        known = {"tags": {"tags"}, "similar": {"title"}, "both": {"tags", "title"}}
        for name, names in known.items():
            # `parse` rejects an unmatched brace.
            if (
                unknown := {part for _, part, _, _ in Formatter().parse(getattr(self, name)) if part is not None}
                - names
            ):
                filled = " and ".join(f"{{{each}}}" for each in sorted(names))
                raise ValueError(f"`{name}` names '{{{min(unknown)}}}'; what is filled in is {filled}")
        return self


class RecommendationOptions(Section):
    """The settings below `options`."""

    interactions: InteractionOptions
    into: IntoOptions
    tags: str | None = None
    """The field with the tags of an item; also of related items, such as `tags.tags_id.name`."""
    title: str = "title"
    """The field with an item's title for reasons; also `translations.title`."""
    related: str = "related"
    """The enrichment of the same collection whose vectors are used, if it exists."""
    count: int = Field(default=10, ge=1, le=500)
    half_life_days: float = Field(default=30, gt=0)
    tag_share: float = Field(default=0.5, ge=0, le=1)
    """The share of tags in the score; the rest comes from vectors."""
    least: float = Field(default=0.05, ge=0)
    phrases: PhraseOptions = PhraseOptions()
    cron: Cron = "30 3 * * *"
    """The schedule, in UTC."""


@dataclass(frozen=True, kw_only=True)
class RecommendationPlan:
    """The source and target of recommendations; all names are those of Directus."""

    collection: CollectionSchema
    interactions: CollectionSchema
    target: RowTarget
    options: RecommendationOptions
    filter: Mapping[str, Any]
    related: frozenset[str] = frozenset()
    """Other collections that fields are read from, as far as the schema tells."""


def plan_recommendations(
    declared: Mapping[str, Mapping[str, EnrichmentOptions]], schema: ProjectSchema
) -> list[RecommendationPlan]:
    """The enabled recommendations.

    Raises:
        ConfigurationError: a declaration is inconsistent, or does not fit the schema; names the setting and the fix.
    """
    found = []
    for collection, by_name in declared.items():
        own_names = [name for name, own in by_name.items() if own.enabled and is_recommendation(name, own)]
        if len(own_names) > 1:
            raise ConfigurationError(
                f"`enrichments.{collection}` in the YAML file has {' and '.join(own_names)}, which both use the "
                f"built-in '{NAME}'.",
                remedy="Keep one of them: a collection can have only one set of recommendations.",
            )
        found += [_plan(f"enrichments.{collection}.{name}", collection, by_name[name], schema) for name in own_names]
    return found


def is_recommendation(name: str, own: EnrichmentOptions) -> bool:
    """Whether a declaration is for recommendations, which have no partitions."""
    return (own.builtin or name) == NAME


def _plan(where: str, collection: str, own: EnrichmentOptions, schema: ProjectSchema) -> RecommendationPlan:
    require_known("enrichments", collection, list(schema.by_name))
    try:
        options = RecommendationOptions.model_validate(own.options)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in ("options", *first["loc"]))
        fault = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"`{where}.{place}` in the YAML file: {fault}.", remedy="Correct it there.") from None
    recommended = schema.by_name[collection]
    interactions = _collection(f"{where}.options.interactions", options.interactions.collection, schema)
    given = options.interactions
    for setting in ("item", "segment", "at", "kind", "weight"):
        _require(f"{where}.options.interactions.{setting}", getattr(given, setting), interactions)
    into = _collection(f"{where}.options.into", options.into.collection, schema)
    for setting in ("segment", "item", "rank", "score", "reason"):
        _require(f"{where}.options.into.{setting}", getattr(options.into, setting), into)
    named = {setting: getattr(options.into, setting) for setting in ("item", "rank", "score", "reason")}
    fields = {setting: field for setting, name in named.items() if name and (field := into.field(name))}
    target = RowTarget(collection=into, item_field=options.into.segment, each=None, fields=fields)
    return RecommendationPlan(
        collection=recommended,
        interactions=interactions,
        target=target,
        options=options,
        filter=own.filter,
        related=frozenset(_related(options, recommended, interactions, schema)),
    )


def _related(
    options: RecommendationOptions, recommended: CollectionSchema, interactions: CollectionSchema, schema: ProjectSchema
) -> Iterable[str]:
    paths = ((recommended, options.tags), (recommended, options.title), (interactions, options.interactions.segment))
    for collection, path in paths:
        here: CollectionSchema | None = collection
        for part in (path or "").split(".")[:-1]:
            field = here.field(part) if here else None
            translated = schema.translations_of(here.name) if here else None
            alias = translated.translations if translated and translated.alias_field == part else None
            here = schema.by_name.get((field.related if field else alias) or "")
            if here:
                yield here.name


def _collection(where: str, name: str, schema: ProjectSchema) -> CollectionSchema:
    require_known(f"{where}.collection", name, list(schema.by_name))
    return schema.by_name[name]


def _require(where: str, path: str | None, collection: CollectionSchema) -> None:
    if path is not None and "." not in path:
        require_known(where, path, [field.name for field in collection.fields], owner=collection.name)
