"""A segment with its answer, the input of all checks."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from directus_assets.live_text import LivePart, added_parts
from directus_assets.translation import icu
from directus_assets.translation.glossary import Term
from directus_assets.translation.languages import Language
from directus_assets.translation.segments.model import Segment
from directus_assets.translation.segments.notation import PLACEHOLDER

URL = re.compile(r"(?:https?://|www\.)[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
# An address must not be preceded by a letter; otherwise a long word would take quadratic time.
EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
# Latin names appear without spaces in texts of other scripts.
_LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_RUN = re.compile(rf"[{_LATIN}]+|[^\W\d_{_LATIN}]+")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One segment with its answer, both with placeholders, and everything needed to check them.

    `is_pseudo`: the answer is not in a real language, so its language is not checked.
    """

    segment: Segment
    answer: str
    source: Language
    target: Language
    terms: Sequence[Term] = ()
    is_pseudo: bool = False

    @property
    def text(self) -> str:
        """The source text."""
        return self.segment.text

    @cached_property
    def message(self) -> icu.Message | None:
        """The source as an ICU message, if it is one; None if its arms contain markup."""
        return icu.message_in(self.text)

    @cached_property
    def bare_text(self) -> str:
        """The source without placeholders, URLs and addresses."""
        return _bare(self.text)

    @cached_property
    def bare_answer(self) -> str:
        """The answer without placeholders, URLs and addresses."""
        return _bare(self.answer)

    @cached_property
    def added(self) -> list[LivePart]:
        """The live parts of the answer that are not in the source."""
        return added_parts(without_placeholders(self.text), without_placeholders(self.answer))

    @cached_property
    def words(self) -> list[str]:
        """The source's words."""
        return WORD.findall(self.bare_text)

    @cached_property
    def new_letters(self) -> str:
        """The letters of the answer outside of words from the source: names and brands may stay as they are."""
        kept = {run.casefold() for run in _RUN.findall(self.bare_text)}
        for term in self.terms:
            kept |= {run.casefold() for run in _RUN.findall(term.fixed_translation(self.target) or "")}
        return "".join(run for run in _RUN.findall(self.bare_answer) if run.casefold() not in kept)

    @property
    def is_new(self) -> bool:
        """Whether most of the answer's letters are in words that the source does not contain."""
        return 2 * len(self.new_letters) > sum(map(str.isalpha, self.bare_answer))

    @property
    def crosses_languages(self) -> bool:
        """Whether source and target are different languages rather than variants of one."""
        return self.source.base != self.target.base


def weight(text: str) -> float:
    """The length of `text` in Latin letters: a Chinese or Japanese character says as much as two or three."""
    return sum(2.5 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1.0 for letter in text.strip())


def without_placeholders(text: str) -> str:
    """The readable part of a text."""
    # A single placeholder replaces something between words, a pair the markup of the words inside.
    return PLACEHOLDER.sub(lambda match: " " if match[0].endswith("/>") else "", text)


def _bare(text: str) -> str:
    return EMAIL.sub(" ", URL.sub(" ", without_placeholders(text)))
