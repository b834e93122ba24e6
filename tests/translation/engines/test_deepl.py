"""The DeepL engine against a small copy of DeepL's API on loopback."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final
from xml.etree import ElementTree as ET

import pytest

from directus_assets.errors import BadInput, Forbidden, Overloaded, Rejected, TransientError, Unreachable
from directus_assets.spending.faults import AnswerFault, RequestRefused
from directus_assets.spending.rate_gate import RateGate
from directus_assets.translation.conversation import Assignment
from directus_assets.translation.engines.deepl import DeepLEngine, from_xml, target_code, to_xml
from directus_assets.translation.engines.protocol import AskedSegment, Reference, Request, Voice, Wording
from directus_assets.translation.glossary import Term
from directus_assets.translation.languages import language
from directus_assets.translation.segments import TextKind, cut
from directus_assets.translation.translate import TranslationOutcome, Untranslatable, translate

REQUEST = Request(
    source=language("en-US"),
    target=language("de-DE"),
    segments=(
        AskedSegment(key="a", text="Salt & <g1>pepper</g1><x2/> 1 < 2"),
        AskedSegment(key="b", text="Good bread"),
    ),
)


@dataclass(frozen=True)
class Reply:
    """A response; `missing` bytes of its body never arrive."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    missing: int = 0


