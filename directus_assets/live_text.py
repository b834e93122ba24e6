"""What in a plain text somebody acts upon: browsers, Markdown renderers, template engines, spreadsheets.

Text that a model wrote ends up in pages that we do not know. So an answer may hold nothing of this kind that its source
does not hold, however it is spelled: with references (`&lt;`), escapes (`\\u003c`, `%3C`) or invisible characters.
Ordinary prose holds colons, slashes and dots as well; what only might be an address is none here.
"""

import html
import re
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Kind(StrEnum):
    """What a part of a text is, in words that go into a defect."""

    MARKUP = "markup"
    TEMPLATE = "a template expression or formula"
    LINK = "a Markdown link"
    SCHEME = "an address with a scheme"
    ADDRESS = "an address"


class Part(NamedTuple):
    """One part that is acted upon; `text` is what a translation has to keep of it, without the words for readers."""

    kind: Kind
    text: str


# Attributes without a value do nothing by themselves, and could be words: "a <b and c> d".
_TAG: Final = re.compile(r"<(?P<name>[/!?%]*+[A-Za-z0-9:-]*+)(?P<rest>[^<>]*+)")
_IS_TAG: Final = re.compile(r"<[A-Za-z/!?%]")
_ATTRIBUTE: Final = re.compile(r"""[^\s/<>='"]++\s*+=\s*+(?:"[^"]*+"?+|'[^']*+'?+|[^\s>]*+)""")

_TEMPLATE: Final = re.compile(r"\{\{[^{}]*+\}\}|\{%[^{}]*+%\}|[$#@%*~]\{[^{}]*+\}?|\{[{%#!@$]|[}%]\}")
# As in WordPress, BBCode, wikis, Smarty and Svelte.
_SHORTCODE: Final = re.compile(
    r"\[/[A-Za-z][\w-]*+\]|\[[A-Za-z][\w-]*+(?:=|\s++[\w-]++=)[^\[\]\n]{0,300}+\]|\[\[[^\[\]\n]{1,300}+\]\]|\{/[a-z]++\}"
)
_FORMULA: Final = re.compile(r"(?<![\w)\]=<>!])[=@+]{1,2}[A-Za-z][\w.]*+\(")

_INLINE_LINK: Final = re.compile(r"\]\(\s*+<?([^\s()<>]*+)")
_REFERENCE: Final = re.compile(r"\]\[[^\[\]\n]{0,200}+\]")
_DEFINITION: Final = re.compile(r"^[ ]{0,3}\[[^\[\]\n]{1,200}+\]:\s*+(\S++)", re.MULTILINE)

# What addresses are made of. Other letters end them: Chinese follows without a space.
_LONGEST: Final = 300
_PATH: Final = r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%\\|]"
_URL: Final = re.compile(rf"(?<![A-Za-z0-9])(?:https?:[/\\]{{1,3}}|www\.){_PATH}++", re.IGNORECASE)
# Addresses start where no letter stands before, else a long word costs the square of its length.
_EMAIL: Final = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++")
_RELATIVE: Final = re.compile(r"(?<![\w:/\\.~-])[/\\]{2,}+(?=[A-Za-z0-9\[])" + _PATH + "++")

# Programs, and whoever hides them: white space is allowed anywhere in the name. "JavaScript: The Good Parts" is a book.
_PROGRAM: Final = re.compile(
    "(?:" + "|".join(r"\s*+".join(name) for name in ("javascript", "vbscript", "livescript")) + r")\s*+:"
    r"(?:(?=[!-~])\S++|\s++(?=\S*[(=`/;{])\S++)",
    re.IGNORECASE,
)
_DATA: Final = re.compile(r"\bd\s*+a\s*+t\s*+a\s*+:\s*+(?:[\w.+-]++/[\w.+-]++|[;,])\S*+", re.IGNORECASE)
_SCHEMES: Final = _words(
    "about android-app apt bitcoin blob callto chrome cid data dict dns ethereum facetime feed file filesystem "
    "ftp ftps geo git gopher http https imap intent irc itms itms-apps jar javascript ldap ldaps livescript "
    "magnet mailto market mhtml mid mms mocha moz-extension msteams news nfs nntp onenote openid pop resource "
    "rtsp sftp sip sips skype slack smb sms smsto spotify ssh steam stun svn tel telnet tg urn vbscript viber "
    "view-source vnc webcal whatsapp wlan ws wss xmpp zoommtg zoomus"
)
_COLON: Final = re.compile(
    rf"(?<![A-Za-z0-9+.\-@:])(?P<head>[A-Za-z][A-Za-z0-9+.-]*+):(?!:)(?P<rest>{_PATH}{{1,{_LONGEST}}}+)"
)
# In prose, a colon within a word stands before an ending: German "Kund:innen", Finnish "EU:ssa", Swedish "tv:n".
_LIKE_AN_ADDRESS: Final = re.compile(r"[?#&%@=]\w|\w\(|[|{\\]")

