"""The `directus-assets` command. Exit status: 0 done, 1 something failed (the output says what), 2 wrong usage."""

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from dotenv import find_dotenv, load_dotenv
from rich.console import Console
from rich.markup import escape

from directus_assets.commands.exchange import memory, xliff
from directus_assets.commands.options import console, of_one_project, ready, settings_at_first, settings_of
from directus_assets.errors import ConfigurationError, DirectusAssetsError, as_error
from directus_assets.redaction import redact
from directus_assets.settings import Environment, Settings, load_each, load_settings, required

if TYPE_CHECKING:
    from directus_assets.commands.watch import Watch


class _Commands(click.Group):
    """Command group that turns our errors into one clear line and exit status 1, and hides secrets in all others."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - libraries repeat addresses and arguments, and Python prints them
            _tell(error)
            sys.exit(1)


def _amount(text: str) -> Decimal:
    """An amount of money in the currency of the configured prices."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise ValueError(text)
    return amount


def _of_some_projects(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--project", help="Only this project from `projects` in the YAML file.")(command)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="directus-assets")
@click.pass_context
def main(context: click.Context) -> None:
    """Keeps a Directus project's generated content up to date: image derivatives, translations and enrichments."""
    from directus_assets.commands.home import running_ui

    load_dotenv(find_dotenv(usecwd=True))
    if context.invoked_subcommand != "dev" and not os.environ.get("DAGSTER_WEBSERVER_URL"):
        # `dev --port` may have chosen another port than the default.
        os.environ["DAGSTER_WEBSERVER_URL"] = running_ui(Path(os.environ.get("DAGSTER_HOME") or ".dagster"))


main.add_command(memory)
main.add_command(xliff)


@main.command()
@click.option("--once", is_flag=True, help="Make everything, print a table, and stop.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Keep the demo's data in this folder.")
@click.option("--port", type=int, default=3000, show_default=True, help="The port of the Dagster UI.")
def demo(*, once: bool, data: Path | None, port: int) -> None:
    """Run a real local Directus with content, the pipeline and the Dagster UI."""
    from directus_assets.local.demo import run_demo

    sys.exit(run_demo(console, once=once, data=data, port=port))


@main.command()
@of_one_project
@click.option("--preset", "presets", multiple=True, help="Only this preset; repeatable.")
@click.option("--everything", is_flag=True, help="All pictures, translations and enrichments.")
@click.option("--collection", "collections", multiple=True, help="Texts of this collection; repeatable.")
@click.option("--language", "languages", multiple=True, help="Translations into this language; repeatable.")
@click.option("--item", "items", multiple=True, help="Texts of this item in the collection; repeatable.")
@click.option("--missing-only", is_flag=True, help="Only what is missing or out of date, instead of everything.")
@click.option(
    "--limit", type=_amount, metavar="AMOUNT", help="Stop adding texts when their estimated cost reaches this amount."
)
@click.option("--dry-run", is_flag=True, help="Show what would be made, with estimated time and cost.")
@click.option("--yes", is_flag=True, help="Start texts without asking for confirmation.")
def backfill(
    *,
    project: str | None,
    presets: Sequence[str],
    everything: bool,
    collections: Sequence[str],
    languages: Sequence[str],
    items: Sequence[str],
    missing_only: bool,
    limit: Decimal | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Generate content for existing files and items.

    By default, makes the derivatives of all pictures; with --collection, --language or --item,
    translations and enrichments; with --everything, all of these. Shows the cost of texts first.
    """
    from directus_assets.commands.backfill import run_backfill
    from directus_assets.commands.backfill_texts import Choice, run_text_backfill
    from directus_assets.orchestration.project import Project

    of_texts = bool(everything or collections or languages or items)
    if limit is not None and not of_texts:
        raise click.UsageError(
            "--limit applies to texts only: use it with --collection, --language, --item or --everything."
        )
    if presets and of_texts:
        raise click.UsageError("--preset applies to pictures only.")
    settings, status = settings_of(project), 0
    if of_texts:
        choice = Choice(
            collections=collections, languages=languages, items=items, missing_only=missing_only, limit=limit
        )
        status = run_text_backfill(
            console,
            Project(settings),
            choice,
            dry_run=dry_run,
            confirm=lambda: yes or click.confirm("Start this?"),
        )
    if everything or not of_texts:
        pictures = run_backfill(console, settings, presets=presets, missing_only=missing_only, dry_run=dry_run)
        status = max(status, pictures)
    sys.exit(status)


@main.command()
@of_one_project
@click.option("--collection", "collections", multiple=True, help="Only this collection; repeatable.")
@click.option("--language", "languages", multiple=True, help="Only this target language; repeatable.")
@click.option("--missing-only", is_flag=True, help="Only what is missing or out of date, instead of everything.")
@click.option("--fields", is_flag=True, help="Only show how each field is handled, and why.")
def plan(
    *, project: str | None, collections: Sequence[str], languages: Sequence[str], missing_only: bool, fields: bool
) -> None:
    """Show what exists, what a backfill would make, and what it would cost, without making anything.

    With --collection, shows no pictures; with --language, shows translations only.
    """
    from directus_assets.commands.plan.enrichments import show_enrichments
    from directus_assets.commands.plan.images import show_images
    from directus_assets.commands.plan.translations import show_translations
    from directus_assets.orchestration.project import Project

    work = Project(settings_at_first(project))
    if not (collections or languages or fields):
        show_images(console, work)
    show_translations(
        console, work, collections=collections, languages=languages, missing_only=missing_only, fields=fields
    )
    if not (languages or fields):
        show_enrichments(console, work, collections=collections, missing_only=missing_only)


@main.command()
@of_one_project
@click.option("--yes", is_flag=True, help="Skip the confirmation prompt.")
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
@click.option("--no-undo", is_flag=True, help="Delete permanently: do not keep contents for --undo.")
@click.option(
    "--undo",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Restore the files and records in this undo list.",
)
def prune(*, project: str | None, yes: bool, dry_run: bool, no_undo: bool, undo: Path | None) -> None:
    """Delete derivatives, exports and translation records that are provably unused."""
    from directus_assets.commands.prune.prune import run_prune, run_undo
    from directus_assets.orchestration.project import Project

    if undo and (dry_run or no_undo):
        raise click.UsageError("--undo cannot be combined with other options.")
    work = Project(settings_of(project))
    if undo:
        sys.exit(run_undo(console, work, undo))
    status = run_prune(
        console,
        work,
        confirm=lambda: yes or click.confirm("Delete these?"),
        dry_run=dry_run,
        keep=not no_undo,
    )
    sys.exit(status)


@main.command()
@of_one_project
@click.option("--run", default="", help="Revert what this Dagster run overwrote.")
@click.option(
    "--since", default="", help="Revert everything overwritten since this time, such as 2026-11-29T14:25 (UTC)."
)
@click.option("--collection", "collections", multiple=True, help="Only this collection; repeatable.")
@click.option("--language", "languages", multiple=True, help="Only this target language; repeatable.")
@click.option("--yes", is_flag=True, help="Skip the confirmation prompt.")
@click.option("--dry-run", is_flag=True, help="Only show what would be restored.")
def revert(
    *,
    project: str | None,
    run: str,
    since: str,
    collections: Sequence[str],
    languages: Sequence[str],
    yes: bool,
    dry_run: bool,
) -> None:
    """Restore translations and enrichments that the pipeline overwrote, except those edited since."""
    from directus_assets.commands.revert import Selection, parse_moment, run_revert
    from directus_assets.orchestration.project import Project

    if bool(run) == bool(since):
        raise click.UsageError("Specify either --run or --since.")
    selection = Selection(
        run=run,
        since=parse_moment(since) if since else None,
        collections=collections,
        languages=languages,
    )
    status = run_revert(
        console,
        Project(settings_of(project)),
        selection,
        dry_run=dry_run,
        confirm=lambda: yes or click.confirm("Restore these?"),
    )
    sys.exit(status)


@main.command()
@_of_some_projects
def doctor(*, project: str | None) -> None:
    """Check the whole setup, and say how to fix each problem."""
    from directus_assets.commands.doctor.doctor import run_doctor

    sys.exit(_for_each(_chosen(project), partial(run_doctor, console)))


@main.command()
@of_one_project
@click.option("--yes", is_flag=True, help="Skip the confirmation prompt.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--new-token", is_flag=True, help="Replace the user's existing token.")
@click.option("--prune-rights", is_flag=True, help="Remove permissions that are not needed.")
@click.option("--write-env", is_flag=True, help="Write the new token and DAGSTER_HOME to .env.")
@click.option("--flows", is_flag=True, help="Install the Studio buttons (run `setup` first).")
@click.option("--dashboard", is_flag=True, help="Install a Studio dashboard (run `setup` first).")
@click.option(
    "--push/--no-push",
    default=None,
    help="With --flows: push changes to the pipeline instead of only polling for them.",
)
@click.option("--remove", is_flag=True, help="With --flows or --dashboard: uninstall them.")
@click.option(
    "--new-secret", is_flag=True, help="With --flows: replace the secret that authenticates Directus to the door."
)
def setup(
    *,
    project: str | None,
    yes: bool,
    dry_run: bool,
    new_token: bool,
    prune_rights: bool,
    write_env: bool,
    flows: bool,
    dashboard: bool,
    push: bool | None,
    remove: bool,
    new_secret: bool,
) -> None:
    """Create the pipeline's least-privilege user in Directus; or, with --flows, the Studio buttons.

    Reads an administrator's token from DIRECTUS_ADMIN_TOKEN, or asks for it; the token is not stored.
    """
    from directus_assets.commands.setup.setup import run_setup

    if (flows or dashboard) and (new_token or prune_rights or write_env or (flows and dashboard)):
        raise click.UsageError("--flows and --dashboard can only be combined with --yes, --dry-run and --remove.")
    if not flows and (push is not None or new_secret):
        raise click.UsageError("--push, --no-push and --new-secret require --flows.")
    if remove and not (flows or dashboard):
        raise click.UsageError("--remove requires --flows or --dashboard.")
    settings = load_settings(project=project)
    admin_token = os.environ.get("DIRECTUS_ADMIN_TOKEN") or click.prompt("Administrator token", hide_input=True)
    if flows:
        from directus_assets.commands.setup.setup_flows import run_flows_setup

        sys.exit(
            run_flows_setup(
                console,
                settings,
                admin_token=admin_token,
                confirm=lambda: yes or click.confirm("Do this?"),
                dry_run=dry_run,
                push=push,
                remove=remove,
                new_secret=new_secret,
            )
        )
    if dashboard:
        from directus_assets.commands.setup.setup_dashboard import run_dashboard_setup

        sys.exit(
            run_dashboard_setup(
                console,
                settings,
                admin_token=admin_token,
                confirm=lambda: yes or click.confirm("Do this?"),
                dry_run=dry_run,
                remove=remove,
            )
        )
    env_file = Path(find_dotenv(usecwd=True) or ".env") if write_env else None
    status = run_setup(
        console,
        settings,
        admin_token=admin_token,
        confirm=lambda: yes or click.confirm("Do this?"),
        dry_run=dry_run,
        new_token=new_token,
        prune_rights=prune_rights,
        env_file=env_file,
    )
    if env_file and not dry_run and status == 0:
        from directus_assets.commands.home import name_home

        name_home(env_file, os.environ)
    sys.exit(status)


@main.command()
@_of_some_projects
@click.option("--all", "show_all", is_flag=True, help="Include assets that are complete.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--check", is_flag=True, help="Print problems only; exit with status 1 if there are any.")
@click.option(
    "--review-days",
    type=float,
    default=7,
    show_default=True,
    help="Days a review may wait before it counts as a problem.",
)
def status(*, project: str | None, show_all: bool, as_json: bool, check: bool, review_days: float) -> None:
    """Show what is done, waiting, failed and running, the latest errors, and today's cost."""
    from directus_assets.commands import status as command

    if not as_json:
        sys.exit(
            _for_each(
                _chosen(project),
                lambda settings: command.run_status(
                    console, ready(settings), show_all=show_all, check=check, review_days=review_days
                ),
            )
        )
    found = [
        command.project_status(ready(required(settings)), review_days=review_days)
        for settings in _chosen(project).values()
    ]
    click.echo(command.as_json(found))
    sys.exit(1 if check and any(each.problems for each in found) else 0)


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--port", type=click.IntRange(1, 65535), help="The port of the Dagster UI; 3000 by default.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def dev(*, port: int | None, arguments: Sequence[str]) -> None:
    """Run the pipeline and its UI on this machine: `dagster dev`, to which ARGUMENTS are passed on.

    Keeps its history in DAGSTER_HOME, or in .dagster here. Reloads code locations that Dagster has lost.
    """
    from directus_assets.commands.dev import dev_variables, run_dev

    # Dagster loads the file the same way: its values take precedence over the environment.
    load_dotenv(find_dotenv(usecwd=True), override=True)
    os.environ.update(dev_variables(os.environ, port))
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    # Dagster reports problems with the other variables when it loads the definitions.
    status = run_dev(
        _watch(),
        _dagster_environment(),
        port=port,
        arguments=arguments,
        tell=partial(_say, "dev"),
        tell_of_door=partial(_say, "door"),
    )
    sys.exit(status)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=4000, show_default=True, help="The port to listen on.")
def door(*, host: str, port: int) -> None:
    """Run the door, which receives calls from Directus' flows, in a container of its own; `dev` includes it."""
    from directus_assets.commands.door import run_door

    run_door(host=host, port=port, tell=partial(_say, "door"))


@main.command()
@click.option("--location", help="The code location's name in Dagster, if it is not the default.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def watch(*, location: str | None, command: Sequence[str]) -> None:
    """Reload code locations that Dagster has lost.

    With a COMMAND, such as `-- dagster dev`, runs it and stops when it ends.
    """
    from directus_assets.commands.watch import run_watch

    sys.exit(run_watch(_watch(location), command))


def _watch(location: str | None = None) -> "Watch":
    from directus_assets.commands.watch import Watch
    from directus_assets.orchestration.webserver import Webserver

    webserver = Webserver(_dagster_environment().webserver_url)
    return Watch(webserver, location, tell=partial(_say, "watch"))


def _say(who: str, line: str) -> None:
    click.echo(f"{who}: {line}", err=True)


def _dagster_environment() -> Environment:
    """Dagster's location, read even when other variables are invalid."""
    names = ("DAGSTER_WEBSERVER_URL", "DAGSTER_HOME", "DOOR_URL")
    return Environment.read({name: value for name, value in os.environ.items() if name in names})


def _for_each(found: Mapping[str, Settings | ConfigurationError], run: Callable[[Settings], int]) -> int:
    """Run a command for each project and return the worst exit status. A failing project does not stop the others."""
    worst = 0
    for settings in found.values():
        if isinstance(settings, Settings) and settings.project:
            console.rule(settings.project, align="left")
        try:
            worst = max(worst, run(required(settings)))
        except Exception as error:
            if len(found) == 1:
                raise
            _tell(error)
            worst = 1
    return worst


def _chosen(project: str | None) -> Mapping[str, Settings | ConfigurationError]:
    """The project with this name, or all projects if no name is given."""
    return load_each() if project is None else {project: load_settings(project=project)}


def _tell(error: Exception) -> None:
    if not isinstance(error, DirectusAssetsError):
        click.echo(redact("".join(traceback.format_exception(error))), err=True)
    Console(stderr=True).print(f"[bold red]Error:[/] {escape(str(as_error(error)))}", highlight=False, soft_wrap=True)
