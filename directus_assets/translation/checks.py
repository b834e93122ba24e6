"""What is wrong with an answer, segment by segment, before anything of it is written.

Each check is a pure function that gives one sentence, which goes to the engine in the repair request and to the editor
when the repair fails too. A check that is unsure stays silent: a false alarm costs a request and then the partition.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from directus_assets.live_text import Kind, Part, added_parts
from directus_assets.translation.form_checks import (
    changed_lines,
    emptied_pair,
    escaped_characters,
    lost_markup,
    turned_inside_out,
)
from directus_assets.translation.glossary import Term, terms_in
from directus_assets.translation.language_check import detected_language
from directus_assets.translation.languages import Language, unicode_script
from directus_assets.translation.numbers import changed_numbers
from directus_assets.translation.segments.model import BadAnswer, Segment
from directus_assets.translation.segments.notation import PLACEHOLDER, read

SLUG: Final = "slug"
"""The context of a segment that becomes part of an address: it may stay in Latin letters, and be shortened."""

_URL = re.compile(r"(?:https?://|www\.)[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
# Addresses start where no letter stands before, else a long word costs the square of its length.
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LOOP = re.compile(r"(.{4,80}?)\1{4,}|(\S)\2{19,}", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
# Latin names stand without a space in a text of another script.
_LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_RUN = re.compile(rf"[{_LATIN}]+|[^\W\d_{_LATIN}]+")
_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s*|\n")
# What is typed into a terminal: a known program, or an option.
_COMMAND = re.compile(
    r"^\W*(?:sudo|npm|npx|yarn|pnpm|pip3?|docker|git|curl|wget|cd|apt(?:-get)?|brew|kubectl|helm|ssh|cargo) [a-z./-]"
    r"|(?:^|\s)--[a-z][\w-]+(?:[\s=]|$)"
)
_LONGEST_PARTICLE: Final = 3
_SPOKEN: Final = frozenset(
    (  # noqa: SIM905 - a list of words reads best as such
        "how why what when where who which your our my we you i it is are was were be been can will would should must "
        "do does don't did not let get has have had please all new best now try buy see use add"
    ).split()
)
"""Words of sentences and headlines, which names and titles rarely have."""
_LABEL = re.compile(
    r"^\W*(?:(?:the )?translat(?:ion|ed text)\b.{0,30}:|"
    r"(?:übersetzung|traduction|traducción|traduzione|tradução|翻訳|翻译|译文|перевод)\s*[:\uff1a])",
    re.IGNORECASE,
)
_COLON = re.compile(r"[:\uff1a]")
_LEAKS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\W*(?:sure|certainly|of course|okay)[,!.:]\s+(?:here|i)\b",
        r"^\W*here(?:'s|\u2019s| is| are)\b.{0,40}\btranslat",
        r"\bas an ai\b",
        r"\bi(?:'m| am) sorry, (?:but )?i\b",
        r"\bi (?:can(?:no|')t|am unable to) (?:translate|assist|help)\b",
        r"```|<\|(?:im_|end)|\bsource_segments\b",
    )
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One segment with its answer, both with placeholders, and what decides whether they fit.

    `is_pseudo`: the answer is in no language at all, so that none can be the wrong one.
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
    def bare_text(self) -> str:
        """The source without placeholders, URLs and addresses."""
        return _bare(self.text)

    @cached_property
    def bare_answer(self) -> str:
        """The answer without placeholders, URLs and addresses."""
        return _bare(self.answer)

    @cached_property
    def added(self) -> list[Part]:
        """What of the answer would be acted upon, and is not in the source."""
        return added_parts(_without_placeholders(self.text), _without_placeholders(self.answer))

    @cached_property
    def words(self) -> list[str]:
        """The source's words."""
        return _WORD.findall(self.bare_text)

    @cached_property
    def new_letters(self) -> str:
        """The letters of the answer without words of the source: names and brands may stay as they are."""
        kept = {run.casefold() for run in _RUN.findall(self.bare_text)}
        for term in self.terms:
            kept |= {run.casefold() for run in _RUN.findall(term.fixed_translation(self.target) or "")}
        return "".join(run for run in _RUN.findall(self.bare_answer) if run.casefold() not in kept)

    @property
    def is_new(self) -> bool:
        """Whether most of the answer's letters are in words that the source does not have."""
        return 2 * len(self.new_letters) > sum(map(str.isalpha, self.bare_answer))

    @property
    def crosses_languages(self) -> bool:
        """Whether source and target are different languages, and not variants of one."""
        return self.source.base != self.target.base


