"""Finds live parts in a plain text: what browsers, Markdown renderers, template engines or spreadsheets act upon.

Text written by a model ends up in pages that we do not know. So an answer may contain nothing of this kind that its
source does not contain, however it is encoded: with references (`&lt;`), escapes (`\\u003c`, `%3C`) or invisible
characters. Ordinary prose also contains colons, slashes and dots; what only might be an address does not count here.
"""

import html
import re
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from directus_assets.live_names import (
    ANY_CASE,
    CHINESE_LIKE_TOP_LEVELS,
    DOCUMENTS,
    FAR_TOP_LEVELS,
    FILES,
    PRODUCTS,
    SCHEMES,
    TOP_LEVELS,
)


class LiveKind(StrEnum):
    """The kind of a live part, in words for a defect."""

    MARKUP = "markup"
    TEMPLATE = "a template expression or formula"
    LINK = "a Markdown link"
    SCHEME = "an address with a scheme"
    ADDRESS = "an address"


class LivePart(NamedTuple):
    """One live part; `text` is what a translation has to keep of it, without human-readable words."""

    kind: LiveKind
    text: str


# Attributes without a value have no effect, and could be words: "a <b and c> d".
_TAG: Final = re.compile(r"<(?P<name>[/!?%#@]*+[A-Za-z0-9:-]*+)(?P<rest>[^<>]*+)")
_IS_TAG: Final = re.compile(r"<(?:[A-Za-z/!?%]|[#@][a-z])")
_ATTRIBUTE: Final = re.compile(r"""[^\s/<>='"]++\s*+=\s*+(?:"[^"]*+"?+|'[^']*+'?+|[^\s>]*+)""")
# If the text becomes the value of an attribute, a quotation mark ends it.
_HANDLER: Final = re.compile(r"[\"'`]\s*+/?on[a-z]{3,20}+\s*+=", re.IGNORECASE)

_TEMPLATE: Final = re.compile(
    r"\{\{[^{}]*+\}\}|\{%[^{}]*+%\}|[$#@%*~]\{[^{}]*+\}?|\$!\{|\{[{%#!@$:]|[}%]\}"
    # Smarty, and the internals of Python objects
    r"|\{[a-z]++\s[^{}=$]*+[=$][^{}]*+\}|\{(?:php|literal|debug|[lr]delim)\}|\{[\w.\[\]]*__"
    # Velocity, Razor, shells, Python, FreeMarker and Template Toolkit
    r"|#(?:set|(?:else)?if|foreach|parse|include|macro|evaluate|define)\s*+\(|\$!?[A-Za-z_][\w.]*+\("
    r"|(?<!\w)@\([^\s()]|\$\([A-Za-z]|%\([a-z_]{1,40}+\)[sdr]|\[[%=]|%\]|\[[#@]/?[a-z]++[ \]]"
)
# As in WordPress, BBCode, wikis, Smarty and Svelte.
_SHORTCODE: Final = re.compile(
    r"\[/[A-Za-z][\w-]*+\]|\[[A-Za-z][\w-]*+(?:=|\s++[\w-]++=)[^\[\]\n]{0,300}+\]|\[\[[^\[\]\n]{1,300}+\]\]|\{/[a-z]++\}"
)
# The second form starts a program (DDE).
_FORMULA: Final = re.compile(
    r"(?<![\w)\]=<>!])[=@+]{1,2}[A-Za-z][\w.]*+\(|(?<![\w)\]=<>!])[=@+-][A-Za-z]++\|['\" ]|^-[A-Za-z][\w.]*+\("
)

_INLINE_LINK: Final = re.compile(r"\]\(\s*+<?([^\s()<>]*+)")
_REFERENCE: Final = re.compile(r"\]\[[^\[\]]{0,200}+\]")
# Also in quotations and lists.
_DEFINITION: Final = re.compile(
    r"(?:^|(?<=[\r\u2028\u2029]))[ \t>*+\d.)-]{0,40}+\[[^\[\]\n]{1,200}+\]:\s*+(\S++)", re.MULTILINE
)

