"""An OpenAI-compatible server on loopback that translates with `pseudo`, answers other questions by their schema, and
misbehaves on demand.

::

    with ScriptedOpenAI() as server:
        server.next(refuse, overloaded(retry_after=1))   # the next two requests; all others are answered right
        server.always(cut_off)                           # until told otherwise
        engine = OpenAIEngine(api_key="key", model="any", base_url=server.url)
        ...
        assert server.segments_sent == 3

It refuses what OpenAI's own API refuses (`openai_rules.py`). It speaks real HTTP, with a thread for each connection,
and keeps every request in `server.asked`.
"""

import json
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, Self

from directus_assets.spending.prompts import count_tokens
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.glossary import Term
from directus_assets.translation.languages import Language, language
from tests.translation import openai_rules


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as the server understood it."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    prompt: str
    segments: Mapping[str, Mapping[str, str]]
    target: Language
    terms: tuple[Term, ...]
    content: Mapping[str, str] = field(default_factory=dict)
    """What an enrichment is asked about."""
    picture: str | None = None

    @property
    def is_enrichment(self) -> bool:
        return "<task>" in self.prompt

    @property
    def schema(self) -> Mapping[str, Any]:
        """The requested schema of the answer, wherever the request contains it."""
        if self.has_schema:
            return dict(self.body["response_format"]["json_schema"]["schema"])
        return dict(json.loads(self.prompt.partition("nothing else:\n")[2].partition("\n")[0] or "{}"))

    @property
    def has_schema(self) -> bool:
        return bool(self.body.get("response_format", {}).get("type") == "json_schema")

    @property
    def is_repair(self) -> bool:
        return "Earlier translations were rejected" in self.prompt or "earlier answer was rejected" in self.prompt


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    seconds_a_byte: float = 0.0
    drips_headers: bool = False
    """Whether the pauses begin before the body."""
    missing_bytes: int = 0
    """How many fewer come than were promised."""


Behaviour = Callable[[Asked], Reply]


