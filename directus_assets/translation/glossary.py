"""The project's glossary: which terms a text contains, and what a term's note fixes for a language.

Directus keeps the glossary in `directus_settings.ai_translation_glossary` as a list of `{term, translation_note}`.
A note is free text for the model. Two forms in it are also checked, since they leave no choice:

- a translation per language: `de: Rösterei; fr-FR = torréfaction` (language codes, `:` or `=`, one a line or
  separated by `;`);
- `do not translate` (or `never translate`, `don't translate`, `keep as is`): the term itself.
"""

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from directus_assets.directus.models import GlossaryTerm
from directus_assets.translation.languages import Language

_FIXED = re.compile(r"^\s*(?P<code>[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)\s*[:=]\s*(?P<text>.+?)\s*$")
_KEEP = re.compile(r"(?i)\b(?:do not|don['\u2019]t|never) translate\b|\bkeep(?: it)? as(?: it)? is\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One entry of the glossary: a word or phrase in the source language, and a note on its translation."""

    term: str
    note: str

    @classmethod
    def of(cls, entry: GlossaryTerm) -> "Term":
        """The term for one entry of Directus' glossary."""
        return cls(term=entry.term.strip(), note=entry.translation_note.strip())

    def fixed_translation(self, target: Language) -> str | None:
        """The only right translation into `target` where the note gives one, else None.

        A note for `de-AT` wins over one for `de`; one for `de-AT` says nothing about `de-DE`.
        """
        fixed: dict[str, str] = {}
        for part in re.split(r"[;\n]", self.note):
            if match := _FIXED.match(part):
                fixed[match["code"].lower().replace("_", "-")] = match["text"]
        for code in (target.tag.lower(), target.base):
            if code in fixed:
                return fixed[code]
        return self.term if _KEEP.search(self.note) else None


def terms_in(text: str, glossary: Sequence[Term]) -> tuple[Term, ...]:
    """The terms of `glossary` that occur in `text` as words, in any case (upper or lower), in the glossary's order."""
    lowered = text.lower()
    # The plain search first: it is a hundred times faster, and nearly always says no.
    return tuple(term for term in glossary if term.term.lower() in lowered and _pattern(term.term).search(text))


def digest_of_terms(terms: Iterable[Term]) -> str:
    """A short digest of `terms`, whatever their order; empty for none."""
    pairs = sorted((term.term, term.note) for term in terms)
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()[:16] if pairs else ""


@functools.lru_cache(maxsize=4096)
def _pattern(term: str) -> re.Pattern[str]:
    # `\b` would not do: in scripts without spaces a Latin name stands between letters of the other script.
    # Longer terms may carry an ending of two letters, so that "roaster" is found in "roasters".
    letters = "A-Za-z0-9\u00c0-\u024f"
    ending = f"[{letters}]{{0,2}}" if len(term) > 4 else ""
    return re.compile(rf"(?<![{letters}]){re.escape(term)}{ending}(?![{letters}])", re.IGNORECASE)
