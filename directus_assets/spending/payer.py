"""Interface for payers, which admit each request in advance and learn its usage afterwards."""

from dataclasses import dataclass, field
from typing import Protocol

from directus_assets.spending.usage import Usage


class Payer(Protocol):
    """Pays for requests to one engine; usually the project's `Purse`."""

    def admit(self, estimate: Usage) -> None:
        """Called with the estimate before a request; raises a DirectusAssetsError to stop it."""

    def settle(self, used: Usage, estimate: Usage) -> None:
        """Called after an admitted request, successful or not, with its usage and the estimate."""


class Unlimited:
    """Admits everything, and counts nothing."""

    def admit(self, estimate: Usage) -> None:
        """Admit it."""

    def settle(self, used: Usage, estimate: Usage) -> None:
        """Do nothing."""


@dataclass
class Counting:
    """Pays through `payer`, and counts the usage."""

    payer: Payer
    usage: Usage = field(default_factory=Usage)

    def admit(self, estimate: Usage) -> None:
        """Delegate to `payer`."""
        self.payer.admit(estimate)

    def settle(self, used: Usage, estimate: Usage) -> None:
        """Count the usage, then delegate to `payer`."""
        self.usage += used
        self.payer.settle(used, estimate)
