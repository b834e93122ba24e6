"""The translation engines, behind one protocol, and the choice between them."""

from dataclasses import dataclass, field

from directus_assets.errors import ConfigurationError
from directus_assets.spending.chat_dialect import ChatOptions
from directus_assets.translation.engines.protocol import Engine

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


def choose(settings: EngineSettings) -> Engine | None:
    """The engine for `settings`; None for `auto` if no key and no endpoint is set, and never `pseudo`.

    Raises:
        ConfigurationError: an unknown engine, or one without its key or model.
    """
    match _named(settings):
        case "pseudo":
            from directus_assets.translation.engines.pseudo import PseudoEngine

            return PseudoEngine()
        case "openai":
            return _openai(settings)
        case "deepl":
            return _deepl(settings)
        case None:
            return None
    raise ConfigurationError(f"TRANSLATION_ENGINE is '{settings.engine}'.", remedy="Use openai, deepl, pseudo or auto.")


def _named(settings: EngineSettings) -> str | None:
    if settings.engine != "auto":
        return settings.engine
    if settings.openai_api_key:
        return "openai"
    if settings.deepl_api_key:
        return "deepl"
    # A self-hosted server requires no key.
    return "openai" if settings.openai_base_url else None


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


def _openai(settings: EngineSettings) -> Engine:
    from directus_assets.translation.engines.openai import OpenAIEngine

    endpoint = require_openai(settings)
    return OpenAIEngine(
        api_key=endpoint.api_key,
        base_url=endpoint.base_url,
        model=endpoint.model,
        timeout_seconds=settings.timeout_seconds,
        options=settings.chat,
    )


def _deepl(settings: EngineSettings) -> Engine:
    from directus_assets.translation.engines.deepl import DeepLEngine

    if not settings.deepl_api_key:
        raise ConfigurationError("The engine 'deepl' has no key.", remedy="Set DEEPL_API_KEY.")
    return DeepLEngine(
        api_key=settings.deepl_api_key,
        formality=settings.deepl_formality,
        timeout_seconds=settings.timeout_seconds,
    )
