"""Translation by any endpoint that supports OpenAI's chat completions."""

from typing import Final

from directus_assets.spending.chat_client import Chat
from directus_assets.spending.chat_dialect import ChatOptions, Prompt
from directus_assets.spending.faults import AnswerFault
from directus_assets.spending.prompts import count_tokens
from directus_assets.spending.usage import Usage
from directus_assets.translation.engines.openai_prompt import answer_schema, longest_answer, messages, read_answer
from directus_assets.translation.engines.protocol import Answer, Request

_FEWEST_CHARACTERS: Final = 500
"""The minimum size of a request, however little an endpoint accepts."""


class OpenAIEngine:
    """An `Engine` for OpenAI and compatible endpoints.

    Args:
        api_key: the endpoint's key.
        model: the endpoint's name of the model.
        base_url: the endpoint with its version, such as `http://127.0.0.1:11434/v1`; None for OpenAI itself.
        timeout_seconds: the time limit for an answer.
        options: the form of the model's answers.
        max_characters: maximum characters of source text per request.
        max_segments: maximum segments per request.
    """

    can_repair = True

    def __init__(
        self,
        *,
        api_key: str,
        model: str,
        base_url: str | None = None,
        timeout_seconds: float = 120.0,
        options: ChatOptions | None = None,
        max_characters: int = 6000,
        max_segments: int = 40,
    ) -> None:
        self._chat = Chat(
            api_key=api_key, model=model, base_url=base_url, timeout_seconds=timeout_seconds, options=options
        )
        self.model = model
        self.name = self._chat.name
        self.max_characters = max_characters
        self.max_segments = max_segments

    def estimate(self, request: Request) -> Usage:
        """The approximate number of tokens for `request` and its answer."""
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
        """Answer one request.

        Raises:
            TransientError: no answer in time, or 408, 429, 5xx.
            Forbidden: the key is wrong or expired, or has no credit left.
            Rejected: the endpoint refuses the request for another reason, such as an unknown model.
        """
        completion = self._chat.ask(
            Prompt(
                messages=messages(request),
                schema=answer_schema(request),
                schema_name="translations",
                explains_itself=True,
                longest_answer=longest_answer(request),
                usual_answer=self.estimate(request).output_tokens,
                characters=request.characters,
                task="translate",
            )
        )
        if completion.was_sent_back and completion.failure is AnswerFault.TOO_LONG:
            # Saves later items from hitting the same limit.
            self.max_characters = min(self.max_characters, max(request.characters // 2, _FEWEST_CHARACTERS))
        return Answer(
            texts=read_answer(completion.answer, request),
            usage=completion.usage,
            failure=completion.failure,
            reason=completion.reason,
            was_sent_back=completion.was_sent_back,
        )

    def check(self) -> str:
        """Empty if the endpoint accepts the key and lists the model; else a warning in one sentence.

        Raises:
            TransientError: no answer in time, or 408, 429, 5xx.
            Forbidden: the key is wrong or expired.
        """
        return self._chat.check()

    def close(self) -> None:
        """Close the connections."""
        self._chat.close()
