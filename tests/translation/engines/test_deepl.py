"""The DeepL engine against a small copy of DeepL's API on loopback."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

import pytest

from directus_assets.errors import BadInput, Forbidden, Overloaded, Rejected, Unreachable
from directus_assets.spending.faults import AnswerFault, RequestRefused
from directus_assets.translation.engines.deepl import DeepLEngine, from_xml, target_code, to_xml
from directus_assets.translation.engines.protocol import AskedSegment, Reference, Request, Voice, Wording
from directus_assets.translation.glossary import Term
from directus_assets.translation.languages import language

REQUEST = Request(
    source=language("en-US"),
    target=language("de-DE"),
    segments=(
        AskedSegment(key="a", text="Salt & <g1>pepper</g1><x2/> 1 < 2"),
        AskedSegment(key="b", text="Good bread"),
    ),
)


class FakeDeepL(BaseHTTPRequestHandler):
    """Answers each text in upper case, its tags as they were; refuses XML that is not well-formed."""

    asked: ClassVar[list[tuple[str, str, dict[str, Any]]]] = []
    status: ClassVar[int] = 200
    glossaries: ClassVar[list[dict[str, Any]]] = []
    odd: ClassVar[str] = ""
    """What is answered instead, where it is set."""

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def do_GET(self) -> None:
        self._answer("GET")

    def _answer(self, method: str) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        self.asked.append((method, self.path, body))
        answer: dict[str, Any] = {"message": "no"}
        if self.status == 200 and self.path == "/v2/translate":
            answer = {"translations": [_translation(text) for text in body["text"]]}
        elif self.status == 200 and "glossaries" in self.path:
            answer = self._glossary(method, body)
        payload = (self.odd or json.dumps(answer)).encode()
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _glossary(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        if method == "GET":
            return {"glossaries": self.glossaries}
        if method == "PUT":
            return {"source_lang": "en", "target_lang": "de", "entry_count": 1}
        glossary = {
            "glossary_id": "glossary-1",
            "name": body["name"],
            "creation_time": "2024-01-01T00:00:00.000Z",
            "dictionaries": [{"source_lang": "en", "target_lang": "de", "entry_count": 1}],
        }
        self.glossaries.append(glossary)
        return glossary

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def _translation(text: str) -> dict[str, Any]:
    ET.fromstring(f"<t>{text}</t>")  # noqa: S314  # our own text
    upper = re.sub(r"(?<![<&/\w])[a-z]+(?![>;\w])", lambda match: match[0].upper(), text)
    return {
        "detected_source_language": "EN",
        "billed_characters": len(text),
        "text": upper.replace("<x2/>", "<x2></x2>"),
    }


@pytest.fixture
def server() -> Iterator[str]:
    FakeDeepL.asked, FakeDeepL.glossaries, FakeDeepL.status, FakeDeepL.odd = [], [], 200, ""
    http = ThreadingHTTPServer(("127.0.0.1", 0), FakeDeepL)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def engine(server: str) -> Iterator[DeepLEngine]:
    with closing(DeepLEngine(api_key="key", server_url=server, formality="prefer_more", timeout_seconds=5)) as engine:
        yield engine


def test_placeholders_travel_as_tags_and_text_as_escaped_xml(engine: DeepLEngine) -> None:
    answer = engine.translate(REQUEST)

    _, _, body = FakeDeepL.asked[0]
    assert body["text"][0] == "Salt &amp; <g1>pepper</g1><x2/> 1 &lt; 2"
    assert (body["tag_handling"], body["tag_handling_version"]) == ("xml", "v2")
    assert (body["source_lang"], body["target_lang"], body["formality"]) == ("EN", "DE", "prefer_more")
    assert answer.texts == {"a": "Salt & <g1>PEPPER</g1><x2/> 1 < 2", "b": "Good BREAD"}
    assert (answer.usage.requests, answer.usage.characters) == (1, sum(len(text) for text in body["text"]))


def test_the_arms_of_an_icu_message_travel_one_by_one_and_get_the_plural_forms_of_the_language(
    engine: DeepLEngine,
) -> None:
    text = "<x1/>, you have {n, plural, =0 {} one {a letter} other {# letters for {who}}}."
    segments = (AskedSegment(key="a", text=text), AskedSegment(key="b", text="Good bread"))

    answer = engine.translate(replace(REQUEST, segments=segments, target=language("ru")))

    _, _, body = FakeDeepL.asked[0]
    assert body["text"] == ["<x1/>, you have <x9001/>.", "a letter", "<x9002/> letters for <x9003/>", "Good bread"]
    letters = "# LETTERS FOR {who}"
    assert answer.texts == {
        "a": f"<x1/>, YOU HAVE {{n, plural, =0 {{}} one {{{letters}}} few {{{letters}}} many {{{letters}}} other "
        f"{{{letters}}}}}.",
        "b": "Good BREAD",
    }


def test_what_is_around_a_text_goes_along_and_is_not_billed(engine: DeepLEngine) -> None:
    around = Reference(before=Wording(source="Warm the <g1>milk</g1>."), after=Wording(source="Enjoy."))
    segment = AskedSegment(key="a", text="Then it is heated.", reference=around)
    request = replace(
        REQUEST, segments=(segment,), title=Wording(source="Honey bread"), voice=Voice(register="informal")
    )

    answer = engine.translate(request)

    _, _, body = FakeDeepL.asked[0]
    assert body["context"] == "Honey bread\nWarm the milk.\nEnjoy."
    assert body["formality"] == "prefer_less"
    assert answer.usage.characters == len("Then it is heated.")


@pytest.mark.parametrize(
    "text", ["a < b & c > d", "&amp; &lt;", "<g1>x</g1> & <x2/>", "<b>bold?</b>", "</g1", "é &copy;"]
)
def test_xml_and_back_is_the_same_text(text: str) -> None:
    ET.fromstring(f"<t>{to_xml(text)}</t>")  # noqa: S314  # our own text

    assert from_xml(to_xml(text)) == text


@pytest.mark.parametrize(
    ("code", "deepl_code"),
    [
        ("en", "en-US"),
        ("en-AU", "en-GB"),
        ("pt", "pt-PT"),
        ("pt-BR", "pt-BR"),
        ("zh", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-Hans", "zh-Hans"),
        ("de-AT", "de"),
        ("es-MX", "es-419"),
        ("es-ES", "es"),
        ("no", "nb"),
        ("ar-SA", "ar"),
    ],
)
def test_codes_are_those_of_deepl(code: str, deepl_code: str) -> None:
    assert target_code(language(code)) == deepl_code


def test_a_language_that_deepl_does_not_know_is_named(engine: DeepLEngine) -> None:
    request = Request(source=REQUEST.source, target=language("tlh"), segments=REQUEST.segments)

    with pytest.raises(BadInput, match="tlh"):
        engine.translate(request)
    assert FakeDeepL.asked == []


def test_fixed_terms_go_into_one_glossary_once(engine: DeepLEngine) -> None:
    glossary = (Term(term="bread", note="de: Brot"), Term(term="oven", note="warm"))
    request = Request(source=REQUEST.source, target=REQUEST.target, segments=REQUEST.segments, glossary=glossary)

    engine.translate(request)
    engine.translate(request)

    paths = [(method, path) for method, path, _ in FakeDeepL.asked]
    assert paths == [
        ("GET", "/v3/glossaries"),
        ("POST", "/v3/glossaries"),
        ("POST", "/v2/translate"),
        ("POST", "/v2/translate"),
    ]
    assert FakeDeepL.asked[1][2]["dictionaries"][0]["entries"] == "bread\tBrot"
    assert FakeDeepL.asked[3][2]["glossary_id"] == "glossary-1"


def test_a_changed_term_replaces_the_dictionary(engine: DeepLEngine) -> None:
    for wording in ("Brot", "Laib"):
        glossary = (Term(term="bread", note=f"de: {wording}"),)
        engine.translate(
            Request(source=REQUEST.source, target=REQUEST.target, segments=REQUEST.segments, glossary=glossary)
        )

    replaced = [body for method, _, body in FakeDeepL.asked if method == "PUT"]
    assert [body["entries"] for body in replaced] == ["bread\tLaib"]


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (403, Forbidden, "DEEPL_API_KEY"),
        (456, Forbidden, "billing period"),
        (429, Overloaded, "429"),
        (503, Overloaded, "503"),
        (400, Rejected, "400"),
    ],
)
def test_refusals_are_classified_and_never_repeated_here(
    engine: DeepLEngine, status: int, error: type[Exception], says: str
) -> None:
    FakeDeepL.status = status

    with pytest.raises(error, match=says):
        engine.translate(REQUEST)
    assert len(FakeDeepL.asked) == 1


def test_a_request_that_is_too_large_asks_for_less_at_once(engine: DeepLEngine) -> None:
    FakeDeepL.status = 413

    assert engine.translate(REQUEST).failure is AnswerFault.TOO_LONG


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with closing(DeepLEngine(api_key="key", server_url="http://127.0.0.1:9")) as engine, pytest.raises(Unreachable):
        engine.translate(REQUEST)


@pytest.mark.parametrize(
    "odd",
    [
        '{"translations": 5}',
        '{"translations": ["text"]}',
        '{"translations": [null]}',
        '{"translations": [{"text": "a"}]}',
        '{"translations": [{"text": "a", "billed_characters": null}]}',
        '{"translations": [{"text": "a", "billed_characters": "many"}]}',
        '{"translations": [{"text": "a", "billed_characters": 1e999}]}',
        "[" * 5_000 + "]" * 5_000,
    ],
)
def test_an_answer_of_another_shape_is_a_failure_with_a_name(engine: DeepLEngine, odd: str) -> None:
    FakeDeepL.odd = odd

    with pytest.raises(RequestRefused, match="could not be understood"):
        engine.translate(REQUEST)


@pytest.mark.parametrize("odd", ["[]", "5", "null", "<html>", '{"translations": []}'])
def test_an_answer_without_translations_has_none(engine: DeepLEngine, odd: str) -> None:
    FakeDeepL.odd = odd

    assert engine.translate(REQUEST).texts == {}


def test_what_is_no_text_is_missing_and_half_an_emoji_can_be_kept_and_is_refused(engine: DeepLEngine) -> None:
    rows = [{"text": 5, "billed_characters": -3}, {"text": "Brot \ud83d", "billed_characters": 1}]
    FakeDeepL.odd = json.dumps({"translations": rows})

    answer = engine.translate(REQUEST)

    assert answer.texts == {"b": "Brot \uffff"}
    assert answer.usage.characters == REQUEST.characters


@pytest.mark.parametrize(
    ("status", "odd", "error", "says"),
    [
        (200, '{"message": "Too many requests"}', Overloaded, "Too many requests"),
        (200, '{"error": {"message": "The service is overloaded"}}', Overloaded, "overloaded"),
        (200, '{"detail": "Unknown glossary"}', RequestRefused, "Unknown glossary"),
        (429, '{"message": ["slow", "down"]}', Overloaded, "slow; down"),
        (503, "<html><title>503 Back soon</title></html>", Overloaded, "Back soon"),
        (400, '{"detail": [{"loc": ["text"], "msg": "required"}]}', RequestRefused, "text: required"),
        (403, '{"message": {"text": 7}}', Forbidden, "DEEPL_API_KEY"),
        (456, '"Quota exceeded"', Forbidden, "Quota exceeded"),
    ],
)
def test_a_refusal_in_any_form_is_one_in_deepls_own_words(
    engine: DeepLEngine, status: int, odd: str, error: type[Exception], says: str
) -> None:
    FakeDeepL.status, FakeDeepL.odd = status, odd

    with pytest.raises(error, match=says):
        engine.translate(REQUEST)

    assert len(FakeDeepL.asked) == 1


def test_a_list_of_texts_that_is_too_short_is_nobodys_translation(engine: DeepLEngine) -> None:
    FakeDeepL.odd = json.dumps({"translations": [{"text": "Gutes Brot", "billed_characters": 1}]})

    answer = engine.translate(REQUEST)

    assert answer.texts == {}
    assert answer.reason == "DeepL returned 1 texts for 2 segments."


def test_bytes_that_are_no_character_are_refused_by_the_checks(engine: DeepLEngine) -> None:
    FakeDeepL.odd = json.dumps({"translations": [_translation("a"), {"text": "Br\ufffdt", "billed_characters": 1}]})

    assert engine.translate(REQUEST).texts["b"] == "Br\ufffft"
