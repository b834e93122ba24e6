"""What the reconcile sees of some partitions: what Directus has for them, and what there is of their outputs."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from directus_assets.errors import PermanentError
from directus_assets.fast.latest import Latest
from directus_assets.isolation import fault_of
from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.planning.changes import Examination
from directus_assets.spending.usage import Usage

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """An output that is right as it is: what is to be recorded of it."""

    data_version: str
    metadata: Mapping[str, Any]


class Page(Protocol):
    """Some partitions of one subject."""

    @property
    def examination(self) -> Examination:
        """What Directus has for them."""
        ...

    @property
    def gone(self) -> Sequence[str]:
        """Keys whose row is gone, or is nothing that anything is derived from."""
        ...

    def is_lost(self, output: str, key: str, record: Latest) -> bool:
        """Whether what was recorded as made is not there any more."""
        ...

    def is_remembered(self, output: str, key: str) -> bool:
        """Whether an output that Dagster knows nothing of was worked on before."""
        ...

    def is_there(self, output: str, key: str) -> bool:
        """Whether there is something to adopt."""
        ...

    def adopt(self, output: str, key: str) -> Adopted | None:
        """Takes what is there; None where that turns out not to be right."""
        ...


@dataclass(frozen=True)
class Careful:
    """A page whose answers about one output fail without harm to any other: then nothing is known."""

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
        # Something is remembered, though it cannot be read.
        return _answer(partial(self.page.is_remembered, output, key), unknown=True)

    def is_there(self, output: str, key: str) -> bool:
        return _answer(partial(self.page.is_there, output, key), unknown=False)

    def adopt(self, output: str, key: str) -> Adopted | None:
        return _answer(partial(self.page.adopt, output, key), unknown=None)


@dataclass(frozen=True, kw_only=True)
class Unread:
    """Partitions that cannot be looked at: nothing is known of their outputs but what they would be planned as."""

    examination: Examination
    gone: Sequence[str] = ()

    def is_lost(self, output: str, key: str, record: Latest) -> bool:  # noqa: ARG002
        return False

    def is_remembered(self, output: str, key: str) -> bool:  # noqa: ARG002
        return False

    def is_there(self, output: str, key: str) -> bool:  # noqa: ARG002
        return False

    def adopt(self, output: str, key: str) -> Adopted | None:  # noqa: ARG002
        return None


def _answer(ask: Callable[[], T], *, unknown: T) -> T:
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - each output is compared on its own
        fault = fault_of(error)
        logger.warning("Could not check one output: %s", fault)
        return unknown


class Surveyor(Protocol):
    """Looks at one subject, page by page. Good for one run of the reconcile."""

    @property
    def subject(self) -> Subject:
        """What is looked at."""
        ...

    def look(self, keys: Sequence[str]) -> Page:
        """Reads what Directus has for these partitions."""
        ...


class WouldCostMoney(PermanentError):
    """What is there is not right: the engine would have to be asked."""


class NoMoney:
    """Pays for no request to an engine: what is right already costs nothing."""

    def admit(self, estimate: Usage) -> None:  # noqa: ARG002 (whatever it is, it is too much)
        """Admits nothing.

        Raises:
            WouldCostMoney: always.
        """
        raise WouldCostMoney("The existing content does not match the current source.")

    def settle(self, used: Usage, estimate: Usage) -> None:
        """Nothing: nothing was admitted."""
