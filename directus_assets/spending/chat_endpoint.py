"""Connection to an OpenAI-compatible endpoint, and the meaning of its refusals."""

import re
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import openai

from directus_assets.errors import DirectusAssetsError, Forbidden, NotFound, Rejected, Unreachable, from_status
from directus_assets.spending.chat_limits import is_out_of_credit, is_throttled
from directus_assets.spending.deadline import within
from directus_assets.spending.faults import RequestRefused
from directus_assets.spending.server_words import Refusal, read_document, refusal_of

_REMEDIES: Final[dict[type[DirectusAssetsError], str]] = {
    Forbidden: "Check OPENAI_API_KEY, which is wrong or expired, or may not use this model.",
    NotFound: "Check OPENAI_MODEL and OPENAI_BASE_URL.",
    Rejected: "Check OPENAI_MODEL and OPENAI_BASE_URL.",
}


def connect(*, api_key: str, base_url: str | None, timeout_seconds: float) -> openai.OpenAI:
    """A client that neither retries nor follows redirects.

    Args:
        api_key: the endpoint's key.
        base_url: the endpoint with its version, such as `http://127.0.0.1:11434/v1`; None for OpenAI itself.
        timeout_seconds: the time limit for an answer.
    """
    timeout = openai.Timeout(timeout_seconds, connect=min(5.0, timeout_seconds))
    return openai.OpenAI(
        api_key=api_key,
        base_url=base_url,
        timeout=timeout,
        max_retries=0,
        # A redirect would send the key and the content to an address that nobody configured.
        http_client=openai.DefaultHttpxClient(follow_redirects=False, timeout=timeout),
    )


class Body(Protocol):
    """The body of a successful response."""

    @property
    def content(self) -> bytes: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


def exchange(call: Callable[[], Body], *, seconds: float, name: str) -> Body | Refusal:
    """Send one request to the endpoint `name` and return its response.

    Args:
        call: sends the request.
        seconds: the time limit for the whole exchange.
        name: the engine, for errors.

    Raises:
        Unreachable: no complete response in time.
        RequestRefused: the response is not HTTP.
    """

    def send() -> Body | Refusal:
        try:
            return call()
        except openai.APIStatusError as error:
            return refusal_of(error.status_code, error.response.content, error.response.headers)

    try:
        return within(seconds, send, who=name)
    except openai.APIConnectionError as error:
        cause = f" ({error.__cause__})" if error.__cause__ and str(error.__cause__) else ""
        raise Unreachable(f"{name} did not respond: {error}{cause}") from None
    except openai.OpenAIError as error:
        raise RequestRefused(f"{name} sent a response that could not be understood: {error}") from None


def document_of(body: Body) -> object:
    """The JSON value of a response; None if it is not JSON, such as a proxy's page."""
    charset = re.search(r"charset=[\"']?([\w.:-]+)", body.headers.get("content-type", ""), re.IGNORECASE)
    return read_document(body.content, charset=charset[1] if charset else None)


def classify(refusal: Refusal, *, name: str, task: str) -> DirectusAssetsError:
    """Convert a refusal of the engine `name` to do `task` to one of our errors."""
    if is_out_of_credit(refusal):
        return Forbidden(
            f"{name}: the account has no credit left: {refusal.said}",
            remedy="Add credit at the provider, or lower `max_output_tokens` in the YAML file.",
        )
    status = 429 if is_throttled(refusal) else refusal.status
    remedy = _REMEDIES.get(type(from_status(status, "")), "")
    message = f"{name} refused to {task}: {refusal.said}"
    return RequestRefused.of(from_status(status, message, remedy=remedy, headers=refusal.headers))


def check_model(client: openai.OpenAI, *, model: str, name: str) -> str:
    """Empty if the endpoint accepts the key and lists the model; else a warning in one sentence.

    Raises:
        TransientError: no answer in time, or 408, 429, 5xx.
        Forbidden: the key is wrong or expired.
    """
    try:
        models = [each.id for each in client.models.list().data]
    except openai.NotFoundError:
        return "The endpoint does not list its models, so we could not check the key or the model."
    except openai.APIStatusError as error:
        refusal = refusal_of(error.status_code, error.response.content, error.response.headers)
        raise classify(refusal, name=name, task="list its models") from None
    except openai.APIConnectionError as error:
        raise Unreachable(f"{name} did not respond: {error}") from None
    except (openai.OpenAIError, AttributeError, TypeError, ValueError, RecursionError):
        return "The endpoint's list of models could not be understood, so we could not check the key or the model."
    # Some endpoints list it as `llama3:latest`, and accept `llama3`.
    if any(each == model or each.startswith(f"{model}:") for each in models):
        return ""
    return f"The endpoint accepts the key, but '{model}' is not among the {len(models)} models it lists."
