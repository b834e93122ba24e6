"""The reconcile's view of some partitions: their rows in Directus and the state of their outputs."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from directus_assets.errors import PermanentError
from directus_assets.fast.latest import Latest
from directus_assets.isolation import fault_of
from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.orchestration.runs.report import OutputRecord
from directus_assets.planning.changes import Examination
from directus_assets.spending.usage import Usage

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Page(Protocol):
    """Some partitions of one subject."""

    @property
    def examination(self) -> Examination:
        """The state in Directus."""
        ...

    @property
    def gone(self) -> Sequence[str]:
        """Keys whose row is gone, or no longer is a source of outputs."""
        ...

    def is_lost(self, output: str, key: str, record: Latest) -> bool:
        """Whether an output that was recorded as made no longer exists."""
        ...

    def is_remembered(self, output: str, key: str) -> bool:
        """Whether an output without a record in Dagster was worked on before."""
        ...

    def is_there(self, output: str, key: str) -> bool:
        """Whether there is an output to adopt."""
        ...

    def adopt(self, output: str, key: str) -> OutputRecord | None:
        """Adopt the existing output; None if it turns out not to be correct."""
        ...


@dataclass(frozen=True)
class Careful:
    """A page in which a failing question about one output counts as unknown, and does not affect the others."""

    page: Page

    @property
    def examination(self) -> Examination:
        return self.page.examination

    @property
    def gone(self) -> Sequence[str]:
        return self.page.gone

    def is_lost(self, output: str, key: str, record: Latest) -> bool:
        return _answer(partial(self.page.is_lost, output, key, record), unknown=False)

    def is_remembered(self, output: str, key: str) -> bool:
        # There is a record, though it cannot be read.
        return _answer(partial(self.page.is_remembered, output, key), unknown=True)

    def is_there(self, output: str, key: str) -> bool:
        return _answer(partial(self.page.is_there, output, key), unknown=False)

    def adopt(self, output: str, key: str) -> OutputRecord | None:
        return _answer(partial(self.page.adopt, output, key), unknown=None)


@dataclass(frozen=True, kw_only=True)
class Unread:
    """Partitions that cannot be read: only the planned state of their outputs is known."""

    examination: Examination
    gone: Sequence[str] = ()

    def is_lost(self, output: str, key: str, record: Latest) -> bool:  # noqa: ARG002
        return False

    def is_remembered(self, output: str, key: str) -> bool:  # noqa: ARG002
        return False

    def is_there(self, output: str, key: str) -> bool:  # noqa: ARG002
        return False

    def adopt(self, output: str, key: str) -> OutputRecord | None:  # noqa: ARG002
        return None


def _answer(ask: Callable[[], T], *, unknown: T) -> T:
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - each output is compared on its own
        fault = fault_of(error)
        logger.warning("Could not check one output: %s", fault)
        return unknown


class Surveyor(Protocol):
    """Surveys one subject page by page. Good for one run of the reconcile."""

    @property
    def subject(self) -> Subject:
        """The surveyed subject."""
        ...

    def look(self, keys: Sequence[str]) -> Page:
        """Read what Directus has for these partitions."""
        ...


class WouldCostMoney(PermanentError):
    """The existing output is not correct: the engine would have to be called."""


class NoMoney:
    """A budget that pays for no request: correct outputs cost nothing."""

    def admit(self, estimate: Usage) -> None:  # noqa: ARG002 (any amount is too much)
        """Refuse every request.

        Raises:
            WouldCostMoney: always.
        """
        raise WouldCostMoney("The existing content does not match the current source.")

    def settle(self, used: Usage, estimate: Usage) -> None:
        """Do nothing, since nothing was admitted."""
