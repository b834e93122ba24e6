"""All errors of this package in one tree, and the one place that decides which failures are worth a retry.

::

    DirectusAssetsError
    ├── ConfigurationError            environment, YAML or Directus settings that cannot work
    ├── TransientError                the same call may succeed later; carries `retry_after_seconds`
    │   ├── Unreachable               no answer: refused, reset, timed out
    │   ├── Overloaded                408, 425, 429 and 5xx: the server asks to wait
    │   └── ChangedMeanwhile          someone else was faster: read again, and decide anew
    └── PermanentError                the same call fails again; never retried
        ├── Forbidden                 401 and 403: the token lacks a right; or a folder is closed to this user
        ├── NotFound                  404, 410: the requested object is gone
        ├── Rejected                  every other 4xx, and unusable responses
        │   ├── Unreadable            not a response from Directus; the request may have been carried out
        │   └── Malformed             one row holds a value of the wrong type; also a BadInput
        ├── BadInput                  a picture, text or file that cannot be processed
        │   └── Correctable           for now: the fix changes neither the item nor its settings
        │       └── TooLarge          more bytes than may be read at once
        └── Unexpected                any other exception, caused by unforeseen content of one item

Nothing outside this module looks at status codes to decide about retries.
"""

import datetime as dt
import errno
import math
import re
import sqlite3
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import ClassVar, Final

from directus_assets.redaction import redact

# From 520 on mostly Cloudflare's for a server behind it that is in trouble; 530 if its tunnel is down:
# https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
_TRANSIENT_STATUSES = frozenset(
    {408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 525, 526, 529, 530}
)

_TROUBLE_OF_THIS_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)

_TROUBLE_OF_A_DATABASE = frozenset({"OperationalError", "InternalError"})

_NO_THREAD = "can't start new thread"
"""Python's only sign that the machine has no room for another one."""

_LONGEST_TEXT = 500
"""Maximum characters of a foreign error's text: some repeat their whole input."""

_UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")

LONGEST_RETRY_AFTER_SECONDS: Final = 86_400.0
"""The longest wait that a server may request. If it needs more, it can ask again after a day."""