# The characters of addresses. Other letters end them: Chinese follows without a space.
_LONGEST: Final = 300
_PATH: Final = r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%\\|]"
_URL: Final = re.compile(rf"(?<![A-Za-z0-9])(?:https?:[/\\]{{1,3}}|www\.){_PATH}++", re.IGNORECASE)
# An address must not be preceded by a letter; otherwise a long word would take quadratic time.
_EMAIL: Final = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++")
_RELATIVE: Final = re.compile(r"(?<![\w:/\\.~-])[/\\]{2,}+(?:(?=[A-Za-z0-9\[])|\w{1,63}+(?=\.\w))" + _PATH + "++")

# Script schemes, including obfuscated ones: white space is allowed anywhere in the name. "JavaScript: The Good Parts"
# is a book.
_PROGRAM: Final = re.compile(
    "(?:" + "|".join(r"\s*+".join(name) for name in ("javascript", "vbscript", "livescript")) + r")\s*+:"
    r"(?:(?=[!-~])\S++|\s++(?=\S*[(=`/;{])\S++)",
    re.IGNORECASE,
)
# In some languages, "Data: 12/05/2024" is a date.
_DATA: Final = re.compile(
    r"\bd\s*+a\s*+t\s*+a\s*+:\s*+(?:(?:application|audio|font|image|message|model|multipart|text|video)/|[;,])\S*+",
    re.IGNORECASE,
)
_COLON: Final = re.compile(
    rf"(?<![A-Za-z0-9+.\-@:])(?P<head>[A-Za-z][A-Za-z0-9+.-]*+):(?!:)(?P<rest>{_PATH}{{1,{_LONGEST}}}+)"
)
# In prose, a colon within a word precedes an ending: German "Kund:innen", Finnish "EU:ssa", Swedish "tv:n".
_LIKE_AN_ADDRESS: Final = re.compile(r"[?#&%@=]\w|\w\(|[|{\\]|^[a-z.]++\[")
_SCHEME_OF_PROGRAM: Final = re.compile(r"(?:ms-|x-|itms-|search-|web\+|vnd\.|(?:com|org|net|io)\.)[a-z]")

# The letters of scripts in which a space marks the beginning of a name.
_LETTER: Final = r"0-9A-Za-z\u00c0-\u024f\u0370-\u052f\u1e00-\u1fff"
_REST: Final = rf"(?P<rest>(?::\d++)?+(?:[/?#\\]{_PATH}{{0,{_LONGEST}}}+)?+)"
_HOST: Final = re.compile(
    rf"(?<![{_LETTER}])(?<![{_LETTER}_-]\.)(?P<head>(?:[{_LETTER}][{_LETTER}_-]{{0,62}}+\.)+"
    rf"(?P<end>xn--[A-Za-z0-9-]++|[A-Za-z]{{2,24}}+|(?:{'|'.join(FAR_TOP_LEVELS)})|(?:{'|'.join(CHINESE_LIKE_TOP_LEVELS)}))(?![{_LETTER}])){_REST}"
)
# In other scripts, words surround the name without a space, so a match may begin too early.
_FAR: Final = (
    r"\u0530-\u1dff\u2c00-\u2dff\u3005-\u3007\u3031-\ud7ff\uf900-\ufdff\ufe70-\ufefe\uff66-\uffdc\U00010000-\U000dffff"
)
_FAR_HOST: Final = re.compile(
    rf"(?<![{_FAR}])(?P<head>[{_FAR}][{_FAR}0-9A-Za-z-]*+\."
    rf"(?P<end>xn--[A-Za-z0-9-]++|[A-Za-z]{{2,24}}+(?![{_LETTER}])|(?:{'|'.join(FAR_TOP_LEVELS)})(?![{_LETTER}{_FAR}])"
    rf"|(?:{'|'.join(CHINESE_LIKE_TOP_LEVELS)})|[\u3041-\ud7ff]{{2,24}}+(?=[:/?#][\w/]))){_REST}"
)
_NUMERIC_HOST: Final = re.compile(
    rf"(?<![\w.])(?P<head>\d{{1,3}}(?:\.\d{{1,3}}){{3}}|localhost|\[[0-9a-f:]{{2,39}}+\])(?::\d++|/(?=\w)){_PATH}*+",
    re.IGNORECASE,
)

