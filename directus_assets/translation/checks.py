"""Checks answers segment by segment before anything is written.

Each check is a pure function that returns one sentence, which goes to the engine in the repair request and to the
editor if the repair fails too. A check in doubt stays silent: a false alarm costs a request and then fails the
partition.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from directus_assets.live_text import LiveKind
from directus_assets.translation import icu
from directus_assets.translation.case import EMAIL, URL, WORD, Case, weight, without_placeholders
from directus_assets.translation.common_words import other_language
from directus_assets.translation.form_checks import (
    changed_lines,
    changed_variables,
    emptied_pair,
    escaped_characters,
    lost_marks,
    lost_markup,
    swapped_pairs,
    turned_inside_out,
)
from directus_assets.translation.glossary import has_wording, terms_in
from directus_assets.translation.icu_check import broken
from directus_assets.translation.language_check import detected_language
from directus_assets.translation.languages import unicode_script
from directus_assets.translation.letters import foreign_letters, other_alphabet, unseen_characters
from directus_assets.translation.numbers import changed_numbers
from directus_assets.translation.own_words import no_words, own_words, several_versions, wrapped_up
from directus_assets.translation.segments.model import BadAnswer, Segment
from directus_assets.translation.segments.notation import read
from directus_assets.translation.sentences import missing_sentence
from directus_assets.translation.units import changed_units
from directus_assets.translation.untranslated import echo, left_in

SLUG: Final = "slug"
"""The context of a segment that becomes part of an address: it may stay in Latin letters, and be shortened."""

_NUMBER: Final = re.compile(r"\d+")
_MOST_READINGS: Final = 60
_LONG: Final = 80
_LOOP = re.compile(r"(.{4,80}?)\1{4,}|(\S)\2{19,}", re.DOTALL)


def defects(case: Case) -> tuple[str, ...]:
    """One sentence per defect of `case.answer`; empty for an answer that can be written."""
    if case.message is not None and (wrong := broken(case.message, case.answer, case.target)):
        return (wrong,)
    sentences = (check(reading) for reading in _readings(case) for check in _CHECKS)
    return tuple(dict.fromkeys(filter(None, sentences)))


def shared_defect(cases: Sequence[Case]) -> str | None:
    """A defect that only shows in many answers taken together: short texts in the wrong language.

    Answers that mostly repeat words of their source are ignored: lists of names are the same in every language.
    """
    texts = [reading.bare_answer for case in cases for reading in _readings(case) if reading.is_new]
    # A single one was judged on its own.
    return _foreign("\n".join(texts), cases[0]) if len(texts) > 1 else None


def _readings(case: Case) -> Iterator[Case]:
    """The case itself or, for an ICU message, one case for each way to read it."""
    if case.message is None or (translated := icu.parse(case.answer)) is None:
        yield case
        return
    for own, original in islice(icu.pairs(case.message, translated), _MOST_READINGS):
        answer = own.text.strip()
        if own.numbers > original.numbers and (number := _NUMBER.search(original.text)) and number[0] not in answer:
            answer = f"{number[0]} {answer}"  # where English says "1 file", other languages have `# file`
        if any(map(str.isalpha, original.text)):
            yield replace(case, segment=replace(case.segment, text=original.text.strip()), answer=answer)


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
    # Pseudo-translations keep the spelling of numbers: "3,000" then still means three thousand, not three.
    languages = case.source, case.source if case.is_pseudo else case.target
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
    made_up = [part.text for part in case.added if part.kind in (LiveKind.ADDRESS, LiveKind.SCHEME)]
    if not lost and not made_up:
        return None
    parts = [f"lost {' '.join(lost.elements())}"] if lost else []
    parts += [f"made up {' '.join(made_up)[:200]}"] if made_up else []
    return f"URLs or e-mail addresses were changed: {' and '.join(parts)}. Keep them exactly."


def _markup(case: Case) -> str | None:
    extra = [part for part in case.added if part.kind not in (LiveKind.ADDRESS, LiveKind.SCHEME)]
    if not extra:
        return None
    kinds = " and ".join(dict.fromkeys(part.kind for part in extra))
    return f"There is {kinds} that the source does not have: {' '.join(part.text for part in extra)[:200]}"


def _script(case: Case) -> str | None:
    letters = case.new_letters
    if len(letters) < 6 or case.segment.context == SLUG:
        return None
    right = "".join(letter for letter in letters if case.target.writes(letter))
    if case.target.base == "ko" and not any(unicode_script(letter) == "HANGUL" for letter in right):
        right = ""  # Chinese characters accompany the modern script, rather than replace it
    # New Latin names are acceptable in any script, but a text without any letter of the right script is not.
    return None if weight(right) >= weight(letters) / 3 else f"This is not in the script of {case.target.name}."


def _language(case: Case) -> str | None:
    return _foreign(case.bare_answer, case)


def _length(case: Case) -> str | None:
    before, after = weight(case.bare_text), weight(case.bare_answer)
    if after > 4 * before + 30:
        return "The translation is far longer than the source. Translate only what is there."
    if before >= 40 and after < 0.3 * before and case.segment.context != SLUG:
        return "The translation is far shorter than the source. Translate all of it."
    if before >= _LONG and case.answer.endswith(("…", "...")) and "…" not in case.text and "..." not in case.text:
        return "The translation breaks off. Translate all of the source."
    return None


def _repetition(case: Case) -> str | None:
    match = _LOOP.search(case.answer)
    if match and not _LOOP.search(case.text):
        return f"The translation repeats itself: '{match[1] or match[2]}'."
    if (half := _half(case.bare_answer)) and not _half(case.bare_text):
        return f"The translation is there twice: '{half[:60]}'."
    return None


def _half(text: str) -> str:
    """Half of a text that repeats the same phrase; empty for other texts."""
    words = text.casefold().split()
    middle = len(words) // 2
    first, second = (" ".join(part).strip(".,;:!?/ ") for part in (words[:middle], words[middle:]))
    return first if middle > 1 and first == second else ""


def _glossary(case: Case) -> str | None:
    if case.segment.context == SLUG or case.is_pseudo:
        return None
    for term in terms_in(case.bare_text, case.terms):
        wording = term.fixed_translation(case.target)
        if wording and not _has_wording(case.bare_answer, wording):
            return f"The glossary asks for '{wording}' as the translation of '{term.term}'."
        for forbidden in term.forbidden_wordings(case.target):
            if has_wording(_seen(case.bare_answer), forbidden):
                return f"The glossary forbids '{forbidden}' as the translation of '{term.term}'."
    return None


def _of_form(check: Callable[[Segment, str], str | None]) -> Callable[[Case], str | None]:
    return lambda case: check(case.segment, case.answer)


_CHECKS: Final[tuple[Callable[[Case], str | None], ...]] = (
    _fits,
    _numbers,
    changed_units,
    _addresses,
    _markup,
    *map(_of_form, (turned_inside_out, emptied_pair, swapped_pairs, changed_lines, lost_marks)),
    *map(_of_form, (changed_variables, escaped_characters, lost_markup)),
    echo,
    left_in,
    _script,
    foreign_letters,
    other_alphabet,
    unseen_characters,
    other_language,
    _language,
    missing_sentence,
    _length,
    _repetition,
    _glossary,
    own_words,
    several_versions,
    wrapped_up,
    no_words,
)


def _addresses_in(text: str) -> list[str]:
    plain = without_placeholders(text)
    urls = [url.rstrip(".,;:!?'*)]") for url in URL.findall(plain)]
    return urls + EMAIL.findall(URL.sub(" ", plain))


def _seen(text: str) -> str:
    """`text` as readers see it: all spaces are equal, and soft hyphens are removed."""
    return " ".join(text.replace("\u00ad", "").split())


def _has_wording(answer: str, wording: str) -> bool:
    """Whether `wording` is in `answer`; for longer words the beginning is enough, since languages inflect endings."""
    folded = _seen(answer).casefold()
    if wording.casefold() in folded or has_wording(folded, wording):
        return True
    words = [_without_accents(word.casefold()) for word in WORD.findall(wording)]
    stems = [word if len(word) < 5 else word[: math.ceil(0.7 * len(word))] for word in words]
    plain = _without_accents(folded)
    return bool(stems) and all(stem in plain for stem in stems)


def _without_accents(text: str) -> str:
    """`text` with one form of each letter, since a plural may change a vowel: Haus, Häuser."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Mn")
