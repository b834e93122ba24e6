"""The settings that determine which engine translates or enriches: keys, addresses and models."""

from dataclasses import dataclass, field

from directus_assets.errors import ConfigurationError
from directus_assets.spending.chat_dialect import ChatOptions

OPENAI_DEFAULT_MODEL = "gpt-4.1-mini"

_NO_KEY = "none"
"""Sent to servers that require no key: the library insists on one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSettings:
    """The settings that determine the engine; named like the environment variables in lower case.

    `engine` is `TRANSLATION_ENGINE`: `openai`, `deepl`, `pseudo` or `auto`; the last two fields come from the YAML
    file.
    """

    engine: str = "auto"
    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = None
    openai_model: str | None = None
    deepl_api_key: str | None = field(default=None, repr=False)
    deepl_formality: str = "default"
    timeout_seconds: float = 120.0
    chat: ChatOptions = field(default_factory=ChatOptions)


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """An OpenAI-compatible endpoint: `base_url` is None for OpenAI itself."""

    api_key: str = field(repr=False)
    base_url: str | None
    model: str


def require_openai(settings: EngineSettings, *, model: str | None = None) -> Endpoint:
    """The endpoint in `settings`, and the model to use there: `model`, if given.

    Raises:
        ConfigurationError: there is no key, or no model for an endpoint other than OpenAI's.
    """
    if not settings.openai_api_key and not settings.openai_base_url:
        raise ConfigurationError(
            "The engine 'openai' has no key.",
            remedy="Set OPENAI_API_KEY, or OPENAI_BASE_URL for a server that needs no key, such as Ollama.",
        )
    wanted = model or settings.openai_model
    if settings.openai_base_url and not wanted:
        raise ConfigurationError(
            f"No model is set for {settings.openai_base_url}.",
            remedy="Set OPENAI_MODEL to a model that this server offers.",
        )
    return Endpoint(
        api_key=settings.openai_api_key or _NO_KEY,
        base_url=settings.openai_base_url or None,
        model=wanted or OPENAI_DEFAULT_MODEL,
    )
