"""What Directus' answers say, or why there is none: from HTTP to data and to the errors of this package."""

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx

from directus_assets.errors import DirectusAssetsError, Rejected, Unreachable, Unreadable, from_status
from directus_assets.json_text import read_json

_ACTIONS = {"GET": "read", "HEAD": "read", "SEARCH": "read", "POST": "create", "PATCH": "update", "DELETE": "delete"}
"""What Directus' policies call the methods."""


_PLAIN_HTTP = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
"""What OpenSSL says where https was spoken to a port that speaks http; which, depends on its version."""


def data_of(answer: httpx.Response) -> Any:
    """What Directus answers with; None for an empty answer.

    Raises:
        Unreadable: it is no answer of Directus.
    """
    if not answer.content:
        return None
    try:
        return read_json(answer.content)["data"]
    except (ValueError, KeyError, TypeError):
        raise nonsense(answer) from None


def refusal(attempt: str, answer: httpx.Response, method: str, path: str) -> DirectusAssetsError:
    """The error for an answer that is no success.

    Args:
        attempt: what was attempted, for people.
        answer: read to its end.
        method: the method of the request.
        path: its path, which tells the right that it needs.
    """
    if answer.is_redirect:
        return Rejected(
            f"{attempt} is redirected elsewhere (HTTP {answer.status_code}).",
            remedy="Set DIRECTUS_URL to the final address; redirects are not followed with the token.",
        )
    reason = _reason(answer)
    return from_status(
        answer.status_code,
        f"{attempt} failed{reason}",
        remedy=_remedy(answer, method, path, reason),
        headers=answer.headers,
        fields=_refused_fields(answer),
    )


@contextlib.contextmanager
def reported(attempt: str) -> Iterator[None]:
    """Failures of the connection as errors of this package.

    Raises:
        Unreachable: nobody answered, or not in time.
    """
    try:
        yield
    except httpx.TimeoutException:
        raise Unreachable(
            f"{attempt} got no answer in time.", remedy="Look at the load of Directus and its database."
        ) from None
    except httpx.RequestError as error:
        raise Unreachable(
            f"{attempt} failed: {error or type(error).__name__}.", remedy=unreachable_remedy(error)
        ) from None


def unreachable_remedy(error: Exception) -> str:
    """What to do where no connection to Directus came about."""
    if any(word in str(error).upper() for word in _PLAIN_HTTP):
        return "That port does not speak https: begin DIRECTUS_URL with http://, or name the port that does."
    return "Check DIRECTUS_URL, and that Directus runs and can be reached from here."


def nonsense(answer: httpx.Response) -> Unreadable:
    """The error for an answer that is none of Directus'."""
    return Unreadable(
        f"{answer.request.method} {answer.request.url.path} did not answer as Directus does.",
        remedy="Check that DIRECTUS_URL is the address of the API, not of a login page or another site.",
    )


def _reason(answer: httpx.Response) -> str:
    try:
        return ": " + "; ".join(str(error["message"]) for error in read_json(answer.content)["errors"])
    except (ValueError, KeyError, TypeError):
        return ""


def _refused_fields(answer: httpx.Response) -> dict[str, str]:
    """Directus' reasons by field: of a validation rule, or of a database that names the column."""
    try:
        errors = [
            (error["extensions"].get("field"), str(error["message"])) for error in read_json(answer.content)["errors"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {field: reason for field, reason in errors if isinstance(field, str)}


def _right(method: str, path: str) -> str:
    """The right that a request needs, as `doctor` calls it, such as `read on posts`."""
    kind, *rest = path.strip("/").split("/")
    collection = rest[0] if kind == "items" else "directus_files" if kind == "assets" else f"directus_{kind}"
    return f"{_ACTIONS[method]} on {collection}"


def _remedy(answer: httpx.Response, method: str, path: str, reason: str) -> str:
    if answer.status_code == 401:
        return "Set DIRECTUS_TOKEN to a valid static token."
    if method == "SEARCH" and not reason:
        return "Have the proxy before Directus pass on the method SEARCH: it carries what is too long for an address."
    if answer.status_code == 403:
        return (
            f"Give the token's policy the right '{_right(method, path)}', or set DIRECTUS_TOKEN to the token of the "
            "pipeline's user, should it be somebody else's; `directus-assets doctor` names all that lack."
        )
    if "too large" in reason:
        return "Raise MAX_PAYLOAD_SIZE in Directus' environment."
    return ""
