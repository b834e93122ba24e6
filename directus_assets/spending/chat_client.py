"""Client for any endpoint that supports OpenAI's chat completions: one question, one JSON object as its answer.

An endpoint's capabilities are learnt from its refusals, since they cannot be queried, and remembered for the lifetime
of the process.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from directus_assets.errors import DirectusAssetsError, Rejected, from_status
from directus_assets.json_text import well_formed_json
from directus_assets.spending.chat_dialect import ChatOptions, Dialect, Prompt
from directus_assets.spending.chat_endpoint import check_model, classify, connect, document_of, exchange
from directus_assets.spending.chat_json import read_cut, read_object, without_thoughts
from directus_assets.spending.chat_limits import LimitOf, limit_in
from directus_assets.spending.faults import AnswerFault, RequestRefused
from directus_assets.spending.prompts import count_tokens
from directus_assets.spending.server_words import Refusal, first_choice, page_text, refusal_in, text_of
from directus_assets.spending.usage import Usage, counted

_MOST_TRIES: Final = 8
"""Requests per question: one for the answer, and others to learn the endpoint's dialect."""

_PICTURE_REFUSED: Final = re.compile(
    r"image|vision|multi-?modal|content part|content type|content must be a string|must be of type string",
    re.IGNORECASE,
)
_INABILITY: Final = re.compile(
    r"unsupported|not supported|unrecognized|unknown|unexpected|not permitted|extra|invalid|string|only text|does not"
    r"|cannot|can't|no endpoints",
    re.IGNORECASE,
)
_CUT_OFF: Final = frozenset({"length", "max_tokens", "model_length", "max_output_tokens"})
_FILTERED: Final = frozenset(
    {"content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii", "refusal", "sensitive"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """The response: a JSON object, or the reason why there is none and its source.

    With `AnswerFault.TOO_LONG`, `answer` contains what was complete before the cut-off; `only_thought` means that
    thinking left no room for an answer; `was_sent_back` means that the endpoint did not even try, with the reason.
    """

    answer: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    failure: AnswerFault | None = None
    reason: str = ""
    was_sent_back: bool = False
    only_thought: bool = False


class Chat:
    """An endpoint and a model.

    Args:
        api_key: the endpoint's key.
        model: the endpoint's name of the model.
        base_url: the endpoint with its version, such as `http://127.0.0.1:11434/v1`; None for OpenAI itself.
        timeout_seconds: the time limit for an answer.
        options: the form of the model's answers.
    """

    def __init__(
        self,
        *,
        api_key: str,
        model: str,
        base_url: str | None,
        timeout_seconds: float,
        options: ChatOptions | None = None,
    ) -> None:
        self.model = model
        self.name = f"openai:{model}"
        self._timeout_seconds = timeout_seconds
        self._client = connect(api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds)
        self._is_blind = False
        self._is_known = False
        self._first = threading.Lock()
        # OpenAI's newer models refuse `max_tokens`; many other endpoints ignore `max_completion_tokens`, so that
        # nothing is capped.
        self._dialect = Dialect(
            cap_name="max_tokens" if base_url else "max_completion_tokens", options=options or ChatOptions()
        )

    def ask(self, prompt: Prompt) -> Completion:
        """Answer one prompt; more than one request is sent only while the endpoint's dialect is being learnt.

        Raises:
            TransientError: no answer in time, or 408, 429, 5xx.
            Forbidden: the key is wrong or expired, or has no credit left.
            Rejected: the endpoint refuses the request for another reason, such as an unknown model.
        """
        if prompt.picture and self._is_blind:
            return Completion(failure=AnswerFault.BLIND)
        with self._alone_at_first():
            return self._ask(prompt)

    def check(self) -> str:
        """Empty if the endpoint accepts the key and lists the model; else a warning in one sentence.

        Raises:
            TransientError: no answer in time, or 408, 429, 5xx.
            Forbidden: the key is wrong or expired.
        """
        return check_model(self._client, model=self.model, name=self.name)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def _alone_at_first(self) -> Iterator[None]:
        """Early callers wait for what the very first one learns, so that it is learnt only once.

        Refusals arrive quickly. What takes longer is an answer, for which nobody needs to wait.
        """
        is_first = not self._is_known and self._first.acquire(timeout=min(2.0, self._timeout_seconds / 4))
        if is_first and self._is_known:
            self._first.release()
            is_first = False
        try:
            yield
        finally:
            if is_first:
                self._is_known = True
                self._first.release()

    def _ask(self, prompt: Prompt) -> Completion:
        dialect, used = self._dialect, Usage()
        first: DirectusAssetsError | None = None
        for _ in range(_MOST_TRIES):
            found = self._send(dialect, prompt)
            if isinstance(found, Completion):
                used += found.usage
                other = dialect.thinking_more(prompt) if found.only_thought else None
                if other is None:
                    self._dialect = dialect.learnt()
                    return self._finished(replace(found, usage=used), dialect.cap_for(prompt))
            else:
                used += Usage(requests=1)
                if failed := _failed(found, prompt, used):
                    self._is_blind |= failed.failure is AnswerFault.BLIND
                    return failed
                error = classify(found, name=self.name, task=prompt.task)
                # Errors about an alternative form are irrelevant.
                first = first if first and isinstance(error, Rejected) else error
                other = dialect.after(found, prompt)
                limit = limit_in(found)
                if other is None and limit is not None and limit.of is not LimitOf.CREDIT:
                    self._dialect = dialect.learnt()
                    is_sure = not dialect.fits(prompt, limit)
                    return Completion(
                        usage=used, failure=AnswerFault.TOO_LONG, reason=found.said, was_sent_back=is_sure
                    )
                if other is None:
                    raise first
            dialect = other
        raise first or RequestRefused(f"{self.name} rejected {_MOST_TRIES} variants of the same request.")

    def _finished(self, completion: Completion, cap: int) -> Completion:
        """Raise errors that do not concern this question alone."""
        if completion.only_thought:
            raise RequestRefused(
                f"{self.name} used all of its {cap} output tokens for reasoning and none for the answer.",
                remedy="In the YAML file, lower `reasoning_effort`, or raise `spare_tokens` or `max_output_tokens`; "
                "or choose a model that reasons less.",
            )
        return completion

    def _send(self, dialect: Dialect, prompt: Prompt) -> Completion | Refusal:
        arguments = well_formed_json(dialect.arguments(prompt))
        found = exchange(
            lambda: self._client.chat.completions.with_raw_response.create(model=self.model, **arguments),
            seconds=self._timeout_seconds,
            name=self.name,
        )
        if isinstance(found, Refusal):
            return found
        document = document_of(found)
        return refusal_in(document, found.headers) or _read(document, prompt, found.content)


def _failed(refusal: Refusal, prompt: Prompt, used: Usage) -> Completion | None:
    """What a refused request means for its question, if it is about the question."""
    refused = from_status(refusal.status, "")
    # Some servers answer 500 if a model cannot see (llama.cpp: "image input is not supported").
    if prompt.picture is not None and _is_blind(refused, refusal.said):
        return Completion(usage=used, failure=AnswerFault.BLIND, reason=refusal.said)
    if not isinstance(refused, Rejected):
        return None
    if refusal.code == "content_filter" or "content management policy" in refusal.said:
        return Completion(usage=used, failure=AnswerFault.REFUSED, reason=refusal.said, was_sent_back=True)
    # Groq's code if the model did not answer in JSON.
    if refusal.code == "json_validate_failed":
        return Completion(usage=used, failure=AnswerFault.UNREADABLE, reason=refusal.said)
    return None


def _is_blind(refused: DirectusAssetsError, message: str) -> bool:
    if not _PICTURE_REFUSED.search(message) or not _INABILITY.search(message):
        return False
    return isinstance(refused, Rejected) or "not supported" in message


def _read(document: object, prompt: Prompt, body: bytes) -> Completion:
    """Parse a response. Endpoints that are nearly compatible, and proxies, may return anything."""
    choice = first_choice(document)
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    content = text_of(message.get("content")) or text_of(choice.get("text")) or _called(message)
    thought = text_of(message.get("reasoning_content")) or text_of(message.get("reasoning"))
    told = document.get("usage") if isinstance(document, dict) else None
    usage = _usage(told, prompt, content)
    finish = choice.get("finish_reason")
    finish = finish.lower() if isinstance(finish, str) else ""
    if finish in _CUT_OFF:
        if _thought_only(content, thought, told, usage):
            return Completion(usage=usage, failure=AnswerFault.TOO_LONG, only_thought=True)
        return Completion(usage=usage, failure=AnswerFault.TOO_LONG, answer=read_cut(content, prompt.schema))
    refusal = message.get("refusal")
    if finish in _FILTERED or refusal:
        return Completion(usage=usage, failure=AnswerFault.REFUSED, reason=refusal if isinstance(refusal, str) else "")
    answer = read_object(content or thought, prompt.schema)
    if answer is None:
        return Completion(usage=usage, failure=AnswerFault.UNREADABLE, reason=_unreadable(choice, content, body))
    return Completion(answer=answer, usage=usage)


def _unreadable(choice: Mapping[str, Any], content: str, body: bytes) -> str:
    if content.strip():
        return f'The model said: "{page_text(content)[:200]}"'
    if choice:
        return "The answer was empty."
    page = page_text(body[:8000].decode("utf-8", "replace"))[:200]
    return f'Instead of a completion, the server sent: "{page}"' if page else "The server sent nothing."


def _called(message: Mapping[str, Any]) -> str:
    """The arguments of a function call: some endpoints turn a schema into a function, and the answer into a call of
    it.
    """
    calls = message.get("tool_calls")
    first = calls[0] if isinstance(calls, list) and calls else None
    function = first.get("function") if isinstance(first, dict) else None
    return text_of(function.get("arguments")) if isinstance(function, dict) else ""


def _thought_only(content: str, thought: str, told: object, usage: Usage) -> bool:
    """Whether only thinking was cut off, so that the length of the answer is still unknown."""
    if "{" in without_thoughts(content):
        return False
    details = told.get("completion_tokens_details") if isinstance(told, dict) else None
    reasoning = counted(details.get("reasoning_tokens")) if isinstance(details, dict) else None
    is_mostly = reasoning is not None and 2 * reasoning > usage.output_tokens
    return is_mostly or bool(thought) or not without_thoughts(content).strip()


def _usage(told: object, prompt: Prompt, content: str) -> Usage:
    told = told if isinstance(told, dict) else {}
    input_tokens = counted(told.get("prompt_tokens"))
    if input_tokens is None:
        input_tokens = prompt.tokens
    output_tokens = counted(told.get("completion_tokens"))
    details = told.get("prompt_tokens_details")
    cached_tokens = counted(details.get("cached_tokens")) if isinstance(details, dict) else None
    return Usage(
        requests=1,
        input_tokens=input_tokens,
        cached_tokens=min(cached_tokens or 0, input_tokens),
        output_tokens=count_tokens(content) if output_tokens is None else output_tokens,
        characters=prompt.characters,
    )