_ESCAPE: Final = re.compile(
    r"\\(?:[ux]\{0*+(?P<braces>[0-9A-Fa-f]{1,6})\}|u(?P<four>[0-9A-Fa-f]{4})|U(?P<eight>[0-9A-Fa-f]{8})"
    r"|x(?P<two>[0-9A-Fa-f]{2})|0?(?P<octal>[1-7][0-7])(?!\d))|%u(?P<old>[0-9A-Fa-f]{4})"
)
_AMPERSANDS: Final = re.compile(r"&(?:amp;|#0*38;|#x0*26;)++", re.IGNORECASE)
_PERCENTS: Final = re.compile(r"%(?:25)++")
_MOST_LAYERS: Final = 6

# What renderers and browsers ignore, besides control and format characters.
_UNSEEN: Final = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]|(?<=<)[\u2028\u2029]"
)
# Compatibility forms of ASCII are normalised, except these, which are normal in Chinese and Japanese prose.
_OTHER_SPELLINGS: Final = re.compile("[^：［］（）]+")
# Browsers treat full stops of other scripts as dots.
_OTHER_DOT: Final = re.compile(
    rf"(?<=[A-Za-z0-9])。(?=[A-Za-z]{{2,24}}[/:?#])|(?<=\w)。(?=(?:{'|'.join(ANY_CASE)}|cn|de|hk|jp|kr|ru|tw|uk)(?![A-Za-z0-9]))"
)
# "TEL：03-1234" and "JavaScript：入门" are prose.
_OTHER_COLON: Final = re.compile(
    r"(?<=[A-Za-z])(\s*+)：(?=[A-Za-z/]+[(/]|[\w.]*+（[!-~]*+）|[!-~]*[(`])"
    r"|(?<=mailto)：(?=[!-~])|(?<=callto)：(?=[!-~])|(?<=vbscript)：(?=[!-~])",
    re.IGNORECASE,
)
# Browsers ignore line breaks within a scheme.
_BREAK_IN_SCHEME: Final = re.compile(r"(?<=[A-Za-z])[\t\n\r\u2028\u2029]++(?=[A-Za-z\s]{0,20}:)")


def live_parts(text: str) -> Counter[LivePart]:
    """All live parts of `text` as written. Runs in linear time."""
    return Counter(_parts(text))


def added_parts(source: str, answer: str) -> list[LivePart]:
    """The live parts that `answer` contains beyond those of `source`, each as often as it is in excess; empty if there
    is no defect.

    Both are read as written and as decoded, so that a harmless form in the source (`&lt;b>`) does not excuse a harmful
    one (`<b>`).
    """
    added: Counter[LivePart] = Counter()
    for theirs, own in zip(_readings(answer), _readings(source), strict=True):
        added |= live_parts(theirs) - live_parts(own)
    return [*added.elements()]


def foreign_parts(source: str, answer: str) -> list[LivePart]:
    """The live parts that `answer` adds, if it is not a translation: it may mention addresses and links of `source`.

    Markup is never allowed: the answer has to be plain text.
    """
    folded = source.casefold()
    found = {part for reading in _readings(answer) for part in live_parts(reading)}
    return [part for part in found if part.kind is LiveKind.MARKUP or not _stands_in(folded, part.text.casefold())]


def _stands_in(source: str, text: str) -> bool:
    """Whether `source` contains `text`, and not as part of a longer name."""
    left, right = (r"(?<![\w.@-])", r"(?![\w@-]|\.\w)") if text[:1].isalnum() else ("", "")
    return text in source and re.search(left + re.escape(text) + right, source) is not None


def _readings(text: str) -> tuple[str, str, str]:
    """`text` as written, as decoded, and with schemes as browsers read them."""
    decoded = _decoded(text)
    return text, decoded, _BREAK_IN_SCHEME.sub("", decoded)


def _decoded(text: str) -> str:
    """`text` without references, escapes, invisible characters and compatibility forms of ASCII."""
    for _ in range(_MOST_LAYERS):
        decoded = _PERCENTS.sub("%", _AMPERSANDS.sub("&", text))
        decoded = urllib.parse.unquote(html.unescape(_ESCAPE.sub(_unescaped, decoded)))
        decoded = _OTHER_SPELLINGS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), decoded)
        if decoded == text:
            break
        text = decoded
    text = "".join(sign for sign in text if sign in "\t\n\r" or unicodedata.category(sign) not in {"Cc", "Cf"})
    return _OTHER_COLON.sub(r"\1:", _OTHER_DOT.sub(".", _UNSEEN.sub("", text)))


