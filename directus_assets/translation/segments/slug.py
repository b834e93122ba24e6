"""Slugs: an engine translates the words, and what comes back is made a slug again here.

No romanisation: a Japanese or Thai slug stays in its script, as addresses allow and search engines read it.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from directus_assets.translation.segments.model import BadAnswer, Ids, Segment
from directus_assets.translation.segments.notation import PLACEHOLDER, UNPRINTABLE, read

_NO_SLUG: Final = re.compile(f"{PLACEHOLDER.pattern}|{UNPRINTABLE}")

# Latin letters that Unicode does not decompose, and what languages write for those that it does.
_LETTERS: Final = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n",
    "ə": "e",
}  # fmt: skip
_UMLAUTS: Final = {"ä": "ae", "ö": "oe", "ü": "ue"}
_NORDIC: Final = {"ø": "oe", "å": "aa"}
_BY_LANGUAGE: Final = {"de": _UMLAUTS, "lb": _UMLAUTS, "da": _NORDIC, "nb": _NORDIC, "nn": _NORDIC, "no": _NORDIC}


class SlugDocument:
    """A slug, or a path of slugs, as one segment of words."""

    def __init__(self, source: str, ids: Ids) -> None:
        self.source = source
        text = re.sub(r"[-_\s]+", " ", source).strip()
        is_text = any(map(str.isalpha, text)) and not _NO_SLUG.search(text)
        self.segments = (Segment(id=ids.next(text), text=text, context="slug"),) if is_text else ()

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> str:
        """See `model.Document.splice`.

        Raises:
            BadAnswer: nothing of a part is left, or the answer has more or fewer slashes.
        """
        for segment in self.segments:
            answer = translations.get(segment.id, segment.text)
            if answer != segment.text:
                return self._slug(segment, answer, language)
        return self.source

    def _slug(self, segment: Segment, answer: str, language: str) -> str:
        read(segment, answer)
        wanted = self.source.strip("/")
        separator = "_" if "_" in wanted and "-" not in wanted else "-"
        parts = [
            slugify(part, language, like=self.source, separator=separator) for part in answer.strip(" /").split("/")
        ]
        if len(parts) != wanted.count("/") + 1:
            raise BadAnswer(segment.id, f"a slug with {wanted.count('/')} slashes needs as many in every language.")
        if not all(parts):
            raise BadAnswer(segment.id, "no letter of it can stand in a slug.")
        start = self.source.index(wanted)
        return self.source[:start] + "/".join(parts) + self.source[start + len(wanted) :]


def slugify(text: str, language: str, *, like: str, separator: str = "-") -> str:
    """`text` as one part of a slug: lower case, letters, marks and digits of any script, separators between words.

    Args:
        text: words.
        language: BCP 47 tag of the text.
        like: the slug in the source language. Latin letters lose their accents unless it has such letters, and signs
            such as dots survive if it has them.
        separator: goes between words.
    """
    folds = {**_LETTERS, **_BY_LANGUAGE.get(language.lower().replace("_", "-").split("-")[0], {})}
    keeps_accents = any(_is_accented_latin(sign) for sign in like.lower())
    allowed = {sign for sign in like if not sign.isalnum() and not sign.isspace() and sign not in "-_/"}
    slug = ""
    for sign in unicodedata.normalize("NFKC", text).lower():
        if _is_accented_latin(sign) and not keeps_accents:
            slug += folds.get(sign) or unicodedata.normalize("NFKD", sign)[0]
        elif unicodedata.category(sign)[0] == "M" and (not slug or (slug[-1].isascii() and not keeps_accents)):
            continue  # an accent without a precomposed letter
        elif unicodedata.category(sign)[0] in "LMN" or sign in allowed:
            slug += sign
        elif not slug.endswith(separator):
            slug += separator
    return unicodedata.normalize("NFC", slug.strip(separator))


def _is_accented_latin(sign: str) -> bool:
    return not sign.isascii() and unicodedata.name(sign, "").startswith("LATIN ")