def defects(case: Case) -> tuple[str, ...]:
    """One sentence for each thing that is wrong with `case.answer`; empty for an answer that can be written."""
    return tuple(sentence for check in _CHECKS if (sentence := check(case)))


def shared_defect(cases: Sequence[Case]) -> str | None:
    """What is wrong with answers that are each fine, taken together: many short ones in the wrong language.

    Answers that mostly repeat words of their source are left out: lists of names are the same in every language.
    """
    texts = [case.bare_answer for case in cases if case.is_new]
    return _foreign("\n".join(texts), cases[0]) if texts else None


def _foreign(text: str, case: Case) -> str | None:
    if case.is_pseudo or not case.crosses_languages or (found := detected_language(text, target=case.target)) is None:
        return None
    return f"The translation is in {found}, not in {case.target.name}."


def _fits(case: Case) -> str | None:
    try:
        read(case.segment, case.answer)
    except BadAnswer as error:
        return error.defect[:1].upper() + error.defect[1:]
    return None


def _numbers(case: Case) -> str | None:
    languages = case.source, case.target
    lost, made_up = changed_numbers(case.bare_text, case.bare_answer, languages=languages)
    parts = [f"lost {', '.join(lost)}"] if lost else []
    parts += [f"made up {', '.join(made_up)}"] if made_up else []
    return (
        f"Numbers were changed: {' and '.join(parts)} (here with a decimal point and no other separators)."
        if parts
        else None
    )


def _addresses(case: Case) -> str | None:
    lost = Counter(_addresses_in(case.text)) - Counter(_addresses_in(case.answer))
    made_up = [part.text for part in case.added if part.kind in (Kind.ADDRESS, Kind.SCHEME)]
    if not lost and not made_up:
        return None
    parts = [f"lost {' '.join(lost.elements())}"] if lost else []
    parts += [f"made up {' '.join(made_up)[:200]}"] if made_up else []
    return f"URLs or e-mail addresses were changed: {' and '.join(parts)}. Keep them exactly."


def _markup(case: Case) -> str | None:
    extra = [part for part in case.added if part.kind not in (Kind.ADDRESS, Kind.SCHEME)]
    if not extra:
        return None
    kinds = " and ".join(dict.fromkeys(part.kind for part in extra))
    return f"There is {kinds} that the source does not have: {' '.join(part.text for part in extra)[:200]}"


def _echo(case: Case) -> str | None:
    if not case.crosses_languages or case.bare_answer.casefold().split() != case.bare_text.casefold().split():
        return None
    if case.source.has_no_spaces:
        is_sentence = sum(map(str.isalpha, case.bare_text)) >= 10
    else:
        # Names, brands and single words are often the same in both languages; a few small words make it a sentence.
        is_sentence = len(case.words) >= 6 or (len(case.words) >= 4 and sum(w[0].islower() for w in case.words) >= 2)
    if not is_sentence or case.new_letters or _is_kept(case) or _stays(case.bare_text):
        return None
    return f"This is the source text again, not a translation into {case.target.name}."


def _left_in(case: Case) -> str | None:
    if not case.crosses_languages or case.is_pseudo:
        return None
    if case.source.has_no_spaces:
        parts = (part.strip() for part in _SENTENCE.split(case.bare_text))
        found = next((s for s in parts if sum(map(str.isalpha, s)) >= 10 and s in case.bare_answer != s), "")
        return f"A sentence of the source was not translated: '{found[:80]}'." if found else None
    words = " ".join(_WORD.findall(case.bare_answer)).casefold()
    for sentence in _SENTENCE.split(case.bare_text):
        left = _WORD.findall(sentence)
        is_sentence = len(left) >= 5 and sum(word[0].islower() for word in left) >= 3 and not _stays(sentence)
        if is_sentence and f" {' '.join(left).casefold()} " in f" {words} " and words != " ".join(left).casefold():
            return f"A sentence of the source was not translated: '{sentence.strip()[:80]}'."
    return None