# Names of hosts in other scripts are left out: there, no space tells a name from the words around it.
_LETTER: Final = r"0-9A-Za-z\u00c0-\u024f\u0370-\u04ff"
_HOST: Final = re.compile(
    rf"(?<![{_LETTER}_.@-])(?P<head>(?:[{_LETTER}][{_LETTER}_-]*+\.)+(?P<end>xn--[A-Za-z0-9-]++|[A-Za-z]{{2,24}}+|(?:рф|рус|укр|бел|срб))"
    rf"(?![{_LETTER}_-]))(?P<rest>(?::\d++)?+(?:[/?#\\]{_PATH}{{1,{_LONGEST}}}+)?+)"
)
_NUMERIC_HOST: Final = re.compile(
    rf"(?<![\w.])(?P<head>\d{{1,3}}(?:\.\d{{1,3}}){{3}}|localhost)(?::\d++|/(?=\w)){_PATH}*+", re.IGNORECASE
)
_FILES: Final = _words(
    "js jsx ts tsx mjs cjs css scss less html htm xhtml php json xml yaml yml toml ini md mdx txt rst pdf png jpg "
    "jpeg gif svg webp avif ico bmp tif tiff mp mp3 mp4 mkv avi wav doc docx xls xlsx ppt pptx odt ods csv tsv py "
    "pyc rb rs sh bash bat exe dll so java kt go cpp cs vue svelte sql db log lock env conf cfg gz tar bz xz zst "
    "bak tmp zip mov cc pl ps"
)
_TOP_LEVELS: Final = _words(
    "com org net info biz app dev shop xyz online site website store tech blog cloud club live news space world "
    "top page link click icu pro mobi name edu gov mil int digital agency studio design media email zip mov "
    "example test invalid local onion ac ae ai ar at au be bg br by ca cc ch cl cn co cz de dk ee es eu fi fr gg "
    "gr hk hr hu id ie il in io ir is it jp ke kr kz li lt lu lv ly me mx my ng nl no nz pe ph pk pl pt ro rs ru "
    "sa se sg si sk su th tk tr tv tw ua ug uk us uz vn ws za"
)
# Products that are called like an address.
_PRODUCTS: Final = frozenset({"asp.net", "vb.net", "ado.net", "ml.net"})

_ESCAPE: Final = re.compile(r"\\(?:u\{?|x)(?:00)?([0-9A-Fa-f]{2})\}?")
_OTHER_DOT: Final = re.compile(r"(?<=[A-Za-z0-9])[。．｡](?=[A-Za-z]{2,24}[/:?#])")
_OTHER_WIDTH: Final = re.compile(r"[A-Za-zＡ-Ｚａ-ｚ]+\s*[:：](?=[A-Za-zＡ-Ｚａ-ｚ/]+[(（/])")
_MOST_LAYERS: Final = 4


def live_parts(text: str) -> Counter[Part]:
    """All parts of `text` that are acted upon, as it stands. Runs in linear time."""
    return Counter(_parts(text))


def added_parts(source: str, answer: str) -> list[Part]:
    """What `answer` holds and `source` does not, each as often as it is too much; empty where nothing is wrong.

    Both are read as they stand and as they are once decoded, so that what is harmless in the source (`&lt;b>`) is not
    taken for what would not be (`<b>`).
    """
    added = live_parts(answer) - live_parts(source)
    plain = _decoded(answer)
    if plain != answer:
        added |= live_parts(plain) - live_parts(_decoded(source))
    return [*added.elements()]


def foreign_parts(source: str, answer: str) -> list[Part]:
    """What `answer` holds of its own, where it is not a translation: addresses and links of `source` may be told.

    Markup never is: the answer has to be plain text.
    """
    folded = source.casefold()
    found = live_parts(answer) | live_parts(_decoded(answer))
    return [part for part in found if part.kind is Kind.MARKUP or not _stands_in(folded, part.text.casefold())]


