"""`directus-assets setup`: creates the pipeline's user with the least privileges that suffice."""

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from dotenv import set_key
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from directus_assets.commands.setup.account import Step, as_permitted, carry_out, plan_account, read_account
from directus_assets.commands.setup.rights import Right, comment_rights, needed_rights
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.held import read_access
from directus_assets.directus.project_schema import read_project_schema
from directus_assets.directus.schema import read_translated_collections, read_unlinked
from directus_assets.enrichment.declaration import Declaration
from directus_assets.enrichment.declare import declare
from directus_assets.enrichment.recommendation_plan import RecommendationPlan, plan_recommendations
from directus_assets.errors import ConfigurationError, Forbidden
from directus_assets.orchestration.project import Project
from directus_assets.settings import Settings
from directus_assets.translation.scope import Scope, plan_scopes

_COLOURS = {"create": "green", "change": "yellow", "remove": "red", "leave": "dim"}


def run_setup(
    console: Console,
    settings: Settings,
    *,
    admin_token: str,
    confirm: Callable[[], bool],
    dry_run: bool = False,
    new_token: bool = False,
    prune_rights: bool = False,
    env_file: Path | None = None,
) -> int:
    """Show the changes, ask for confirmation, apply them, and hand over the token; return the exit status.

    Args:
        console: where to write.
        settings: of the pipeline; `DIRECTUS_TOKEN` need not be set.
        admin_token: an administrator's token; it is used here and not stored.
        confirm: asks whether to proceed.
        dry_run: show the changes without applying them.
        new_token: replace an existing token.
        prune_rights: remove surplus rights.
        env_file: write a new token into this file instead of showing it.

    Raises:
        DirectusAssetsError: Directus refuses or does not answer, or the YAML file does not fit its schema.
    """
    url = settings.environment.directus_url
    if not url:
        name = settings.environment.variable("DIRECTUS_URL")
        raise ConfigurationError(f"{name} is not set.", remedy=f"Copy .env.example to .env and set {name}.")
    project = Project(settings)
    with DirectusClient(url, admin_token) as admin:
        require_administrator(admin)
        needed = rights_of_project(project, admin)
        wished = comment_rights(needed, settings.config, directus=admin.version)
        rights = as_permitted(admin, [*needed, *wished])
        token = secrets.token_hex(32)
        steps = plan_account(read_account(admin), rights, token=token, renew_token=new_token, prune=prune_rights)
        todo = [step for step in steps if step.verb != "leave"]
        touched = sum(step.what == "right" and step.verb in ("create", "change") for step in steps)
        kept = f"{len(rights) - touched} of {len(rights)} are already correct"
        console.print(table_of(url, steps, what="rights", kept=kept))
        if not project.translates:
            console.print(
                "No translation engine is set, so no permissions for translations are granted. See .env.example."
            )
        elif unlinked := read_unlinked(admin):
            names = escape(", ".join(unlinked))
            console.print(f"Not translated, since these rows point to no collection of languages: {names}.")
        if not todo:
            console.print("Nothing needs to change. The user keeps its token; use --new-token to replace it.")
            return 0
        if dry_run:
            return 0
        if not confirm():
            console.print("Nothing was changed.")
            return 1
        carry_out(admin, todo)
    variable = settings.environment.variable("DIRECTUS_TOKEN")
    _hand_over(console, variable, token if any(_sets_token(step) for step in todo) else None, env_file)
    return 0


def rights_of_project(project: Project, client: DirectusClient) -> tuple[Right, ...]:
    """The rights that a project needs, as far as `client` can see its schema."""
    config = project.settings.config
    scopes: list[Scope] = []
    declarations: list[Declaration] = []
    recommendations: list[RecommendationPlan] = []
    if project.translates:
        collections = read_translated_collections(client)
        default_language = client.project_settings().default_language
        scopes = plan_scopes(collections, config.translations, default_language=default_language)
    if project.declared:
        default_language = client.project_settings().default_language
        schema = read_project_schema(client)
        declarations = declare(project.declared, schema, default_language=default_language)
        recommendations = plan_recommendations(project.declared, schema)
    return needed_rights(
        scopes,
        config,
        translates=project.translates,
        declarations=declarations,
        recommendations=recommendations,
        directus=client.version,
        takes_chunked_uploads=client.takes_chunked_uploads(),
    )


def require_administrator(admin: DirectusClient) -> None:
    """Check that the token is an administrator's.

    Raises:
        Forbidden: it is not.
    """
    if not read_access(admin).is_admin:
        raise Forbidden(
            "This is not an administrator's token.",
            remedy="Enter an administrator's static token: in Directus, open your own user page and generate one.",
        )


def table_of(url: str, steps: Sequence[Step], *, what: str, kept: str) -> Table:
    """The planned changes, and the parts of `what` that stay as they are."""
    table = Table(title=f"Setting up {escape(url)}", title_justify="left")
    for column in ("", "what", "which"):
        table.add_column(column, overflow="fold")
    for step in steps:
        table.add_row(f"[{_COLOURS[step.verb]}]{step.verb}[/]", step.what, escape(step.detail))
    table.add_row("[dim]keep[/]", what, kept)
    return table


def _sets_token(step: Step) -> bool:
    return isinstance(step.body, dict) and "token" in step.body


def _hand_over(console: Console, variable: str, token: str | None, env_file: Path | None) -> None:
    if token is None:
        console.print("Done. The user keeps its token; use --new-token to replace it.")
    elif env_file is None:
        console.print("Done. The token is shown only once; add it to .env:")
        console.print(f"{variable}={token}", soft_wrap=True, highlight=False, markup=False)
    else:
        write_token(env_file, variable, token)
        console.print(f"Done. {variable} is now in {escape(str(env_file))}, which only you can read.")


def write_token(path: Path, variable: str, token: str) -> None:
    """Set a variable in an env file and make the file readable by its owner only; other lines stay."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    path.chmod(0o600)
    set_key(path, variable, token, quote_mode="never")
    path.chmod(0o600)
