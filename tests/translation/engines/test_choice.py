"""The choice of the engine by the settings."""

from contextlib import closing

import pytest

from directus_assets.errors import ConfigurationError
from directus_assets.spending.engine_settings import EngineSettings
from directus_assets.translation.engines import choose


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (EngineSettings(engine="pseudo", openai_api_key="k"), "pseudo"),
        (EngineSettings(openai_api_key="k", deepl_api_key="k"), "openai:gpt-4.1-mini"),
        (EngineSettings(openai_api_key="k", openai_base_url="http://127.0.0.1:1/v1", openai_model="m"), "openai:m"),
        (EngineSettings(deepl_api_key="k"), "deepl"),
        (EngineSettings(openai_base_url="http://127.0.0.1:11434/v1", openai_model="m"), "openai:m"),
        (EngineSettings(engine="openai", openai_base_url="http://127.0.0.1:11434/v1", openai_model="m"), "openai:m"),
        (EngineSettings(openai_base_url="http://127.0.0.1:1/v1", openai_model="m", deepl_api_key="k"), "deepl"),
        (EngineSettings(engine="deepl", openai_api_key="k", deepl_api_key="k"), "deepl"),
    ],
)
def test_the_named_engine_or_the_first_with_a_key(settings: EngineSettings, name: str) -> None:
    engine = choose(settings)

    assert engine is not None
    with closing(engine):
        assert engine.name == name


def test_auto_without_keys_is_no_engine_and_never_pseudo() -> None:
    assert choose(EngineSettings()) is None


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        (EngineSettings(engine="openai"), "OPENAI_API_KEY"),
        (EngineSettings(engine="deepl"), "DEEPL_API_KEY"),
        (EngineSettings(engine="google"), "openai, deepl, pseudo or auto"),
        (EngineSettings(openai_api_key="k", openai_base_url="http://127.0.0.1:1/v1"), "OPENAI_MODEL"),
    ],
)
def test_what_is_missing_is_named(settings: EngineSettings, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy):
        choose(settings)


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(EngineSettings(openai_api_key="secret", deepl_api_key="secret"))
