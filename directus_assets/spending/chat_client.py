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

from directus_assets.errors import DirectusAssetsError, Rejected, from_status
from directus_assets.json_text import is_too_deep, read_json, well_formed_json
from directus_assets.spending.chat_endpoint import check_model, classify, connect, document_of
from directus_assets.translation.engines.openai_prompt import count_tokens
from directus_assets.translation.engines.protocol import Failure, Usage, counted

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
            arguments = well_formed_json(dialect.arguments(prompt))
            answer = self._client.chat.completions.with_raw_response.create(model=self.model, **arguments)
        except openai.APIStatusError as error:
            refused = Usage(requests=1)
            classified = classify(error, name=self.name, task=prompt.task)
            if failure := _failure_of(error, has_picture=prompt.picture is not None):
                self._is_blind = failure is Failure.BLIND
                return Completion(usage=refused, failure=failure)
            other = dialect.after(error.message) if isinstance(classified, Rejected) else None
            if other is None:
                raise classified from None
            self._dialect = other
            completion = self.ask(prompt)
            return replace(completion, usage=completion.usage + refused)
        except openai.OpenAIError as error:
            raise classify(error, name=self.name, task=prompt.task) from None
        return _read(document_of(answer.content), prompt)

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


def _read(document: object, prompt: Prompt) -> Completion:
    """What an answer says. Endpoints that are nearly compatible, and proxies, answer with anything at all."""
    choices = _member(document, "choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message, finish_reason = _member(choice, "message"), _member(choice, "finish_reason")
    content = _text(_member(message, "content"))
    usage = _usage(_member(document, "usage"), prompt, content)
    if finish_reason == "length":
        return Completion(usage=usage, failure=Failure.TOO_LONG)
    if finish_reason == "content_filter" or _member(message, "refusal"):
        return Completion(usage=usage, failure=Failure.REFUSED)
    answer = read_object(content)
    if answer is None:
        return Completion(usage=usage, failure=Failure.UNREADABLE)
    return Completion(answer=answer, usage=usage)


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _text(content: object) -> str:
    """The text of a message: some endpoints give it in parts, among them what the model thought before."""
    if isinstance(content, list):
        content = "".join(_text(_member(part, "text")) for part in content if _member(part, "type") == "text")
    return content if isinstance(content, str) else ""


def read_object(content: str) -> dict[str, Any] | None:
    """The JSON object in an answer, whatever stands around it; None if there is none that can be kept."""
    start, end = content.find("{"), content.rfind("}")
    try:
        answer = read_json(content[start : end + 1])
    except ValueError:
        return None
    if not isinstance(answer, dict) or is_too_deep(answer):
        return None
    # What stands in the place of half of an emoji no check lets pass.
    return well_formed_json(answer, half="\uffff")


def _usage(told: object, prompt: Prompt, content: str) -> Usage:
    input_tokens = counted(_member(told, "prompt_tokens"))
    if input_tokens is None:
        input_tokens = sum(count_tokens(text) for _, text in prompt.messages)
    output_tokens = counted(_member(told, "completion_tokens"))
    cached_tokens = counted(_member(_member(told, "prompt_tokens_details"), "cached_tokens"))
    return Usage(
        requests=1,
        input_tokens=input_tokens,
        cached_tokens=min(cached_tokens or 0, input_tokens),
        output_tokens=count_tokens(content) if output_tokens is None else output_tokens,
        characters=prompt.characters,
    )
