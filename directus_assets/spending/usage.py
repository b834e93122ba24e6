"""What requests to engines consume."""

from dataclasses import dataclass
from typing import Final

_MOST_COUNTED: Final = 10**9
"""Tokens or characters: no request has as many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What requests consumed. `cached_tokens` are part of `input_tokens`; `characters` are of the source.

    Where a service does not tell, or tells what cannot be (see `counted`), the numbers are estimates.
    """

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    characters: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            characters=self.characters + other.characters,
        )


def counted(value: object) -> int | None:
    """A count of tokens or characters as a service tells it; None where it is none that can be."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MOST_COUNTED:
        return None
    return int(value) if value == int(value) else None
