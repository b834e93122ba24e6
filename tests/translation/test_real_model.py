"""A real model on a real server: whatever it answers, nothing wrong is written, and the partition gives the reason."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.openai_embedder import OpenAIEmbedder
from directus_assets.ownership.record_store import RecordStore
from directus_assets.spending.chat_dialect import ChatOptions
from directus_assets.spending.faults import RequestRefused
from directus_assets.spending.payer import Unlimited
from directus_assets.spending.rate_gate import RateGate
from directus_assets.spending.usage import Usage
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.records import TranslationRecord
from directus_assets.translation.scope import Scope
from directus_assets.translation.translate import Untranslatable
from directus_assets.translation.work import Translator
from tests.translation.llama import llama_server
from tests.translation.test_work import Desk

pytestmark = pytest.mark.integration

TITLE = "Good bread takes 24 hours"
BODY = '<p>The dough rests for <b>24 hours</b>, as <a href="/en/flour?kind=rye">the page on flour</a> explains.</p>'


class Noting(Unlimited):
    """Records the usage of requests."""

    def __init__(self) -> None:
        self.spent: list[Usage] = []

    def settle(self, used: Usage, estimate: Usage) -> None:
        self.spent.append(used)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with llama_server(context=1024) as url:
        yield url


@pytest.fixture
def engine(llama: str) -> Iterator[OpenAIEngine]:
    # It does not think; and where it repeats itself, it is cut off soon.
    options = ChatOptions(spare_tokens=0, temperature=0)
    engine = OpenAIEngine(api_key="none", model="SmolLM2", base_url=llama, timeout_seconds=240, options=options)
    with closing(engine):
        yield engine


@pytest.fixture
def desk(studio: DirectusClient, bot: DirectusClient, posts: Scope, engine: OpenAIEngine, tmp_path: Path) -> Desk:
    translator = Translator(
        client=bot,
        scope=posts,
        engine=engine,
        gate=RateGate(limit=1, patience_seconds=1),
        records=RecordStore(LocalStorage(tmp_path), TranslationRecord),
    )
    return Desk(studio, translator)


def test_a_poor_model_writes_nothing_wrong_and_the_failure_names_field_and_defect(desk: Desk) -> None:
    key = desk.create(title=TITLE, body=BODY)
    said = ""

    try:
        desk.translate(key)
    except Untranslatable as error:
        said = str(error)

    row = desk.row(key)
    for name, source in (("title", TITLE), ("body", BODY)):
        written = row.get(name)
        # One or the other: a text that kept all that may not change, or a reason.
        if written is None:
            assert re.search(rf"field '{name}', \".+?\": \w+", said)
        else:
            assert written != source
            assert re.findall(r"<[^>]*>|\d+", str(written)) == re.findall(r"<[^>]*>|\d+", source)


def test_what_a_real_server_has_no_room_for_is_asked_for_once_and_fails_in_its_words(desk: Desk) -> None:
    long = " ".join(f"The baker counts loaf number {number * 104_729:,}." for number in range(300))
    key = desk.create(body=f"<p>{long}</p>")
    payer = Noting()

    with pytest.raises(Untranslatable, match=r"too long for the engine.*exceeds the available context size"):
        desk.translate(key, payer=payer)

    # A long paragraph is cut into four segments, of which none fits.
    assert [(used.requests, used.output_tokens) for used in payer.spent] == [(1, 0)] * 4
    assert desk.row(key) == {}


def test_a_server_without_embeddings_says_so(llama: str) -> None:
    embedder = OpenAIEmbedder(api_key="none", model="SmolLM2", base_url=llama)

    with closing(embedder), pytest.raises(RequestRefused, match="does not support embeddings"):
        embedder.embed(["bread"])
