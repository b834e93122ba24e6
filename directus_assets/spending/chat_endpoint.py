"""Any endpoint that speaks OpenAI's protocol: the connection, and what its refusals mean."""

from typing import Final

import openai

from directus_assets.errors import DirectusAssetsError, Forbidden, NotFound, Rejected, Unreachable, from_status
from directus_assets.json_text import read_json
from directus_assets.translation.engines.protocol import RequestRefused

_REMEDIES: Final[dict[type[DirectusAssetsError], str]] = {
    Forbidden: "Check OPENAI_API_KEY: it is wrong or expired, or may not use this model.",
    NotFound: "Check OPENAI_MODEL and OPENAI_BASE_URL.",
    Rejected: "Check OPENAI_MODEL and OPENAI_BASE_URL.",
}


def connect(*, api_key: str, base_url: str | None, timeout_seconds: float) -> openai.OpenAI:
    """A client that neither retries nor follows redirects.

    Args:
        api_key: the endpoint's key.
        base_url: the endpoint with its version, such as `http://127.0.0.1:11434/v1`; None for OpenAI itself.
        timeout_seconds: how long an answer may take.
    """
    timeout = openai.Timeout(timeout_seconds, connect=min(5.0, timeout_seconds))
    return openai.OpenAI(
        api_key=api_key,
        base_url=base_url,
        timeout=timeout,
        max_retries=0,
        # A redirect would take the key and the content to an address that nobody configured.
        http_client=openai.DefaultHttpxClient(follow_redirects=False, timeout=timeout),
    )


def classify(error: openai.OpenAIError, *, name: str, task: str) -> DirectusAssetsError:
    """What went wrong at the engine `name`, asked to do `task`, as one of our errors."""
    if isinstance(error, openai.APIConnectionError):
        return Unreachable(f"{name} did not answer: {error}")
    if not isinstance(error, openai.APIStatusError):
        return RequestRefused(f"{name} gave an answer that makes no sense: {error}")
    if error.code == "insufficient_quota":
        return Forbidden(f"{name}: nothing is left to spend: {error.message}", remedy="Add credit at the provider.")
    remedy = _REMEDIES.get(type(from_status(error.status_code, "")), "")
    message = f"{name} refused to {task}: {error.message[:500]}"
    refused = from_status(error.status_code, message, remedy=remedy, headers=error.response.headers)
    return RequestRefused.of(refused)


def document_of(content: bytes) -> object:
    """The JSON value of an answer; None where it is none, such as a proxy's page."""
    try:
        return read_json(content)
    except ValueError:
        return None


def check_model(client: openai.OpenAI, *, model: str, name: str) -> str:
    """Nothing, where the endpoint takes the key and lists the model; else a doubt in one sentence.

    Raises:
        TransientError: no answer in time, or 408, 429, 5xx.
        Forbidden: the key is wrong or expired.
    """
    try:
        models = [each.id for each in client.models.list().data]
    except openai.NotFoundError:
        return "The endpoint lists no models, so neither the key nor the model could be checked."
    except (openai.APIStatusError, openai.APIConnectionError) as error:
        raise classify(error, name=name, task="list its models") from None
    except (openai.OpenAIError, AttributeError, TypeError, ValueError, RecursionError):
        return "The endpoint's list of models makes no sense, so neither the key nor the model could be checked."
    # Some endpoints call it `llama3:latest`, and take it as `llama3`.
    if any(each == model or each.startswith(f"{model}:") for each in models):
        return ""
    return f"The endpoint takes the key, but '{model}' is not among the {len(models)} models that it lists."
