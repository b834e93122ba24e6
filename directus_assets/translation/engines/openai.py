"""Translation by any endpoint that speaks OpenAI's chat completions."""

import re
from dataclasses import dataclass, replace
from typing import Any, Final

import openai
from openai.types.chat import ChatCompletion

from directus_assets.errors import Rejected, from_status
from directus_assets.translation.engines.openai_endpoint import classify, connect
from directus_assets.translation.engines.openai_prompt import (
    answer_schema,
    count_tokens,
    messages,
    output_cap,
    read_answer,
)
from directus_assets.translation.engines.protocol import Answer, Failure, Request, Usage

_SCHEMA_REFUSED: Final = re.compile(r"response_format|json_schema|structured output", re.IGNORECASE)
_UNKNOWN: Final = re.compile(
    r"unsupported|not supported|unrecognized|unknown|unexpected|not permitted|extra", re.IGNORECASE
)
_TOO_LONG: Final = re.compile(
    r"context[ _](?:length|window)|maximum context|too (?:long|large|many tokens)|max_(?:completion_)?tokens"
    r"|reduce the length|exceeds? .{0,40}(?:tokens|length|limit)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Dialect:
    """What an endpoint understands. Learnt from its refusals, since no endpoint can be asked."""

    has_schemas: bool
    cap_name: str
    cap_is_settled: bool = False

    def options(self, request: Request, *, spare_tokens: int) -> dict[str, Any]:
        schema = {"name": "translations", "strict": True, "schema": answer_schema(request)}
        return {
            "response_format": (
                {"type": "json_schema", "json_schema": schema} if self.has_schemas else {"type": "json_object"}
            ),
            self.cap_name: output_cap(request, spare_tokens=spare_tokens),
        }

    def after(self, refusal: str) -> "_Dialect | None":
        """The dialect to try next after a refusal in these words; None if they are about something else."""
        if self.has_schemas and _SCHEMA_REFUSED.search(refusal):
            return replace(self, has_schemas=False)
        if not self.cap_is_settled and self.cap_name in refusal and _UNKNOWN.search(refusal):
            other = "max_tokens" if self.cap_name == "max_completion_tokens" else "max_completion_tokens"
            return replace(self, cap_name=other, cap_is_settled=True)
        return None


class OpenAIEngine:
    """An `Engine` for OpenAI and compatible endpoints.

    Args:
        api_key: the endpoint's key.
        model: the model's name there.
        base_url: the endpoint with its version, such as `http://127.0.0.1:11434/v1`; None for OpenAI itself.
        timeout_seconds: how long an answer may take.
        spare_tokens: output tokens beyond the translation's own, for models that think first.
        max_characters: characters of source text in one request.
        max_segments: segments in one request.
    """

    can_repair = True

    def __init__(
        self,
        *,
        api_key: str,
        model: str,
        base_url: str | None = None,
        timeout_seconds: float = 120.0,
        spare_tokens: int = 2048,
        max_characters: int = 6000,
        max_segments: int = 40,
    ) -> None:
        self.model = model
        self.name = f"openai:{model}"
        self.max_characters = max_characters
        self.max_segments = max_segments
        self._spare_tokens = spare_tokens
        self._client = connect(api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds)
        # OpenAI's newer models refuse `max_tokens`; many other endpoints ignore `max_completion_tokens`, and then
        # nothing is capped.
        cap_name = "max_tokens" if base_url else "max_completion_tokens"
        self._dialect = _Dialect(has_schemas=True, cap_name=cap_name)

    def estimate(self, request: Request) -> Usage:
        """About the tokens that `request` and its answer need."""
        prompt = sum(count_tokens(text) for _, text in messages(request))
        source = sum(count_tokens(segment.text) for segment in request.segments)
        growth = 1.3 if request.target.script == "Latn" else 2.0
        return Usage(
            requests=1,
            input_tokens=prompt,
            output_tokens=int(source * growth) + 8 * len(request.segments),
            characters=request.characters,
        )

    def translate(self, request: Request) -> Answer:
        """The answer to one request.

        Raises:
            TransientError: no answer in time, or 408, 429, 5xx.
            Forbidden: the key is wrong, expired, or has nothing left to spend.
            Rejected: the endpoint refuses the request for another reason, such as an unknown model.
        """
        dialect = self._dialect
        try:
            completion = self._client.chat.completions.create(
                model=self.model,
                messages=[{"role": role, "content": text} for role, text in messages(request)],  # type: ignore[misc]  # roles are a union of literals
                **dialect.options(request, spare_tokens=self._spare_tokens),
            )
        except openai.APIStatusError as error:
            refused = Usage(requests=1)
            if failure := _failure_of(error):
                return Answer(usage=refused, failure=failure)
            classified = classify(error, name=self.name, task="translate")
            other = dialect.after(error.message) if isinstance(classified, Rejected) else None
            if other is None:
                raise classified from error
            self._dialect = other
            answer = self.translate(request)
            return replace(answer, usage=answer.usage + refused)
        except openai.OpenAIError as error:
            raise classify(error, name=self.name, task="translate") from error
        return _read(completion, request)

    def check(self) -> str:
        """Nothing, where the endpoint takes the key and lists the model; else a doubt in one sentence.

        Raises:
            TransientError: no answer in time, or 408, 429, 5xx.
            Forbidden: the key is wrong or expired.
        """
        try:
            models = [model.id for model in self._client.models.list().data]
        except openai.NotFoundError:
            return "The endpoint lists no models, so neither the key nor the model could be checked."
        except (openai.APIStatusError, openai.APIConnectionError) as error:
            raise classify(error, name=self.name, task="translate") from error
        except (openai.OpenAIError, AttributeError, TypeError, ValueError):
            return "The endpoint's list of models makes no sense, so neither the key nor the model could be checked."
        # Some endpoints call it `llama3:latest`, and take it as `llama3`.
        if any(name == self.model or name.startswith(f"{self.model}:") for name in models):
            return ""
        return f"The endpoint takes the key, but '{self.model}' is not among the {len(models)} models that it lists."

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _failure_of(error: openai.APIStatusError) -> Failure | None:
    """What a refused request means for its segments, where it is about them."""
    if not isinstance(from_status(error.status_code, ""), Rejected):
        return None
    if error.code == "content_filter":
        return Failure.REFUSED
    if error.code == "context_length_exceeded" or _is_too_long(error.message):
        return Failure.TOO_LONG
    return None


def _is_too_long(message: str) -> bool:
    return bool(_TOO_LONG.search(message)) and not _UNKNOWN.search(message)


def _read(completion: ChatCompletion, request: Request) -> Answer:
    # Endpoints that are nearly compatible leave out what the type promises, and a proxy's error page is a bare string.
    choices = getattr(completion, "choices", None)
    usage = _usage(completion, request)
    if not choices:
        return Answer(usage=usage, failure=Failure.UNREADABLE)
    message, finish_reason = choices[0].message, choices[0].finish_reason
    if finish_reason == "length":
        return Answer(usage=usage, failure=Failure.TOO_LONG)
    if finish_reason == "content_filter" or getattr(message, "refusal", None):
        return Answer(usage=usage, failure=Failure.REFUSED)
    texts = read_answer(getattr(message, "content", None) or "", request)
    if texts is None:
        return Answer(usage=usage, failure=Failure.UNREADABLE)
    return Answer(texts=texts, usage=usage)


def _usage(completion: ChatCompletion, request: Request) -> Usage:
    usage = getattr(completion, "usage", None)
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        requests=1,
        input_tokens=getattr(usage, "prompt_tokens", None) or 0,
        cached_tokens=getattr(details, "cached_tokens", None) or 0,
        output_tokens=getattr(usage, "completion_tokens", None) or 0,
        characters=request.characters,
    )
