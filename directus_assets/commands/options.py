"""Options shared by all commands: the console and the project."""

import os
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from directus_assets.errors import ConfigurationError
from directus_assets.settings import DEFAULT, Settings, load_settings

console = Console()


def of_one_project(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option that names one project, passed on as `project`."""
    return click.option("--project", help="A project from `projects` in the YAML file, if there are several.")(command)


def settings_of(project: str | None) -> Settings:
    """The settings for a command that needs Directus and Dagster's storage."""
    return ready(load_settings(project=project))


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
