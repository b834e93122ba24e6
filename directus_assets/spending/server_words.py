"""Parses server responses in any form (one JSON value, JSON lines, or events), and their error messages.

Pure: bytes in, values out. Endpoints that are nearly compatible, gateways and proxies may return anything.
"""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from directus_assets.json_text import is_too_deep, read_json

NOT_A_CHARACTER: Final = "\uffff"
"""Replaces undecodable bytes and lone surrogates; every check rejects it."""

_LONGEST_SAID: Final = 500
_LONGEST_READ: Final = 8000
_DEEPEST_WORDS: Final = 6
_FIELDS_OF_EVENTS: Final = re.compile(r"(?:event|id|retry):|:")
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_UNSEEN: Final = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL)
_SPEAKING: Final = (
    "message", "msg", "detail", "error", "errors", "error_msg", "error_message", "error_description", "status_msg",
    "base_resp", "description", "title", "reason",
)  # fmt: skip
_STATUS_BY_WORDS: Final = (
    (429, r"rate.?limit|too many requests|resource.?exhausted"),
    (402, r"insufficient.?(?:balance|credit|funds|quota)|credit balance|payment required"),
    (503, r"overload|capacity|unavailable|temporar|tim(?:ed|e).?out|try again|busy|internal|server.?error|upstream"),
    (401, r"api.?key|unauthori|authenticat"),
    (403, r"forbidden|permission|not allowed to"),
    (404, r"not.?found|does not exist|unknown model|no such model"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A server's refusal.

    Attributes:
        status: the HTTP status; for a refusal with a success status, the one that it should have had.
        said: the server's message, for people.
        whole: the complete response, for finding out what the refusal is about.
        code: the server's code for the refusal, such as `content_filter`.
        headers: of the response, with lower-case names.
    """

    status: int
    said: str
    whole: str = ""
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def read_document(content: bytes, *, charset: str | None = None) -> object:
    """The JSON value of a response; None if it is not JSON, such as a proxy's page.

    An unrequested stream is assembled into the equivalent complete response.

    Args:
        content: the body.
        charset: from the header; used if the body is not the UTF-8 that JSON requires.
    """
    text = _decoded(content, charset)
    try:
        whole = read_json(text)
        # Some gateways encode it twice.
        return read_json(whole) if isinstance(whole, str) and whole.lstrip().startswith("{") else whole
    except ValueError:
        documents = _lines(text)
    if len(documents) < 2:
        return documents[0] if documents else _first(text)
    return next((each for each in documents if _fault(each)), None) or _joined(documents)


def refusal_of(status: int, content: bytes, headers: Mapping[str, str]) -> Refusal:
    """Parse a response with an HTTP status of 300 and more."""
    document = read_document(content)
    whole = content.decode("utf-8", "replace")[:_LONGEST_READ]
    said = _said(document) if document is not None else page_text(whole)
    code = _code(_fault(document))
    return Refusal(status=status, said=said or "no reason given", whole=whole, code=code, headers=headers)


def refusal_in(document: object, headers: Mapping[str, str]) -> Refusal | None:
    """Parse an error in a response with a success status; None if there is none."""
    fault = _fault(document)
    if fault is None:
        return None
    whole = json.dumps(document, ensure_ascii=False)[:_LONGEST_READ] if not is_too_deep(document) else ""
    said = _said(fault) or "no reason given"
    status = (
        _status(fault)
        or _status(document)
        or next(
            (status for status, words in _STATUS_BY_WORDS if re.search(words, f"{said} {_code(fault)}", re.IGNORECASE)),
            400,
        )
    )
    return Refusal(status=status, said=said, whole=whole, code=_code(fault), headers=headers)


def page_text(text: str) -> str:
    """The human-readable part of a response that is not JSON: a page's title, or its text."""
    title = _TITLE.search(text)
    return _shortened(html.unescape(title[1] if title else _UNSEEN.sub(" ", text)))


def first_choice(document: object) -> Mapping[str, Any]:
    """The first choice of a completion; empty if there is none."""
    choices = document.get("choices") if isinstance(document, dict) else None
    found = [each for each in choices if isinstance(each, dict)] if isinstance(choices, list) else []
    if not found and isinstance(document, dict) and _is_message(document.get("message")):
        # Ollama's native format has the message outside of a choice.
        return {"message": document["message"], "finish_reason": document.get("done_reason")}
    return found[0] if found else {}


def text_of(content: object) -> str:
    """The text of a message: some endpoints return it in parts, which may include the model's thoughts."""
    if isinstance(content, list):
        parts = (part for part in content if isinstance(part, dict) and part.get("type") in ("text", "output_text"))
        return "".join(text_of(part.get("text")) for part in parts)
    return content if isinstance(content, str) else ""


def _decoded(content: bytes, charset: str | None) -> str:
    try:
        return content.decode(json.detect_encoding(content), "surrogatepass")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode(charset or "ascii")
    except (LookupError, UnicodeDecodeError):
        return content.decode("utf-8", "replace").replace("\ufffd", NOT_A_CHARACTER)


def _lines(text: str) -> list[Any]:
    """The values of JSON lines, or of an event stream; none if a line is neither."""
    documents: list[Any] = []
    for line in text.splitlines():
        data = line.strip().removeprefix("data:").strip()
        if not data or data == "[DONE]" or _FIELDS_OF_EVENTS.match(data):
            continue
        try:
            documents.append(read_json(data))
        except ValueError:
            return []
    return documents


def _first(text: str) -> object:
    """The completion at the beginning of a text that holds more behind it; None if there is none."""
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and not is_too_deep(found) and first_choice(found) else None


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and "content" in value


def _joined(documents: list[Any]) -> object:
    """Assemble the chunks of a streamed completion."""
    texts = {"content": "", "reasoning_content": "", "refusal": ""}
    finish_reason = usage = None
    for document in documents:
        if not isinstance(document, dict):
            continue
        choice = first_choice(document)
        # Ollama's native format has the message outside of a choice.
        chunk = choice.get("delta") or choice.get("message") or document.get("message")
        for name in texts:
            texts[name] += text_of(chunk.get(name)) if isinstance(chunk, dict) else ""
        finish_reason = choice.get("finish_reason") or document.get("done_reason") or finish_reason
        usage = document.get("usage") or usage
    return {"choices": [{"message": texts, "finish_reason": finish_reason}], "usage": usage}


def _fault(document: object) -> object:
    """The error that a server reports; None if there is none."""
    if isinstance(document, list):
        document = next((each for each in document if isinstance(each, dict)), None)
    if not isinstance(document, dict):
        return None
    choice = first_choice(document)
    if fault := document.get("error") or choice.get("error"):
        return fault
    message = document.get("message")
    # In Ollama's native responses, the message is an answer.
    is_answer = choice or isinstance(document.get("data"), list) or _is_message(message)
    return document if not is_answer and any(document.get(name) for name in _SPEAKING) else None


def _said(value: object, depth: int = 0) -> str:
    if depth > _DEEPEST_WORDS:
        return ""
    match value:
        case str():
            return _shortened(value)
        case list():
            return _shortened("; ".join(filter(None, (_said(each, depth + 1) for each in value[:3]))))
        case dict():
            said = next((text for name in _SPEAKING if (text := _said(value.get(name), depth + 1))), "")
            place = value.get("loc")
            where = ".".join(map(str, place)) if isinstance(place, list) and not is_too_deep(place) else ""
            # A gateway's own message only says that its provider has failed.
            beyond = value.get("metadata")
            raw = _said(beyond.get("raw"), depth + 1) if isinstance(beyond, dict) else ""
            return _shortened(" ".join(filter(None, (f"{where}:" if where and said else "", said, raw))))
    return ""


def _code(fault: object) -> str:
    found = fault.get("code") or fault.get("type") if isinstance(fault, dict) else None
    return found if isinstance(found, str) else ""


def _status(fault: object) -> int | None:
    told = [fault.get(name) for name in ("status", "status_code", "code")] if isinstance(fault, dict) else []
    numbers = (int(each) for each in told if isinstance(each, (int, str)) and re.fullmatch(r"[45]\d\d", str(each)))
    return next(numbers, None)


def _shortened(text: str) -> str:
    text = " ".join(text[:_LONGEST_READ].split())
    return text if len(text) <= _LONGEST_SAID else f"{text[: _LONGEST_SAID - 3]}..."
