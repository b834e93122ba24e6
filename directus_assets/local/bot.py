"""The user that the pipeline of the local Directus works as: made as `directus-assets setup` makes it."""

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import read_translated_collections
from directus_assets.operations.account import as_permitted, carry_out, plan_account, read_account
from directus_assets.operations.rights import needed_rights
from directus_assets.settings import Config
from directus_assets.translation.scope import plan_scopes


def create_bot(admin: DirectusClient, *, token: str) -> None:
    """Makes the user with its role and policy, and adds what rights it lacks.

    Raises:
        DirectusAssetsError: Directus refused or did not answer.
    """
    scopes = plan_scopes(read_translated_collections(admin), Config().translations, default_language=None)
    rights = as_permitted(admin, needed_rights(scopes, Config(), translates=True))
    carry_out(admin, plan_account(read_account(admin), rights, token=token))
