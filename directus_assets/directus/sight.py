"""Determines whether a row that Directus does not return is deleted, or merely hidden by a right or a rule."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.feed import read_deletions
from directus_assets.directus.held import read_access, read_held, read_user
from directus_assets.errors import Forbidden

_ENTRIES_LOOKED_AT = 100


def find_deleted(
    client: DirectusClient,
    collection: str,
    unseen: Iterable[str],
    look: Callable[[Sequence[str]], Collection[str]],
) -> set[str]:
    """The rows among these that are certainly deleted.

    A row that is not returned may be hidden. It is deleted if the activity log says so, or if the token sees all rows
    of the collection and this one is not among them.

    Args:
        client: Directus.
        collection: the collection of the rows.
        unseen: their keys.
        look: returns those of some keys that Directus returns, ignoring any configured filter.

    Raises:
        DirectusAssetsError: Directus refuses or does not answer.
    """
    hidden = _unanswered(unseen, look)
    deleted = read_deletions(client, collection, hidden) if hidden else set()
    hidden -= deleted
    if hidden and sees_all_rows(client, collection):
        # Look again: they may have been hidden until just now.
        deleted |= _unanswered(hidden, look)
    return deleted


def sees_all_rows(client: DirectusClient, collection: str) -> bool:
    """Whether Directus hides no row of a collection.

    Raises:
        DirectusAssetsError: Directus does not answer.
    """
    try:
        require_full_sight(client, {collection: ()})
    except Forbidden:
        return False
    return True


def require_full_sight(client: DirectusClient, fields: Mapping[str, Sequence[str]]) -> None:
    """Check that Directus hides no row and none of these fields.

    Args:
        client: Directus.
        fields: collections, with the fields that must be readable.

    Raises:
        Forbidden: the token sees only some rows, or not all fields; nothing is proven then.
        DirectusAssetsError: Directus does not answer.
    """
    held = read_held(client)
    for collection, needed in fields.items():
        right = held.get(collection, {}).get("read", {})
        # Directus itself reports whether a right has conditions on the item.
        sees_all, readable = right.get("access") == "full", right.get("fields") or ()
        hidden = [] if "*" in readable else [name for name in needed if name not in readable]
        if not sees_all or hidden:
            what = f"the fields {', '.join(hidden)}" if sees_all else "all rows"
            raise Forbidden(
                f"The token cannot read {what} of {collection}, so rows may exist that it does not see.",
                remedy=f"Give the token's policy permission to read all fields of {collection}, without conditions.",
            )


def require_sight_of_others(client: DirectusClient) -> None:
    """Check that the activity log shows other users' actions: for an editor's token Directus silently omits them.

    Raises:
        Forbidden: it does not.
        DirectusAssetsError: Directus does not answer.
    """
    own = client.own_user_id
    newest = client.activity_entries({"id": {"_gt": 0}}, sort="-id", limit=_ENTRIES_LOOKED_AT)
    if any(entry.user != own for entry in newest):
        return
    access = read_access(client)
    if access.has_app and not access.is_admin:
        raise Forbidden(
            f"DIRECTUS_TOKEN belongs to {read_user(client)}, who can only read their own entries in Directus' "
            "activity log, so other users' changes would go unnoticed.",
            remedy="Set it to the token of the pipeline's own user (`directus-assets setup --new-token --write-env`).",
        )


def _unanswered(keys: Iterable[str], look: Callable[[Sequence[str]], Collection[str]]) -> set[str]:
    asked = list(keys)
    return set(asked).difference(look(asked)) if asked else set()
