"""Slugs: an engine translates the words, and its answer is turned into a slug again.

ASCII by default, like the Studio's slugs: other scripts are transliterated, unless the slug in the source language has
such letters, or the field's validation rule accepts nothing else.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

import anyascii

from directus_assets.directus.validation import Rule
from directus_assets.translation.segments.model import BadAnswer, Ids, Segment
from directus_assets.translation.segments.notation import PLACEHOLDER, UNPRINTABLE, read

_NO_SLUG: Final = re.compile(f"{PLACEHOLDER.pattern}|{UNPRINTABLE}")
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*:|//|www\.", re.IGNORECASE)
"""The beginnings of addresses that lead to other sites."""

_PAGE: Final = re.compile(r"(?<=[^/])\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)

# Latin letters that Unicode does not decompose, and language-specific replacements for those that it does.
_LETTERS: Final = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n",
    "ə": "e",
}  # fmt: skip
_UMLAUTS: Final = {"ä": "ae", "ö": "oe", "ü": "ue"}
_NORDIC: Final = {"ø": "oe", "å": "aa"}
_BY_LANGUAGE: Final = {"de": _UMLAUTS, "lb": _UMLAUTS, "da": _NORDIC, "nb": _NORDIC, "nn": _NORDIC, "no": _NORDIC}


class SlugDocument:
    """A slug, or a path of slugs, as one segment of words."""

    def __init__(
        self,
        source: str,
        ids: Ids,
        rule: Rule | None = None,
        *,
        is_unique: bool = False,
        longest: int | None = None,
    ) -> None:
        self.source = source
        self._rule = rule
        self._is_unique = is_unique
        self._longest = longest
        text = _words(source)
        is_text = any(map(str.isalpha, text)) and not _NO_SLUG.search(text)
        segment = (Segment(id=ids.next(text), text=text, context="slug"),) if is_text else ()
        self.segments: tuple[Segment, ...] = segment

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> str:
        """See `model.Document.splice`.

        Raises:
            BadAnswer: a part becomes empty, the answer has more or fewer slashes, or the field's validation rule
                accepts no form of it.
        """
        slug = self.source
        for segment in self.segments:
            answer = translations.get(segment.id, segment.text)
            if answer != segment.text:
                slug = self._slug(segment, answer, language)
        return _apart(slug, language, self._rule) if self._is_unique and slug == self.source else slug

    def _slug(self, segment: Segment, answer: str, language: str) -> str:
        read(segment, answer)
        wanted = self.source.strip("/")
        parts = answer.strip(" /").split("/")
        if len(parts) != wanted.count("/") + 1:
            raise BadAnswer(segment.id, f"a slug with {wanted.count('/')} slashes needs as many in every language.")
        start = self.source.index(wanted)
        before, after = self.source[:start], self.source[start + len(wanted) :]
        slugs = [f"{before}{path}{after}" for path in forms(parts, language, like=self.source)]
        if not slugs:
            raise BadAnswer(segment.id, "none of its letters is allowed in a slug.")
        short = [slug for slug in slugs if self._longest is None or len(slug) <= self._longest]
        fit = next((slug for slug in short if _passes(self._rule, slug)), None)
        if fit is None:
            wrong = (
                f"the field's validation rule ({self._rule}) rejects the slug '{(short or slugs)[0]}'."
                if short or self._rule
                else f"the field takes {self._longest} characters, and no word of it is that short."
            )
            raise BadAnswer(segment.id, wrong)
        return fit


class PathDocument:
    """An address whose parts are each translated as a slug; addresses of other sites stay."""

    def __init__(self, source: str, ids: Ids, rule: Rule | None = None, *, is_unique: bool = False) -> None:
        self.source = source
        self._rule = rule
        self._is_unique = is_unique
        path = "" if _ELSEWHERE.match(source) else re.split(r"[?#]", source, maxsplit=1)[0]
        self._parts = [*re.split(r"(/)", path), source[len(path) :]]
        self._documents = {
            index: SlugDocument(part, ids)
            for index, part in enumerate(self._parts[:-1])
            if part not in ("", "/", ".", "..")
        }

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in the order of the address."""
        return tuple(segment for document in self._documents.values() for segment in document.segments)

    def splice(self, translations: Mapping[str, str], *, language: str = "") -> str:
        """See `model.Document.splice`.

        Raises:
            BadAnswer: a part becomes empty, or the field's validation rule does not accept the address.
        """
        parts = list(self._parts)
        for index, document in self._documents.items():
            parts[index] = document.splice(translations, language=language)
        path = "".join(parts)
        if path != self.source and not _passes(self._rule, path):
            changed = next(d for i, d in self._documents.items() if parts[i] != self._parts[i])
            raise BadAnswer(changed.segments[0].id, f"the field's validation rule ({self._rule}) rejects '{path}'.")
        return _apart(path, language, self._rule) if self._is_unique and path == self.source else path