def _unescaped(match: re.Match[str]) -> str:
    octal = match["octal"]
    code = int(octal, 8) if octal else int(next(filter(None, match.groups())), 16)
    return chr(code) if code < 0x110000 else match[0]


def _parts(text: str) -> Iterator[LivePart]:
    for find in (_tags, _templates, _links):
        yield from find(text)
    # An address counts once, whatever it consists of: each match is removed before the next search.
    for kind, pattern, is_one in _ADDRESSES:
        kept: list[str] = []
        start = position = 0
        while match := pattern.search(text, position):
            if is_one(match):
                yield LivePart(kind, match[0].rstrip(".,;:!?'*)]|"))
                kept.append(text[start : match.start()])
                start = position = match.end()
            else:
                position = match.end("head")
        text = " ".join([*kept, text[start:]])


def _tags(text: str) -> Iterator[LivePart]:
    for match in _TAG.finditer(text):
        if _IS_TAG.match(match[0]):
            yield LivePart(LiveKind.MARKUP, " ".join([f"<{match['name']}", *_ATTRIBUTE.findall(match["rest"])]))
    for match in _HANDLER.finditer(text):
        yield LivePart(LiveKind.MARKUP, match[0])


def _templates(text: str) -> Iterator[LivePart]:
    for pattern in (_TEMPLATE, _SHORTCODE, _FORMULA):
        for match in pattern.finditer(text):
            yield LivePart(LiveKind.TEMPLATE, match[0])


def _links(text: str) -> Iterator[LivePart]:
    # The words of a link are translated, its target is not.
    for match in _INLINE_LINK.finditer(text):
        yield LivePart(LiveKind.LINK, f"]({match[1]}")
    for match in _REFERENCE.finditer(text):
        yield LivePart(LiveKind.LINK, match[0])
    for match in _DEFINITION.finditer(text):
        yield LivePart(LiveKind.LINK, f"]: {match[1]}")


def _is_scheme(match: re.Match[str]) -> bool:
    name, rest = match["head"].lower(), match["rest"]
    if name in SCHEMES or _SCHEME_OF_PROGRAM.match(match["head"]):
        return True
    if len(name) < 2 or rest[0].isdigit():  # a drive, a time, a port
        return False
    return rest[0] in "/\\" or bool(_LIKE_AN_ADDRESS.search(rest))


def _is_host(match: re.Match[str]) -> bool:
    host, end, rest = match["head"].lower(), match["end"].lower(), match["rest"]
    if host in PRODUCTS:
        return False
    if not end.isascii() or end.startswith("xn--"):
        return True
    labels = host.split(".")[:-1]
    is_title, longest = match["end"].istitle(), len(max(labels, key=len))
    if is_title and longest < 3:  # "M.Sc/B.Sc"
        return False
    if end in FILES:
        # "main.rs" is a file, and "README.md/LICENSE" are two.
        return end in TOP_LEVELS and bool(rest or len(labels) > 1) and labels[0] not in DOCUMENTS
    if rest:
        # After a full stop without a space comes a capital letter: "St.Gallen/Zürich".
        return end in TOP_LEVELS or (match["end"].islower() and len(rest) > 1)
    # "Ende.In" is a sentence that ends, and "z.B." an abbreviation.
    is_spelled = not is_title or end in ANY_CASE
    return is_spelled and end in TOP_LEVELS and (len(end) > 2 or longest > 2 or not host.isascii())


def _always(_: re.Match[str]) -> bool:
    return True


_ADDRESSES: Final[tuple[tuple[LiveKind, re.Pattern[str], Callable[[re.Match[str]], bool]], ...]] = (
    (LiveKind.SCHEME, _PROGRAM, _always),
    (LiveKind.SCHEME, _DATA, _always),
    (LiveKind.ADDRESS, _URL, _always),
    (LiveKind.SCHEME, _COLON, _is_scheme),
    (LiveKind.ADDRESS, _EMAIL, _always),
    (LiveKind.ADDRESS, _RELATIVE, _always),
    (LiveKind.ADDRESS, _NUMERIC_HOST, _always),
    (LiveKind.ADDRESS, _HOST, _is_host),
    (LiveKind.ADDRESS, _FAR_HOST, _is_host),
)
