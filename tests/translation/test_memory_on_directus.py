"""Items with common texts on the real Directus: a translation of one is reused for the others at no cost."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.schema import LanguageRow
from directus_assets.directus.storage import LocalStorage
from directus_assets.ownership.record_store import RecordStore
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.items import read_items
from directus_assets.translation.languages import language
from directus_assets.translation.memory import Memory
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.results import Forecast, Translated
from directus_assets.translation.scope import Scope
from directus_assets.translation.work import Translator
from tests.translation.posts import create_post, read, rows_of
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

BOILERPLATE = "Our bread has to rest before it is baked."
GERMAN = LanguageRow(key="de-DE", code="de-DE")


@pytest.fixture
def translator(
    bot: DirectusClient, scopes: Mapping[str, Scope], server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Translator]:
    storage = LocalStorage(tmp_path)
    memory = Memory(storage, tmp_path / "index.sqlite")
    with (
        closing(OpenAIEngine(api_key="key", model="tiny", base_url=server.url, timeout_seconds=20)) as engine,
        closing(memory),
    ):
        yield Translator(
            client=bot,
            scope=scopes["posts"],
            engine=engine,
            gate=RateGate(limit=4),
            records=RecordStore(storage, TranslationRecord),
            memory=memory,
            sleep=lambda _: None,
        )


def body(*paragraphs: str) -> str:
    return "\n".join(f"<p>{each}</p>" for each in paragraphs)


def german(text: str) -> str:
    return pseudo(text, target=language("de-DE"))


def translate(translator: Translator, key: str) -> Translated:
    return translator.translate(read(translator.client, translator.scope, key), GERMAN)


def test_what_twenty_items_share_is_paid_for_once_though_they_are_translated_at_once(
    studio: DirectusClient, translator: Translator, server: ScriptedOpenAI
) -> None:
    texts = [body(f"The dough of bread number {number} has to rest.", BOILERPLATE) for number in range(20)]
    rows = [{"translations": [{"languages_code": "en-US", "body": text}]} for text in texts]
    keys = [str(row["id"]) for row in studio.post("/items/posts", rows)]

    with ThreadPoolExecutor(max_workers=8) as pool:
        items = read_items(translator.client, translator.scope, keys)
        counted: set[tuple[str, str]] = set()
        foreseen = [translator.forecast(item, GERMAN, counted=counted) for item in items]
        list(pool.map(lambda item: translator.translate(item, GERMAN), items))

    assert server.texts_sent.count(BOILERPLATE) == 1
    assert len(server.texts_sent) == sum(each.segments for each in foreseen) == 21
    assert all(german(BOILERPLATE) in str(rows_of(studio, key)[0]["body"]) for key in keys)


def test_a_persons_version_of_a_sentence_is_what_other_items_get_and_similar_ones_are_shown(
    studio: DirectusClient, translator: Translator, server: ScriptedOpenAI
) -> None:
    first = create_post(studio, body=body("The dough has to rest.", BOILERPLATE))
    translate(translator, first)
    (row,) = rows_of(studio, first)
    corrected = str(row["body"]).replace(german(BOILERPLATE), "Unser Brot ruht, bevor es in den Ofen kommt.")
    studio.patch(f"/items/posts_translations/{row['id']}", {"body": corrected})
    (source,) = rows_of(studio, first, "en-US")
    studio.patch(
        f"/items/posts_translations/{source['id']}", {"body": body("The dough has to rest well.", BOILERPLATE)}
    )
    translate(translator, first)
    server.asked.clear()

    second = create_post(studio, body=body(BOILERPLATE))
    foreseen = translator.forecast(read(translator.client, translator.scope, second), GERMAN)
    result = translate(translator, second)

    assert foreseen == Forecast(segments=0, usage=Usage())
    assert server.asked == []
    assert (result.sent, result.reused) == (0, 1)
    assert rows_of(studio, second)[0]["body"] == body("Unser Brot ruht, bevor es in den Ofen kommt.")
    third = create_post(studio, body=body(BOILERPLATE.replace("baked", "sold")))
    translate(translator, third)
    assert "Unser Brot ruht, bevor es in den Ofen kommt." in server.asked[0].prompt
    fourth = create_post(studio, body=body(BOILERPLATE))
    server.asked.clear()
    translate(replace(translator, memory=None), fourth)
    assert server.texts_sent == [BOILERPLATE]
