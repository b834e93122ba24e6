"""Validates requests to the door: pure decisions on head and body."""

import hashlib
import hmac
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr, ValidationError

SECRET_HEADER = "directus-assets-secret"  # noqa: S105 - a name, not a secret

MOST_BYTES = 256 * 1024
"""A click on a thousand items, including the rows that reference their files, has a quarter of this size."""

_MOST_KEYS = 5000
_LONGEST_KEY = 255
_CONFIG = ConfigDict(strict=True, extra="forbid", frozen=True)

_Name = Annotated[StrictStr, Field(min_length=1, max_length=_LONGEST_KEY)]
_Key = _Name | Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)]


def _filled(value: Any) -> Any:
    """None if Directus had nothing to fill into a template."""
    return None if value == "undefined" else value


_Choice = Annotated[StrictStr, Field(max_length=_LONGEST_KEY)]
_User = Annotated[StrictStr, Field(pattern=r"^[0-9A-Fa-f-]{1,36}$")]


class Refused(Exception):
    """The request is refused; `status` is all that a caller without the secret learns."""

    def __init__(self, status: HTTPStatus, reason: str = "") -> None:
        self.status = status
        self.reason = reason
        super().__init__(reason)


class RequestKind(Enum):
    """The kinds of requests. The value is the last part of the path."""

    CHANGES = "changes"
    CLICKS = "clicks"
    CHECK = "check"


class Changed(BaseModel):
    """These items changed."""

    model_config = _CONFIG

    collection: _Name
    keys: Annotated[list[_Key], Field(min_length=1, max_length=_MOST_KEYS)]
    user: Annotated[_User | None, BeforeValidator(_filled)] = None
    """The user who changed them; None if Directus itself did."""


class Clicked(BaseModel):
    """This editor clicked this button on these items."""

    model_config = _CONFIG

    button: _Name
    collection: _Name
    keys: Annotated[list[_Key], Field(min_length=1, max_length=_MOST_KEYS)]
    user: _User
    language: Annotated[_Choice | None, BeforeValidator(_filled)] = None
    field: Annotated[_Choice | None, BeforeValidator(_filled)] = None
    """The choice in the form; None for all."""
    files: Any = None
    """For content items: their rows, with the fields that reference files."""


class CheckedRequest(BaseModel):
    """Sent by the installer of the flows to check that the door can be reached."""

    model_config = _CONFIG

    plan: _Name
    """A digest of the flow's configuration, which is returned unchanged."""


Body = Changed | Clicked | CheckedRequest

_BODIES: dict[RequestKind, type[Body]] = {
    RequestKind.CHANGES: Changed,
    RequestKind.CLICKS: Clicked,
    RequestKind.CHECK: CheckedRequest,
}


@dataclass(frozen=True, kw_only=True)
class Head:
    """A request without its body."""

    method: str
    path: str
    query: bytes = b""
    content_type: str = ""
    length: str | None = None
    """The declared size."""
    secret: str = field(default="", repr=False)


def project_of(path: str) -> str:
    """The project in a path: empty in `/changes`, `shop` in `/shop/changes`."""
    return path.strip("/").rpartition("/")[0]


def digest_of(secret: str) -> str:
    """The stored form of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def holds_secret(head: Head, digests: Collection[str]) -> bool:
    """Whether a caller has one of the secrets with these digests."""
    given = digest_of(head.secret)
    # All of them are compared, each in constant time.
    matches = [hmac.compare_digest(given, digest) for digest in digests]
    return bool(head.secret) and any(matches)


def require_form(head: Head) -> RequestKind:
    """Check that a request is a small, posted JSON document; return its kind.

    Raises:
        Refused: it is not.
    """
    if head.method != "POST":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "Only POST requests are accepted.")
    if head.query:
        raise Refused(HTTPStatus.BAD_REQUEST, "Query parameters are not accepted.")
    if head.content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only application/json is accepted.")
    if head.length is not None and not (head.length.isdecimal() and head.length.isascii()):
        raise Refused(HTTPStatus.BAD_REQUEST, "Content-Length is not a number.")
    if head.length is not None and (len(head.length) > 9 or int(head.length) > MOST_BYTES):
        raise too_large()
    try:
        return RequestKind(head.path.rpartition("/")[2])
    except ValueError:
        raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here.") from None


def too_large() -> Refused:
    """The refusal for a body that is larger than any of ours."""
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"More than {MOST_BYTES} bytes.")


def _unambiguous(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; refuse duplicate keys, which other parsers may resolve differently."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name comes twice")
    return found


def parse_body(kind: RequestKind, body: bytes) -> Body:
    """Parse a body.

    Raises:
        Refused: it is not JSON, or contains unexpected members.
    """
    try:
        found = json.loads(body, object_pairs_hook=_unambiguous)
        # Python reads NaN and unpaired surrogates, which cannot be sent to Dagster.
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
        return _BODIES[kind].model_validate(found)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise Refused(HTTPStatus.BAD_REQUEST, f"'{place}': {error.errors()[0]['msg']}.") from None
    except (ValueError, RecursionError):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is not JSON.") from None
