"""Proposals as Directus content versions, where an editor compares and promotes them."""

from collections.abc import Mapping

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import JsonValue
from directus_assets.directus.schema import TranslatedCollection
from directus_assets.errors import PermanentError

_KEY = "directus-assets"
_NAME = "Proposed translation"


def save_proposals(
    client: DirectusClient, schema: TranslatedCollection, row_key: str, proposals: Mapping[str, JsonValue]
) -> None:
    """Saves the proposals into the content version `directus-assets` of a translation row; the row itself stays.

    Raises:
        PermanentError: Directus keeps no versions of that collection.
        DirectusAssetsError: Directus refuses or does not answer.
    """
    if not schema.is_versioned:
        raise PermanentError(
            f"Directus keeps no content versions of {schema.translations}, so a proposal cannot be saved there.",
            remedy="Switch on Content Versioning in its settings in Directus, or set `translations.review: metadata`.",
        )
    condition = {"collection": {"_eq": schema.translations}, "item": {"_eq": row_key}, "key": {"_eq": _KEY}}
    found = client.get("/versions", fields=["id"], filter=condition, limit=1)
    if found:
        version = found[0]
    else:
        body = {"key": _KEY, "name": _NAME, "collection": schema.translations, "item": row_key}
        version = client.post("/versions", body)
    client.post(f"/versions/{version['id']}/save", dict(proposals))
