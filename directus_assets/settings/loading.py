"""Loads the environment and the YAML file."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from directus_assets.errors import ConfigurationError
from directus_assets.redaction import hide
from directus_assets.settings.environment import Environment
from directus_assets.settings.projects import DEFAULT, ConfigFile, ProjectOptions, inherit, prefix_of
from directus_assets.settings.sections import Config
from directus_assets.settings.yaml_file import CONFIG_FILE, OWN_CONFIG_FILE, parse_config


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Environment and YAML file together."""

    environment: Environment
    config: Config = field(default_factory=Config)
    project: str = ""
    """The prefix of this project's names in Dagster; empty if there is only one project."""
    config_folder: Path = Path()
    """The base of relative paths in the YAML file."""
    is_from_file: bool = False
    """Whether `config` comes from the YAML file and follows its changes."""

    def __post_init__(self) -> None:
        if webhook := self.config.notify.webhook:
            hide(webhook.get_secret_value())

    @property
    def place(self) -> str:
        """A short digest of the Directus and of the location of Dagster's history."""
        return _digest(f"{self.environment.directus_url}\n{self.environment.state_folder.resolve()}")

    @property
    def edition(self) -> str:
        """A short digest of everything that the YAML file says for this project."""
        webhook = self.config.notify.webhook
        return _digest(repr((self.config.model_dump(mode="json"), webhook and webhook.get_secret_value())))


def load_settings(environ: Mapping[str, str] | None = None, *, project: str | None = None) -> Settings:
    """The settings of one project.

    Args:
        environ: the variables; by default those of this process.
        project: its name; optional if there is only one.

    Raises:
        ConfigurationError: names the variable, or the file and the line, and the fix; or there is no such project, or
            there are several and none is named.
    """
    found = load_each(environ)
    names = ", ".join(found)
    if project is None and len(found) > 1:
        raise ConfigurationError(f"There are several projects: {names}.", remedy="Choose one with --project.")
    if project is not None and project not in found:
        raise ConfigurationError(f"There is no project '{project}'.", remedy=f"The YAML file has: {names}.")
    return required(found[project] if project else next(iter(found.values())))


def load_each(environ: Mapping[str, str] | None = None) -> dict[str, Settings | ConfigurationError]:
    """The settings of all projects by name: from the environment, and from the YAML file in `DIRECTUS_ASSETS_CONFIG`.

    Without that variable the file is `directus_assets.local.yaml` in the current folder, or else
    `directus_assets.yaml`; it may be missing. Without `projects` in it there is one project with an empty name. A
    project with invalid variables does not affect the others: its settings are replaced by the error.

    Raises:
        ConfigurationError: names the file and the line, and the fix.
    """
    values = os.environ if environ is None else environ
    path, file = _read_file(values)
    if not file.projects:
        config = inherit(file, ProjectOptions())
        return {DEFAULT: _settings("", values, prefix="", config=config, folder=path.parent)}
    return {
        name: _settings(
            "" if name == DEFAULT else name,
            values,
            prefix=prefix_of(name, own),
            config=inherit(file, own),
            folder=path.parent,
        )
        for name, own in file.projects.items()
    }


def project_settings(
    project: str, environ: Mapping[str, str], *, prefix: str, config: Config, folder: Path
) -> Settings:
    """The settings of one project, whose state is separate from that of others.

    Args:
        project: its name; empty for unprefixed names.
        environ: the variables.
        prefix: the prefix of its variables.
        config: its sections of the YAML file.
        folder: the base of relative paths in these.

    Raises:
        ConfigurationError: a variable has an invalid value.
    """
    environment = Environment.read(environ, prefix=prefix)
    if project:
        environment = replace(environment, state_folder=environment.state_folder / "projects" / project)
    return Settings(environment=environment, config=config, project=project, config_folder=folder)


def _settings(
    project: str, environ: Mapping[str, str], *, prefix: str, config: Config, folder: Path
) -> Settings | ConfigurationError:
    try:
        found = project_settings(project, environ, prefix=prefix, config=config, folder=folder)
        return replace(found, is_from_file=True)
    except ConfigurationError as error:
        return error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def required(found: Settings | ConfigurationError) -> Settings:
    """The settings found by `load_each`, if it found no error.

    Raises:
        ConfigurationError: the error that it found.
    """
    if isinstance(found, ConfigurationError):
        raise found
    return found


@lru_cache(maxsize=4)
def _parsed(path: Path, modified: int, size: int) -> ConfigFile:  # noqa: ARG001 (part of the cache key)
    """The file, parsed once until it changes: the settings sensor reads it in each tick."""
    return parse_config(path.read_text("utf-8"), name=str(path))


def _read_file(values: Mapping[str, str]) -> tuple[Path, ConfigFile]:
    named = values.get("DIRECTUS_ASSETS_CONFIG")
    path = Path(named or (OWN_CONFIG_FILE if Path(OWN_CONFIG_FILE).is_file() else CONFIG_FILE))
    if named and not path.is_file():
        raise ConfigurationError(f"DIRECTUS_ASSETS_CONFIG is {path}, which is not a file.", remedy="Correct the path.")
    try:
        if not path.is_file():
            return path, ConfigFile()
        status = path.stat()
        return path, _parsed(path, status.st_mtime_ns, status.st_size)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} could not be read as UTF-8 text: {error}.", remedy="Save it again.") from None
