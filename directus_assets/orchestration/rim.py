"""The boundary to Dagster, which stores and shows every error that crosses it, with all causes.

Our own errors are redacted when they are created. Others are not: libraries repeat addresses, headers and arguments. So
the body of every asset, op, sensor and schedule is wrapped in `without_secrets`.
"""

import functools
import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar, cast

import dagster as dg

from directus_assets.errors import as_error, printable
from directus_assets.redaction import redact

P = ParamSpec("P")
R = TypeVar("R")


def without_secrets(body: Callable[P, R]) -> Callable[P, R]:
    """Wrap a body so that Dagster receives an error that contains a credential as its redacted message only.

    All other errors pass unchanged.
    """

    @functools.wraps(body)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with _redacted():
            return body(*args, **kwargs)

    @functools.wraps(body)
    def generating(*args: P.args, **kwargs: P.kwargs) -> Iterator[object]:
        with _redacted():
            yield from cast("Iterator[object]", body(*args, **kwargs))

    return cast("Callable[P, R]", generating) if inspect.isgeneratorfunction(body) else wrapped


@contextmanager
def _redacted() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        told = [text for each in _chain(error) for text in traceback.format_exception_only(each)]
        if all(text == printable(redact(text)) for text in told):
            raise
        # Errors that give Dagster an instruction are built from our own errors; only their causes may come from
        # elsewhere.
        is_order = isinstance(error, (dg.Failure, dg.RetryRequested))
        raise (error if is_order else as_error(error)).with_traceback(error.__traceback__) from None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, as far as Python and Dagster show them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
