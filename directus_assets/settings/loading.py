"""Environment and YAML file together."""

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
    """What stands before the names of this project in Dagster; nothing where there is only one."""
    config_folder: Path = Path()
    """The folder that relative paths of the YAML file start from."""
    is_from_file: bool = False
    """Whether `config` is what the YAML file says, and follows it."""

    def __post_init__(self) -> None:
        if webhook := self.config.notify.webhook:
            hide(webhook.get_secret_value())

    @property
    def place(self) -> str:
        """A short digest of which Directus is worked for, and where Dagster keeps its history."""
        return _digest(f"{self.environment.directus_url}\n{self.environment.state_folder.resolve()}")

    @property
    def edition(self) -> str:
        """A short digest of all that the YAML file says for this project."""
        webhook = self.config.notify.webhook
        return _digest(repr((self.config.model_dump(mode="json"), webhook and webhook.get_secret_value())))


def load_settings(environ: Mapping[str, str] | None = None, *, project: str | None = None) -> Settings:
    """Settings of one project.

    Args:
        environ: the variables; those of this process by default.
        project: its name; need not be given where there is only one.

    Raises:
        ConfigurationError: as `load_projects`; or there is no such project, or none is named of several.
    """
    found = load_each(environ)
    names = ", ".join(found)
    if project is None and len(found) > 1:
        raise ConfigurationError(f"There are several projects: {names}.", remedy="Choose one with --project.")
    if project is not None and project not in found:
        raise ConfigurationError(f"There is no project '{project}'.", remedy=f"The YAML file has: {names}.")
    return required(found[project] if project else next(iter(found.values())))


def load_projects(environ: Mapping[str, str] | None = None) -> tuple[Settings, ...]:
    """Settings of all projects; see `load_each`.

    Raises:
        ConfigurationError: naming the variable, or the file and the line, and the fix.
    """
    return tuple(map(required, load_each(environ).values()))


def load_each(environ: Mapping[str, str] | None = None) -> dict[str, Settings | ConfigurationError]:
    """Settings of all projects by name: from the environment, and the YAML file named by `DIRECTUS_ASSETS_CONFIG`.

    Without that variable the file is `directus_assets.local.yaml` in the current folder, or else
    `directus_assets.yaml`; it may be absent. Without `projects` in it there is one project, whose name is empty. A
    project whose variables cannot be used is no obstacle to the others: in place of its settings there is what is wrong
    with them.

    Raises:
        ConfigurationError: naming the file and the line, and the fix.
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
    """Settings of one project, which keeps what it remembers apart from others.

    Args:
        project: its name; empty for the one whose names are the plain ones.
        environ: the variables.
        prefix: what stands before the names of its variables.
        config: its sections of the YAML file.
        folder: where relative paths of these start.

    Raises:
        ConfigurationError: a variable holds a value that cannot be used.
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
    """What `load_each` has found of a project, where that is settings.

    Raises:
        ConfigurationError: it is not.
    """
    if isinstance(found, ConfigurationError):
        raise found
    return found


@lru_cache(maxsize=4)
def _parsed(path: Path, modified: int, size: int) -> ConfigFile:  # noqa: ARG001 (what tells that the file has changed)
    """The file, parsed once for as long as it stays as it is: the settings sensor looks at it in each tick."""
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
