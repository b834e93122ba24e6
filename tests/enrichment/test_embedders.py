"""The choice of the embedder."""

import pytest

from directus_assets.enrichment.embedders import choose_embedder
from directus_assets.errors import ConfigurationError
from directus_assets.spending.engine_settings import EngineSettings

KEYED = EngineSettings(openai_api_key="key")
ELSEWHERE = EngineSettings(openai_api_key="key", openai_base_url="http://127.0.0.1:1/v1", openai_model="chat")


@pytest.mark.parametrize(
    ("name", "settings", "model", "expected"),
    [
        ("auto", EngineSettings(), None, None),
        ("local", EngineSettings(), None, "local"),
        ("local", KEYED, None, "local"),
        ("auto", KEYED, None, "openai:text-embedding-3-small"),
        ("openai", KEYED, "text-embedding-3-large", "openai:text-embedding-3-large"),
        ("auto", ELSEWHERE, "nomic", "openai:nomic"),
    ],
)
def test_auto_takes_what_has_a_key_and_never_the_local_one(
    name: str, settings: EngineSettings, model: str | None, expected: str | None
) -> None:
    embedder = choose_embedder(name, settings, model=model)

    assert (embedder.name if embedder else None) == expected
    if embedder:
        embedder.close()


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("openai", EngineSettings(), "Set OPENAI_API_KEY"),
        ("auto", ELSEWHERE, "set the `model` of `related`"),
        ("deepl", KEYED, "Use auto, openai or local"),
    ],
)
def test_what_cannot_work_is_told(name: str, settings: EngineSettings, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        choose_embedder(name, settings, model=None)
