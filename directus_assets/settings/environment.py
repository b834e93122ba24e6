"""The environment variables: addresses and secrets."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from directus_assets.errors import ConfigurationError
from directus_assets.redaction import hide, hide_environment, hide_header, hide_login

_DIRECTUS = ("DIRECTUS_URL", "DIRECTUS_PUBLIC_URL", "DIRECTUS_TOKEN", "STORAGE_")
_ENGINE = ("OPENAI_", "DEEPL_", "TRANSLATION_ENGINE")
_UNUSED = ("DAGSTER_FLOWS_URL", "DAGSTER_FLOWS_HEADER")
_DOOR_ABOVE_UI = 1000

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ENGINE_DECIDES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "DEEPL_API_KEY")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The environment variables. Secrets are `SecretStr`, so that no `repr` shows them."""

    directus_url: str = ""
    public_url: str = ""
    """The address of Directus for browsers, for links; empty to use `directus_url`."""
    directus_token: SecretStr = field(default_factory=lambda: SecretStr(""))
    poll_seconds: int = 5
    webserver_url: str = "http://127.0.0.1:3000"
    door_url: str = "http://127.0.0.1:4000"
    """The address at which Directus' flows reach the door."""
    unused: tuple[str, ...] = ()
    """Variables of earlier versions that are set but no longer have an effect."""
    dagster_home: Path = Path(".dagster")
    state_folder: Path = Path(".dagster")
    """The same folder, or this project's part of it."""
    storage: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Directus' own STORAGE_* variables, as given."""
    translation_engine: str = "auto"
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str | None = None
    deepl_api_key: SecretStr | None = None
    prefix: str = ""
    """The prefix of the variables, such as `SHOP` for `SHOP_DIRECTUS_URL`."""

    REQUIRED: ClassVar[tuple[str, str]] = ("DIRECTUS_URL", "DIRECTUS_TOKEN")

    def __post_init__(self) -> None:
        for secret in (self.directus_token, self.openai_api_key, self.deepl_api_key):
            if secret:
                hide(secret.get_secret_value())
        for url in (self.openai_base_url, self.webserver_url, self.door_url):
            hide_login(url or "")
        hide_environment(self.storage)

    @property
    def is_complete(self) -> bool:
        """Whether a Directus is configured."""
        return bool(self.directus_url and self.directus_token.get_secret_value())

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, *, prefix: str = "") -> "Environment":
        """Read the environment of this process, or the given one.

        Args:
            environ: the variables; by default those of this process.
            prefix: the prefix of one of several projects, such as `SHOP` for `SHOP_DIRECTUS_URL`.

        Raises:
            ConfigurationError: a variable has an invalid value.
        """
        environ = os.environ if environ is None else environ
        hide_environment(environ)
        # Flows installed by an earlier version may still contain it.
        hide_header((environ.get("DAGSTER_FLOWS_HEADER") or "").partition(":")[2].strip())
        values = _of_project(environ, prefix)
        webserver_url = (values.get("DAGSTER_WEBSERVER_URL") or "http://127.0.0.1:3000").rstrip("/")
        # Compose passes an unset variable on as an empty one: both mean the default.
        return cls(
            directus_url=_address(values.get("DIRECTUS_URL", ""), _variable(prefix, "DIRECTUS_URL")),
            public_url=_address(values.get("DIRECTUS_PUBLIC_URL", ""), _variable(prefix, "DIRECTUS_PUBLIC_URL")),
            directus_token=SecretStr(_token(values.get("DIRECTUS_TOKEN", ""), _variable(prefix, "DIRECTUS_TOKEN"))),
            poll_seconds=_seconds(values.get("DIRECTUS_POLL_SECONDS") or "5"),
            webserver_url=webserver_url,
            door_url=_address(values.get("DOOR_URL", ""), _variable(prefix, "DOOR_URL")) or _door_beside(webserver_url),
            unused=tuple(name for name in _UNUSED if values.get(name)),
            dagster_home=Path(values.get("DAGSTER_HOME") or ".dagster"),
            state_folder=Path(values.get("DAGSTER_HOME") or ".dagster"),
            storage={name: value for name, value in values.items() if name.startswith("STORAGE_")},
            translation_engine=values.get("TRANSLATION_ENGINE") or "auto",
            openai_api_key=_secret(values.get("OPENAI_API_KEY")),
            openai_base_url=values.get("OPENAI_BASE_URL") or None,
            openai_model=values.get("OPENAI_MODEL") or None,
            deepl_api_key=_secret(values.get("DEEPL_API_KEY")),
            prefix=prefix,
        )

    def missing(self) -> list[str]:
        """The required variables that are not set."""
        given = (self.directus_url, self.directus_token.get_secret_value())
        return [self.variable(name) for name, value in zip(self.REQUIRED, given, strict=True) if not value]

    def require(self) -> None:
        """Check that the required variables are set.

        Raises:
            ConfigurationError: one of them is not.
        """
        if missing := self.missing():
            filled = "" if self.directus_url else f"Copy .env.example to .env and set {missing[0]}. "
            raise ConfigurationError(
                f"{' and '.join(missing)} not set.",
                remedy=(
                    f"{filled}`make setup` (`directus-assets setup --write-env`) makes a user and puts its token into "
                    ".env."
                ),
            )

    def variable(self, name: str) -> str:
        """The name of a variable in this project: `SHOP_DIRECTUS_TOKEN` for `DIRECTUS_TOKEN`."""
        return _variable(self.prefix, name)


