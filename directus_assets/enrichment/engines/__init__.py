"""Who finds out what is declared: engines behind one protocol, and the choice between them."""

from directus_assets.enrichment.builtin.model import Builtin
from directus_assets.enrichment.engines.protocol import EnrichmentEngine
from directus_assets.errors import ConfigurationError
from directus_assets.translation.engines import EngineSettings, require_openai


def choose_enrichment_engine(
    name: str, settings: EngineSettings, *, model: str | None, where: str, builtin: Builtin | None
) -> EnrichmentEngine | None:
    """The engine that an enrichment asks for; None for `auto` where no key is set.

    Args:
        name: `openai`, `local` or `auto`, which never takes `local`.
        settings: keys and addresses.
        model: the model; that of the settings where it is None.
        where: the setting that declares the enrichment.
        builtin: what the engine `local` answers for.

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
