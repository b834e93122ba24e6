"""Enrichment engines behind one protocol, and the choice between them."""

from directus_assets.enrichment.builtin.model import Builtin
from directus_assets.enrichment.engines.protocol import EnrichmentEngine
from directus_assets.errors import ConfigurationError
from directus_assets.spending.engine_settings import EngineSettings, require_openai


def choose_enrichment_engine(
    name: str, settings: EngineSettings, *, model: str | None, where: str, builtin: Builtin | None
) -> EnrichmentEngine | None:
    """The engine for an enrichment; None for `auto` if no key is set.

    Args:
        name: `openai`, `local` or `auto`, which never chooses `local`.
        settings: keys and addresses.
        model: the model; if None, that of the settings.
        where: the setting that declares the enrichment.
        builtin: the built-in that the engine `local` would answer.

    Raises:
        ConfigurationError: an unknown engine, or one without its key or model.
    """
    if name == "auto" and not settings.openai_api_key:
        return None
    if name == "local":
        from directus_assets.enrichment.engines.local import LocalEnrichmentEngine

        return LocalEnrichmentEngine(where, builtin)
    if name not in ("auto", "openai"):
        raise ConfigurationError(
            f"`{where}.engine` in the YAML file is '{name}'.", remedy="Use auto, openai, or local."
        )
    from directus_assets.enrichment.engines.openai import OpenAIEnrichmentEngine

    endpoint = require_openai(settings, model=model)
    return OpenAIEnrichmentEngine(
        api_key=endpoint.api_key,
        base_url=endpoint.base_url,
        model=endpoint.model,
        timeout_seconds=settings.timeout_seconds,
        options=settings.chat,
    )
