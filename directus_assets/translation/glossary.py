"""The project's glossary: finds terms in a text, and parses binding rules from a term's note.

Directus stores the glossary in `directus_settings.ai_translation_glossary` as a list of `{term, translation_note}`. A
note is free text for the model. Three forms in it are also checked, since they are unambiguous. They are on lines of
their own, or separated by `;`:

- a translation per language: `de: Rösterei; fr-FR = torréfaction` (language codes, `:` or `=`);
- `do not translate` (or `never translate`, `don't translate`, `keep as is`): the term itself;
- forbidden wordings: `de not: Röststube, Kaffeeladen`, or `not: …` for all languages (`avoid` and `forbidden` as well).
"""

import functools
import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from directus_assets.directus.models import GlossaryTerm
from directus_assets.translation.languages import Language

_FIXED = re.compile(r"^\s*(?P<code>[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)\s*[:=]\s*(?P<text>.+?)\s*$")
_KEEP = re.compile(r"(?i)\b(?:do not|don['\u2019]t|never) translate\b|\bkeep(?: it)? as(?: it)? is\b")
_FORBIDDEN = re.compile(
    r"^\s*(?:(?P<code>[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)\s+)?(?:not|avoid|forbidden)\s*[:=]\s*(?P<text>.+?)\s*$",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200d\u2060\ufeff]")
_GAP = r"[\s\u2010-\u2015-]{1,3}"
"""What may separate the words of a term: a space of any kind, a line break, a hyphen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One entry of the glossary: a word or phrase in the source language, and a note on its translation."""

    term: str
    note: str

    @classmethod
    def of(cls, entry: GlossaryTerm) -> "Term":
        """Convert an entry of Directus' glossary."""
        return cls(term=entry.term.strip(), note=entry.translation_note.strip())

    def fixed_translation(self, target: Language) -> str | None:
        """The only correct translation into `target` if the note gives one, else None.

        A note for `de-AT` takes precedence over one for `de`; a note for `de-AT` does not apply to `de-DE`.
        """
        fixed: dict[str, str] = {}
        for part in self._parts:
            if not _FORBIDDEN.match(part) and (match := _FIXED.match(part)):
                fixed[match["code"].lower().replace("_", "-")] = match["text"]
        for code in (target.tag.lower(), target.base):
            if code in fixed:
                return fixed[code]
        return self.term if _KEEP.search(self.note) else None

    def forbidden_wordings(self, target: Language) -> tuple[str, ...]:
        """Wordings of the term that are forbidden in `target`."""
        found: list[str] = []
        for part in self._parts:
            if match := _FORBIDDEN.match(part):
                code = (match["code"] or "").lower().replace("_", "-")
                if code in ("", target.base, target.tag.lower()):
                    found += filter(None, map(str.strip, match["text"].split(",")))
        return tuple(found)

    @property
    def _parts(self) -> list[str]:
        return re.split(r"[;\n]", self.note)


def terms_in(text: str, glossary: Sequence[Term]) -> tuple[Term, ...]:
    """The terms of `glossary` that occur in `text` as words, in glossary order.

    In any letter case, with endings, and whatever is between the letters: no-break spaces, hyphens, line breaks, soft
    hyphens, markup.
    """
    if not glossary:
        return ()
    seen = _UNSEEN.sub("", html.unescape(text))
    lowered = f"{seen}\0{_MARKUP.sub('', seen)}".lower()
    # The plain search first: it is a hundred times faster, and nearly always finds nothing.
    return tuple(term for term in glossary if _stem(term.term) in lowered and has_wording(lowered, term.term))


def has_wording(text: str, wording: str) -> bool:
    """Whether `text` contains these words, in any case and with endings."""
    return _pattern(wording).search(text) is not None


def digest_of_terms(terms: Iterable[Term]) -> str:
    """A short, order-independent digest of `terms`; empty if there are none."""
    pairs = sorted((term.term, term.note) for term in terms)
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()[:16] if pairs else ""


@functools.lru_cache(maxsize=4096)
def _pattern(term: str) -> re.Pattern[str]:
    # `\b` would fail: in scripts without spaces a Latin name is between letters of the other script.
    *inner, last = re.split(_GAP, term.strip())
    parts = [*(_inflected(word) if len(word) > 4 else re.escape(word) for word in inner)]
    parts.append(_inflected(last) if len(term) > 4 else re.escape(last))
    return re.compile(rf"(?<![{_LETTERS}]){_GAP.join(parts)}(?![{_LETTERS}])", re.IGNORECASE)


_LETTERS = "A-Za-z0-9\u00c0-\u024f"


def _inflected(word: str) -> str:
    """A pattern for a word with possible endings: `roasters` and `bakeries`, кофейню for кофейня."""
    own = f"{re.escape(word)}[{_LETTERS}]{{0,2}}"
    if word.endswith(("y", "Y")):
        return f"(?:{own}|{re.escape(word[:-1])}ie[sd])"
    if unicodedata.name(word[-1:] or " ", "").startswith("CYRILLIC"):
        stem = word[:-1] if word[-1].lower() in "аеиоуыэюяёьй" else word
        return rf"(?:{own}|{re.escape(stem)}[\u0400-\u04ff]{{0,3}}(?![\u0400-\u04ff]))"
    return own


@functools.lru_cache(maxsize=4096)
def _stem(term: str) -> str:
    """The part of `term` that every inflected form contains."""
    first = re.split(_GAP, term.strip())[0].lower()
    return first if len(first) <= 4 else first[:-1]
