"""Checks whether an answer repeats the source, or a part of it; and what may legitimately stay untranslated."""

import re
from typing import Final

from directus_assets.translation.case import EMAIL, URL, WORD, Case, without_placeholders
from directus_assets.translation.common_words import common_words
from directus_assets.translation.language_check import are_alike

_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s*|\n")
_CLAUSE = re.compile(rf"{_SENTENCE.pattern}|[,;:()]")
# Typed into a terminal: a known program, or an option.
_COMMAND = re.compile(
    r"^\W*(?:sudo|npm|npx|yarn|pnpm|pip3?|docker|git|curl|wget|cd|apt(?:-get)?|brew|kubectl|helm|ssh|cargo) [a-z./-]"
    r"|(?:^|\s)--[a-z][\w-]+(?:[\s=]|$)"
    # Queries, and calls and assignments in programs.
    r"|^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP) "
    r"|^\s*(?:const|let|var|import|from|export|return|echo) .*[={}()\"'$]|[;{]\s*$"
)
_QUOTED = re.compile("\"[^\"]+\"|[„“”][^„“”]+[“”]|«[^«»]+»|(?<!\\w)['‘’][^'‘’]+['‘’](?!\\w)")
_BEFORE_TRANSLATION = re.compile(r"\s*(?:→|->|=>|=|⇒|:|\uff1a|\n|\s[-–—|/]\s)\s*\w")
# Boundaries between Latin words and text in a script without spaces.
_OTHER_SCRIPT = re.compile(r"(?<=[\u0e00-\uffdc])(?=[a-z])|(?<=[a-z])(?=[\u0e00-\uffdc])")
_LONG_RUN: Final = 5
_LEAST_PROSE: Final = 3
_LONGEST_PARTICLE: Final = 3
_LONG_PARTICLES: Final = frozenset(
    {"with", "from", "into", "over", "upon", "under", "della", "delle", "dello", "degli"}
)
_SPOKEN: Final = frozenset(
    (  # noqa: SIM905 - a list of words reads best as such
        "how why what when where who which your our my we you i it is are was were be been can will would should must "
        "do does don't did not let get has have had please all new best now try buy see use add"
    ).split()
)
"""Words of sentences and headlines that are rare in names and titles."""

_SAID: Final = {
    base: frozenset(words.split())
    for base, words in {
        "en": "we us our you your they their she his her are was were can will would should must don't how why what "
        "when where who please today tomorrow soon read contact find learn",
        "de": "wir ihr sie uns ich du dich dir ist sind war wird nicht können haben warum wie was wo wer wenn jetzt "
        "unser unsere ihre ihren dein deine",
        "fr": "nous vous notre votre nos vos je elle est sont pas pourquoi comment où ici",
        "es": "nosotros nuestro nuestra tu su sus son qué cómo dónde quiénes más aquí usted está somos",
        "it": "noi voi siamo sono è non perché chi dove nostro nostra vostro più qui",
        "pt": "nós você nosso nossa é são não como onde quem mais aqui seu sua somos",
        "nl": "wij we ons onze je jouw uw zijn niet waarom hoe wat waar wie meer contact",
        "sv": "vi oss vår vårt din är inte varför hur vad vem mer dig söker",
        "da": "vi os vores din er ikke hvorfor hvordan hvad hvor hvem mere dig",
        "nb": "vi oss vår vårt din er ikke hvorfor hvordan hva hvor hvem mer deg",
        "pl": "nas nasz nasze jest są nie dlaczego jak co gdzie kto więcej się",
        "cs": "nás náš naše jsou proč jak co kde kdo více se",
        "fi": "meidän ovat miksi miten mitä missä kuka lisää",
    }.items()
}
"""Words of sentences that names, titles and dishes rarely have; most are pronouns, verbs and question words."""


