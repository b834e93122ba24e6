"""The rim where our code meets Dagster, which stores and shows whatever leaves it, with all of its causes.

Errors of this package are redacted when they are made. Others are not: libraries repeat addresses, headers and
arguments. So the body of every asset, op, sensor and schedule is wrapped in `without_secrets`.
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
    """The same body; of an error that holds a credential, Dagster is told what it says without it.

    All other errors leave it as they are.
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
        # What is raised for Dagster to act upon is made of our own errors; only its causes may be others.
        is_order = isinstance(error, (dg.Failure, dg.RetryRequested))
        raise (error if is_order else as_error(error)).with_traceback(error.__traceback__) from None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, as far as Python and Dagster show them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
