"""An endpoint's capabilities, which cannot be queried and are learnt from refusals. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from directus_assets.spending.chat_limits import Limit, LimitOf, limit_in
from directus_assets.spending.prompts import count_tokens
from directus_assets.spending.server_words import Refusal

MOST_SPARE_TOKENS: Final = 32_768
"""Output tokens for thinking beyond the answer's own before a model counts as thinking too much."""

_MORE_SPARE: Final = 4
"""The factor by which the allowance grows if thinking left no room for the answer."""

_FORMAT_REFUSED: Final = re.compile(
    r"response[_ ]?(?:format|schema|mime)|json[_ -]?(?:schema|object|mode)|structured[_ ]outputs?|guided|grammar"
    r"|additionalProperties|invalid schema|schema (?:is|produces|contains)|output_config|generation_config",
    re.IGNORECASE,
)
# Gemini's entire message about some schemas.
_SAYS_NOTHING: Final = re.compile(r"\W*(?:request contains an )?invalid[ _]argument\.?\W*", re.IGNORECASE)
_REFUSED: Final = re.compile(
    r"unsupported|not supported|n[o']t support|unrecognized|unknown|unexpected|not permitted|not allowed|extra"
    r"|deprecated|only the default|invalid|no longer",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatOptions:
    """The form of a model's answers.

    Attributes:
        max_output_tokens: a fixed maximum; None for as many as an honest answer needs.
        spare_tokens: additional output tokens for models that think first.
        reasoning_effort: how long such a model thinks, such as `low`; None leaves it to the model.
        temperature: the randomness; None leaves it to the model.
    """

    max_output_tokens: int | None = None
    spare_tokens: int = 2048
    reasoning_effort: str | None = None
    temperature: float | None = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """One question.

    Attributes:
        messages: pairs of role and text; one system and one user message.
        schema: the JSON schema of the answer, limited to strict mode.
        schema_name: the name of the schema.
        explains_itself: whether the messages themselves describe the form of the answer.
        longest_answer: the maximum tokens of an honest answer.
        usual_answer: the expected tokens of the answer.
        characters: of the source text, for the usage.
        picture: a `data:` URI for the user message.
        task: the task as a verb, for errors.
    """

    messages: Sequence[tuple[str, str]]
    schema: Mapping[str, Any]
    schema_name: str
    explains_itself: bool
    longest_answer: int
    usual_answer: int
    characters: int
    task: str
    picture: str | None = None

    @property
    def tokens(self) -> int:
        """The approximate number of tokens in its texts."""
        return sum(count_tokens(text) for _, text in self.messages)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """The known capabilities of an endpoint.

    Attributes:
        cap_name: its parameter for the maximum tokens of an answer.
        cap_is_settled: whether it refused the other parameter.
        options: the given options without those it refused.
        answer_format: how it is told to answer in JSON.
        most_output: the maximum tokens of its answers.
        most_total: the maximum tokens of a request with its answer.
        cap: for the next request only.
    """

    cap_name: Literal["max_tokens", "max_completion_tokens"]
    cap_is_settled: bool = False
    options: ChatOptions = ChatOptions()
    answer_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    most_output: int | None = None
    most_total: int | None = None
    cap: int | None = None

    def arguments(self, prompt: Prompt) -> dict[str, Any]:
        """The body of the request for `prompt`, without the model."""
        arguments: dict[str, Any] = {"messages": self._messages(prompt), self.cap_name: self.cap_for(prompt)}
        if self.answer_format == "json_schema":
            schema = {"name": prompt.schema_name, "strict": True, "schema": prompt.schema}
            arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.answer_format == "json_object":
            arguments["response_format"] = {"type": "json_object"}
        if self.options.temperature is not None:
            arguments["temperature"] = self.options.temperature
        if self.options.reasoning_effort is not None:
            arguments["reasoning_effort"] = self.options.reasoning_effort
        return arguments

    def cap_for(self, prompt: Prompt) -> int:
        """The maximum tokens for the answer."""
        if self.cap is not None:
            return self.cap
        cap = prompt.longest_answer + self.options.spare_tokens
        if self.most_total is not None:
            # Token counts are estimates; an answer that is cut off continues in the next one.
            cap = min(cap, max(self.most_total - prompt.tokens * 5 // 4, prompt.usual_answer))
        return min(each for each in (cap, self.most_output, self.options.max_output_tokens) if each is not None)

    def after(self, refusal: Refusal, prompt: Prompt) -> "Dialect | None":
        """The dialect to try next after a refusal; None if no other can help."""
        if refusal.status in (401, 403, 408) or refusal.status >= 502:
            return None
        return self._without_parameter(refusal) or self._within_limit(refusal, prompt) or self._with_format(refusal)

    def fits(self, prompt: Prompt, limit: Limit) -> bool:
        """Whether a request respects a limit that it allegedly exceeds, as far as can be determined here."""
        cap = self.cap_for(prompt)
        return limit.tokens is not None and limit.given_of(prompt.tokens, cap=cap) + cap <= limit.tokens

    def thinking_more(self, prompt: Prompt) -> "Dialect | None":
        """The dialect to try next if thinking left no room for the answer; None if there is no more room."""
        spare = min(max(self.options.spare_tokens, 512) * _MORE_SPARE, MOST_SPARE_TOKENS)
        more = replace(self, options=replace(self.options, spare_tokens=spare), cap=None)
        return more if more.cap_for(prompt) > self.cap_for(prompt) else None

    def learnt(self) -> "Dialect":
        """The part that also applies to other requests."""
        return replace(self, cap=None)

    def _without_parameter(self, refusal: Refusal) -> "Dialect | None":
        words = f"{refusal.said} {refusal.whole}"
        if not _REFUSED.search(words):
            return None
        options = self.options
        if options.temperature is not None and re.search(r"\btemperature\b", words):
            return replace(self, options=replace(options, temperature=None))
        if options.reasoning_effort is not None and re.search(
            r"reasoning[_ ]?effort|\breasoning\b|\bthinking\b", words
        ):
            return replace(self, options=replace(options, reasoning_effort=None))
        if not self.cap_is_settled and self.cap_name in words and limit_in(refusal) is None:
            other: Final = "max_tokens" if self.cap_name == "max_completion_tokens" else "max_completion_tokens"
            return replace(self, cap_name=other, cap_is_settled=True)
        return None

    def _within_limit(self, refusal: Refusal, prompt: Prompt) -> "Dialect | None":
        limit = limit_in(refusal)
        if limit is None or limit.tokens is None:
            return None
        asked = self.cap_for(prompt)
        if limit.of is LimitOf.OUTPUT:
            return replace(self, most_output=limit.tokens) if limit.tokens < asked else None
        if limit.of is LimitOf.CREDIT:
            is_enough = prompt.usual_answer <= limit.tokens < asked
            return replace(self, most_output=limit.tokens) if is_enough else None
        left = limit.tokens - limit.given_of(prompt.tokens, cap=asked)
        if not prompt.usual_answer <= left < asked:
            return None
        return replace(self, most_total=limit.tokens, cap=left)

    def _with_format(self, refusal: Refusal) -> "Dialect | None":
        if self.answer_format == "none" or refusal.status in (402, 413, 429) or limit_in(refusal) is not None:
            return None
        is_about_it = _FORMAT_REFUSED.search(f"{refusal.said} {refusal.whole}") or _SAYS_NOTHING.fullmatch(refusal.said)
        if not is_about_it:
            return None
        return replace(self, answer_format="json_object" if self.answer_format == "json_schema" else "none")

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
