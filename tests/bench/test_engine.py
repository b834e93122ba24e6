import contextlib
import threading
from collections.abc import Iterator

import pytest

from bench.engine import Counts, RemoteEngine, SlowEngine, remote_engine
from directus_assets.errors import Overloaded
from directus_assets.translation.engines.openai import OpenAIEngine
from directus_assets.translation.engines.protocol import AskedSegment, Request
from directus_assets.translation.language_check import detected_language
from directus_assets.translation.languages import language

TEXT = "The river is cold in the early morning. Nobody walks along the quiet street before the first light of day."


def request(code: str = "de-DE") -> Request:
    segments = (AskedSegment(key="one", text=TEXT),)
    return Request(source=language("en-US"), target=language(code), segments=segments)


@contextlib.contextmanager
def engine(server: SlowEngine | RemoteEngine) -> Iterator[OpenAIEngine]:
    client = OpenAIEngine(api_key="none", model="slow", base_url=server.url)
    try:
        yield client
    finally:
        client.close()


@pytest.mark.parametrize("code", ["de-DE", "fr-FR", "ar-SA", "ja-JP"])
def test_answers_pass_for_the_language_that_was_asked_for(code):
    with SlowEngine(seconds=0, at_once=1) as server, engine(server) as client:
        answer = client.translate(request(code))

    assert answer.texts["one"].count("。" if code == "ja-JP" else ".") == 2
    assert detected_language(answer.texts["one"], target=language(code)) is None


def test_requests_and_tokens_are_counted():
    with SlowEngine(seconds=0, at_once=1) as server, engine(server) as client:
        usage = client.translate(request()).usage

        assert server.counts == Counts(requests=1, tokens=usage.input_tokens + usage.output_tokens)


def test_more_than_are_answered_at_once_are_refused():
    with SlowEngine(seconds=4, at_once=1) as server, engine(server) as one, engine(server) as other:
        first = threading.Thread(target=one.translate, args=(request(),))
        first.start()
        while not server.in_flight:
            pass

        with pytest.raises(Overloaded):
            other.translate(request())
        first.join()

    assert (server.counts.requests, server.counts.refused) == (1, 1)


def test_an_engine_in_a_process_of_its_own_tells_what_it_has_answered():
    with remote_engine(seconds=0, at_once=1) as server, engine(server) as client:
        usage = client.translate(request()).usage

        assert server.counts == Counts(requests=1, tokens=usage.input_tokens + usage.output_tokens)
