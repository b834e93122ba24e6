"""Options shared by all commands: the console and the project."""

import atexit
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from directus_assets.errors import ConfigurationError
from directus_assets.settings import DEFAULT, Settings, load_settings

console = Console()


def of_one_project(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option that names one project, passed on as `project`."""
    return click.option("--project", help="A project from `projects` in the YAML file, if there are several.")(command)


def settings_of(project: str | None) -> Settings:
    """The settings for a command that needs Directus and Dagster's storage."""
    return ready(load_settings(project=project))


def settings_at_first(project: str | None) -> Settings:
    """The settings for a command that works before the pipeline has ever run: without a home, there is no history."""
    from directus_assets.commands.home import make_home

    settings = load_settings(project=project)
    settings.environment.require()
    home = Path(os.environ.get("DAGSTER_HOME") or ".dagster")
    if not home.exists():
        console.print(f"[dim]There is no DAGSTER_HOME yet ({escape(str(home))}), so nothing counts as made.[/]")
        folder = tempfile.TemporaryDirectory()
        atexit.register(folder.cleanup)
        os.environ["DAGSTER_HOME"] = str(make_home(Path(folder.name)))
    return ready(settings)


def ready(settings: Settings) -> Settings:
    """Check that the settings are complete, find Dagster's folder, and return the settings."""
    settings.environment.require()
    named = os.environ.get("DAGSTER_HOME")
    home = Path(named or ".dagster").resolve()
    if not home.is_dir():
        fault = f"is {named}, which is not a folder" if named else "is not set"
        raise ConfigurationError(f"DAGSTER_HOME {fault}.", remedy="Start the pipeline first (`make dev`).")
    os.environ["DAGSTER_HOME"] = str(home)
    return load_settings(project=settings.project or DEFAULT)