def echo(case: Case) -> str | None:
    """The whole source is repeated, and is not a name, title, address or command."""
    if not case.crosses_languages or case.bare_answer.casefold().split() != case.bare_text.casefold().split():
        return None
    if case.source.has_no_spaces:
        is_sentence = sum(map(str.isalpha, case.bare_text)) >= 10
    else:
        # Names, brands and single words are often the same in both languages; a few small words make it a sentence.
        is_sentence = len(case.words) >= 6 or (len(case.words) >= 4 and sum(w[0].islower() for w in case.words) >= 2)
        is_sentence = is_sentence or _says_something(case)
    if not is_sentence or case.new_letters or _is_kept(case):
        return None
    if _stays(case.bare_text) and not _says_something(case):
        return None
    return f"This is the source text again, not a translation into {case.target.name}."


def left_in(case: Case) -> str | None:
    """A source sentence, or a long part of one, among translated ones."""
    if not case.crosses_languages or case.is_pseudo:
        return None
    if case.source.has_no_spaces:
        parts = (part.strip() for part in _SENTENCE.split(case.bare_text))
        found = next((s for s in parts if sum(map(str.isalpha, s)) >= 10 and s in case.bare_answer != s), "")
    else:
        found = _repeated(case) or _shown_first(case)
    return f"A part of the source was not translated: '{found[:80]}'." if found else None


def _repeated(case: Case) -> str:
    """Too many consecutive source words for a coincidence; names, titles and commands do not count."""
    answer = _words(case.bare_answer)
    if are_alike(case.source.base, case.target.base) or answer == _words(case.bare_text):
        return ""
    # A few words in another alphabet are not a coincidence.
    enough = _LONG_RUN if case.target.writes("a") or not case.source.writes("a") else _LONG_RUN - 1
    runs = {tuple(answer[at : at + enough]) for at in range(len(answer) - enough + 1)}
    for sentence in _CLAUSE.split(_QUOTED.sub("\n", without_placeholders(case.text))):
        words = [] if _COMMAND.search(sentence) or _stays(sentence) else WORD.findall(_bare(sentence))
        for at in range(len(words) - enough + 1):
            run = words[at : at + enough]
            is_prose = sum(word[0].islower() for word in run) >= _LEAST_PROSE and not _stays(" ".join(run))
            if is_prose and tuple(word.casefold() for word in run) in runs:
                return " ".join(run)
    return ""


def _shown_first(case: Case) -> str:
    """The whole source, followed by its translation."""
    text, answer = (" ".join(each.casefold().split()) for each in (case.bare_text, case.bare_answer))
    is_first = len(case.words) > 1 and answer.startswith(text) and bool(case.new_letters)
    return case.bare_text if is_first and _BEFORE_TRANSLATION.match(answer[len(text) :]) else ""


def _words(text: str) -> list[str]:
    return WORD.findall(_OTHER_SCRIPT.sub(" ", text.casefold()))


def _stays(text: str) -> bool:
    """Whether `text` stays untranslated: a command, or a name, title or address with capitalised words."""
    if _COMMAND.search(text):
        return True
    words = WORD.findall(text)
    is_named = all(word[0].isupper() or len(word) <= _LONGEST_PARTICLE or word in _LONG_PARTICLES for word in words)
    has_mark = any(word[0].islower() for word in words[1:]) or any(map(str.isdigit, text))
    return is_named and has_mark and not any(word.lower() in _SPOKEN for word in words)


def _says_something(case: Case) -> bool:
    """Whether a text of three words, which could be a name, has a word that names and dishes do not have."""
    spoken = _SAID.get(case.source.base, frozenset()) - common_words(case.target)
    names = sum(word[0].isupper() for word in case.words[1:])
    said = [w for index, w in enumerate(case.words) if w[0].islower() or (index == 0 and not names)]
    return len(case.words) >= _LEAST_PROSE and any(word.casefold() in spoken for word in said)


def _is_kept(case: Case) -> bool:
    """Whether the glossary requires this very text to stay."""
    return any(term.fixed_translation(case.target) == case.bare_text.strip() for term in case.terms)


def _bare(text: str) -> str:
    return EMAIL.sub(" ", URL.sub(" ", text))