class FakeDeepL(BaseHTTPRequestHandler):
    """Answers each text in upper case, its tags as they were; refuses XML that is not well-formed."""

    asked: ClassVar[list[tuple[str, str, dict[str, Any]]]] = []
    status: ClassVar[int] = 200
    glossaries: ClassVar[list[dict[str, Any]]] = []
    odd: ClassVar[str] = ""
    """What is answered instead, where it is set."""
    reply: ClassVar[Callable[[str, str, dict[str, Any]], "Reply | None"]]
    """What is answered instead to a method, path and body; nothing for the right answer."""

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
        if reply := type(self).reply(method, self.path, body):
            self._send(reply)
            return
        answer: dict[str, Any] = {"message": "no"}
        if self.path == "/v2/translate" and not {body.get("glossary_id")} <= {None, *self._glossary_ids()}:
            self._send(Reply(404, {"message": "Glossary not found"}))
            return
        if self.status == 200 and self.path == "/v2/translate":
            answer = {"translations": [_translation(text) for text in body["text"]]}
        elif self.status == 200 and "glossaries" in self.path:
            answer = self._glossary(method, body)
        self._send(Reply(self.status, self.odd or answer))

    def _send(self, reply: "Reply") -> None:
        payload = reply.body if isinstance(reply.body, bytes | str) else json.dumps(reply.body)
        payload = payload.encode() if isinstance(payload, str) else payload
        self.send_response(reply.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload) + reply.missing))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)
        self.close_connection = True

    def _glossary_ids(self) -> list[str]:
        return [each["glossary_id"] for each in self.glossaries]

    def _glossary(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        if method == "GET":
            return {"glossaries": self.glossaries}
        if method == "PUT":
            assert self.path.split("/")[3] in self._glossary_ids()
            return {"source_lang": "en", "target_lang": "de", "entry_count": 1}
        glossary = {
            "glossary_id": f"glossary-{len(self.glossaries) + 1}",
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
    FakeDeepL.reply = lambda *_: None
    http = ThreadingHTTPServer(("127.0.0.1", 0), FakeDeepL)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def engine(server: str) -> Iterator[DeepLEngine]:
    with closing(DeepLEngine(api_key="key", server_url=server, formality="prefer_more", timeout_seconds=60)) as engine:
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


DOCUMENTS = {
    "title": cut("Good bread", TextKind.PLAIN),
    "body": cut("<p>Salt and <b>pepper</b></p><p>Warm oven</p>", TextKind.HTML),
}
TRANSLATED = {"title": "Good BREAD", "body": "<p>Salt AND <b>PEPPER</b></p><p>Warm OVEN</p>"}
BREAD: Final = (Term(term="bread", note="de: BREAD"),)


def run(engine: DeepLEngine, *, glossary: tuple[Term, ...] = ()) -> TranslationOutcome:
    """Translate an item with a title and two paragraphs."""
    assignment = Assignment(source=REQUEST.source, target=REQUEST.target, glossary=glossary)
    gate = RateGate(
        limit=4, patience_seconds=0.3, base_seconds=0.1, longest_seconds=0.1, jitter=lambda _least, most: most
    )
    return translate(DOCUMENTS, {}, assignment=assignment, engine=engine, gate=gate)


def complete(engine: DeepLEngine) -> TranslationOutcome:
    """The same, where a field that is held back is an error."""
    outcome = run(engine)
    if outcome.failure:
        raise outcome.failure
    return outcome


def right(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_translation(text) for text in body["text"]]


def cut_off(body: Mapping[str, Any]) -> bytes:
    return json.dumps({"translations": right(body)}).encode()[:60]


Answered = Callable[[dict[str, Any]], Reply]

# Of each: what DeepL answers to a translation, the failure and its words, and the most requests.
MISBEHAVIOURS: Final[dict[str, tuple[Answered, type[Exception], str, int]]] = {
    "a language that it does not know": (
        lambda _: Reply(400, {"message": "Value for 'target_lang' not supported."}),
        RequestRefused,
        "Value for 'target_lang' not supported",
        1,
    ),
    "no formality in this language": (
        lambda _: Reply(400, {"message": "'formality' is not supported for given 'target_lang'."}),
        RequestRefused,
        "'formality' is not supported",
        1,
    ),
    "no key": (lambda _: Reply(401, ""), Forbidden, "DEEPL_API_KEY", 1),
    "a wrong key": (lambda _: Reply(403, {"message": "Wrong key"}), Forbidden, "Wrong key.*DEEPL_API_KEY", 1),
    "a wrong address": (lambda _: Reply(404, "<title>No such page</title>"), RequestRefused, "No such page", 1),
    "no time": (lambda _: Reply(408, ""), TransientError, "HTTP 408", 4),
    "a request that is too large": (lambda _: Reply(413, {"message": "Too much"}), Untranslatable, "Too much", 5),
    "an address that is too long": (lambda _: Reply(414, ""), RequestRefused, "HTTP 414", 1),
    "too many requests": (lambda _: Reply(429, {"message": "Slow down"}), TransientError, "Slow down", 4),
    "no quota": (lambda _: Reply(456, {"message": "Quota Exceeded"}), Forbidden, "next billing period", 1),
    "no quota, with status 200": (lambda _: Reply(200, {"message": "Quota Exceeded"}), Forbidden, "next billing", 1),
    "an error of its own": (lambda _: Reply(500, "<title>Oops</title>"), TransientError, "Oops", 4),
    "a gateway's page": (lambda _: Reply(502, "<h1>Bad gateway</h1>"), TransientError, "HTTP 502", 4),
    "no service": (lambda _: Reply(503, ""), TransientError, "HTTP 503", 4),
    "too many requests, by its other status": (lambda _: Reply(529, ""), TransientError, "HTTP 529", 4),
    "a page of HTML": (lambda _: Reply(200, "<title>Log in</title>"), Untranslatable, "0 texts for 3 segments", 2),
    "nothing": (lambda _: Reply(200, ""), Untranslatable, "0 texts for 3 segments", 2),
    "half of the JSON": (lambda body: Reply(200, cut_off(body)), Untranslatable, "0 texts for 3", 2),
    "a broken connection": (lambda body: Reply(200, cut_off(body), missing=9), TransientError, "did not respond", 4),
    "an encoding that it does not have": (
        lambda body: Reply(200, {"translations": right(body)}, {"content-encoding": "gzip"}),
        TransientError,
        "did not respond",
        4,
    ),
    "a redirect": (lambda _: Reply(307, "", {"location": "/v3/translate"}), TransientError, "redirects", 4),
    "fewer texts": (
        lambda body: Reply(200, {"translations": right(body)[1:]}),
        Untranslatable,
        "2 texts for 3 segments",
        2,
    ),
    "more texts": (
        lambda body: Reply(200, {"translations": right(body) * 2}),
        Untranslatable,
        "6 texts for 3 segments",
        2,
    ),
    "no list": (lambda _: Reply(200, {"translations": None}), RequestRefused, "could not be understood", 1),
    "letters in latin-1": (
        lambda body: Reply(200, json.dumps({"translations": right(body)}).replace("Good", "G\xf6d").encode("latin-1")),
        Untranslatable,
        "control character",
        2,
    ),
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_whatever_deepl_answers_is_a_failure_with_its_reason_and_a_healthy_one_completes(
    engine: DeepLEngine, name: str
) -> None:
    reply, error, says, most = MISBEHAVIOURS[name]
    FakeDeepL.reply = lambda _method, path, body: reply(body) if path == "/v2/translate" else None

    with pytest.raises(error, match=rf"(?s){says}"):
        complete(engine)

    assert 1 <= len(FakeDeepL.asked) <= most
    FakeDeepL.reply = lambda *_: None
    assert complete(engine).values == TRANSLATED


@pytest.mark.parametrize("odd", [None, "", " ", 5, ["Brot"]])
def test_a_text_that_is_missing_holds_back_its_own_field(engine: DeepLEngine, odd: Any) -> None:
    def reply(method: str, _path: str, body: dict[str, Any]) -> Reply:
        rows = [{**row, "text": odd} if row["text"] == "Good BREAD" else row for row in right(body)]
        return Reply(200, {"translations": rows})

    FakeDeepL.reply = reply

    outcome = run(engine)

    assert outcome.values == {"body": TRANSLATED["body"]}
    assert "Good bread" in str(outcome.failure)
    assert len(FakeDeepL.asked) <= 2


@pytest.mark.parametrize(
    ("method", "reply"),
    [
        ("GET", Reply(403, {"message": "Not in this plan"})),
        ("GET", Reply(404, "")),
        ("GET", Reply(456, {"message": "Too many glossaries"})),
        ("GET", Reply(200, "<html>")),
        ("GET", Reply(200, {"glossaries": 5})),
        ("GET", Reply(200, {"glossaries": [None]})),
        ("POST", Reply(400, {"message": "Unsupported pair"})),
        ("POST", Reply(456, {"message": "Too many glossaries"})),
        ("POST", Reply(200, {"glossary_id": 5})),
    ],
)
def test_without_a_glossary_deepl_still_translates(engine: DeepLEngine, method: str, reply: Reply) -> None:
    FakeDeepL.reply = lambda verb, path, _: reply if (verb, path) == (method, "/v3/glossaries") else None

    first, second = run(engine, glossary=BREAD), run(engine, glossary=BREAD)

    assert first.values == second.values == TRANSLATED
    assert len(FakeDeepL.asked) <= 4


def test_a_glossary_that_has_been_deleted_is_sent_again_once(engine: DeepLEngine) -> None:
    run(engine, glossary=BREAD)
    FakeDeepL.glossaries.clear()
    FakeDeepL.asked.clear()

    assert run(engine, glossary=BREAD).values == TRANSLATED

    asked = [(method, path.split("/")[2]) for method, path, _ in FakeDeepL.asked]
    assert asked == [("POST", "translate"), ("GET", "glossaries"), ("POST", "glossaries"), ("POST", "translate")]
    assert run(engine, glossary=BREAD).values == TRANSLATED
    assert len(FakeDeepL.asked) == 5


@pytest.mark.parametrize("status", [400, 404])
def test_a_glossary_that_deepl_keeps_refusing_is_left_out(engine: DeepLEngine, status: int) -> None:
    FakeDeepL.reply = lambda _method, _path, body: (
        Reply(status, {"message": "Glossary not found"}) if body.get("glossary_id") else None
    )

    assert run(engine, glossary=BREAD).values == TRANSLATED
    assert len(FakeDeepL.asked) <= 7
    FakeDeepL.asked.clear()
    assert run(engine, glossary=BREAD).values == TRANSLATED
    assert len(FakeDeepL.asked) == 1


def test_a_glossary_that_is_busy_is_waited_for(engine: DeepLEngine) -> None:
    FakeDeepL.reply = lambda _method, path, _: Reply(429, "") if "glossaries" in path else None

    with pytest.raises(TransientError, match="429"):
        run(engine, glossary=BREAD)


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
