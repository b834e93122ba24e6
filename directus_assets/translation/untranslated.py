"""Checks whether an answer repeats the source, or a part of it; and what may legitimately stay untranslated."""

import re
from typing import Final

from directus_assets.translation.case import WORD, Case

_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s*|\n")
# Typed into a terminal: a known program, or an option.
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
"""Words of sentences and headlines that are rare in names and titles."""


def echo(case: Case) -> str | None:
    """The whole source is repeated, and is not a name, title, address or command."""
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


def left_in(case: Case) -> str | None:
    """A source sentence among translated ones."""
    if not case.crosses_languages or case.is_pseudo:
        return None
    if case.source.has_no_spaces:
        parts = (part.strip() for part in _SENTENCE.split(case.bare_text))
        found = next((s for s in parts if sum(map(str.isalpha, s)) >= 10 and s in case.bare_answer != s), "")
        return f"A sentence of the source was not translated: '{found[:80]}'." if found else None
    words = " ".join(WORD.findall(case.bare_answer)).casefold()
    for sentence in _SENTENCE.split(case.bare_text):
        left = WORD.findall(sentence)
        is_sentence = len(left) >= 5 and sum(word[0].islower() for word in left) >= 3 and not _stays(sentence)
        if is_sentence and f" {' '.join(left).casefold()} " in f" {words} " and words != " ".join(left).casefold():
            return f"A sentence of the source was not translated: '{sentence.strip()[:80]}'."
    return None


def _stays(text: str) -> bool:
    """Whether `text` stays untranslated: a command, or a name, title or address with capitalised words."""
    if _COMMAND.search(text):
        return True
    words = WORD.findall(text)
    is_named = all(word[0].isupper() or len(word) <= _LONGEST_PARTICLE for word in words)
    has_mark = any(word[0].islower() for word in words[1:]) or any(map(str.isdigit, text))
    return is_named and has_mark and not any(word.lower() in _SPOKEN for word in words)


def _is_kept(case: Case) -> bool:
    """Whether the glossary requires this very text to stay."""
    return any(term.fixed_translation(case.target) == case.bare_text.strip() for term in case.terms)