def _variable(prefix: str, name: str) -> str:
    return f"{prefix}_{name}" if prefix else name


def _of_project(values: Mapping[str, str], prefix: str) -> Mapping[str, str]:
    """The variables of a project under their unprefixed names.

    Unset variables default to the unprefixed ones, except those that identify the Directus. An engine's address and key
    are inherited only together, so that no key is sent to the wrong address.
    """
    if not prefix:
        return values
    start = f"{prefix}_"
    own = {name.removeprefix(start): value for name, value in values.items() if name.startswith(start) and value}
    withheld = _ENGINE if any(name in own for name in _ENGINE_DECIDES) else ()
    shared = {
        name: value
        for name, value in values.items()
        if not name.startswith((*_DIRECTUS, *withheld)) and not name.startswith(start)
    }
    return {**shared, **own}


def _secret(value: str | None) -> SecretStr | None:
    return SecretStr(value) if value else None


def _address(text: str, name: str) -> str:
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
            f"{name} is not a web address.", remedy="Enter the full address, such as https://cms.example.com."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{name} contains a login, a query or a fragment.",
            remedy="Remove it from the address. A login there would be sent instead of DIRECTUS_TOKEN.",
        )
    return url


def _token(text: str, name: str) -> str:
    token = text.strip()
    if not all("!" <= character <= "~" for character in token):
        raise ConfigurationError(
            f"{name} contains a space, a line break or a non-ASCII character.",
            remedy="Copy the static token from Directus again, without quotes or line breaks.",
        )
    return token


def _seconds(text: str) -> int:
    try:
        seconds = int(text)
    except ValueError:
        seconds = 0
    if seconds < 5:
        raise ConfigurationError(
            f"DIRECTUS_POLL_SECONDS is {text!r}.",
            remedy="Use a whole number of seconds, at least 5 (Dagster's minimum).",
        )
    return seconds


def _door_beside(webserver_url: str) -> str:
    """The door's address on this machine: a thousand ports above the UI, so that two pipelines have two doors."""
    try:
        parts = urlsplit(webserver_url)
        port = parts.port if parts.hostname in LOOPBACK else None
    except ValueError:
        port = None
    return f"http://127.0.0.1:{(port or 3000) + _DOOR_ABOVE_UI}"
