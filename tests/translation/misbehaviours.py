"""A table of server behaviours for one request of three segments, with the expected outcomes.

Each row describes the server's behaviour, its duration, the allowed number of requests, and the outcome for the item:
its translation (`says` is empty), or a failure with these words. `error` is the class if the whole request fails, and
not single segments.
"""

import gzip
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from directus_assets.errors import DirectusAssetsError, Forbidden, TransientError
from directus_assets.spending.faults import RequestRefused
from directus_assets.translation.translate import Untranslatable
from tests.translation import scripted_openai as scripted
from tests.translation.scripted_openai import Asked, Behaviour, Reply

GERMAN: Final[Mapping[str, str]] = {
    "Good bread takes time": "Gutes Brot braucht Zeit",
    "The dough has to rest over night.": "Der Teig muss über Nacht ruhen.",
    "Then it goes into a hot oven.": "Danach kommt er in einen heißen Ofen.",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    name: str
    behaviour: Behaviour
    most: int = 1
    """Requests for the item."""
    afterwards: int = 1
    """Requests for another one, while the server goes on like that."""
    says: str = ""
    error: type[DirectusAssetsError] = Untranslatable
    timeout_seconds: float = 20.0
    once: bool = False
    """Whether only the first request is answered like that."""


def german(asked: Asked) -> dict[str, str]:
    return {name: GERMAN[segment["text"]] for name, segment in asked.segments.items()}


def right(asked: Asked) -> Reply:
    return said(json.dumps(german(asked), ensure_ascii=False))(asked)


def said(content: object, *, finish: object = "stop", usage: object = None, **message: object) -> Behaviour:
    """A completion with this content."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return body({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage})


def body(document: object, *, status: int = 200) -> Behaviour:
    return lambda _: Reply(status=status, body=json.dumps(document, ensure_ascii=False))


def page(text: str | bytes, *, status: int = 200, kind: str = "text/html", **more: Any) -> Behaviour:
    return lambda _: Reply(status=status, body=text, headers={"content-type": kind}, **more)


def wrapped(wrap: Callable[[dict[str, str], Asked], object]) -> Behaviour:
    """A correct answer in another form."""

    def behave(asked: Asked) -> Reply:
        content = wrap(german(asked), asked)
        return said(content if isinstance(content, (str, list)) else json.dumps(content, ensure_ascii=False))(asked)

    return behave


def whole(change: Callable[[dict[str, Any]], object]) -> Behaviour:
    """A correct completion, modified as a document; text and bytes are sent unchanged."""

    def behave(asked: Asked) -> Reply:
        changed = change(json.loads(right(asked).body))
        return Reply(body=changed if isinstance(changed, (str, bytes)) else json.dumps(changed, ensure_ascii=False))

    return behave


def encoded(charset: str, *, declared: str = "") -> Behaviour:
    kind = f"application/json; charset={declared}" if declared else "application/json"
    return lambda asked: Reply(body=str(right(asked).body).encode(charset), headers={"content-type": kind})


def if_asked(for_what: Callable[[Mapping[str, Any]], bool], refusal: Behaviour) -> Behaviour:
    """Refuse such requests, and answer others correctly."""
    return lambda asked: (refusal if for_what(asked.body) else right)(asked)


def error(message: object, *, status: int = 400, **more: object) -> Behaviour:
    return body({"error": {"message": message, **more}}, status=status)


def no_schema(refusal: Behaviour) -> Behaviour:
    return if_asked(lambda asked: asked.get("response_format", {}).get("type") == "json_schema", refusal)


def no_json(refusal: Behaviour) -> Behaviour:
    return if_asked(lambda asked: "response_format" in asked, refusal)


def cap_of(asked: Mapping[str, Any]) -> int:
    return int(asked.get("max_tokens") or asked.get("max_completion_tokens") or 10**9)


def over(most: int, message: str, *, status: int = 400, **more: object) -> Behaviour:
    """Refuse a larger cap."""
    return if_asked(lambda asked: cap_of(asked) > most, error(message, status=status, **more))


def thinks(needs: int) -> Behaviour:
    """Think for this many tokens before answering."""

    def behave(asked: Asked) -> Reply:
        if (cap := cap_of(asked.body)) > needs:
            return right(asked)
        usage = {"prompt_tokens": 9, "completion_tokens": cap, "completion_tokens_details": {"reasoning_tokens": cap}}
        return said("", finish="length", usage=usage, reasoning_content="Hmm. {Bread}?")(asked)

    return behave


def cut_after(segments: int) -> Behaviour:
    """Answer at most this many segments, and the start of the next one."""

    def behave(asked: Asked) -> Reply:
        answer = german(asked)
        if len(answer) <= segments:
            return right(asked)
        text = json.dumps(dict(list(answer.items())[: segments + 1]), ensure_ascii=False)
        return said(text[:-6], finish="length")(asked)

    return behave


def streamed(asked: Asked, *, prefix: str = "", before: str = "", after: str = "") -> str:
    text = json.dumps(german(asked), ensure_ascii=False)
    pieces = [text[at : at + 9] for at in range(0, len(text), 9)]
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 70}})
    lines = (prefix + json.dumps(chunk, ensure_ascii=False) for chunk in chunks)
    return before + ("\n\n" if prefix else "\n").join(lines) + after


def ollama(asked: Asked) -> Reply:
    text = json.dumps(german(asked), ensure_ascii=False)
    rows = [{"message": {"role": "assistant", "content": text[:30]}, "done": False}]
    rows += [{"message": {"role": "assistant", "content": text[30:]}, "done": True, "done_reason": "stop"}]
    return Reply(body="\n".join(json.dumps(row, ensure_ascii=False) for row in rows))


def leaks_the_key(asked: Asked) -> Reply:
    key = next(value for name, value in asked.headers.items() if name.lower() == "authorization")
    return body({"detail": f"{key} was not accepted, nor was sk-abcdefghijklmnop"}, status=401)(asked)


def function_call(asked: Asked) -> Reply:
    arguments = json.dumps(german(asked))
    call = {"id": "1", "type": "function", "function": {"name": "translations", "arguments": arguments}}
    return said(None, finish="tool_calls", tool_calls=[call])(asked)


def only_reasoning(asked: Asked) -> Reply:
    return said(None, reasoning_content=f"Let me see.\n{json.dumps(german(asked))}")(asked)


def mirror(answer: Mapping[str, str], asked: Asked) -> object:
    return {name: {"text": answer[name], "context": own.get("context", "text")} for name, own in asked.segments.items()}


def both(answer: Mapping[str, str], asked: Asked) -> object:
    return {name: {"text": own["text"], "translation": answer[name]} for name, own in asked.segments.items()}


def loud_thoughts(answer: Mapping[str, str], asked: Asked) -> str:
    draft = json.dumps(dict.fromkeys(answer, "Entwurf"))
    return f"<think>The source is {dict(asked.segments)}. {draft}? No.</think>\n{json.dumps(answer)}"


SCHEMA_REFUSALS: Final[Mapping[str, Behaviour]] = {
    "Gemini: a list, and a name that it does not know": body(
        [
            {
                "error": {
                    "code": 400,
                    "status": "INVALID_ARGUMENT",
                    "message": "Invalid JSON payload received. Unknown name "
                    "\"additionalProperties\" at 'generation_config.response_schema': Cannot find field.",
                }
            }
        ],
        status=400,
    ),
    "Gemini: says nothing": body(
        {"error": {"code": 400, "message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT"}},
        status=400,
    ),
    "Mistral: a validation error": body(
        {
            "detail": [
                {
                    "type": "literal_error",
                    "loc": ["body", "response_format", "type"],
                    "msg": "Input should be 'text' or 'json_object'",
                    "input": "json_schema",
                }
            ]
        },
        status=422,
    ),
    "vLLM: a grammar": body(
        {
            "object": "error",
            "message": "Grammar error: The provided JSON schema contains features not supported by xgrammar.",
            "type": "BadRequestError",
            "code": 400,
        },
        status=400,
    ),
    "llama.cpp: a type that it does not know": error(
        'response_format type must be one of "text" or "json_object", but got: json_schema', code=400
    ),
    "llama.cpp: 500, a grammar": error("failed to parse grammar", status=500, type="server_error"),
    "LM Studio: a string": body({"error": "'response_format.type' must be 'text'"}, status=400),
    "Azure: this model": error(
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        param="response_format",
        type="invalid_request_error",
    ),
    "Azure: this version": error(
        "response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later",
        code="BadRequest",
    ),
    "Groq: with a space": error("This model does not support response format `json_schema`."),
}

_TPM = "Request too large for {model} on tokens per min (TPM): Limit 1,500, Requested 3200. Visit us."

TRANSLATED: Final = (
    Row(name="content in parts", behaviour=wrapped(lambda a, _: [{"type": "text", "text": json.dumps(a)}])),
    Row(
        name="content in parts, thinking first",
        behaviour=wrapped(
            lambda a, _: [{"type": "thinking", "thinking": [{"text": "{}"}]}, {"type": "text", "text": json.dumps(a)}]
        ),
    ),
    Row(name="JSON lines of chunks", behaviour=lambda asked: Reply(body=streamed(asked))),
    Row(
        name="events labelled JSON",
        behaviour=lambda asked: Reply(body=streamed(asked, prefix="data: ", after="\n\ndata: [DONE]\n\n")),
    ),
    Row(
        name="events with comments",
        behaviour=lambda asked: Reply(body=streamed(asked, prefix="data: ", before=": PROCESSING\n\nevent: chunk\n")),
    ),
    Row(name="JSON lines of Ollama's own", behaviour=ollama),
    Row(name="a byte order mark", behaviour=encoded("utf-8-sig")),
    Row(name="UTF-16", behaviour=encoded("utf-16")),
    Row(name="latin-1 that says so", behaviour=encoded("latin-1", declared="ISO-8859-1")),
    Row(name="UTF-8 that calls itself latin-1", behaviour=encoded("utf-8", declared="latin-1")),
    Row(name="white space around it", behaviour=whole(lambda document: f"\n\n  {json.dumps(document)}\n")),
    Row(name="null beside the first choice", behaviour=whole(lambda d: {**d, "choices": [None, *d["choices"]]})),
    Row(name="an error of null beside the answer", behaviour=whole(lambda d: {**d, "error": None, "message": ""})),
    Row(name="thoughts aloud, with a draft", behaviour=wrapped(loud_thoughts)),
    Row(name="thoughts without a beginning", behaviour=wrapped(lambda a, _: f"so {{x}}.</think>{json.dumps(a)}")),
    Row(
        name="prose with braces",
        behaviour=wrapped(lambda a, _: f"I keep {{name}} and {{}}: {json.dumps(a)} (all {{done}})"),
    ),
    Row(name="a fence", behaviour=wrapped(lambda a, _: f"Here:\n```json\n{json.dumps(a, indent=1)}\n```\nBye {{}}")),
    Row(
        name="a draft, then the answer",
        behaviour=wrapped(lambda a, _: f"{json.dumps(dict.fromkeys(a, 'Entwurf'))}\nBetter: {json.dumps(a)}"),
    ),
    Row(name="the question mirrored", behaviour=wrapped(mirror)),
    Row(name="the question mirrored beside the answer", behaviour=wrapped(both)),
    Row(
        name="question and answer in one object",
        behaviour=wrapped(lambda a, asked: {"source_segments": dict(asked.segments), "translations": a}),
    ),
    Row(
        name="a list of rows",
        behaviour=wrapped(lambda a, _: {"segments": [{"name": name, "text": text} for name, text in a.items()]}),
    ),
    Row(name="JSON in JSON", behaviour=wrapped(lambda a, _: json.dumps(json.dumps(a)))),
    Row(name="a comma too many", behaviour=wrapped(lambda a, _: f"{json.dumps(a)[:-1]},}}")),
    Row(name="a word that is no JSON", behaviour=wrapped(lambda a, _: f'{json.dumps(a)[:-1]}, "score": NaN}}')),
    Row(name="each name twice", behaviour=wrapped(lambda a, _: f'{{"s1": "Entwurf", {json.dumps(a)[1:]}')),
    Row(name="segments that nobody asked for", behaviour=wrapped(lambda a, _: {**a, "s99": "Mehr", "note": "x"})),
    Row(name="a byte order mark within", behaviour=wrapped(lambda a, _: f"\ufeff{json.dumps(a)}")),
    Row(name="two completions", behaviour=whole(lambda document: json.dumps(document) * 2)),
    Row(name="words behind the completion", behaviour=whole(lambda document: f"{json.dumps(document)}\nOK")),
    Row(name="a completion in a string", behaviour=whole(lambda document: json.dumps(json.dumps(document)))),
    Row(name="the text beside no message", behaviour=lambda a: body({"choices": [{"text": json.dumps(german(a))}]})(a)),
    Row(
        name="Ollama's own", behaviour=lambda a: body({"message": {"content": json.dumps(german(a))}, "done": True})(a)
    ),
    *(
        Row(name=f"usage: {usage}", behaviour=lambda a, told=usage: said(json.dumps(german(a)), usage=told)(a))
        for usage in ({"prompt_tokens": "12"}, {"prompt_tokens": -5}, {"completion_tokens": 1e300}, [1], "free")
    ),
    Row(
        name="gzip",
        behaviour=lambda a: Reply(
            body=gzip.compress(str(right(a).body).encode()), headers={"content-encoding": "gzip"}
        ),
    ),
    Row(
        name="line breaks as they are",
        behaviour=wrapped(lambda a, _: json.dumps(a).replace("ruhen.", "ruhen.\n")),
    ),
    Row(name="the answer as a function's arguments", behaviour=function_call),
    Row(name="the answer among its reasons, and no content", behaviour=only_reasoning),
    Row(
        name="an empty body once",
        behaviour=page(""),
        once=True,
        most=2,
    ),
    Row(name="a maintenance page once", behaviour=page("<html><title>Back soon</title></html>"), once=True, most=2),
    Row(name="429 once", behaviour=scripted.overloaded(0.01), once=True, most=2),
    Row(name="overloaded in a success once", behaviour=error("Overloaded", status=200), once=True, most=2),
    *(
        Row(name=f"no schemas: {name}", behaviour=no_schema(refusal), most=2)
        for name, refusal in SCHEMA_REFUSALS.items()
    ),
    Row(
        name="neither schemas nor JSON mode: LM Studio",
        behaviour=no_json(body({"error": "'response_format.type' must be 'text'"}, status=400)),
        most=3,
    ),
    Row(
        name="no JSON mode: an extra of Mistral's",
        behaviour=no_json(
            body(
                {
                    "object": "error",
                    "message": {
                        "detail": [
                            {
                                "type": "extra_forbidden",
                                "loc": ["body", "response_format"],
                                "msg": "Extra inputs are not permitted",
                            }
                        ]
                    },
                },
                status=422,
            )
        ),
        most=3,
    ),
    Row(
        name="no temperature",
        behaviour=if_asked(
            lambda asked: "temperature" in asked,
            error(
                "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is "
                "supported.",
                param="temperature",
                code="unsupported_value",
            ),
        ),
        most=2,
    ),
    Row(
        name="no temperature, no schema, the cap by its other name",
        behaviour=lambda asked: (
            next(
                (
                    error(f"Unsupported parameter: '{name}' is not supported with this model.")(asked)
                    for name in ("temperature", "max_tokens", "response_format")
                    if name in asked.body
                ),
                None,
            )
            or right(asked)
        ),
        most=5,
    ),
    Row(
        name="a limit of output: OpenAI",
        behaviour=over(
            512,
            "max_tokens is too large: 2300. This model supports at most 512 completion tokens, whereas "
            "you provided 2300.",
        ),
        most=2,
    ),
    Row(
        name="a limit of output: Anthropic",
        behaviour=over(512, "max_tokens: 2300 > 512, which is the maximum allowed number of output tokens for claude"),
        most=2,
    ),
    Row(
        name="a limit of output: DeepSeek",
        behaviour=over(512, "Invalid max_tokens value, the valid range of max_tokens is [1, 512]"),
        most=2,
    ),
    Row(
        name="a limit of output: Groq",
        behaviour=over(
            512,
            "`max_tokens` must be less than or equal to `512`, the maximum value for `max_tokens` is less "
            "than the `context_window` for this model",
        ),
        most=2,
    ),
    Row(
        name="a small context: vLLM",
        behaviour=over(
            1000,
            "'max_tokens' or 'max_completion_tokens' is too large: 2300. This model's maximum context "
            "length is 2048 tokens and your request has 1048 input tokens (2300 > 2048 - 1048).",
        ),
        most=2,
        afterwards=2,
    ),
    Row(
        name="a small context: OpenAI",
        behaviour=over(
            900,
            "This model's maximum context length is 1900 tokens. However, you requested 3300 tokens (1000 "
            "in the messages, 2300 in the completion). Please reduce the length of the messages or "
            "completion.",
            code="context_length_exceeded",
        ),
        most=2,
        afterwards=2,
    ),
    Row(
        name="credit for less output",
        behaviour=over(
            600,
            "This request requires more credits, or fewer max_tokens. You requested up to 2300 tokens, but "
            "can only afford 600.",
            status=402,
        ),
        most=2,
    ),
    Row(
        name="a rate limit that one request breaks",
        behaviour=over(1000, _TPM, status=429, type="tokens", code="rate_limit_exceeded"),
        most=2,
        afterwards=1,
    ),
    Row(name="thinking that needs more room", behaviour=thinks(5000), most=2),
    Row(name="a silent limit of output", behaviour=cut_after(1), most=3, afterwards=3),
)

FAILED: Final = (
    Row(name="latin-1 that does not say so", behaviour=encoded("latin-1"), most=2, says="character U.FFFF"),
    Row(name="no choices", behaviour=body({"choices": None}), most=2, says="Instead of a completion"),
    Row(name="an empty body", behaviour=page(""), most=2, says="sent nothing"),
    Row(name="a page", behaviour=page("<html><title>Log in</title><p>x</p></html>"), most=2, says='sent: "Log in"'),
    Row(
        name="a page that is cut", behaviour=whole(lambda d: json.dumps(d)[:40]), most=2, says="Instead of a completion"
    ),
    Row(name="no content", behaviour=said(None), most=2, says="The answer was empty"),
    Row(name="prose alone", behaviour=said("I am sorry, Dave."), most=2, says="I am sorry, Dave"),
    Row(
        name="the schema instead of an answer",
        behaviour=lambda a: said(json.dumps(a.schema))(a),
        most=2,
        says="no translation",
    ),
    Row(
        name="a refusal", behaviour=said(None, refusal="I will not."), most=7, says="refused to translate .* I will not"
    ),
    Row(name="a filter", behaviour=said("", finish="content_filter"), most=7, says="refused to translate"),
    Row(
        name="Azure's filter",
        behaviour=error(
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            code="content_filter",
        ),
        most=7,
        says="refused to translate .*was filtered",
    ),
    Row(name="cut off for ever", behaviour=cut_after(0), most=7, afterwards=4, says="did not fit"),
    Row(
        name="a context too small for anything",
        behaviour=error("Context size has been exceeded.", code=400),
        most=6,
        says="too long for the engine.*Context size has been",
    ),
    Row(
        name="a rate limit too small for anything",
        behaviour=error("Request too large for m on tokens per min (TPM): Limit 10, Requested 900", status=429),
        most=6,
        says="too long for the engine.*Limit 10",
    ),
    *(
        Row(
            name=f"a body that is {text}", behaviour=page(text, kind="application/json"), most=2, says=f'sent: "{text}"'
        )
        for text in ("{}", "null", "true", "42")
    ),
    Row(name="an empty error, no choices", behaviour=body({"error": None, "choices": []}), most=2, says="Instead of a"),
    Row(name="204", behaviour=lambda _: Reply(status=204), most=2, says="sent nothing"),
    Row(name="a queue", behaviour=body({"status": "queued"}, status=202), most=2, says="queued"),
    Row(name="nothing but nulls", behaviour=wrapped(lambda a, _: dict.fromkeys(a)), most=2, says="no translation"),
    Row(
        name="a filter, beside the text",
        behaviour=said("x", finish="content_filter"),
        most=7,
        says="refused",
    ),
    Row(name="brackets without end", behaviour=said("[" * 50_000), most=2, says="The model said"),
    Row(name="a body too large", behaviour=page("<h1>413 Payload Too Large</h1>", status=413), most=6, says="Payload"),
    Row(
        name="thinking without end",
        behaviour=thinks(10**9),
        most=3,
        error=RequestRefused,
        says="33\\d\\d\\d output tokens for reasoning.*reasoning_effort",
    ),
    Row(
        name="no credit",
        behaviour=error("Insufficient Balance", status=402),
        error=Forbidden,
        says="no credit left: Insuff",
    ),
    Row(
        name="no credit, as a 400",
        behaviour=error("Your credit balance is too low to access the API."),
        error=Forbidden,
        says="no credit left: Your credit",
    ),
    Row(
        name="credit for too little",
        behaviour=error("You requested up to 2300 tokens, but can only afford 3.", status=402),
        error=Forbidden,
        says="can only afford 3",
    ),
    Row(name="quota used up", behaviour=scripted.out_of_credit, error=Forbidden, says="exceeded your current quota"),
    Row(
        name="429 in a success",
        behaviour=error("Slow down", status=200, code=429),
        most=9,
        error=TransientError,
        says="Slow",
    ),
    Row(
        name="429 in a choice",
        behaviour=body({"choices": [{"error": {"code": 429, "message": "Slow"}, "message": {}}]}),
        most=9,
        error=TransientError,
        says="Slow",
    ),
    Row(
        name="overloaded in a success",
        behaviour=body({"error": {"type": "overloaded_error", "message": "Try later"}}),
        most=9,
        error=TransientError,
        says="Try later",
    ),
    *(
        Row(
            name=f"asks to wait: {reason}",
            behaviour=error(reason, status=status),
            most=9,
            error=TransientError,
            says=reason,
        )
        for status, reason in (
            (400, "Too many tokens per day, please wait before trying again."),
            (403, "Rate limit exceeded for this key"),
            (498, "Flex tier capacity exceeded"),
            (529, "Overloaded"),
            (408, "It took too long"),
        )
    ),
    *(
        Row(
            name=f"a wait of {wait}",
            behaviour=lambda _, told=wait: Reply(status=429, body="Slow down", headers={"retry-after": told}),
            most=9,
            error=TransientError,
            says="Slow down",
        )
        for wait in ("Wed, 21 Oct 2099 07:28:00 GMT", "-5", "inf", "1e300", "soon")
    ),
    *(
        Row(name=str(status), behaviour=error("No", status=status), error=RequestRefused, says="translate: No")
        for status in (405, 409, 418, 422, 451)
    ),
    Row(
        name="a country that is not served",
        behaviour=error("Country, region, or territory not supported", status=403),
        error=Forbidden,
        says="territory not supported.*OPENAI_API_KEY, which",
    ),
    Row(
        name="a model unknown in a success",
        behaviour=body({"error": {"message": "model 'm' not found"}}),
        error=RequestRefused,
        says="model 'm' not found.*OPENAI_MODEL",
    ),
    Row(
        name="an error as a list",
        behaviour=body([{"error": {"message": "API key not valid.", "code": 400}}], status=400),
        error=RequestRefused,
        says="API key not valid",
    ),
    Row(
        name="an error as a string",
        behaviour=body({"error": "model is required"}, status=400),
        error=RequestRefused,
        says="model is required",
    ),
    Row(
        name="an error as a detail",
        behaviour=body({"detail": "Not Found"}, status=404),
        error=RequestRefused,
        says="Not Found.*OPENAI_BASE_URL",
    ),
    Row(
        name="an error as details",
        behaviour=body({"detail": [{"loc": ["body", "model"], "msg": "field required"}]}, status=422),
        error=RequestRefused,
        says="body.model: field required",
    ),
    Row(
        name="a gateway's error with its provider's",
        behaviour=body(
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 400,
                    "metadata": {"raw": '{"error":"bad template"}'},
                }
            },
            status=400,
        ),
        error=RequestRefused,
        says="Provider returned error .*bad template",
    ),
    Row(
        name="an error in an event",
        behaviour=page('data: {"error": {"message": "The server is busy"}}\n\n', kind="text/event-stream"),
        most=9,
        error=TransientError,
        says="is busy",
    ),
    Row(
        name="502 with a page",
        behaviour=page("<html><title>502 Bad Gateway</title></html>", status=502),
        most=9,
        error=TransientError,
        says="502 Bad Gateway",
    ),
    Row(name="401 that repeats the key", behaviour=leaks_the_key, error=Forbidden, says="OPENAI_API_KEY"),
    Row(
        name="a redirect",
        behaviour=lambda _: Reply(status=307, headers={"location": "http://127.0.0.1:9/v1"}),
        error=RequestRefused,
        says="307",
    ),
    Row(
        name="a body that is shorter than it says",
        behaviour=lambda a: Reply(body=right(a).body, missing_bytes=9),
        most=9,
        error=TransientError,
        says="did not respond",
    ),
    Row(
        name="gzip that is none",
        behaviour=lambda a: Reply(body=right(a).body, headers={"content-encoding": "gzip"}),
        most=9,
        error=TransientError,
        says="did not respond",
    ),
    Row(
        name="a body that drips",
        behaviour=lambda a: Reply(body=right(a).body, seconds_a_byte=0.05),
        most=3,
        error=TransientError,
        says="did not finish its response within",
        timeout_seconds=2,
    ),
    Row(
        name="headers that drip",
        behaviour=lambda a: Reply(body=right(a).body, seconds_a_byte=0.05, drips_headers=True),
        most=3,
        error=TransientError,
        says="did not finish its response within",
        timeout_seconds=2,
    ),
    Row(name="silence", behaviour=scripted.hang(60), most=3, error=TransientError, says="did not", timeout_seconds=2),
)


def secrets_in(text: str) -> list[str]:
    return re.findall(r"sk-secret-key-1234|abcdefghijklmnop", text)