class DirectusAssetsError(Exception):
    """Base of all errors that this package raises deliberately.

    `message` says what happened to which item and field; `remedy` says what to do about it. Both can be printed, and
    never contain secrets, whatever they were made from.
    """

    longest_wait_seconds: ClassVar[float | None] = None
    """For failures that no retry fixes, but a person may: the reconcile retries them after growing waits up to this.

    None: never automatically.
    """
    first_wait_seconds: ClassVar[float | None] = None
    """The first of these waits, if it differs from the configured one."""

    is_for_editors: ClassVar[bool] = False
    """Whether the item's editor can fix it, and is therefore notified in the Studio."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        self.message = printable(redact(message))
        self.remedy = printable(redact(remedy))
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigurationError(DirectusAssetsError):
    """The environment, the YAML file or the Directus project is misconfigured."""


class TransientError(DirectusAssetsError):
    """A later retry may succeed."""

    def __init__(self, message: str, *, remedy: str = "", retry_after_seconds: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds


class Unreachable(TransientError):
    """No answer arrived: connection refused or reset, or a time-out."""


class Overloaded(TransientError):
    """The server answered that it cannot serve the request now."""


class ChangedMeanwhile(TransientError):
    """The content to be replaced has changed since it was read."""


class PermanentError(DirectusAssetsError):
    """The same call will fail again."""

    is_for_editors: ClassVar[bool] = True


class Forbidden(PermanentError):
    """The credentials are wrong or lack a permission."""

    is_for_editors: ClassVar[bool] = False
    longest_wait_seconds: ClassVar[float | None] = 3600


class NotFound(PermanentError):
    """The requested object does not exist, or no longer exists."""

    is_for_editors: ClassVar[bool] = False


class Rejected(PermanentError):
    """The server refuses the request as it is; `fields` has Directus' reason by field, where it names fields."""

    is_for_editors: ClassVar[bool] = False

    def __init__(self, message: str, *, remedy: str = "", fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.fields = {name: redact(reason) for name, reason in (fields or {}).items()}


class Unreadable(Rejected):
    """The response is not from Directus, so it is unknown whether Directus carried out the request."""


class BadInput(PermanentError):
    """A picture, text or file cannot be processed."""


class Correctable(BadInput):
    """The fix lies outside the item (a limit, another item), so the item's fingerprint will not change."""

    longest_wait_seconds: ClassVar[float | None] = 86400


class TooLarge(Correctable):
    """An original exceeds the size limit; detected before it is read."""

    def __init__(self, subject: str, *, most: int, size: int | None = None) -> None:
        self.size = size
        has = "too many bytes" if size is None else f"{size} bytes"
        super().__init__(
            f"{subject} has {has}; the limit is {most}.",
            remedy="Upload a smaller version, or raise `images.max_megabytes` if the machine has the memory.",
        )


class Malformed(Rejected, BadInput):
    """A row holds a value of the wrong type; other rows are unaffected."""

    is_for_editors: ClassVar[bool] = True


class Unexpected(PermanentError):
    """An unforeseen error, most likely caused by the content of one item; see `as_error`.

    An unchanged item fails again, but another version of this package may handle it.
    """

    is_for_editors: ClassVar[bool] = False
    longest_wait_seconds: ClassVar[float | None] = 30 * 86400
    first_wait_seconds: ClassVar[float | None] = 86400


def as_error(error: Exception) -> DirectusAssetsError:
    """Any exception as one of this package: unchanged, or as an error about the current item.

    Problems of this machine or of Dagster's database, such as a full disk, are not the item's fault and are transient.
    """
    match error:
        case DirectusAssetsError():
            return error
        case RecursionError():
            return Unexpected("A value is nested too deeply.", remedy="Simplify the JSON in the fields of this item.")
        # Libraries wrap it.
        case Exception() if "surrogates not allowed" in _words_of(error):
            return Unexpected(
                "A text contains an invalid character (surrogates not allowed), such as half of an emoji.",
                remedy="Enter that text again.",
            )
        case OSError() | RuntimeError() if lack := _lack_of_this_machine(error):
            return TransientError(
                f"Operating system error: {lack}.",
                remedy="Free up the missing resource, such as disk space, memory or processes.",
            )
        case Exception() if trouble := _trouble_of_a_database(error):
            return TransientError(
                f"A database of the pipeline cannot be used: {redact(_words_of(_original(trouble)))[:_LONGEST_TEXT]}.",
                remedy="Make sure that it can be reached, and that its disk is neither full nor read-only.",
            )
    return Unexpected(
        # Redacted before it is cut: half a credential is still sensitive, but no longer recognisable.
        f"{type(error).__name__}: {redact(_words_of(error))[:_LONGEST_TEXT]}",
        remedy="This error was not foreseen. Check the item for anything unusual, and report the error.",
    )


def _lack_of_this_machine(error: Exception) -> str:
    """What the machine lacks at the moment, in its own words; empty if that is not what is wrong."""
    if isinstance(error, OSError):
        return str(error.strerror) if error.errno in _TROUBLE_OF_THIS_MACHINE else ""
    return _NO_THREAD if _words_of(error) == _NO_THREAD else ""


def _trouble_of_a_database(error: Exception) -> Exception | None:
    """The error, or its cause, that says that a database cannot do now what it is asked to: locked, its disk full, not
    reachable (`OperationalError`, PEP 249), or read-only until its disk has room (PostgreSQL: `InternalError`).

    SQLite also uses `OperationalError` for wrong statements. Dagster gives up on PostgreSQL with an error of its own,
    caused by that of the driver.
    """
    for each in (error, error.__cause__):
        if isinstance(each, Exception) and _TROUBLE_OF_A_DATABASE & {kind.__name__ for kind in type(each).__mro__}:
            return each if getattr(_original(each), "sqlite_errorcode", 0) != sqlite3.SQLITE_ERROR else None
    return None


def _original(error: Exception) -> Exception:
    """The driver's own error, of which SQLAlchemy's repeats the whole statement."""
    original = getattr(error, "orig", None)
    return original if isinstance(original, Exception) else error


def _words_of(error: Exception) -> str:
    """Its message; empty if even that cannot be computed."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a library's own `__str__`
        return ""


def from_status(
    status: int,
    message: str,
    *,
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
) -> DirectusAssetsError:
    """The error for an HTTP status of 400 and more.

    Args:
        status: the HTTP status code.
        message: what was attempted, without the status.
        remedy: what the reader can do.
        headers: response headers with lower-case (or case-insensitive) names, for `Retry-After`.
        fields: errors about single fields of the request.
    """
    text = f"{message} (HTTP {status})"
    if status in _TRANSIENT_STATUSES:
        retry_after = (headers or {}).get("retry-after")
        return Overloaded(text, remedy=remedy, retry_after_seconds=parse_retry_after(retry_after))
    kinds: dict[int, type[PermanentError]] = {401: Forbidden, 403: Forbidden, 404: NotFound, 410: NotFound}
    kind = kinds.get(status)
    return kind(text, remedy=remedy) if kind else Rejected(text, remedy=remedy, fields=fields)


def parse_retry_after(value: str | None, *, now: dt.datetime | None = None) -> float | None:
    """Seconds to wait from a `Retry-After` header (RFC 9110, 10.2.3), a number or a date, at most a day.

    None if there is none, or an invalid one.
    """
    if not value:
        return None
    try:
        return bounded_wait(float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        return bounded_wait((moment - (now or dt.datetime.now(dt.UTC))).total_seconds())
    except (ValueError, OverflowError):
        return None


def bounded_wait(seconds: float) -> float | None:
    """Limit to 0 to `LONGEST_RETRY_AFTER_SECONDS`; None for NaN."""
    return None if math.isnan(seconds) else min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)


def printable(text: str) -> str:
    """`text` without what terminals, browsers or databases do not accept: NUL, and lone surrogates."""
    return _UNPRINTABLE.sub("\ufffd", text)
