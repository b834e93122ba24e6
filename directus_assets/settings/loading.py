"""Environment and YAML file together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from directus_assets.errors import ConfigurationError
from directus_assets.settings.environment import Environment
from directus_assets.settings.sections import Config
from directus_assets.settings.yaml_file import CONFIG_FILE, parse_config


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Environment and YAML file together."""

    environment: Environment
    config: Config = field(default_factory=Config)
    project: str = ""
    """What stands before the names of this project in Dagster; nothing where there is only one."""
    config_folder: Path = Path()
    """The folder that relative paths of the YAML file start from."""


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings of this process: the environment, and the YAML file named by `DIRECTUS_ASSETS_CONFIG`.

    Without that variable the file is `directus_assets.yaml` in the current folder; it may be absent.

    Raises:
        ConfigurationError: naming the variable, or the file and the line, and the fix.
    """
    values = os.environ if environ is None else environ
    named = values.get("DIRECTUS_ASSETS_CONFIG")
    path = Path(named or CONFIG_FILE)
    if named and not path.is_file():
        raise ConfigurationError(f"DIRECTUS_ASSETS_CONFIG names {path}, which is no file.", remedy="Correct the path.")
    try:
        config = parse_config(path.read_text("utf-8"), name=str(path)) if path.is_file() else Config()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as UTF-8 text: {error}.", remedy="Save it again.") from None
    return Settings(environment=Environment.read(values), config=config, config_folder=path.parent)
