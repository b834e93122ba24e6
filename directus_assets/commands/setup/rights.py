"""The least privileges that the pipeline needs in Directus: one list for `setup`, `doctor` and the local Directus."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from directus_assets.directus.held import Held
from directus_assets.directus.models import Activity, File, ProjectSettings
from directus_assets.directus.version import LATEST, Version
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.recommendation_plan import RecommendationPlan
from directus_assets.notify import NOTIFICATIONS_RIGHT, ROLE_RIGHTS
from directus_assets.settings import Config, ImageOptions
from directus_assets.translation.scope import Scope

ALL_FIELDS = ("*",)

_COLLECTION_FIELDS = ("collection", "singleton", "versioning", "accountability")


@dataclass(frozen=True, kw_only=True, slots=True)
class Right:
    """One action on one collection, on all of its fields or on some."""

    collection: str
    action: str
    """`read`, `create`, `update`, `delete` or `share`."""
    fields: tuple[str, ...] = ALL_FIELDS
    own: str = ""
    """The field that names a user, to restrict the right to the token's own rows. Empty: all rows."""

    def __str__(self) -> str:
        return self.name if self.fields == ALL_FIELDS else f"{self.name} ({', '.join(self.fields)})"

    @property
    def name(self) -> str:
        """The right without its fields, such as `read on directus_files`."""
        return f"{self.action} on {self.collection}"

    def beyond(self, held: Iterable[str]) -> tuple[str, ...]:
        """The fields of this right that are not held; `*` stands for all."""
        fields = set(held)
        return () if "*" in fields else tuple(field for field in self.fields if field not in fields)


IMAGE_RIGHTS: tuple[Right, ...] = (
    Right(collection="directus_activity", action="read", fields=Activity.FIELDS),
    Right(collection="directus_files", action="read", fields=File.FIELDS),
)
"""To follow changes, read pictures and request derivatives."""

SCHEMA_RIGHTS: tuple[Right, ...] = (
    Right(collection="directus_collections", action="read", fields=_COLLECTION_FIELDS),
    Right(collection="directus_fields", action="read"),
    Right(collection="directus_relations", action="read"),
)
"""To discover translated collections. Directus describes only collections whose items the token can read."""

VERSION_RIGHTS: tuple[Right, ...] = tuple(
    Right(collection="directus_versions", action=action) for action in ("read", "create")
)
"""To save proposals as content versions; saving into an existing one needs no update right (Directus 12)."""


REVISION_RIGHTS: tuple[Right, ...] = (
    Right(collection="directus_activity", action="read", fields=("revisions",)),
    Right(collection="directus_revisions", action="read", fields=("activity", "item", "delta")),
)
"""To detect a human save within milliseconds of our write, and to restore it."""


_ON_OWN_COMMENTS = ("read", "update", "delete")

OWN_PERMISSIONS: Right = Right(
    collection="directus_permissions", action="read", fields=("role", "collection", "action", "permissions", "fields")
)
"""To read our own rights; needed on Directus 10, which has no other source, and only for rows of our own role."""


