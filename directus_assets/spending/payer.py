"""Who pays for requests: asked before each one, and told after it what it has consumed."""

from dataclasses import dataclass, field
from typing import Protocol

from directus_assets.spending.usage import Usage


class Payer(Protocol):
    """Pays for requests to one engine; the project's `Purse`, as a rule."""

    def admit(self, estimate: Usage) -> None:
        """Called with the estimate before a request; stops it by raising a DirectusAssetsError."""

    def settle(self, used: Usage, estimate: Usage) -> None:
        """Called after an admitted request, whether it succeeded or not, with what it consumed and the estimate."""


class Unlimited:
    """Pays for whatever there is, and counts nothing."""

    def admit(self, estimate: Usage) -> None:
        """Admits it."""

    def settle(self, used: Usage, estimate: Usage) -> None:
        """Nothing."""


@dataclass
class Counting:
    """Pays from `payer`, and counts what has been consumed."""

    payer: Payer
    usage: Usage = field(default_factory=Usage)

    def admit(self, estimate: Usage) -> None:
        """As `payer`."""
        self.payer.admit(estimate)

    def settle(self, used: Usage, estimate: Usage) -> None:
        """As `payer`; what was used is counted first."""
        self.usage += used
        self.payer.settle(used, estimate)
