"""The translation engines, behind one protocol, and the choice between them."""

from directus_assets.errors import ConfigurationError
from directus_assets.spending.engine_settings import EngineSettings, require_openai
from directus_assets.translation.engines.protocol import Engine


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
