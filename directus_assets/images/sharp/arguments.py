"""Validates the values that a preset passes to sharp, with sharp's own ranges (its `lib/is`).

Each check returns the value in libvips' form and raises `BadInput` for a value that sharp refuses.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeGuard, TypeVar

from PIL import ImageColor

from directus_assets.directus.models import MISSING
from directus_assets.errors import BadInput
from directus_assets.images.sharp import NotReproducible

Check: TypeAlias = Callable[[str, object], Any]
Colour: TypeAlias = tuple[float, float, float, float]
"""Red, green, blue and alpha, each from 0 to 255."""

Value = TypeVar("Value")

_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)


def is_defined(value: object) -> bool:
    """Whether the value is defined in JavaScript's sense: neither undefined nor null."""
    return value is not MISSING and value is not None


def is_number(value: object) -> TypeGuard[float]:
    """Whether `value` is a finite number; in JavaScript, unlike in Python, booleans are not numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_integer(value: object) -> TypeGuard[float]:
    """Whether `value` is an integer; JavaScript does not distinguish 90 from 90.0."""
    return is_number(value) and float(value).is_integer()


def expected(what: str, name: str, value: object) -> BadInput:
    """The error for a value that sharp refuses."""
    return BadInput(f"`{name}` is {value!r}, but sharp wants {what}.")


def number(low: float = -math.inf, high: float = math.inf) -> Check:
    """A number from `low` to `high`."""

    def check(name: str, value: object) -> float:
        if not is_number(value) or not low <= value <= high:
            raise expected(f"a number from {low} to {high}", name, value)
        return value

    return check


def integer(low: float = -math.inf, high: float = math.inf) -> Check:
    """A whole number from `low` to `high`."""

    def check(name: str, value: object) -> int:
        if not is_integer(value) or not low <= value <= high:
            raise expected(f"a whole number from {low} to {high}", name, value)
        return int(value)

    return check


def boolean(name: str, value: object) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        raise expected("true or false", name, value)
    return value


def one_of(*names: str) -> Check:
    """One of these words."""
    return word({name: name for name in names})


def word(meanings: Mapping[str, Value]) -> Check:
    """One of these words, converted to its meaning."""

    def check(name: str, value: object) -> Value:
        if not isinstance(value, str) or value not in meanings:
            raise expected(f"one of {', '.join(meanings)}", name, value)
        return meanings[value]

    return check


def colour(name: str, value: object) -> Colour:
    """A colour by its CSS name or in hexadecimal, or as an object of `r`, `g`, `b` and `alpha` (0 to 1)."""
    if isinstance(value, str):
        return _css_colour(name, value)
    if isinstance(value, Mapping) and {"r", "g", "b"} <= value.keys() <= {"r", "g", "b", "alpha"}:
        if not all(map(is_number, value.values())):
            raise expected("numbers in a colour", name, value)
        red, green, blue = (min(max(value[band], 0), 255) for band in "rgb")
        alpha = min(max(value.get("alpha", 1), 0), 1)
        return red, green, blue, math.floor(alpha * 255 + 0.5)
    raise expected("a colour such as '#ff8800', 'white' or {r, g, b, alpha}", name, value)


def _css_colour(name: str, value: str) -> Colour:
    if value.lower() == "transparent":
        return 0, 0, 0, 0
    if not _HEX.fullmatch(value) and value.lower() not in ImageColor.colormap:
        raise NotReproducible(f"`{name}` is {value!r}: of colours, only CSS names and hexadecimal ones are understood.")
    red, green, blue, *alpha = ImageColor.getrgb(value.lower())
    return red, green, blue, alpha[0] if alpha else 255


def checked(given: object, checks: Mapping[str, tuple[str, Check]]) -> dict[str, Any]:
    """The defined options in `given`, validated and renamed.

    Args:
        given: the options object of a method; any other value has no options.
        checks: our name and the check for each of sharp's options.
    """
    if not isinstance(given, Mapping):
        return {}
    return {
        ours: check(theirs, given[theirs]) for theirs, (ours, check) in checks.items() if is_defined(given.get(theirs))
    }