def _stays(text: str) -> bool:
    """Whether `text` is what stays as it is: a command, or a name, title or address, whose words begin in capitals."""
    if _COMMAND.search(text):
        return True
    words = _WORD.findall(text)
    is_named = all(word[0].isupper() or len(word) <= _LONGEST_PARTICLE for word in words)
    has_mark = any(word[0].islower() for word in words[1:]) or any(map(str.isdigit, text))
    return is_named and has_mark and not any(word.lower() in _SPOKEN for word in words)


def _is_kept(case: Case) -> bool:
    """Whether the glossary wants this very text to stay."""
    return any(term.fixed_translation(case.target) == case.bare_text.strip() for term in case.terms)


def _script(case: Case) -> str | None:
    letters = case.new_letters
    if len(letters) < 6 or case.segment.context == SLUG:
        return None
    right = "".join(letter for letter in letters if case.target.writes(letter))
    if case.target.base == "ko" and not any(unicode_script(letter) == "HANGUL" for letter in right):
        right = ""  # Chinese characters stand beside the script of today, not instead of it
    # New Latin names are possible in every script, a text without any letter of the right one is not.
    return None if _weight(right) >= _weight(letters) / 3 else f"This is not in the script of {case.target.name}."


def _language(case: Case) -> str | None:
    return _foreign(case.bare_answer, case)


def _length(case: Case) -> str | None:
    before, after = _weight(case.bare_text), _weight(case.bare_answer)
    if after > 4 * before + 30:
        return "The translation is far longer than the source. Translate only what is there."
    if before >= 40 and after < 0.3 * before and case.segment.context != SLUG:
        return "The translation is far shorter than the source. Translate all of it."
    return None


def _repetition(case: Case) -> str | None:
    match = _LOOP.search(case.answer)
    if match is None or _LOOP.search(case.text):
        return None
    return f"The translation repeats itself: '{match[1] or match[2]}'."


def _glossary(case: Case) -> str | None:
    if case.segment.context == SLUG:
        return None
    for term in terms_in(case.bare_text, case.terms):
        wording = term.fixed_translation(case.target)
        if wording and not _has_wording(case.bare_answer, wording):
            return f"The glossary asks for '{wording}' as the translation of '{term.term}'."
    return None


def _leakage(case: Case) -> str | None:
    for pattern in (*_LEAKS, _LABEL):
        if pattern is _LABEL and len(_COLON.findall(case.answer)) <= len(_COLON.findall(case.text)):
            continue  # the real title "Translation: a history"
        if (match := pattern.search(case.answer)) and not pattern.search(case.text):
            return (
                f"There are words of your own in the translation: '{match[0][:60]}'. Answer with the translation only."
            )
    return None


def _of_form(check: Callable[[Segment, str], str | None]) -> Callable[[Case], str | None]:
    return lambda case: check(case.segment, case.answer)


_CHECKS: Final[tuple[Callable[[Case], str | None], ...]] = (
    _fits,
    _numbers,
    _addresses,
    _markup,
    *map(_of_form, (turned_inside_out, emptied_pair, changed_lines, escaped_characters, lost_markup)),
    _echo,
    _left_in,
    _script,
    _language,
    _length,
    _repetition,
    _glossary,
    _leakage,
)


def _without_placeholders(text: str) -> str:
    # A single placeholder stands for something between words, a pair for the markup of the words inside.
    return PLACEHOLDER.sub(lambda match: " " if match[0].endswith("/>") else "", text)


def _bare(text: str) -> str:
    return _EMAIL.sub(" ", _URL.sub(" ", _without_placeholders(text)))


def _addresses_in(text: str) -> list[str]:
    plain = _without_placeholders(text)
    urls = [url.rstrip(".,;:!?'*)]") for url in _URL.findall(plain)]
    return urls + _EMAIL.findall(_URL.sub(" ", plain))


def _weight(text: str) -> float:
    """The length of `text` in Latin letters: one of Chinese or Japanese says as much as two or three."""
    return sum(2.5 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1.0 for letter in text.strip())


def _has_wording(answer: str, wording: str) -> bool:
    """Whether `wording` is in `answer`; of longer words the beginning is enough, since languages inflect the end."""
    folded = answer.casefold()
    if wording.casefold() in folded:
        return True
    words = [word.casefold() for word in _WORD.findall(wording)]
    stems = [word if len(word) < 5 else word[: math.ceil(0.7 * len(word))] for word in words]
    return bool(stems) and all(stem in folded for stem in stems)
