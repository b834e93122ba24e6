"""Saves proposals as Directus content versions, where an editor can compare and promote them."""

from collections.abc import Mapping

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.compare_and_set import overwritten, read_changes
from directus_assets.directus.models import JsonValue
from directus_assets.errors import PermanentError

_KEY = "directus-assets"
_NAME = "Proposed by directus-assets"


def save_proposals(
    client: DirectusClient,
    collection: str,
    key: str,
    proposals: Mapping[str, JsonValue],
    *,
    is_versioned: bool,
    setting: str,
) -> None:
    """Save the proposals into the content version `directus-assets` of a row; the row itself stays.

    Human edits of an earlier proposal in that version stay, too.

    Args:
        client: Directus.
        collection: the collection of the row.
        key: the row.
        proposals: values by field.
        is_versioned: whether that collection has content versions in Directus.
        setting: the YAML setting that requires this.

    Raises:
        PermanentError: the collection has no content versions.
        DirectusAssetsError: Directus refuses or does not answer.
    """
    if not is_versioned:
        raise PermanentError(
            f"Content Versioning is off for {collection}, so the proposal could not be saved as a version.",
            remedy=f"Turn on Content Versioning in its settings in Directus, or set `{setting}: metadata`.",
        )
    condition = {"collection": {"_eq": collection}, "item": {"_eq": key}, "key": {"_eq": _KEY}}
    found = client.get("/versions", fields=["*"], filter=condition, limit=1)
    if found:
        version = found[0]
    else:
        body = {"key": _KEY, "name": _NAME, "collection": collection, "item": key}
        version = client.post("/versions", body)
    before = version.get("delta") or {}
    is_of_human = version.get("user_updated") not in (None, client.own_user_id)
    new = {name: value for name, value in proposals.items() if not (is_of_human and name in before)}
    if not new:
        return
    client.post(f"/versions/{version['id']}/save", new)
    changes = read_changes(client, collection, [key], action="version_save").get(key, ())
    if lost := overwritten(changes, old=before, new=new):
        client.post(f"/versions/{version['id']}/save", lost)
