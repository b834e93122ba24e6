"""The embedder for OpenAI-compatible endpoints, against a server on loopback."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from directus_assets.enrichment.openai_embedder import OpenAIEmbedder
from directus_assets.errors import DirectusAssetsError, Forbidden, Overloaded, Rejected, Unreachable
from directus_assets.spending.faults import RequestRefused
from tests.translation.scripted_openai import Asked, Reply, ScriptedOpenAI, hang, out_of_credit, overloaded
from tests.translation.scripted_openai import unauthorized as wrong_key


@pytest.fixture
def embedder(server: ScriptedOpenAI) -> Iterator[OpenAIEmbedder]:
    embedder = OpenAIEmbedder(api_key="key", model="small", base_url=server.url, timeout_seconds=10)
    yield embedder
    embedder.close()


def test_vectors_are_in_the_order_of_the_texts_whatever_order_they_come_in(
    server: ScriptedOpenAI, embedder: OpenAIEmbedder
) -> None:
    def backwards(asked: Asked) -> Reply:
        rows = [{"index": at, "embedding": [float(at), 1.0]} for at in range(len(asked.body["input"]))]
        return answer(rows[::-1])

    server.always(backwards)

    embedded = embedder.embed(["bread", "boats", "salt"])

    assert embedded.vectors == [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    assert (embedded.usage.requests, embedded.usage.input_tokens) == (1, 7)
    assert server.asked[0].path == "/v1/embeddings"
    assert server.asked[0].body == {"model": "small", "input": ["bread", "boats", "salt"], "encoding_format": "float"}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": [1.0]}, {"index": 2, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": ["1.0"]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [None]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [float("inf")]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [float("nan")]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [10**400]}],
        [{"index": 0, "embedding": [1.0]}, {"index": [1], "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": "AACAPw=="}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": {"values": [1.0]}}],
    ],
)
def test_an_answer_that_lacks_a_vector_is_refused(
    server: ScriptedOpenAI, embedder: OpenAIEmbedder, rows: list[dict[str, Any]]
) -> None:
    server.always(lambda _: answer(rows))

    with pytest.raises(Rejected):
        embedder.embed(["bread", "boats"])


@pytest.mark.parametrize("document", [None, [], 7, "text", {}, {"data": None}, {"data": {}}, {"data": [None, 3]}])
def test_an_answer_of_another_shape_is_refused(
    server: ScriptedOpenAI, embedder: OpenAIEmbedder, document: object
) -> None:
    server.always(lambda _: Reply(body=json.dumps(document)))

    with pytest.raises(RequestRefused, match="returned 0 vectors for 1 texts"):
        embedder.embed(["bread"])


@pytest.mark.parametrize("usage", [None, [], {"prompt_tokens": "7"}, {"prompt_tokens": -1}, {"prompt_tokens": 7.5}])
def test_what_is_not_told_is_estimated(server: ScriptedOpenAI, embedder: OpenAIEmbedder, usage: object) -> None:
    document = {"data": [{"index": 0, "embedding": [1.0]}], "usage": usage}
    server.always(lambda _: Reply(body=json.dumps(document)))

    assert embedder.embed(["half \ud83d of it"]).usage == embedder.estimate(["half \ud83d of it"])
    assert server.asked[0].body["input"] == ["half \ufffd of it"]


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (overloaded(retry_after=3), Overloaded),
        (out_of_credit, Forbidden),
        (wrong_key, Forbidden),
        (hang(60), Unreachable),
        (lambda _: Reply(body="<html>Bad proxy</html>", headers={"content-type": "text/html"}), Rejected),
    ],
    ids=["overloaded", "out of credit", "wrong key", "no answer", "a proxy's page"],
)
def test_failures_are_those_of_every_engine(
    server: ScriptedOpenAI, embedder: OpenAIEmbedder, behaviour: Any, error: type[DirectusAssetsError]
) -> None:
    server.always(behaviour)

    with pytest.raises(error) as caught:
        embedder.embed(["bread"])

    assert "abcdefghijklmnop" not in str(caught.value)


def answer(rows: list[dict[str, Any]]) -> Reply:
    body = {
        "object": "list",
        "model": "small",
        "data": [{"object": "embedding", **row} for row in rows],
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }
    return Reply(body=json.dumps(body))
