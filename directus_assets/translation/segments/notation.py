"""The notation for placeholders: `<g1>…</g1>` around text, `<x2/>` in place of something.

It is XML, so DeepL's tag handling parses it once the surrounding text is escaped, and models copy it reliably. Text
that looks like a placeholder is itself replaced by one (see `protected`), so no escaping is needed.
"""

import re
from typing import Final, NamedTuple

from directus_assets.translation.segments.model import BadAnswer, Segment

PLACEHOLDER: Final = re.compile(r"<(?P<slash>/?)(?P<kind>[gx])(?P<number>[0-9]{1,6})(?P<single>/?)>")
"""Everything that is, or resembles, a placeholder."""

# Characters that text fields do not accept: PostgreSQL refuses NUL, JSON encoders lone surrogates, and browsers show
# the rest as boxes.
UNPRINTABLE: Final = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]"


class Mark(NamedTuple):
    """One placeholder tag: `shape` is "open", "close" or "single"."""

    shape: str
    number: int

    def __str__(self) -> str:
        return {"open": f"<g{self.number}>", "close": f"</g{self.number}>", "single": f"<x{self.number}/>"}[self.shape]


_SHAPES: Final = {("", "g", ""): "open", ("/", "g", ""): "close", ("", "x", "/"): "single"}


def marks(segment: Segment) -> set[Mark]:
    """All tags that an answer for this segment must contain, each once."""
    wanted: set[Mark] = set()
    for placeholder in segment.placeholders:
        shapes = ("open", "close") if placeholder.paired else ("single",)
        wanted.update(Mark(shape, placeholder.number) for shape in shapes)
    return wanted


def read(segment: Segment, answer: str) -> list[str | Mark]:
    """Parse the answer into alternating text and placeholder tags, without white space at its ends.

    Raises:
        BadAnswer: it is empty, contains control characters, or its placeholders are not those of the segment, each
            exactly once and properly nested. The defect names the placeholder.
    """
    answer = answer.strip()
    if not PLACEHOLDER.sub("", answer).strip():
        raise BadAnswer(segment.id, "it holds no text.")
    if found := re.search(UNPRINTABLE, answer):
        raise BadAnswer(segment.id, f"it holds the control character U+{ord(found[0]):04X}.")
    parts = _parts(segment, answer)
    _check_nesting(segment, [part for part in parts if isinstance(part, Mark)])
    return parts


def _parts(segment: Segment, answer: str) -> list[str | Mark]:
    parts: list[str | Mark] = []
    position = 0
    for match in PLACEHOLDER.finditer(answer):
        shape = _SHAPES.get((match["slash"], match["kind"], match["single"]))
        if shape is None:
            raise BadAnswer(segment.id, f"{match[0]} is no placeholder of the source.")
        if match.start() > position:
            parts.append(answer[position : match.start()])
        parts.append(Mark(shape, int(match["number"])))
        position = match.end()
    if position < len(answer):
        parts.append(answer[position:])
    return parts


def _check_nesting(segment: Segment, found: list[Mark]) -> None:
    missing = marks(segment)
    seen: set[Mark] = set()
    open_numbers: list[int] = []
    for mark in found:
        if mark in seen:
            raise BadAnswer(segment.id, f"the placeholder {mark} appears twice.")
        if mark not in missing:
            raise BadAnswer(segment.id, f"{mark} is no placeholder of the source.")
        missing.remove(mark)
        seen.add(mark)
        if mark.shape == "open":
            open_numbers.append(mark.number)
        elif mark.shape == "close" and (not open_numbers or open_numbers.pop() != mark.number):
            raise BadAnswer(segment.id, f"{mark} closes a placeholder that is not the last one opened.")
    if missing:
        names = ", ".join(str(mark) for mark in sorted(missing, key=lambda mark: (mark.number, mark.shape != "open")))
        raise BadAnswer(segment.id, f"the placeholder {names} is missing.")
