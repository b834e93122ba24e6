"""The usage of engine requests."""

from dataclasses import dataclass
from typing import Final

_MOST_COUNTED: Final = 10**9
"""Tokens or characters: no request has this many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """The usage of requests. `cached_tokens` are part of `input_tokens`; `characters` are those of the source.

    If a service reports none, or implausible numbers (see `counted`), they are estimates.
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
    """A service's count of tokens or characters; None if it is implausible."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MOST_COUNTED:
        return None
    return int(value) if value == int(value) else None
