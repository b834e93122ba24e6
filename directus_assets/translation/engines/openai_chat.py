"""One question to any endpoint that speaks OpenAI's chat completions, and one JSON object as its answer.

What an endpoint understands is learnt from its refusals, since no endpoint can be asked, and remembered for as long as
the process lives.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import openai
from openai.types.chat import ChatCompletion

from directus_assets.errors import DirectusAssetsError, Rejected, from_status
from directus_assets.translation.engines.openai_endpoint import check_model, classify, connect
from directus_assets.translation.engines.protocol import Failure, Usage

_FORMAT_REFUSED: Final = re.compile(r"response_format|json_schema|json_object|structured output", re.IGNORECASE)
_PICTURE_REFUSED: Final = re.compile(
    r"image|vision|multi-?modal|content part|content type|content must be a string|must be of type string",
    re.IGNORECASE,
)
_UNKNOWN: Final = re.compile(
    r"unsupported|not supported|unrecognized|unknown|unexpected|not permitted|extra", re.IGNORECASE
)
_TOO_LONG: Final = re.compile(
    r"context[ _](?:length|window)|maximum context|too (?:long|large|many tokens)|max_(?:completion_)?tokens"
    r"|reduce the length|exceeds? .{0,40}(?:tokens|length|limit)",
    re.IGNORECASE,
)

_LONE_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """What came back: a JSON object, or why there is none."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """One question.

    Attributes:
        messages: pairs of role and text; one system and one user message.
        schema: the JSON schema of the answer, in what strict mode takes of it.
        schema_name: names it.
        explains_itself: whether the messages say by themselves what the answer looks like.
        output_cap: the most tokens that an honest answer needs.
        characters: of the source text, for the books.
        picture: a `data:` URI that goes with the user message.
        task: what is asked for, as a verb, for errors.
    """

    messages: Sequence[tuple[str, str]]
    schema: Mapping[str, Any]
    schema_name: str
    explains_itself: bool
    output_cap: int
    characters: int
    task: str
    picture: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Dialect:
    """What an endpoint understands."""

    answer_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    cap_name: str
    cap_is_settled: bool = False

    def arguments(self, prompt: Prompt) -> dict[str, Any]:
        arguments: dict[str, Any] = {"messages": self._messages(prompt), self.cap_name: prompt.output_cap}
        if self.answer_format == "json_schema":
            schema = {"name": prompt.schema_name, "strict": True, "schema": prompt.schema}
            arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.answer_format == "json_object":
            arguments["response_format"] = {"type": "json_object"}
        return arguments

    def _messages(self, prompt: Prompt) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = [{"role": role, "content": text} for role, text in prompt.messages]
        if self.answer_format != "json_schema" and not prompt.explains_itself:
            schema = json.dumps(prompt.schema, ensure_ascii=False)
            messages[0]["content"] += (
                f"\n\nAnswer with one JSON object of this JSON schema, and nothing else:\n{schema}"
            )
        if prompt.picture:
            picture = {"type": "image_url", "image_url": {"url": prompt.picture}}
            messages[-1]["content"] = [{"type": "text", "text": messages[-1]["content"]}, picture]
        return messages

    def after(self, refusal: str) -> "_Dialect | None":
        """The dialect to try next after a refusal in these words; None if they are about something else."""
        if self.answer_format != "none" and _FORMAT_REFUSED.search(refusal):
            return replace(self, answer_format="json_object" if self.answer_format == "json_schema" else "none")
        if not self.cap_is_settled and self.cap_name in refusal and _UNKNOWN.search(refusal):
            other = "max_tokens" if self.cap_name == "max_completion_tokens" else "max_completion_tokens"
            return replace(self, cap_name=other, cap_is_settled=True)
        return None


class Chat:
    """An endpoint and a model.

    Args:
        api_key: the endpoint's key.
        model: the model's name there.
        base_url: the endpoint with its version, such as `http://127.0.0.1:11434/v1`; None for OpenAI itself.
        timeout_seconds: how long an answer may take.
    """

    def __init__(self, *, api_key: str, model: str, base_url: str | None, timeout_seconds: float) -> None:
        self.model = model
        self.name = f"openai:{model}"
        self._client = connect(api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds)
        self._is_blind = False
        # OpenAI's newer models refuse `max_tokens`; many other endpoints ignore `max_completion_tokens`, and then
        # nothing is capped.
        self._dialect = _Dialect(cap_name="max_tokens" if base_url else "max_completion_tokens")

    def ask(self, prompt: Prompt) -> Completion:
        """The answer to one request; more than one is sent only while the endpoint's dialect is learnt.

        Raises:
            TransientError: no answer in time, or 408, 429, 5xx.
            Forbidden: the key is wrong, expired, or has nothing left to spend.
            Rejected: the endpoint refuses the request for another reason, such as an unknown model.
        """
        if prompt.picture and self._is_blind:
            return Completion(failure=Failure.BLIND)
        dialect = self._dialect
        try:
            completion = self._client.chat.completions.create(model=self.model, **dialect.arguments(prompt))
        except openai.APIStatusError as error:
            refused = Usage(requests=1)
            classified = classify(error, name=self.name, task=prompt.task)
            if failure := _failure_of(error, has_picture=prompt.picture is not None):
                self._is_blind = failure is Failure.BLIND
                return Completion(usage=refused, failure=failure)
            other = dialect.after(error.message) if isinstance(classified, Rejected) else None
            if other is None:
                raise classified from error
            self._dialect = other
            answer = self.ask(prompt)
            return replace(answer, usage=answer.usage + refused)
        except openai.OpenAIError as error:
            raise classify(error, name=self.name, task=prompt.task) from error
        return _read(completion, prompt)

    def check(self) -> str:
        """Nothing, where the endpoint takes the key and lists the model; else a doubt in one sentence.

        Raises:
            TransientError: no answer in time, or 408, 429, 5xx.
            Forbidden: the key is wrong or expired.
        """
        return check_model(self._client, model=self.model, name=self.name)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _failure_of(error: openai.APIStatusError, *, has_picture: bool) -> Failure | None:
    """What a refused request means for what it asks, where it is about that."""
    refused = from_status(error.status_code, "")
    # Some servers answer 500 where a model cannot see (llama.cpp: "image input is not supported").
    if has_picture and _is_blind(refused, error.message):
        return Failure.BLIND
    if not isinstance(refused, Rejected):
        return None
    if error.code == "content_filter":
        return Failure.REFUSED
    if error.code == "context_length_exceeded" or _is_too_long(error.message):
        return Failure.TOO_LONG
    return None


def _is_blind(refused: DirectusAssetsError, message: str) -> bool:
    if not _PICTURE_REFUSED.search(message):
        return False
    is_about_ability = _UNKNOWN.search(message) or re.search(
        r"invalid|string|only text|does not|cannot|can't|no endpoints", message, re.IGNORECASE
    )
    return bool(is_about_ability) and (isinstance(refused, Rejected) or "not supported" in message)


def _is_too_long(message: str) -> bool:
    return bool(_TOO_LONG.search(message)) and not _UNKNOWN.search(message)


def _read(completion: ChatCompletion, prompt: Prompt) -> Completion:
    # Endpoints that are nearly compatible leave out what the type promises, and a proxy's error page is a bare string.
    choices = getattr(completion, "choices", None)
    usage = _usage(completion, prompt)
    if not choices:
        return Completion(usage=usage, failure=Failure.UNREADABLE)
    message, finish_reason = choices[0].message, choices[0].finish_reason
    if finish_reason == "length":
        return Completion(usage=usage, failure=Failure.TOO_LONG)
    if finish_reason == "content_filter" or getattr(message, "refusal", None):
        return Completion(usage=usage, failure=Failure.REFUSED)
    answer = read_object(getattr(message, "content", None) or "")
    if answer is None:
        return Completion(usage=usage, failure=Failure.UNREADABLE)
    return Completion(answer=answer, usage=usage)


def read_object(content: str) -> dict[str, Any] | None:
    """The JSON object in an answer, whatever stands around it; None if there is none."""
    start, end = content.find("{"), content.rfind("}")
    try:
        answer = json.loads(content[start : end + 1])
        # Half an emoji is no text that can be kept. What stands in its place no check lets pass.
        text = json.dumps(answer, ensure_ascii=False)
        if _LONE_SURROGATE.search(text):
            answer = json.loads(_LONE_SURROGATE.sub("\uffff", text))
    except (ValueError, RecursionError):  # the latter for thousands of brackets
        return None
    return answer if isinstance(answer, dict) else None


def _usage(completion: ChatCompletion, prompt: Prompt) -> Usage:
    usage = getattr(completion, "usage", None)
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        requests=1,
        input_tokens=getattr(usage, "prompt_tokens", None) or 0,
        cached_tokens=getattr(details, "cached_tokens", None) or 0,
        output_tokens=getattr(usage, "completion_tokens", None) or 0,
        characters=prompt.characters,
    )