def needed_rights(
    scopes: Sequence[Scope],
    config: Config,
    *,
    translates: bool,
    declarations: Sequence[Declaration] = (),
    recommendations: Sequence[RecommendationPlan] = (),
    directus: Version = LATEST,
    takes_chunked_uploads: bool = False,
) -> tuple[Right, ...]:
    """All rights that the pipeline needs, each collection and action once.

    Args:
        scopes: the translated collections.
        config: the YAML file.
        translates: whether anything is translated, so that the schema is searched for collections.
        declarations: the declared enrichments.
        recommendations: the declared recommendations.
        directus: the version that the rights are for.
        takes_chunked_uploads: whether Directus does (`TUS_ENABLED`). It then filters all lists of files by `tus_id` and
            refuses them to a token that may not read that field (FilesService.readByQuery, Directus 10.13 to 12.4).
    """
    settings = Right(collection="directus_settings", action="read", fields=ProjectSettings.fields_of(directus))
    rights = [*IMAGE_RIGHTS, settings]
    if not directus.has_policies:
        rights.append(OWN_PERMISSIONS)
    if fields := (*_fields_of_pictures(config.images), *(["tus_id"] if takes_chunked_uploads else [])):
        rights.append(Right(collection="directus_files", action="read", fields=fields))
    if translates:
        rights += SCHEMA_RIGHTS
        for scope in scopes:
            rights += _scope_rights(scope)
        if config.translations.review == "version":
            rights += VERSION_RIGHTS
    if config.enrichments:
        rights += SCHEMA_RIGHTS
    for declaration in declarations:
        rights += _declaration_rights(declaration)
    for plan in recommendations:
        rights += _recommendation_rights(plan)
    if config.notify.editors:
        collection, action = NOTIFICATIONS_RIGHT
        rights.append(Right(collection=collection, action=action))
    return _merged(rights)


def wished_rights(needed: Iterable[Right]) -> tuple[Right, ...]:
    """The needed rights and, if anything is written, the optional rights that make writing safer."""
    rights = tuple(needed)
    return _merged([*rights, *(REVISION_RIGHTS if any(right.action == "update" for right in rights) else ())])


def comment_rights(needed: Iterable[Right], config: Config, *, directus: Version = LATEST) -> tuple[Right, ...]:
    """The rights for comments in the Studio and their notifications, which are optional.

    Args:
        needed: the rights that are needed.
        config: the YAML file.
        directus: the version that the rights are for.
    """
    if not config.notify.comments or not any(right.action == "update" for right in needed):
        return ()
    collection, action = NOTIFICATIONS_RIGHT
    notifications = Right(collection=collection, action=action)
    if not directus.has_comments:
        return (
            notifications,
            Right(collection="directus_activity", action="read", fields=("comment",)),
            Right(collection="directus_activity", action="create"),
            Right(collection="directus_activity", action="update", fields=("comment",), own="user"),
            Right(collection="directus_activity", action="delete", own="user"),
        )
    own = (Right(collection="directus_comments", action=action, own="user_created") for action in _ON_OWN_COMMENTS)
    return (notifications, Right(collection="directus_comments", action="create"), *own)


def held_rights(answer: Mapping[str, Any]) -> tuple[Right, ...]:
    """The rights in the response of `GET /permissions/me`, which every user may read."""
    return tuple(
        Right(collection=collection, action=action, fields=tuple(row.get("fields") or ()))
        for collection, actions in answer.items()
        for action, row in actions.items()
        if row.get("access") != "none"
    )


def missing_rights(needed: Iterable[Right], held: Iterable[Right]) -> list[Right]:
    """The needed rights that are not held; for a right held in part, the missing fields."""
    fields = {(right.collection, right.action): right.fields for right in held}
    lacking = ((right, right.beyond(fields.get((right.collection, right.action), ()))) for right in needed)
    return [
        Right(collection=right.collection, action=right.action, fields=beyond) for right, beyond in lacking if beyond
    ]


def bound_reads(needed: Iterable[Right], held: Held) -> list[str]:
    """The collections with a read right that is restricted to some items without that being intended.

    Args:
        needed: the rights that are needed.
        held: the rights that are held.
    """
    reads = dict.fromkeys(right.collection for right in needed if right.action == "read" and right != OWN_PERMISSIONS)
    return [name for name in reads if held.get(name, {}).get("read", {}).get("access") == "partial"]


def surplus_rights(needed: Iterable[Right], held: Iterable[Right]) -> list[Right]:
    """Actions that are held but not needed.

    Fields are ignored: Directus has no rights on single fields without a license. So is the right to notify, which
    comes with the buttons in the Studio.
    """
    wanted = {(right.collection, right.action) for right in wished_rights(needed)} | {NOTIFICATIONS_RIGHT}
    return [right for right in held if (right.collection, right.action) not in wanted]