def forms(parts: list[str], language: str, *, like: str) -> Iterator[str]:
    """Words as a path of slugs, in the forms that a field may accept, likeliest first.

    Transliterated to ASCII before in its own script, unless `like` has letters of another script; with `like`'s
    separator before others; in full before shortened by its last words.
    """
    scripts = (False, True) if any(sign.isalpha() and not sign.isascii() for sign in like) else (True, False)
    words = [part.split() for part in parts]
    most = max(map(len, words))
    own = "_" if "_" in like and "-" not in like else "-"
    separated = product(dict.fromkeys((own, "-", "_")), range(most, 1, -1))
    for (separator, count), is_ascii in product([*separated, *(("", count) for count in range(most, 0, -1))], scripts):
        kept = [" ".join(each[:count]) for each in words]
        made = [slugify(part, language, like=like, separator=separator, is_ascii=is_ascii) for part in kept]
        if all(made):
            yield "/".join(made)


def slugify(text: str, language: str, *, like: str, separator: str = "-", is_ascii: bool = False) -> str:
    """`text` as one part of a slug: lower case, letters, marks and digits, separators between words.

    Args:
        text: words.
        language: BCP 47 tag of the text.
        like: the slug in the source language. Latin letters lose their accents unless it has such letters, and
            characters such as dots survive if it has them.
        separator: placed between words.
        is_ascii: transliterate remaining letters of other scripts.
    """
    folds = {**_LETTERS, **_BY_LANGUAGE.get(language.lower().replace("_", "-").split("-")[0], {})}
    keeps_accents = not is_ascii and any(_is_accented_latin(sign) for sign in like.lower())
    allowed = {sign for sign in like if not sign.isalnum() and not sign.isspace() and sign not in "-_/"}
    slug = ""
    for sign in unicodedata.normalize("NFKC", text).lower():
        if _is_accented_latin(sign) and not keeps_accents:
            slug += folds.get(sign) or unicodedata.normalize("NFKD", sign)[0]
        elif unicodedata.category(sign)[0] == "M" and (not slug or (slug[-1].isascii() and not keeps_accents)):
            continue  # an accent without a precomposed letter
        elif unicodedata.category(sign)[0] in "LMN" or sign in allowed:
            slug += sign
        elif not slug.endswith(separator) or not separator:
            slug += separator
    slug = unicodedata.normalize("NFC", slug.strip(separator or None))
    if not is_ascii or slug.isascii():
        return slug
    romanised = anyascii.anyascii(slug).lower()
    kept = re.escape("".join(allowed) + separator)
    return re.sub(rf"[^a-z0-9{kept}]+", "", romanised).strip(separator or None)


def numbered(address: str, number: int, *, longest: int | None = None) -> str:
    """An address that is already taken, with a number appended: `/bread-2`, `/bread-2.html`.

    Args:
        address: a slug, or a path of slugs.
        number: the number.
        longest: the maximum length in characters; words of its last part are dropped to fit.
    """
    page = _PAGE.search(re.split(r"[?#]", address, maxsplit=1)[0])
    ending = page[0] if page else ""
    bare = address[: page.start()] + address[page.end() :] if page else address
    too_many = max(0, len(address) + len(f"-{number}") - longest) if longest else 0
    return _ended(bare, str(number), shorter_by=too_many, extension=ending)


def _apart(address: str, language: str, rule: Rule | None) -> str:
    """An address that is the same word in both languages, with the language appended: `/blog-de`, `/de`."""
    path = re.split(r"[?#]", address, maxsplit=1)[0]
    if not language or not path or _ELSEWHERE.match(address):
        return address
    apart = _ended(address, language.lower().replace("_", "-").split("-")[0])
    return apart if _passes(rule, apart) else address


def _ended(address: str, ending: str, *, shorter_by: int = 0, extension: str = "") -> str:
    """The address with a word appended to the last part of its path."""
    path = re.split(r"[?#]", address, maxsplit=1)[0]
    stem = path.rstrip("/")
    separator = "/" if not stem else "_" if "_" in stem and "-" not in stem else "-"
    kept = stem[: len(stem) - shorter_by].rstrip("-_") if shorter_by else stem
    return f"{kept}{separator}{ending}{extension}{path[len(stem) :] if stem else ''}{address[len(path) :]}"


def _words(slug: str) -> str:
    return re.sub(r"[-_\s]+", " ", slug).strip()


def _is_accented_latin(sign: str) -> bool:
    return not sign.isascii() and unicodedata.name(sign, "").startswith("LATIN ")


def _passes(rule: Rule | None, slug: str) -> bool:
    return rule is None or rule.accepts(slug)
