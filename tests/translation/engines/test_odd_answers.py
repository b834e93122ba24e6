"""Responses in unexpected forms: each is a named failure, or as good as a regular one."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from pydantic import TypeAdapter

from directus_assets.enrichment.engines.openai import OpenAIEnrichmentEngine
from directus_assets.enrichment.engines.protocol import Question
from directus_assets.settings import ResultOptions
from directus_assets.spending.faults import AnswerFault
from directus_assets.spending.usage import Usage, counted
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.protocol import AskedSegment, Request
from directus_assets.translation.languages import language
from directus_assets.translation.records import Arrived, TranslationRecord
from tests.translation.scripted_openai import Reply, ScriptedOpenAI

REQUEST = Request(
    source=language("en-US"), target=language("de-DE"), segments=(AskedSegment(key="title", text="Good bread"),)
)
QUESTION = Question(
    name="summary", task="Sum it up.", input={"body": "Bread"}, result={"s1": ResultOptions(type="text")}
)
RIGHT = '{"s1": "Gutes Brot"}'
USAGE = {"prompt_tokens": 70, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 5}}

Ask = Callable[[], tuple[Any, Usage, AnswerFault | None]]


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server


@pytest.fixture(params=["translation", "enrichment"])
def ask(request: pytest.FixtureRequest, server: ScriptedOpenAI) -> Iterator[Ask]:
    if request.param == "translation":
        with closing(OpenAIEngine(api_key="key", model="tiny", base_url=server.url, timeout_seconds=10)) as engine:
            yield lambda: _translated(engine)
    else:
        with closing(OpenAIEnrichmentEngine(api_key="key", model="tiny", base_url=server.url)) as enricher:
            yield lambda: _enriched(enricher)


def _translated(engine: OpenAIEngine) -> tuple[Any, Usage, AnswerFault | None]:
    answer = engine.translate(REQUEST)
    return dict(answer.texts), answer.usage, answer.failure


def _enriched(engine: OpenAIEnrichmentEngine) -> tuple[Any, Usage, AnswerFault | None]:
    reply = engine.answer(QUESTION)
    return dict(reply.answer), reply.usage, reply.failure


def body(content: object = RIGHT, *, usage: object = None, **message: object) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": "stop"}
    return {"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage or USAGE}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "a page",
        7,
        {},
        {"choices": None},
        {"choices": {}},
        {"choices": "none"},
        {"choices": [None]},
        {"choices": [[]]},
        {"choices": ["text"]},
        {"choices": [{}]},
        {"choices": [{"message": None, "finish_reason": None}]},
        {"choices": [{"message": "Gutes Brot", "finish_reason": 7}]},
        {"choices": [{"message": {"content": {"s1": "Gutes Brot"}}}]},
        body(None),
        body(7),
        body([None, 3, {"type": "text"}, {"type": "text", "text": 4}, {"type": "image_url"}]),
        body('{"s1": ' + "[" * 100_000 + "}"),
        body('{"s1": ' + "[" * 300 + "]" * 300 + "}"),
    ],
)
def test_an_answer_of_another_shape_is_unreadable(server: ScriptedOpenAI, ask: Ask, document: object) -> None:
    server.always(lambda _: Reply(body=json.dumps(document)))

    found, usage, failure = ask()

    assert (found, failure, usage.requests) == ({}, AnswerFault.UNREADABLE, 1)


@pytest.mark.parametrize(
    "raw",
    [
        '{"choices": ' + "[" * 100_000 + "}",
        '{"choices": [' + '{"message":' * 5_000 + "1" + "}" * 5_000 + "]}",
        '{"usage": {"prompt_tokens": ' + "9" * 5_000 + "}}",
        '{"choices": NaN}',
        "\x00",
    ],
)
def test_an_answer_that_hardly_any_parser_takes_is_unreadable(server: ScriptedOpenAI, ask: Ask, raw: str) -> None:
    server.always(lambda _: Reply(body=raw))

    assert ask()[2] is AnswerFault.UNREADABLE


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": RIGHT}],
        [
            {"type": "thinking", "thinking": []},
            {"type": "text", "text": RIGHT[:5]},
            {"type": "text", "text": RIGHT[5:]},
        ],
    ],
)
def test_an_answer_in_parts_is_read(server: ScriptedOpenAI, ask: Ask, content: object) -> None:
    server.always(lambda _: Reply(body=json.dumps(body(content))))

    found, usage, failure = ask()

    assert (list(found.values()), failure) == (["Gutes Brot"], None)
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (70, 5, 7)


ODD_COUNTS = [None, "12", 12.5, -5, True, [], {}, 10**30, float("inf"), float("nan"), "many"]


@pytest.mark.parametrize("count", ODD_COUNTS)
def test_a_count_that_is_no_whole_number_is_estimated_and_can_be_remembered(
    server: ScriptedOpenAI, ask: Ask, count: object
) -> None:
    usage = {"prompt_tokens": count, "completion_tokens": count, "prompt_tokens_details": {"cached_tokens": count}}
    server.always(lambda _: Reply(body=json.dumps(body(usage=usage))))

    _, used, failure = ask()

    assert failure is None
    assert 50 < used.input_tokens < 1_000
    assert 1 < used.output_tokens < 20
    assert used.cached_tokens == 0
    record = TranslationRecord(collection="posts", item="1", language="de-DE")
    record = record.with_answer(Arrived(texts={"k": "Brot"}, engine="openai:tiny", usage=used))
    form = TypeAdapter(TranslationRecord)
    assert form.validate_json(form.dump_json(record)) == record


@pytest.mark.parametrize("usage", ["none", [], 7, {"prompt_tokens_details": [1]}, {"prompt_tokens": 70.0}])
def test_usage_of_another_shape_is_estimated(server: ScriptedOpenAI, ask: Ask, usage: object) -> None:
    server.always(lambda _: Reply(body=json.dumps(body(usage=usage))))

    _, used, failure = ask()

    assert failure is None
    assert used.input_tokens > 0
    assert isinstance(used.input_tokens, int)


def test_more_is_never_cached_than_was_read(server: ScriptedOpenAI, ask: Ask) -> None:
    usage = {"prompt_tokens": 70, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 5_000}}
    server.always(lambda _: Reply(body=json.dumps(body(usage=usage))))

    assert ask()[1].cached_tokens == 70


@pytest.mark.parametrize(("told", "count"), [(0, 0), (7, 7), (7.0, 7), *((odd, None) for odd in ODD_COUNTS)])
def test_a_count_is_a_whole_number_that_can_be(told: object, count: int | None) -> None:
    assert counted(told) == count


def test_half_an_emoji_in_what_is_asked_is_sent_as_a_sign_that_every_service_takes(server: ScriptedOpenAI) -> None:
    half = "tags \ud83d"
    request = Request(
        source=language("en-US"),
        target=language("de-DE"),
        segments=(AskedSegment(key="k", text="Bread", context=half, rejected=half, defects=(half,)),),
        style_guide=half,
    )
    question = Question(name="q", task=half, input={half: half}, result={"s1": ResultOptions(type="text")})
    with (
        closing(OpenAIEngine(api_key="key", model="tiny", base_url=server.url)) as engine,
        closing(OpenAIEnrichmentEngine(api_key="key", model="tiny", base_url=server.url)) as enricher,
    ):
        engine.translate(request)
        enricher.answer(question)

    assert server.asked[0].segments["s1"]["context"] == "tags \ufffd"
    assert server.asked[1].content == {"tags \ufffd": "tags \ufffd"}