def _scope_rights(scope: Scope) -> list[Right]:
    schema = scope.schema
    # Directus does not show the relation without the alias field.
    few = dict.fromkeys([schema.key_field, schema.alias_field, *_fields_of_filter(scope.filter)])
    # Where several fields could hold an item's language, `doctor` asks which one does.
    few |= dict.fromkeys([*schema.source_language_fields, *([scope.source_field] if scope.source_field else [])])
    return [
        # All fields of an original: if a field added later could not be read, it would no longer look like an original.
        Right(collection=schema.collection, action="read", fields=ALL_FIELDS if scope.source_on_item else tuple(few)),
        Right(collection=schema.languages_collection, action="read"),
        # All fields: one added later is translated at once.
        *(Right(collection=schema.translations, action=action) for action in ("read", "create", "update")),
    ]


def _declaration_rights(declaration: Declaration) -> Iterator[Right]:
    """The rights to read an enrichment's sources and write its targets, nothing else of the item."""
    yield from _rights_on_item(declaration)
    if declaration.translated:
        yield Right(collection=declaration.translated.languages_collection, action="read")
        is_written = any(place.is_translated for place in declaration.targets.values())
        for action in ("read", "create", "update") if is_written else ("read",):
            yield Right(collection=declaration.translated.translations, action=action)
    if declaration.rows:
        for action in ("read", "create", "update", "delete"):
            yield Right(collection=declaration.rows.collection.name, action=action)
    for source in declaration.vocabularies.values():
        yield Right(collection=source.collection, action="read")
    if declaration.options.review == "version":
        yield from VERSION_RIGHTS
    if declaration.builtin and declaration.builtin.notice:
        for collection, action in ROLE_RIGHTS:
            yield Right(collection=collection, action=action)


def _recommendation_rights(plan: RecommendationPlan) -> Iterator[Right]:
    """The rights to read items and interactions with their references, and to write the rows of segments."""
    for collection in (plan.collection.name, plan.interactions.name, *sorted(plan.related)):
        yield Right(collection=collection, action="read")
    for action in ("read", "create", "update", "delete"):
        yield Right(collection=plan.target.collection.name, action=action)


def _rights_on_item(declaration: Declaration) -> Iterator[Right]:
    name, options = declaration.collection.name, declaration.options
    inputs = [place.name for place in declaration.inputs if not place.is_translated]
    targets = [place.name for place in declaration.targets.values() if not place.is_translated]
    # Directus does not show the relation to the translations without the alias field.
    others = [options.picture, declaration.translated.alias_field if declaration.translated else None]
    read = [declaration.collection.key_field, *inputs, *targets, *_fields_of_filter(options.filter), *others]
    yield Right(collection=name, action="read", fields=tuple(dict.fromkeys(field for field in read if field)))
    if targets:
        yield Right(collection=name, action="update", fields=tuple(targets))


def _fields_of_pictures(images: ImageOptions) -> tuple[str, ...]:
    """The additional fields by which the YAML file reads pictures."""
    texts = ("description", images.export.alt) if images.exports else ()
    return (*_fields_of_filter(images.filter), *texts)


def _fields_of_filter(condition: Mapping[str, Any]) -> list[str]:
    """The item's own fields in a Directus filter."""
    fields: list[str] = []
    for name, value in condition.items():
        if name in ("_and", "_or"):
            fields += [field for part in value for field in _fields_of_filter(part)]
        elif not name.startswith("_"):
            fields.append(name)
    return fields


def _merged(rights: Iterable[Right]) -> tuple[Right, ...]:
    found: dict[tuple[str, str], Right] = {}
    for right in rights:
        known = found.get((right.collection, right.action), right)
        fields = dict.fromkeys([*known.fields, *right.fields])
        found[right.collection, right.action] = replace(
            right,
            fields=ALL_FIELDS if "*" in fields else tuple(fields),
            own=right.own if right.own == known.own else "",
        )
    return tuple(found.values())
