"""Whether the token sees all rows of a collection: only then is a row that is not answered one that is not there."""

from collections.abc import Mapping, Sequence

from directus_assets.directus.client import DirectusClient
from directus_assets.errors import Forbidden


def require_full_sight(client: DirectusClient, fields: Mapping[str, Sequence[str]]) -> None:
    """Makes sure that Directus hides no row and none of these fields.

    Directus says itself whether a right is bound to conditions on the item (`access` in `GET /permissions/me`).

    Args:
        client: Directus.
        fields: collections, with the fields that must be readable.

    Raises:
        Forbidden: the token may see some rows only, or may not see a field; nothing is proven then.
        DirectusAssetsError: Directus does not answer.
    """
    held = client.get("/permissions/me")
    for collection, needed in fields.items():
        right = held.get(collection, {}).get("read", {})
        readable = right.get("fields") or ()
        hidden = [] if "*" in readable else [name for name in needed if name not in readable]
        if right.get("access") != "full" or hidden:
            what = f"the fields {', '.join(hidden)}" if right.get("access") == "full" else "all rows"
            raise Forbidden(
                f"The token may not read {what} of {collection}, so a row that it does not see may well be there.",
                remedy=f"Give the token's policy the right to read {collection} without conditions, on all fields.",
            )
