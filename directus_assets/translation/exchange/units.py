"""The units of a translation file in any format, and which of them can be stored in the memory."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from directus_assets.errors import BadInput
from directus_assets.translation.languages import language
from directus_assets.translation.memory import MemoryEntry, key_of_any_kind, languages_of, pair_of
from directus_assets.translation.segments.model import BadAnswer, Segment, SegmentTag, key_of
from directus_assets.translation.segments.notation import PLACEHOLDER, UNPRINTABLE, read


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchanged:
    """A text in two languages, as in a file.

    Attributes:
        number: its position in the file as people count: rows of a table including the header, units of TMX.
        source_language: its code.
        target_language: its code.
        source: the text, with placeholders.
        translation: of `source`.
        kind: the kind of place the text is from; empty if the file does not say.
        made_by: the translator: `person`, or the name of an engine. For readers of the file.
    """

    number: int
    source_language: str
    target_language: str
    source: str
    translation: str
    kind: str = ""
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A unit that is skipped, with the reason as a sentence."""

    number: int
    reason: str


class BrokenOff(BadInput):
    """The rest of the file cannot be read; the units before it are valid."""


@dataclass(frozen=True)
class Languages:
    """The languages of a project in Directus; empty if unknown.

    Other tools write codes differently, and omit the country.
    """

    codes: Collection[str] = ()

    def code_of(self, named: str) -> str:
        """The project's code for a language in a file.

        Raises:
            BadInput: the project lacks the language, or several languages may be meant.
        """
        if not named:
            raise BadInput("It does not name its languages.")
        if not self.codes or named in self.codes:
            return named
        return _code_among(named, tuple(self.codes))


@lru_cache(maxsize=256)
def _code_among(named: str, codes: tuple[str, ...]) -> str:
    tags = {code: _tag(code) for code in codes}
    wanted = _tag(named)
    found = [code for code, tag in tags.items() if tag == wanted]
    if not found and "-" not in wanted:
        found = [code for code, tag in tags.items() if tag.partition("-")[0] == wanted]
    if len(found) != 1:
        which = f"There are {', '.join(found)}" if found else f"It has {', '.join(codes)}"
        raise BadInput(f"The project has no language '{named}'. {which}.")
    return found[0]


def _tag(code: str) -> str:
    try:
        return language(code).tag.lower()
    except BadInput:
        return code.replace("_", "-").lower()


def unit_of(entry: MemoryEntry, number: int = 0) -> Exchanged:
    """Convert a memory entry for a file."""
    source, target = languages_of(entry.pair)
    return Exchanged(
        number=number,
        source_language=source,
        target_language=target,
        source=entry.source,
        translation=entry.text,
        kind=entry.kind,
        made_by="person" if entry.human else entry.engine,
    )


def checked(unit: Exchanged, languages: Languages) -> MemoryEntry | NotTaken:
    """Convert a unit to a human memory entry, or return why it is skipped."""
    try:
        return _entry(unit, languages)
    except BadAnswer as error:
        return NotTaken(unit.number, f"In the translation, {error.defect}")
    except BadInput as error:
        return NotTaken(unit.number, error.message)


def _entry(unit: Exchanged, languages: Languages) -> MemoryEntry:
    source, target = languages.code_of(unit.source_language), languages.code_of(unit.target_language)
    # Segments have no white space at their ends.
    text, translation = unit.source.strip(), unit.translation.strip()
    if source == target:
        raise BadInput("Both languages are the same.")
    if not text:
        raise BadInput("There is no source text.")
    read(_segment(text), translation)
    key = key_of(unit.kind, text) if unit.kind else key_of_any_kind(text)
    return MemoryEntry(pair=pair_of(source, target), key=key, source=text, text=translation, human=True, kind=unit.kind)


def _segment(text: str) -> Segment:
    """A segment with the placeholders of a text.

    Raises:
        BadInput: the placeholders are inconsistent.
    """
    found: dict[int, bool] = {}
    for match in PLACEHOLDER.finditer(text):
        found[int(match["number"])] = match["kind"] == "g"
    tags = tuple(SegmentTag(number=number, paired=paired, opening="") for number, paired in sorted(found.items()))
    segment = Segment(id="", text=text, placeholders=tags)
    try:
        # A source may contain control characters, a translation may not.
        read(segment, re.sub(UNPRINTABLE, "", text))
    except BadAnswer as error:
        raise BadInput(f"In the source text, {error.defect}") from None
    return segment
