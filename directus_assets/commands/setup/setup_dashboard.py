"""`directus-assets setup --dashboard`: a dashboard in Directus Insights."""

from collections.abc import Callable

from rich.console import Console

from directus_assets.commands.setup.account import carry_out
from directus_assets.commands.setup.dashboard import (
    dashboard_id,
    panels_of,
    plan_dashboard,
    read_panels,
    relational_fields,
)
from directus_assets.commands.setup.setup import require_administrator, table_of
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import read_translated_collections
from directus_assets.orchestration.project import Project
from directus_assets.settings import Settings
from directus_assets.translation.scope import plan_scopes


def run_dashboard_setup(
    console: Console,
    settings: Settings,
    *,
    admin_token: str,
    confirm: Callable[[], bool],
    dry_run: bool = False,
    remove: bool = False,
) -> int:
    """Show the changes, ask for confirmation, and apply them; return the exit status.

    Args:
        console: where to write.
        settings: of the pipeline, with its token.
        admin_token: an administrator's token; it is used here and not stored.
        confirm: asks whether to proceed.
        dry_run: show the changes without applying them.
        remove: remove the dashboard.

    Raises:
        DirectusAssetsError: Directus refuses or does not answer.
    """
    settings.environment.require()
    project = Project(settings)
    with DirectusClient(settings.environment.directus_url, admin_token) as admin:
        require_administrator(admin)
        scopes = []
        if project.translates:
            default = admin.project_settings().default_language
            found = read_translated_collections(project.directus)
            scopes = plan_scopes(found, settings.config.translations, default_language=default)
        dashboard = dashboard_id(project.names.project)
        relational = relational_fields(admin.schema_rows("/relations"))
        wanted = panels_of(scopes, version=admin.version, relational=relational)
        steps = plan_dashboard(dashboard, *read_panels(admin, dashboard), [] if remove else wanted)
        touched = sum(step.what == "panel" and step.verb in ("create", "change") for step in steps)
        kept = "none" if remove else f"{len(wanted) - touched} of {len(wanted)} are already correct"
        console.print(table_of(project.directus.url, steps, what="panels", kept=kept))
        if dry_run or not steps:
            return 0
        if not confirm():
            console.print("Nothing was changed.")
            return 1
        carry_out(admin, steps)
    console.print("Done." if remove else f"Done: {project.public_url}/admin/insights/{dashboard}", soft_wrap=True)
    return 0
