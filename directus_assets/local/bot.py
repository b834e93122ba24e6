"""The pipeline's user in the local Directus: created as by `directus-assets setup`."""

from directus_assets.commands.setup.account import as_permitted, carry_out, plan_account, read_account
from directus_assets.commands.setup.rights import comment_rights, needed_rights
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.project_schema import ProjectSchema, read_project_schema
from directus_assets.directus.schema import read_translated_collections
from directus_assets.enrichment.declare import declare
from directus_assets.enrichment.recommendation_plan import plan_recommendations
from directus_assets.settings import Config
from directus_assets.translation.scope import plan_scopes


def create_bot(admin: DirectusClient, *, token: str, config: Config | None = None) -> None:
    """Create the user with its role and policy, and add missing rights.

    Args:
        admin: an administrator's client.
        token: for a user without one.
        config: the YAML settings; the defaults if not given.

    Raises:
        DirectusAssetsError: Directus refused or did not answer.
    """
    config = config or Config()
    scopes = plan_scopes(read_translated_collections(admin), config.translations, default_language=None)
    schema = read_project_schema(admin) if config.enrichments else ProjectSchema()
    rights = needed_rights(
        scopes,
        config,
        translates=True,
        declarations=declare(config.enrichments, schema, default_language=None),
        recommendations=plan_recommendations(config.enrichments, schema),
        directus=admin.version,
        takes_chunked_uploads=admin.takes_chunked_uploads(),
    )
    wished = comment_rights(rights, config, directus=admin.version)
    carry_out(admin, plan_account(read_account(admin), as_permitted(admin, [*rights, *wished]), token=token))