class ScriptedOpenAI:
    """The server. Its address is `url`; `delay_seconds` is what every right answer takes."""

    def __init__(self, *, delay_seconds: float = 0.0) -> None:
        self.asked: list[Asked] = []
        self.delay_seconds = delay_seconds
        self._queue: deque[Behaviour] = deque()
        self._default: Behaviour = answer_right
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=5)

    def next(self, *behaviours: Behaviour) -> None:
        """Use these for the next requests, one each."""
        with self._lock:
            self._queue.extend(behaviours)

    def always(self, behaviour: Behaviour) -> None:
        """Use this for all requests from now on, after those of `next`."""
        with self._lock:
            self._default = behaviour

    @property
    def segments_sent(self) -> int:
        """The total number of segments in all requests."""
        return sum(len(asked.segments) for asked in self.asked)

    @property
    def texts_sent(self) -> list[str]:
        """The text of every segment of every request."""
        return [segment["text"] for asked in self.asked for segment in asked.segments.values()]

    @property
    def tokens_sent(self) -> int:
        """The approximate number of tokens in all prompts."""
        return sum(count_tokens(asked.prompt) for asked in self.asked)

    def reply(self, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Reply:
        if (refused := openai_rules.refusal_of(path, body)) is not None:
            return _error(400, refused, None)
        asked = _understand(path, headers, body)
        with self._lock:
            self.asked.append(asked)
            behaviour = self._queue.popleft() if self._queue else self._default
        reply = behaviour(asked)
        self._stopping.wait(reply.delay_seconds or self.delay_seconds)
        return reply

    def drip(self, wire: IO[bytes], payload: bytes, seconds_a_byte: float) -> None:
        """Send bytes this slowly, until the server is stopped."""
        if not seconds_a_byte:
            wire.write(payload)
        for at in range(len(payload) if seconds_a_byte else 0):
            wire.write(payload[at : at + 1])
            wire.flush()
            if self._stopping.wait(seconds_a_byte):
                return


def answer_right(asked: Asked) -> Reply:
    if asked.is_enrichment:
        return completion(asked, json.dumps(_by_schema(asked.schema, asked), ensure_ascii=False))
    return completion(asked, json.dumps(_right(asked), ensure_ascii=False))


def answer(value: Any) -> Behaviour:
    """Answer any request with this value as JSON."""
    return lambda asked: completion(asked, json.dumps(value, ensure_ascii=False))


def invalid_json(asked: Asked) -> Reply:
    return completion(asked, "Dear user, here is what you asked for.")


def no_completion(asked: Asked) -> Reply:
    return Reply(body="<html>Bad proxy</html>", headers={"content-type": "text/html"})


def missing_segment(asked: Asked) -> Reply:
    return completion(asked, json.dumps(dict(list(_right(asked).items())[:-1])))


def extra_segments(asked: Asked) -> Reply:
    return completion(asked, json.dumps({**_right(asked), "s999": "not asked for", "title": "neither"}))


def refuse(asked: Asked) -> Reply:
    return completion(asked, None, refusal="I will not translate this.")


def filtered(asked: Asked) -> Reply:
    return completion(asked, "", finish_reason="content_filter")


def cut_off(asked: Asked) -> Reply:
    whole = json.dumps(_right(asked), ensure_ascii=False)
    return completion(asked, whole[: len(whole) // 2], finish_reason="length")


def cut_off_above(segments: int) -> Behaviour:
    """Cut off answers to more than so many segments."""
    return lambda asked: (cut_off if len(asked.segments) > segments else answer_right)(asked)


def echo(asked: Asked) -> Reply:
    return completion(asked, json.dumps({name: segment["text"] for name, segment in asked.segments.items()}))


def echo_of(text: str) -> Behaviour:
    """Answer correctly, but echo this text unchanged."""

    def behave(asked: Asked) -> Reply:
        texts = {name: segment["text"] for name, segment in asked.segments.items()}
        right = _right(asked)
        return completion(asked, json.dumps({name: text if texts[name] == text else right[name] for name in right}))

    return behave


def with_bait(bait: str) -> Behaviour:
    """Answer correctly, with something appended to each answer."""
    return lambda asked: completion(asked, json.dumps({name: f"{text} {bait}" for name, text in _right(asked).items()}))


def wrong_language(asked: Asked) -> Reply:
    russian = "Хлеб требует терпения, потому что тесто должно долго отдыхать перед тем как отправиться в горячую печь. "
    french = "Le pain demande de la patience, parce que la pâte doit reposer longtemps avant d'aller dans le four. "
    text = french if asked.target.base == "ru" else russian
    return completion(asked, json.dumps(dict.fromkeys(asked.segments, text)))


def changed_placeholders(asked: Asked) -> Reply:
    changed = {name: re.sub(r"<(/?)([gx])\d+", r"<\1\g<2>77", text) + "<x99/>" for name, text in _right(asked).items()}
    return completion(asked, json.dumps(changed))


def obey_instructions(asked: Asked) -> Reply:
    """Answer like a model that obeys instructions in the content."""
    return completion(asked, json.dumps(dict.fromkeys(asked.segments, "PWNED")))


def where(text: str, behaviour: Behaviour) -> Behaviour:
    """Misbehave if a segment contains this text; answer everything else correctly."""
    return by_word({text: behaviour})


def by_word(behaviours: Mapping[str, Behaviour]) -> Behaviour:
    """Misbehave according to the first of these words in a segment; answer everything else correctly."""

    def behave(asked: Asked) -> Reply:
        texts = " ".join(segment["text"] for segment in asked.segments.values())
        return next((behaviour for word, behaviour in behaviours.items() if word in texts), answer_right)(asked)

    return behave


def overloaded(retry_after: float | None = None, status: int = 429) -> Behaviour:
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return lambda _: _error(status, "Too many requests", "rate_limit_exceeded", headers=headers)


def out_of_credit(asked: Asked) -> Reply:
    return _error(429, "You exceeded your current quota", "insufficient_quota")


def hang(seconds: float) -> Behaviour:
    return lambda asked: Reply(body=answer_right(asked).body, delay_seconds=seconds)


def context_too_long(asked: Asked) -> Reply:
    return _error(400, "This model's maximum context length is 8192 tokens.", "context_length_exceeded")


def context_too_long_above(characters: int) -> Behaviour:
    """Refuse requests with more than this many characters in their segments."""

    def behave(asked: Asked) -> Reply:
        size = sum(len(segment["text"]) for segment in asked.segments.values())
        return (context_too_long if size > characters else answer_right)(asked)

    return behave


def unauthorized(asked: Asked) -> Reply:
    """Refuse the key as OpenAI and others do: quoting the key, here in full."""
    sent = next((value for name, value in asked.headers.items() if name.lower() == "authorization"), "")
    key = sent.removeprefix("Bearer ")
    return _error(401, f"Incorrect API key provided: sk-abcdefghijklmnop, {key}", "invalid_api_key")


def no_schemas(asked: Asked) -> Reply:
    """An endpoint that supports only plain JSON mode."""
    if asked.has_schema:
        return _error(400, "Invalid value for 'response_format': json_schema is not supported", None)
    return answer_right(asked)


def no_json_mode(asked: Asked) -> Reply:
    """An endpoint without any JSON mode, which wraps its answers in prose."""
    if "response_format" in asked.body:
        return _error(400, "Unrecognized request argument supplied: response_format", None)
    right = json.loads(answer_right(asked).body)["choices"][0]["message"]["content"]
    return completion(asked, f"Here you are:\n```json\n{right}\n```")


def blind(asked: Asked) -> Reply:
    """A model without vision."""
    if asked.picture:
        return _error(400, "Invalid content type. image_url is only supported by certain models.", None)
    return answer_right(asked)


def no_max_tokens(asked: Asked) -> Reply:
    """A model that requires the parameter's newer name."""
    if "max_tokens" in asked.body:
        return _error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", None)
    return answer_right(asked)


def completion(asked: Asked, content: str | None, *, finish_reason: str = "stop", refusal: str | None = None) -> Reply:
    """A completion with this content, in OpenAI's form."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    input_tokens, output_tokens = count_tokens(asked.prompt), count_tokens(content or "")
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": asked.body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": {
            "prompt_tokens": input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
            "prompt_tokens_details": {"cached_tokens": input_tokens // 2},
        },
    }
    return Reply(body=json.dumps(body))


def _error(status: int, message: str, code: str | None, *, headers: Mapping[str, str] | None = None) -> Reply:
    body = {"error": {"message": message, "type": "invalid_request_error", "code": code}}
    return Reply(status=status, body=json.dumps(body), headers=headers or {})


def _right(asked: Asked) -> dict[str, str]:
    return {
        name: pseudo(segment["text"], target=asked.target, terms=asked.terms)
        for name, segment in asked.segments.items()
    }


def _by_schema(schema: Mapping[str, Any], asked: Asked) -> Any:
    """A value that conforms to the schema; its texts name their subject and language."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    match kind:
        case "object":
            return {name: _by_schema(own, asked) for name, own in schema["properties"].items()}
        case "array":
            return [_by_schema(schema["items"], asked)]
        case "number" | "integer":
            return 1
        case "boolean":
            return True
    written = re.search(r"Write all texts of the answer in .*\((\S+)\)\.", asked.prompt)
    subject = next(iter(asked.content.values()), "a picture")
    return f"About {re.sub('<[^>]*>', '', subject)[:30].strip()}" + (f" ({written[1]})" if written else "")


def _parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _understand(path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked:
    parts = [part for message in body.get("messages", ()) for part in _parts(message["content"])]
    prompt = "\n".join(part["text"] for part in parts if part["type"] == "text")
    pictures = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    content = re.search(r"<content>\n(.*)\n</content>", prompt)
    segments = re.search(r"<source_segments>\n(.*)\n</source_segments>", prompt)
    target = re.search(r"\nTranslate every segment into .*\((\S+)\)\.", prompt)
    glossary = re.search(r"<glossary>\n(.*?)\n</glossary>", prompt, re.DOTALL)
    lines = glossary[1].splitlines() if glossary else []
    return Asked(
        path=path,
        headers=headers,
        body=body,
        prompt=prompt,
        segments=json.loads(segments[1]) if segments else {},
        content=json.loads(content[1]) if content else {},
        picture=pictures[0] if pictures else None,
        target=language(target[1] if target else "en"),
        terms=tuple(
            Term(term=term.removeprefix("- "), note=note) for term, _, note in (line.partition(": ") for line in lines)
        ),
    )


class _Server(ThreadingHTTPServer):
    # By default a sixth connection that is not accepted yet waits for seconds.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that a killed caller has reset."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(server: ScriptedOpenAI) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            reply = server.reply(self.path, dict(self.headers), body)
            payload = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
            try:
                self.send_response(reply.status)
                for name, value in {"content-type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(payload) + reply.missing_bytes))
                if reply.drips_headers:
                    self.flush_headers()
                    server.drip(self.wfile, b"x-padding: " + b"." * 1000 + b"\r\n", reply.seconds_a_byte)
                self.end_headers()
                server.drip(self.wfile, payload, reply.seconds_a_byte)
                self.close_connection |= reply.missing_bytes > 0
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the caller gave up waiting, which is what `hang` is for

        def log_message(self, *_: object) -> None:
            """Stay quiet: `server.asked` is the log."""

    return Handler
