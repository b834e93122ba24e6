"""The two sources of configuration, typed: the environment (addresses and secrets) and one YAML file (everything else).

With the YAML file untouched, and only `DIRECTUS_URL` and `DIRECTUS_TOKEN` set, everything works.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from yaml.reader import ReaderError

from directus_assets.errors import ConfigurationError

CONFIG_FILE = "directus_assets.yaml"

DeliveryName = Literal["warm", "storage", "export"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_untouched(cls, value: Any) -> Any:
        # `images:` with every line below it commented out is null in YAML.
        return {} if value is None else value


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


class CollectionOptions(_Section):
    """What the YAML file says about one translated collection; everything else is discovered."""

    enabled: bool = True
    source_language: str | None = None
    languages: tuple[str, ...] | None = None
    """Target languages; unset: `translations.languages`."""
    fields: tuple[str, ...] | None = None
    """Only these fields; unset: all that hold text."""
    exclude: tuple[str, ...] = ()
    """Fields to leave alone."""
    kinds: dict[str, Literal["plain", "html", "markdown", "blocks", "slug", "tags", "repeater"]] = Field(
        default_factory=dict
    )
    """How a field's text is read, where its interface does not tell."""
    filter: dict[str, Any] = Field(default_factory=dict)
    """Only items that match this Directus filter, such as `{status: {_eq: published}}`."""


class PriceOptions(_Section):
    """Money per million tokens, or per million characters of source text."""

    input: Decimal = Decimal(0)
    cached_input: Decimal | None = None
    output: Decimal = Decimal(0)
    characters: Decimal = Decimal(0)


class FolderOptions(_Section):
    """A folder: relative to `DAGSTER_HOME`, or inside one of `STORAGE_LOCATIONS`."""

    location: str | None = None
    folder: str = "translations"


class TranslationOptions(_Section):
    """The section `translations`."""

    enabled: bool = True
    source_language: str | None = None
    """Unset: what the collection's interface in Directus shows first, else the project's default language."""
    languages: tuple[str, ...] | None = None
    """Target languages; unset: all that Directus has."""
    collections: dict[str, CollectionOptions] = Field(default_factory=dict)
    backfill_on_start: bool = False
    """Whether items that exist when the pipeline first starts are translated at once, or wait for a backfill."""
    batch_size: int = Field(default=20, ge=1, le=1000)
    """Items per run."""
    concurrency: int = Field(default=8, ge=1, le=128)
    """The most requests to the engine at the same time, in one run."""
    review: Literal["metadata", "version"] = "metadata"
    """Where a proposal goes that would overwrite a human's text: the partition's page, or a content version too."""
    deepl_formality: Literal["default", "more", "less", "prefer_more", "prefer_less"] = "default"
    spending_limit_per_day: Decimal | None = Field(default=None, ge=0)
    """Money, in the currency of `prices`; work stops cleanly and goes on the next day (UTC)."""
    prices: dict[str, PriceOptions] = Field(default_factory=dict)
    """By model; `deepl` for DeepL."""
    records: FolderOptions = FolderOptions()
    """Where translation records are kept."""


class ReconcileOptions(_Section):
    """The section `reconcile`: the full comparison of Directus with what has been made."""

    cron: str = "0 * * * *"
    """When it runs, in UTC."""
    minutes: int = Field(default=10, ge=1, le=240)
    """How long one run may take; the next one goes on from where it stopped."""


class NotifyOptions(_Section):
    """The section `notify`: who is told that something failed for good."""

    editors: bool = False
    """The user who changed the item last, by a notification in Directus."""
    webhook: SecretStr | None = None
    """An address that gets a POST with what failed."""


class Config(_Section):
    """The whole YAML file."""

    images: ImageOptions = ImageOptions()
    translations: TranslationOptions = TranslationOptions()
    reconcile: ReconcileOptions = ReconcileOptions()
    notify: NotifyOptions = NotifyOptions()


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
    translation_engine: str = "auto"
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str | None = None
    deepl_api_key: SecretStr | None = None

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
        # Compose hands on a variable that is not set as an empty one: both mean the default.
        return cls(
            directus_url=_address(values.get("DIRECTUS_URL", "")),
            directus_token=SecretStr(_token(values.get("DIRECTUS_TOKEN", ""))),
            poll_seconds=_seconds(values.get("DIRECTUS_POLL_SECONDS") or "5"),
            webserver_url=(values.get("DAGSTER_WEBSERVER_URL") or "http://127.0.0.1:3000").rstrip("/"),
            state_folder=Path(values.get("DAGSTER_HOME") or ".dagster"),
            storage={name: value for name, value in values.items() if name.startswith("STORAGE_")},
            translation_engine=values.get("TRANSLATION_ENGINE") or "auto",
            openai_api_key=_secret(values.get("OPENAI_API_KEY")),
            openai_base_url=values.get("OPENAI_BASE_URL") or None,
            openai_model=values.get("OPENAI_MODEL") or None,
            deepl_api_key=_secret(values.get("DEEPL_API_KEY")),
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
    try:
        config = parse_config(path.read_text("utf-8"), name=str(path)) if path.is_file() else Config()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as UTF-8 text: {error}.", remedy="Save it again.") from None
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
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigurationError(
            f"{name}, line {line}: a character that YAML forbids (code {error.character}).", remedy="Remove it."
        ) from None
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        faults = [f"{name}, line {_line_of(root, fault['loc'])}: {_explain(fault)}" for fault in error.errors()]
        raise ConfigurationError("\n".join(faults)) from None


def _explain(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"]) or "the whole file"
    if fault["type"] == "extra_forbidden":
        known = _known_names(Config, fault["loc"][:-1])
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
        meant = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(known))}."
        return f"`{where}` is not a setting; {meant}"
    if fault["type"] in ("model_type", "dict_type"):
        return f"`{where}` takes `name: value` lines, indented below it (found {fault['input']!r})."
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


def _secret(value: str | None) -> SecretStr | None:
    return SecretStr(value) if value else None


def _address(text: str) -> str:
    url = text.strip().rstrip("/")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            "DIRECTUS_URL is no web address.", remedy="Give the whole address, such as https://cms.example.com."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(
            "DIRECTUS_URL holds a login, a query or a fragment.",
            remedy="Give the bare address. A login in it would be sent in the place of DIRECTUS_TOKEN.",
        )
    return url


def _token(text: str) -> str:
    token = text.strip()
    if not all("!" <= character <= "~" for character in token):
        raise ConfigurationError(
            "DIRECTUS_TOKEN holds a space, a line break or a character outside of ASCII.",
            remedy="Copy the static token from Directus once more, without quotes or a line break in it.",
        )
    return token


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