def _stands_in(source: str, text: str) -> bool:
    """Whether `source` has `text`, and not as a piece of a longer name."""
    left, right = (r"(?<![\w.@-])", r"(?![\w@-]|\.\w)") if text[:1].isalnum() else ("", "")
    return text in source and re.search(left + re.escape(text) + right, source) is not None


def _decoded(text: str) -> str:
    """`text` as it is once somebody has decoded it, without characters that nobody sees."""
    for _ in range(_MOST_LAYERS):
        decoded = html.unescape(_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text))
        decoded = urllib.parse.unquote(decoded)
        if decoded == text:
            break
        text = decoded
    text = "".join(sign for sign in text if sign in "\t\n\r" or unicodedata.category(sign) not in {"Cc", "Cf"})
    # Browsers take full stops of other scripts for dots, and letters of full width for letters.
    text = _OTHER_DOT.sub(".", text)
    return _OTHER_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def _parts(text: str) -> Iterator[Part]:
    for find in (_tags, _templates, _links):
        yield from find(text)
    # An address is one thing, whatever it is made of: what was found is taken out before the next look.
    for kind, pattern, is_one in _ADDRESSES:
        kept: list[str] = []
        start = position = 0
        while match := pattern.search(text, position):
            if is_one(match):
                yield Part(kind, match[0].rstrip(".,;:!?'*)]|"))
                kept.append(text[start : match.start()])
                start = position = match.end()
            else:
                position = match.end("head")
        text = " ".join([*kept, text[start:]])


def _tags(text: str) -> Iterator[Part]:
    for match in _TAG.finditer(text):
        if _IS_TAG.match(match[0]):
            yield Part(Kind.MARKUP, " ".join([f"<{match['name']}", *_ATTRIBUTE.findall(match["rest"])]))


def _templates(text: str) -> Iterator[Part]:
    for pattern in (_TEMPLATE, _SHORTCODE, _FORMULA):
        for match in pattern.finditer(text):
            yield Part(Kind.TEMPLATE, match[0])


def _links(text: str) -> Iterator[Part]:
    # The words in a link are translated, its target is not.
    for match in _INLINE_LINK.finditer(text):
        yield Part(Kind.LINK, f"]({match[1]}")
    for match in _REFERENCE.finditer(text):
        yield Part(Kind.LINK, match[0])
    for match in _DEFINITION.finditer(text):
        yield Part(Kind.LINK, f"]: {match[1]}")


def _is_scheme(match: re.Match[str]) -> bool:
    name, rest = match["head"].lower(), match["rest"]
    if name in _SCHEMES:
        return True
    if len(name) < 2 or rest[0].isdigit():  # a drive, a time, a port
        return False
    return rest[0] in "/\\" or bool(_LIKE_AN_ADDRESS.search(rest))


def _is_host(match: re.Match[str]) -> bool:
    host, end = match["head"], match["end"].lower()
    if host.lower() in _PRODUCTS:
        return False
    if not end.isascii() or end.startswith("xn--"):
        return True
    if len(match["rest"]) > 1:
        # A full stop without a space behind it is followed by a capital letter: "St.Gallen/Zürich".
        return end in _TOP_LEVELS or (match["end"].islower() and end not in _FILES)
    # Without a path, "Ende.In" is a sentence that ends, and "main.rs" a file.
    longest = max(map(len, host.split(".")[:-1]))
    is_spelled = match["end"].islower() or host.isupper()
    return is_spelled and end in _TOP_LEVELS - _FILES and (len(end) > 2 or longest > 2)


def _always(_: re.Match[str]) -> bool:
    return True


_ADDRESSES: Final[tuple[tuple[Kind, re.Pattern[str], Callable[[re.Match[str]], bool]], ...]] = (
    (Kind.SCHEME, _PROGRAM, _always),
    (Kind.SCHEME, _DATA, _always),
    (Kind.ADDRESS, _URL, _always),
    (Kind.SCHEME, _COLON, _is_scheme),
    (Kind.ADDRESS, _EMAIL, _always),
    (Kind.ADDRESS, _RELATIVE, _always),
    (Kind.ADDRESS, _NUMERIC_HOST, _always),
    (Kind.ADDRESS, _HOST, _is_host),
)
