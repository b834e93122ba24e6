"""The choice of the embedder."""

from directus_assets.enrichment.embeddings import Embedder
from directus_assets.enrichment.local_embedder import NAME as LOCAL
from directus_assets.enrichment.local_embedder import LocalEmbedder
from directus_assets.errors import ConfigurationError
from directus_assets.spending.engine_settings import EngineSettings


def choose_embedder(name: str, settings: EngineSettings, *, model: str | None) -> Embedder | None:
    """The requested embedder; None for `auto` if no key is set. `auto` never chooses `local`.

    Args:
        name: `openai`, `local` or `auto`.
        settings: keys and addresses.
        model: the embedding model; OpenAI's default if not set.

    Raises:
        ConfigurationError: an unknown embedder, or one without its key or model.
    """
    if name == LOCAL:
        return LocalEmbedder()
    if name not in ("auto", "openai"):
        raise ConfigurationError(f"Unknown embedding engine '{name}'.", remedy="Use auto, openai or local.")
    if not settings.openai_api_key:
        if name == "auto":
            return None
        raise ConfigurationError(
            "The engine 'openai' has no key.",
            remedy="Set OPENAI_API_KEY. If your server does not check it, any text will do.",
        )
    from directus_assets.enrichment.openai_embedder import DEFAULT_MODEL, OpenAIEmbedder

    if settings.openai_base_url and not model:
        raise ConfigurationError(
            f"No embedding model is set for {settings.openai_base_url}.",
            remedy="In the YAML file, set the `model` of `related` to one that this server offers.",
        )
    return OpenAIEmbedder(
        api_key=settings.openai_api_key, base_url=settings.openai_base_url or None, model=model or DEFAULT_MODEL
    )
