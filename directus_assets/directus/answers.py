"""Converts Directus' HTTP responses to data or to the errors of this package."""

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx

from directus_assets.errors import DirectusAssetsError, Rejected, Unreachable, Unreadable, from_status
from directus_assets.json_text import read_json

_ACTIONS = {"GET": "read", "HEAD": "read", "SEARCH": "read", "POST": "create", "PATCH": "update", "DELETE": "delete"}
"""The names of the methods in Directus' policies."""


_PLAIN_HTTP = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
"""What OpenSSL reports when https meets a port that speaks http; the text depends on its version."""


def data_of(answer: httpx.Response) -> Any:
    """The data of a response; None for an empty one.

    Raises:
        Unreachable: it broke off. It seems complete behind nginx, which asks Directus by HTTP/1.0, where a compressed
            response lasts until the connection ends.
        Unreadable: the response is not from Directus.
    """
    if not answer.content:
        return None
    try:
        return read_json(answer.content)["data"]
    except ValueError:
        if answer.content.startswith(b'{"data"'):
            raise Unreachable(
                f"The response to {_request(answer)} broke off.", remedy="Check that Directus keeps running."
            ) from None
        raise nonsense(answer) from None
    except (KeyError, TypeError):
        raise nonsense(answer) from None


def refusal(attempt: str, answer: httpx.Response, method: str, path: str) -> DirectusAssetsError:
    """The error for an unsuccessful response.

    Args:
        attempt: a description of the attempt, for people.
        answer: the response, fully read.
        method: the request's method.
        path: the request's path, from which the required right follows.
    """
    if answer.is_redirect:
        return Rejected(
            f"{attempt} was redirected (HTTP {answer.status_code}).",
            remedy=(
                "Set DIRECTUS_URL to the final address. We do not follow redirects, because that would send the "
                "token to another address."
            ),
        )
    reason = _reason(answer)
    if answer.status_code == 404 and not reason and method != "HEAD":
        return Unreachable(
            f"{attempt} failed: HTTP 404, but not from Directus.",
            remedy="Check DIRECTUS_URL, and that Directus is running behind its proxy.",
        )
    return from_status(
        answer.status_code,
        f"{attempt} failed{reason}",
        remedy=_remedy(answer, method, path, reason),
        headers=answer.headers,
        fields=_refused_fields(answer),
    )


@contextlib.contextmanager
def reported(attempt: str) -> Iterator[None]:
    """Convert connection failures to errors of this package.

    Raises:
        Unreachable: no response, or not in time.
    """
    try:
        yield
    except httpx.TimeoutException:
        raise Unreachable(f"{attempt} timed out.", remedy="Check the load on Directus and its database.") from None
    except httpx.RequestError as error:
        raise Unreachable(
            f"{attempt} failed: {str(error) or type(error).__name__}.", remedy=unreachable_remedy(error)
        ) from None


def unreachable_remedy(error: Exception) -> str:
    """The remedy if Directus could not be reached."""
    if any(word in str(error).upper() for word in _PLAIN_HTTP):
        return "That port does not use HTTPS: start DIRECTUS_URL with http://, or use the HTTPS port."
    return "Check DIRECTUS_URL, and that Directus is running and reachable from here."


def nonsense(answer: httpx.Response) -> Unreadable:
    """The error for a response that is not from Directus."""
    return Unreadable(
        f"The response to {_request(answer)} did not come from Directus.",
        remedy="Check that DIRECTUS_URL is the address of the API, not of a login page or another site.",
    )


def _request(answer: httpx.Response) -> str:
    return f"{answer.request.method} {answer.request.url.path}"


def _reason(answer: httpx.Response) -> str:
    errors = _errors(answer)
    return f": {'; '.join(message for message, _ in errors)}" if errors else ""


def _refused_fields(answer: httpx.Response) -> dict[str, str]:
    """Directus' messages by field: from a validation rule, or from a database that names the column."""
    return {field: message for message, field in _errors(answer) if field}


def _errors(answer: httpx.Response) -> list[tuple[str, str | None]]:
    """Directus' messages, each with the field that it concerns; none if the response is not from Directus.

    PostgreSQL does not say which value is too long, and Directus 11 then names the first column of the statement
    (`valueLimitViolation`), so the field of such an error is left out.
    """
    try:
        return [
            ("A value is too long for its column.", None)
            if (more := error.get("extensions") or {}).get("code") == "VALUE_TOO_LONG"
            else (str(error["message"]), field if isinstance(field := more.get("field"), str) else None)
            for error in read_json(answer.content)["errors"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _right(method: str, path: str) -> str:
    """The right that a request needs, as `doctor` names it, such as `read on posts`."""
    kind, *rest = path.strip("/").split("/")
    collection = rest[0] if kind == "items" else "directus_files" if kind == "assets" else f"directus_{kind}"
    return f"{_ACTIONS[method]} on {collection}"


def _remedy(answer: httpx.Response, method: str, path: str, reason: str) -> str:
    if answer.status_code == 401:
        return "Set DIRECTUS_TOKEN to a valid static token."
    if method == "SEARCH" and not reason:
        return (
            "Configure the proxy in front of Directus to allow the SEARCH method, which is used for queries that "
            "are too long for a URL."
        )
    if answer.status_code == 403:
        return (
            f"Give the token's policy the permission '{_right(method, path)}'. If the token is not that of the "
            "pipeline's user, correct DIRECTUS_TOKEN. `directus-assets doctor` lists all missing permissions."
        )
    if "too large" in reason:
        return "Raise MAX_PAYLOAD_SIZE in Directus' environment."
    return ""
