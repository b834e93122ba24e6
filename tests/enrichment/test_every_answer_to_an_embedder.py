"""All possible server responses to an embedder: vectors, or a failure with the server's message after one request."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from directus_assets.enrichment.openai_embedder import OpenAIEmbedder
from directus_assets.errors import DirectusAssetsError, Forbidden, Overloaded, Unreachable
from directus_assets.spending.faults import RequestRefused
from tests.translation.misbehaviours import body, error, page
from tests.translation.scripted_openai import Behaviour, Reply, ScriptedOpenAI

RIGHT = {"data": [{"index": 0, "embedding": [1.0, 2.0]}], "model": "größe", "usage": {"prompt_tokens": 3}}
TEXT = json.dumps(RIGHT, ensure_ascii=False)


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server


@pytest.fixture
def embedder(server: ScriptedOpenAI) -> Iterator[OpenAIEmbedder]:
    with closing(OpenAIEmbedder(api_key="key", model="small", base_url=server.url, timeout_seconds=10)) as embedder:
        yield embedder


@pytest.mark.parametrize(
    "behaviour",
    [
        page(TEXT.encode("latin-1"), kind="application/json"),
        page(TEXT.encode("latin-1"), kind="application/json; charset=latin-1"),
        page(TEXT.encode("utf-8-sig"), kind="application/json"),
        page(f"data: {TEXT}\n\ndata: [DONE]\n\n", kind="text/event-stream"),
        page(f"{TEXT}\n", kind="application/x-ndjson"),
        body({**RIGHT, "error": None}),
    ],
    ids=["latin-1", "latin-1 that says so", "a byte order mark", "an event", "a JSON line", "no error"],
)
def test_vectors_are_read_in_any_form(server: ScriptedOpenAI, embedder: OpenAIEmbedder, behaviour: Behaviour) -> None:
    server.always(behaviour)

    assert embedder.embed(["bread"]).vectors == [[1.0, 2.0]]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("behaviour", "kind", "says"),
    [
        (page(""), RequestRefused, "0 vectors for 1 texts"),
        (page("<title>Log in</title>"), RequestRefused, "0 vectors"),
        (page(TEXT[:20]), RequestRefused, "0 vectors"),
        (lambda _: Reply(body=TEXT, missing_bytes=9), Unreachable, "did not respond"),
        (lambda _: Reply(body=TEXT, seconds_a_byte=1), Unreachable, "did not finish"),
        (error("Slow down", status=200, code=429), Overloaded, "Slow down"),
        (error("The model is overloaded", status=200), Overloaded, "overloaded"),
        (error("not an embedding model", status=200), RequestRefused, "not an embedding model"),
        (body({"detail": "Bearer key-1234567890 is not known"}, status=401), Forbidden, "OPENAI_API_KEY"),
        (
            body({"detail": [{"loc": ["body", "input"], "msg": "too many"}]}, status=422),
            RequestRefused,
            "body.input: too",
        ),
        (body([{"error": {"message": "API key not valid"}}], status=400), RequestRefused, "API key not valid"),
        (body({"error": "input is too long"}, status=400), RequestRefused, "input is too long"),
        (error("Insufficient Balance", status=402), Forbidden, "no credit left"),
        (page("<title>502 Bad Gateway</title>", status=502), Overloaded, "502 Bad Gateway"),
    ],
)
def test_what_is_no_vector_is_a_failure_in_the_servers_words(
    server: ScriptedOpenAI, embedder: OpenAIEmbedder, behaviour: Behaviour, kind: type[DirectusAssetsError], says: str
) -> None:
    server.always(behaviour)

    with pytest.raises(kind, match=says) as raised:
        embedder.embed(["bread"])

    assert len(server.asked) == 1
    assert "1234567890" not in str(raised.value)


def rows(*vectors: object) -> Behaviour:
    return body({"data": [{"index": at, "embedding": vector} for at, vector in enumerate(vectors)]})


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (rows([1.0, 2.0]), "1 vectors for 2"),
        (rows([1.0], [2.0], [3.0]), "2 vectors for 2"),
        (rows([1.0, 2.0], [3.0]), "different lengths"),
        (rows([1.0], "AACAPw=="), "1 vectors for 2"),
        (rows([1.0], []), "1 vectors for 2"),
        (rows([1.0], [None]), "1 vectors for 2"),
        (body({"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [2.0]}]}), "1 vectors for 2"),
        (body({"data": {"0": [1.0]}}), "0 vectors for 2"),
    ],
)
def test_vectors_that_cannot_all_be_told_apart_are_refused(
    server: ScriptedOpenAI, embedder: OpenAIEmbedder, behaviour: Behaviour, says: str
) -> None:
    server.always(behaviour)

    with pytest.raises(RequestRefused, match=says):
        embedder.embed(["bread", "butter"])


def test_vectors_belong_to_their_index(server: ScriptedOpenAI, embedder: OpenAIEmbedder) -> None:
    server.always(body({"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]}))

    assert embedder.embed(["bread", "butter"]).vectors == [[1.0], [2.0]]
