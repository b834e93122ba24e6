"""The two sources of configuration, typed: the environment (addresses and secrets) and one YAML file (everything else).

With the YAML file untouched, and only `DIRECTUS_URL` and `DIRECTUS_TOKEN` set, everything works.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from directus_assets.errors import ConfigurationError

CONFIG_FILE = "directus_assets.yaml"

DeliveryName = Literal["warm", "storage", "export"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PresetOptions(_Section):
    """What the YAML file says about one preset."""

    delivery: DeliveryName | None = None
    """How this preset is delivered, where it differs from `images.delivery`."""
    enabled: bool = True
    """Off: this preset becomes no asset."""


class ExportOptions(_Section):
    """Where delivery `export` writes."""

    location: str | None = None
    """The name of one of `STORAGE_LOCATIONS`; without it, `folder` is a folder on this machine."""
    folder: str = "exports"
    """A folder: relative to the YAML file, or inside the location."""


class ImageOptions(_Section):
    """The section `images`."""

    delivery: Literal["auto", "warm", "storage", "export"] = "auto"
    """`auto`: `storage` where Directus' STORAGE_* variables are set, else `warm`."""
    presets: dict[str, PresetOptions] = Field(default_factory=dict)
    export: ExportOptions = ExportOptions()
    backfill_on_start: bool = False
    """Whether pictures that exist when the pipeline first starts are rendered at once, or wait for a backfill."""
    batch_size: int = Field(default=50, ge=1, le=1000)
    """Files per run."""
    max_megapixels: int = Field(default=268, ge=1, le=2000)
    """Pictures with more pixels are refused before they are decoded."""
    workers: int | None = Field(default=None, ge=1, le=64)
    """Pictures rendered side by side in one run; unset: the number of processors."""
    warm_concurrency: int = Field(default=4, ge=1, le=25)
    """The most requests that ask Directus to render at the same time."""

    def is_enabled(self, preset_key: str) -> bool:
        """Whether a preset becomes an asset."""
        return preset_key not in self.presets or self.presets[preset_key].enabled

    def delivery_of(self, preset_key: str, *, has_storage: bool) -> DeliveryName:
        """How a preset is delivered.

        Args:
            preset_key: the preset.
            has_storage: whether Directus' STORAGE_* variables are set here.
        """
        own = self.presets[preset_key].delivery if preset_key in self.presets else None
        if own:
            return own
        if self.delivery == "auto":
            return "storage" if has_storage else "warm"
        return self.delivery


class Config(_Section):
    """The whole YAML file."""

    images: ImageOptions = ImageOptions()


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the environment says. Secrets are `SecretStr`, so that no `repr` shows them."""

    directus_url: str = ""
    directus_token: SecretStr = field(default_factory=lambda: SecretStr(""))
    poll_seconds: int = 5
    webserver_url: str = "http://127.0.0.1:3000"
    state_folder: Path = Path(".dagster")
    storage: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Directus' own STORAGE_* variables, as given."""

    REQUIRED: ClassVar[tuple[str, str]] = ("DIRECTUS_URL", "DIRECTUS_TOKEN")

    @property
    def is_complete(self) -> bool:
        """Whether there is a Directus to talk to."""
        return bool(self.directus_url and self.directus_token.get_secret_value())

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> "Environment":
        """The environment of this process, or the one given.

        Raises:
            ConfigurationError: a variable holds a value that cannot be used.
        """
        values = os.environ if environ is None else environ
        url = values.get("DIRECTUS_URL", "").strip().rstrip("/")
        if url and not url.startswith(("http://", "https://")):
            raise ConfigurationError(
                "DIRECTUS_URL is no web address.", remedy="Give the whole address, such as https://cms.example.com."
            )
        return cls(
            directus_url=url,
            directus_token=SecretStr(values.get("DIRECTUS_TOKEN", "").strip()),
            poll_seconds=_seconds(values.get("DIRECTUS_POLL_SECONDS", "5")),
            webserver_url=values.get("DAGSTER_WEBSERVER_URL", "http://127.0.0.1:3000").rstrip("/"),
            state_folder=Path(values.get("DAGSTER_HOME") or ".dagster"),
            storage={name: value for name, value in values.items() if name.startswith("STORAGE_")},
        )

    def missing(self) -> list[str]:
        """The required variables that are not set."""
        given = (self.directus_url, self.directus_token.get_secret_value())
        return [name for name, value in zip(self.REQUIRED, given, strict=True) if not value]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Environment and YAML file together."""

    environment: Environment
    config: Config = field(default_factory=Config)
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
    config = parse_config(path.read_text("utf-8"), name=str(path)) if path.is_file() else Config()
    return Settings(environment=Environment.read(values), config=config, config_folder=path.parent)


def parse_config(text: str, *, name: str = CONFIG_FILE) -> Config:
    """The YAML text as `Config`.

    Raises:
        ConfigurationError: one line for each fault: file, line, what is wrong, what is meant instead.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(f"{name}, line {line}: {error.problem}.", remedy="Correct the YAML there.") from None
    if values is None:
        return Config()
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        faults = [f"{name}, line {_line_of(root, fault['loc'])}: {_explain(fault)}" for fault in error.errors()]
        raise ConfigurationError("\n".join(faults)) from None


def _explain(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = _known_names(Config, fault["loc"][:-1])
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
        meant = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(known))}."
        return f"`{where}` is not a setting; {meant}"
    return f"`{where}`: {fault['msg']} (found {fault['input']!r})."


def _known_names(model: type[BaseModel], path: Iterable[Any]) -> list[str]:
    current: Any = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel) and part in current.model_fields:
            current = current.model_fields[part].annotation
        else:
            current = getattr(current, "__args__", (None, None))[-1]
    is_model = isinstance(current, type) and issubclass(current, BaseModel)
    return list(current.model_fields) if is_model else []


def _line_of(node: yaml.Node | None, path: Iterable[Any]) -> int:
    """The line, from 1, of the deepest node on `path`."""
    line = 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _seconds(text: str) -> int:
    try:
        seconds = int(text)
    except ValueError:
        seconds = 0
    if seconds < 5:
        raise ConfigurationError(
            f"DIRECTUS_POLL_SECONDS is {text!r}.", remedy="Give a whole number of seconds, 5 or more (Dagster's least)."
        )
    return seconds
