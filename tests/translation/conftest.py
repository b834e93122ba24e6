"""A real Directus with translated collections in both layouts, and the pipeline's user."""

from collections.abc import Iterator, Mapping

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import read_translated_collections
from directus_assets.local.bot import create_bot
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.settings import TranslationOptions
from directus_assets.translation.scope import Scope, plan_scopes
from tests.translation.scripted_openai import ScriptedOpenAI


@pytest.fixture(scope="module")
def studio(empty_directus: LocalDirectus) -> Iterator[DirectusClient]:
    """What an administrator does in the Studio. `posts`, `pages` and `languages` are there, without items."""
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as client:
        create_collections(client)
        create_bot(client, token=empty_directus.bot_token)
        yield client


@pytest.fixture
def bot(directus: LocalDirectus, studio: DirectusClient) -> Iterator[DirectusClient]:
    """The pipeline's client."""
    with DirectusClient(directus.url, directus.bot_token) as client:
        yield client


@pytest.fixture
def scopes(bot: DirectusClient) -> Mapping[str, Scope]:
    """The discovered scopes, by collection."""
    found = plan_scopes(read_translated_collections(bot), TranslationOptions(), default_language=None)
    return {scope.collection: scope for scope in found}


@pytest.fixture
def posts(scopes: Mapping[str, Scope]) -> Scope:
    return scopes["posts"]


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server
