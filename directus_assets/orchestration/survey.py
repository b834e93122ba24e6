"""What the reconcile sees of some partitions: what Directus has for them, and what there is of their outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import dagster as dg

from directus_assets.errors import PermanentError
from directus_assets.orchestration.subject import Subject
from directus_assets.planning import Examination
from directus_assets.translation.engines.protocol import Usage


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

    def is_lost(self, output: str, key: str, record: dg.EventLogRecord) -> bool:
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


def refuse_to_pay(estimate: Usage) -> None:  # noqa: ARG001 (whatever it is, it is too much)
    """Admits no request to an engine: what is right already costs nothing.

    Raises:
        WouldCostMoney: always.
    """
    raise WouldCostMoney("What is there is not right for the present source.")
