"""All possible server responses: the translation, or a failure with its reason, in few requests."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from directus_assets.errors import TransientError
from directus_assets.redaction import hide
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.conversation import Assignment
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.languages import language
from directus_assets.translation.segments import TextKind, cut
from directus_assets.translation.translate import TranslationOutcome, translate
from tests.translation import misbehaviours as table
from tests.translation.misbehaviours import Row
from tests.translation.scripted_openai import ScriptedOpenAI

KEY = "sk-secret-key-1234"
TITLE, *PARAGRAPHS = table.GERMAN
DOCUMENTS = {
    "title": cut(TITLE, TextKind.PLAIN),
    "body": cut("".join(f"<p>{text}</p>" for text in PARAGRAPHS), TextKind.HTML),
}
GERMAN = Assignment(source=language("en-US"), target=language("de-DE"))
EXPECTED = {
    "title": table.GERMAN[TITLE],
    "body": "".join(f"<p>{table.GERMAN[text]}</p>" for text in PARAGRAPHS),
}


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        server.always(table.right)
        yield server


@pytest.fixture
def engine(server: ScriptedOpenAI, row: Row) -> Iterator[OpenAIEngine]:
    hide(KEY)
    engine = OpenAIEngine(api_key=KEY, model="m", base_url=server.url, timeout_seconds=row.timeout_seconds)
    with closing(engine):
        yield engine


def run(engine: OpenAIEngine, *, patience_seconds: float = 60) -> TranslationOutcome:
    gate = RateGate(
        limit=4,
        patience_seconds=patience_seconds,
        base_seconds=0.1,
        longest_seconds=0.1,
        jitter=lambda _least, most: most,
    )
    outcome = translate(DOCUMENTS, {}, assignment=GERMAN, engine=engine, gate=gate)
    if outcome.failure:
        assert outcome.values.items() <= EXPECTED.items()
        raise outcome.failure
    return outcome


def play(server: ScriptedOpenAI, row: Row) -> None:
    (server.next if row.once else server.always)(row.behaviour)


@pytest.mark.parametrize("row", table.TRANSLATED, ids=lambda row: row.name)
def test_an_answer_in_any_form_is_read_and_what_an_endpoint_takes_is_learnt_once(
    server: ScriptedOpenAI, engine: OpenAIEngine, row: Row
) -> None:
    play(server, row)

    first = run(engine)
    asked = len(server.asked)
    second = run(engine)

    assert first.values == second.values == EXPECTED
    assert asked <= row.most
    assert len(server.asked) - asked <= row.afterwards


@pytest.mark.parametrize("row", table.FAILED, ids=lambda row: row.name)
def test_an_answer_that_is_none_is_a_failure_in_the_servers_words_and_a_healthy_server_completes(
    server: ScriptedOpenAI, engine: OpenAIEngine, row: Row
) -> None:
    play(server, row)

    with pytest.raises(row.error, match=rf"(?s){row.says}") as raised:
        run(engine, patience_seconds=0.5)

    assert len(server.asked) <= row.most
    assert table.secrets_in(str(raised.value)) == []
    assert isinstance(raised.value, TransientError) == issubclass(row.error, TransientError)
    server.always(table.right)
    assert run(engine).values == EXPECTED


def test_the_table_has_each_misbehaviour_once() -> None:
    names = [row.name for row in (*table.TRANSLATED, *table.FAILED)]

    assert len(set(names)) == len(names) >= 40
