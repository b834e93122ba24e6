"""Translation records of deleted items and languages.

Without its record, a text in Directus counts as human. So Directus has to confirm the deletion twice: the activity
log's last entry about the item or language is a deletion, and a token that sees all rows does not find it.
"""

import contextlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from directus_assets.commands.prune.undo import RECORDS, Orphan
from directus_assets.directus.feed import read_deletions
from directus_assets.directus.sight import require_full_sight
from directus_assets.directus.storage import Entry, Storage
from directus_assets.errors import NotFound
from directus_assets.orchestration.project import Project
from directus_assets.ownership.record_store import record_folder, record_name
from directus_assets.snapshot import Wanted, take_snapshot
from directus_assets.translation.items import existing_keys
from directus_assets.translation.scope import Scope, plan_scopes


def find_record_orphans(project: Project) -> Iterator[Orphan]:
    """Find records that no text in Directus can need any more; none if nothing is translated.

    Raises:
        Forbidden: the token does not see all items or all languages.
        DirectusAssetsError: Directus or the storage cannot be read.
    """
    if not project.translates:
        return
    snapshot = take_snapshot(project.directus, Wanted(translations=True))
    scopes = plan_scopes(
        snapshot.collections,
        project.settings.config.translations,
        default_language=snapshot.settings.default_language,
    )
    for scope in scopes:
        yield from _of_scope(project, scope)


def _of_scope(project: Project, scope: Scope) -> Iterator[Orphan]:
    client, schema = project.directus, scope.schema
    codes = {row.code for row in schema.languages}
    sight = {schema.collection: [schema.key_field], schema.languages_collection: ["*"]}
    require_full_sight(client, sight)
    items = read_deletions(client, schema.collection)
    items -= existing_keys(client, scope, sorted(items))
    languages: set[str] = set()
    if all(row.key == row.code for row in schema.languages):
        # If language rows have keys of their own, the log does not reveal which language was deleted.
        languages = read_deletions(client, schema.languages_collection) - codes
    for code in sorted(languages):
        for entry in _records(project.memory, scope.name, code):
            yield _orphan(entry, f"language {code} deleted")
    for code in sorted(codes):
        there = {entry.name: entry for entry in _records(project.memory, scope.name, code)}
        for item in sorted(items):
            if found := there.get(record_name(scope.name, item, code)):
                yield _orphan(found, f"{scope.collection} {item} deleted")


def _records(memory: Storage, collection: str, code: str) -> list[Entry]:
    with contextlib.suppress(NotFound):
        entries = memory.entries(f"{record_folder(collection, code)}/")
        return [entry for entry in entries if PurePosixPath(entry.name).suffix == ".json"]
    return []


def _orphan(entry: Entry, reason: str) -> Orphan:
    return Orphan(place=RECORDS, name=entry.name, size=entry.size, reason=reason)
