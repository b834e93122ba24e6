"""What a language code alone tells: name, direction, scripts. No text is examined here."""

import functools
import re
import threading
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

# Unicode names its characters by script, nearly always with CLDR's English name of the script. These are the codes that
# cover several scripts, or whose two names differ.
_UNICODE_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "Hans": ("CJK",),
    "Hant": ("CJK",),
    "Jpan": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"),
    "Kore": ("HANGUL", "CJK"),
    "Beng": ("BENGALI",),
    "Orya": ("ORIYA",),
    "Cans": ("CANADIAN",),
}

# Written in more than one script; the code alone does not determine which.
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
"""Language codes with fewer speakers than the country of that code has inhabitants: the country's language may be
meant.
"""

_OF_MANY_COUNTRIES: Final = frozenset({"ar", "de", "en", "es", "fr", "pt", "zh"})

_MOST_NAMED: Final = 3

_FILLING: Final = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """One language of the project.

    `code` is the code in Directus; `tag` the same in BCP 47 form; `base` the bare language (`de` of `de-AT`); `name`
    its English name; `script` the likely ISO 15924 script; `script_names` the beginnings of Unicode character names in
    its possible scripts.
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
    """The language for `code` (BCP 47, or with `_` for `-`; `de`, `pt-BR`, `zh-Hans`).

    Raises:
        BadInput: there is no such language.
    """
    try:
        parsed = langcodes.Language.get(code)
    except ValueError as error:
        raise _unknown(code) from error
    if not parsed.language or not parsed.is_valid():
        raise _unknown(code)
    likely = _maximized(parsed)
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
    """The BCP 47 tag of a code; empty if it is not a language code."""
    try:
        return language(code).tag
    except BadInput:
        return ""


@functools.lru_cache(maxsize=4096)
def unicode_script(letter: str) -> str:
    """The beginning of the Unicode name of `letter`, which is its script (`LATIN`, `CYRILLIC`, `CJK`); empty if it has
    none.
    """
    first, _, rest = unicodedata.name(letter, "").partition(" ")
    return rest.partition(" ")[0] if first in {"FULLWIDTH", "HALFWIDTH", "MODIFIER"} else first


def doubt(code: str, others: Iterable[str]) -> str:
    """A warning that a code may be a mistake: small languages share codes with large countries.

    >>> doubt("se", ["en"])
    "'se' is Northern Sami; the code of Swedish is 'sv'."

    Args:
        code: an existing language code.
        others: the project's other codes. If they include the alternative, the code is intended.

    Returns:
        A sentence; empty if there is no doubt.
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
    """The bare language, and the language with its country."""
    parsed = langcodes.Language.get(tag)
    return str(parsed.language), f"{parsed.language}-{parsed.territory}"


def _spoken_in(country: str) -> list[str]:
    """The codes of a country's official languages, native ones first."""
    official = babel.languages.get_official_languages(country, de_facto=True)
    # Longer codes are those of regional languages, such as Swiss German, with hardly any publications.
    written = [tag for tag in official if len(tag.partition("_")[0]) == 2]
    plain = [tag for tag in written if "_" not in tag or tag.partition("_")[0] not in written]
    homes = {tag.replace("_", "-"): _maximized(langcodes.Language.get(tag)).territory for tag in plain}
    found = sorted(homes, key=lambda tag: homes[tag] != country)
    return [tag if homes[tag] == country and tag not in _OF_MANY_COUNTRIES else f"{tag}-{country}" for tag in found]


def _maximized(parsed: langcodes.Language) -> langcodes.Language:
    """With its likely script and territory. One thread at a time: all threads share langcodes' objects, which another
    one may read while they are being filled (langcodes 3.5).
    """
    with _FILLING:
        return parsed.maximize()


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
    first = re.split("[-_]", code)[0]
    meant = [] if langcodes.tag_is_valid(first) else _spoken_in(first.upper())[:_MOST_NAMED]
    names = " or ".join(f"{each} ({language(each).name})" for each in meant)
    hint = f"That is a country code; did you mean {names}? " if names else ""
    return BadInput(
        f"'{code}' is not a language code.",
        remedy=f"{hint}Use a BCP 47 code such as de-DE, pt-BR or zh-Hans in the languages collection of Directus.",
    )
