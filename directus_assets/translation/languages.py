"""What is known of a language from its code alone: name, direction, scripts. No text is looked at here."""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import babel
import babel.languages
import langcodes

from directus_assets.errors import BadInput

_RTL_SCRIPTS: Final = frozenset({"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg"})

# Unicode names its characters by script, nearly always in the English name of the script that CLDR has.
# These are the codes where one code means several scripts, or where the two names differ.
_UNICODE_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "Hans": ("CJK",),
    "Hant": ("CJK",),
    "Jpan": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"),
    "Kore": ("HANGUL", "CJK"),
    "Beng": ("BENGALI",),
    "Orya": ("ORIYA",),
    "Cans": ("CANADIAN",),
}

# Written in more than one script; the code alone does not say in which.
_ALSO_WRITTEN_IN: Final[dict[str, tuple[str, ...]]] = {
    "sr": ("Cyrl", "Latn"),
    "uz": ("Latn", "Cyrl"),
    "az": ("Latn", "Cyrl"),
    "kk": ("Cyrl", "Latn"),
    "tg": ("Cyrl", "Latn"),
    "ku": ("Latn", "Arab"),
    "pa": ("Guru", "Arab"),
    "mn": ("Cyrl", "Mong"),
}

_SELDOM_MEANT: Final = frozenset(
    {"ae", "ba", "br", "ch", "co", "cr", "cu", "ee", "ie", "kg", "kr", "li", "ng", "sa", "sc", "se", "sg", "si", "tw"}
    | {"ve", "za"}
)
"""Codes of languages with fewer people than the country of that code has: who writes one may mean the country's."""

_OF_MANY_COUNTRIES: Final = frozenset({"ar", "de", "en", "es", "fr", "pt", "zh"})

_MOST_NAMED: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """One language of the project.

    `code` is as Directus has it; `tag` the same in BCP 47 form; `base` the bare language (`de` of `de-AT`);
    `name` its English name; `script` the likely ISO 15924 script; `script_names` how Unicode's character names
    begin in the scripts that it may be written in.
    """

    code: str
    tag: str
    base: str
    name: str
    script: str
    script_names: frozenset[str]

    @property
    def is_rtl(self) -> bool:
        """Whether the language is written from right to left."""
        return self.script in _RTL_SCRIPTS

    @property
    def has_no_spaces(self) -> bool:
        """Whether words are not separated by spaces."""
        return self.script in {"Hans", "Hant", "Jpan", "Thai", "Laoo", "Khmr", "Mymr"}

    def writes(self, letter: str) -> bool:
        """Whether `letter` (one character) belongs to a script of this language."""
        return unicode_script(letter) in self.script_names


@functools.cache
def language(code: str) -> Language:
    """What `code` (BCP 47, or with `_` for `-`; `de`, `pt-BR`, `zh-Hans`) stands for.

    Raises:
        BadInput: no such language.
    """
    try:
        parsed = langcodes.Language.get(code)
    except ValueError as error:
        raise _unknown(code) from error
    if not parsed.language or not parsed.is_valid():
        raise _unknown(code)
    likely = parsed.maximize()
    scripts = (parsed.script,) if parsed.script else _ALSO_WRITTEN_IN.get(parsed.language, (likely.script or "Latn",))
    return Language(
        code=code,
        tag=parsed.to_tag(),
        base=parsed.language,
        name=_english_name(parsed),
        script=scripts[0],
        script_names=frozenset(name for script in scripts for name in _unicode_names(script)),
    )


def tag_of(code: str) -> str:
    """The BCP 47 tag of a code; empty where it is not the code of a language."""
    try:
        return language(code).tag
    except BadInput:
        return ""


@functools.lru_cache(maxsize=4096)
def unicode_script(letter: str) -> str:
    """How the Unicode name of `letter` begins, which is its script (`LATIN`, `CYRILLIC`, `CJK`); empty for none."""
    first, _, rest = unicodedata.name(letter, "").partition(" ")
    return rest.partition(" ")[0] if first in {"FULLWIDTH", "HALFWIDTH", "MODIFIER"} else first


def doubt(code: str, others: Iterable[str]) -> str:
    """What a code may be mistaken for: small languages have the codes of large countries.

    >>> doubt("se", ["en"])
    "'se' is Northern Sami, and Swedish is 'sv'."

    Args:
        code: a code that there is.
        others: the other codes of the project. One that is there beside what it may be mistaken for is meant.

    Returns:
        A sentence; empty where there is no doubt.
    """
    parsed = langcodes.Language.get(code.replace("_", "-"))
    base = str(parsed.language)
    country = base.upper()
    if base not in _SELDOM_MEANT or parsed.territory not in (None, country):
        return ""
    meant = language(_spoken_in(country)[0])
    if any(other.base == meant.base and meant.tag in (*_shorter(other.tag), other.tag) for other in _known(others)):
        return ""
    return f"'{code}' is {babel.Locale('en').languages[base]}; the code of {meant.name} is '{meant.code}'."


def _known(codes: Iterable[str]) -> Iterator[Language]:
    for code in codes:
        with suppress(BadInput):
            yield language(code)


def _shorter(tag: str) -> tuple[str, str]:
    """The language alone, and the language with its country."""
    parsed = langcodes.Language.get(tag)
    return str(parsed.language), f"{parsed.language}-{parsed.territory}"


def _spoken_in(country: str) -> list[str]:
    """The codes of the languages that a country speaks officially: first those that are at home there."""
    official = babel.languages.get_official_languages(country, de_facto=True)
    # Longer ones are those of regions, such as Swiss German, which next to nothing is published in.
    written = [tag for tag in official if len(tag.partition("_")[0]) == 2]
    plain = [tag for tag in written if "_" not in tag or tag.partition("_")[0] not in written]
    homes = {tag.replace("_", "-"): langcodes.Language.get(tag).maximize().territory for tag in plain}
    found = sorted(homes, key=lambda tag: homes[tag] != country)
    return [tag if homes[tag] == country and tag not in _OF_MANY_COUNTRIES else f"{tag}-{country}" for tag in found]


def _unicode_names(script: str) -> tuple[str, ...]:
    english = babel.Locale("en").scripts.get(script, "")
    return _UNICODE_NAMES.get(script) or (english.upper().partition(" ")[0],)


def _english_name(parsed: langcodes.Language) -> str:
    try:
        name = babel.Locale.parse(parsed.to_tag(), sep="-").get_display_name("en")
    except (babel.UnknownLocaleError, ValueError):
        name = None
    return name or parsed.to_tag()


def _unknown(code: str) -> BadInput:
    meant = _spoken_in(re.split("[-_]", code)[0].upper())[:_MOST_NAMED]
    names = " or ".join(f"{each} ({language(each).name})" for each in meant)
    hint = f"That is a country code; did you mean {names}? " if names else ""
    return BadInput(
        f"'{code}' is not a language code.",
        remedy=f"{hint}Use a BCP 47 code such as de-DE, pt-BR or zh-Hans in the languages collection of Directus.",
    )
