"""Tells addresses from text: by value, by name, and by both.

An address refers to something or is compared with something: a URL, a path, an e-mail address, a colour, an icon, a CSS
class, an identifier. It is copied into every language, never translated. Pure, and about single strings only.
"""

import re
from typing import Final, Literal

Copied = Literal["addresses", "unless prose", "always"]
"""Which values of a field are copied: only unmistakable addresses, everything but prose, or all."""

_ADDRESS: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://\S+"  # a URL
    r"|(?:mailto|tel|sms|fax|geo|urn|data|blob|javascript|skype|whatsapp|callto|maps|about|file):\S+"
    r"|(?:www\.|//)\S+"
    r"|[^\s@/]+@[^\s@/]+\.[^\s@/]+"  # an e-mail address
    r"|@[a-z0-9-]+/[\w./-]+"  # a package
    r"|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}(?::\d+)?(?:[/?#]\S*)?"  # a host with an optional remainder
    r"|/\S*|\.{1,2}/\S*|~/\S*"  # a path
    r"|[?#][^\s#]+|#"  # a query, an anchor, a colour
    r"|\S+\.(?:jpe?g|png|gif|webp|avif|svg|ico|pdf|mp[34]|webm|html?|php|aspx?|css|js|json|xml|csv|zip)(?:[?#]\S*)?"
    r"|(?:rgb|hsl|hwb|lab|lch|oklab|oklch|color|var|calc|url|(?:repeating-)?(?:linear|radial|conic)-gradient)a?\(.*\)"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[a-z]*\d)[0-9a-f]{16,}"  # a UUID, a digest
    r"|[a-z0-9-]+(?::[a-z0-9-]+)+"  # an icon of a set, such as `mdi:home`
    r"|--[a-z][\w-]*"  # a CSS variable
    r"|[a-z0-9]*(?:_+[a-z0-9]+)+_*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"  # snake_case
    r"|[a-z]+[0-9]*(?:[A-Z][a-z0-9]+)+",  # camelCase
)
_CASELESS: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://\S+|(?:mailto|tel):\S+|www\.\S+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
_ICON_CLASS: Final = re.compile(r"(?:fa[bdlrs]?|mdi|bi|ti|ri|icon|ph|lni|glyphicon|material-icons)(?:-\S+)?")

_MARKUP: Final = re.compile(
    r"(?>\s*(?>(?s:<!--.*?-->)"
    r"|(?s:<(?P<name>script|style|iframe|svg)\b.*?</(?P=name)\s*>)"
    r"|<(?:link|meta|embed)\b[^<>]*>"
    r"|<noscript>\s*<(?:iframe|img)\b[^<>]*>(?:\s*</iframe>)?\s*</noscript>))+\s*",
    re.IGNORECASE,
)
"""What is pasted into a page, with nothing to read in it or beside it: scripts, styles, frames. Atomic groups end each
element at its first closing tag, or the text between two of them would be part of one."""

_START: Final = re.compile(r"[a-z]+://|mailto:|tel:|www\.|[/#?]|\.{1,2}/", re.IGNORECASE)
"""The start of an address, recognised even if someone has typed spaces into it."""

_TOKEN: Final = re.compile(r"[!-~]+")
_SIGN_OF_A_TOKEN: Final = re.compile(r"[-_/.:#@=?&%+\d]|[a-z][A-Z]")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
# Scripts written without spaces: any two letters may be two words.
_WITHOUT_SPACES: Final = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{2}")

_SURELY: Final = frozenset(
    (  # noqa: SIM905  # a list of words reads best as words
        "color colour colors colours hex rgb rgba hsl icon icons class classes classname css uuid guid href src srcset "
        "permalink permalinks robots iframe embed svg js javascript cron crontab regex regexp xpath jsonld sql graphql "
        "selector font fonts fontfamily fontsize mediaquery dateformat timeformat checksum "
        "password passwords secret secrets"
    ).split()
)
_LIKELY: Final = frozenset(
    (  # noqa: SIM905  # as above
        "id ids url urls uri link links path paths route email mail phone telephone tel mobile fax anchor hash code "
        "codes key username identifier sku isbn ean gtin iban bic token website homepage filename mimetype locale "
        "timezone canonical endpoint webhook redirect slug handle currency iso template layout variant component "
        "rel theme postcode latitude longitude coordinates version hashtag twitter facebook instagram linkedin "
        "youtube vimeo tiktok github whatsapp telegram skype mastodon bluesky hostname domain subdomain ip doi orcid "
        "issn upc asin mpn swift lat lng geo zip ref lang hreflang alignment ogtype schematype contenttype blocktype "
        "redirectto formaction fileextension utmsource utmmedium utmcampaign utmterm utmcontent "
        "ipaddress emailaddress webaddress macaddress"
    ).split()
)
_CODE: Final = frozenset({"code", "expression", "pattern", "snippet", "script", "scripts"})
_CODE_OF: Final = _SURELY | {"analytics", "body", "custom", "footer", "head", "header", "tracking", "widget"}
"""`tracking_code` is a script, whereas `discount_code` is only probably a single word."""
_NAME_OF: Final = frozenset({"class", "icon", "file"})
"""`icon_name` is not a name for people to read, whereas `color_name` may be "Midnight blue"."""


def is_address(text: str) -> bool:
    """Whether a text as a whole can only be an address.

    Single words are ambiguous: `about-us`, `home` and `DE` do not count.
    """
    text = text.strip()
    if _MARKUP.fullmatch(text):
        return True
    if "\n" in text:
        return False
    if _ADDRESS.fullmatch(text) or _CASELESS.fullmatch(text):
        return True
    parts = text.split()
    return len(parts) > 1 and all(map(_ICON_CLASS.fullmatch, parts))


def is_prose(text: str) -> bool:
    """Whether a text is prose: more than one human-readable word."""
    if is_address(text):
        return False
    words = [part for part in text.split() if _WORD.search(part) and not is_address(part)]
    return len(words) > 1 or bool(_WITHOUT_SPACES.search(text))


def is_copied(text: str, which: Copied) -> bool:
    """Whether a value is copied unchanged, given what is known about its field."""
    if which == "always":
        return True
    if which == "unless prose":
        return not is_prose(text) or bool(_START.match(text.strip()))
    return is_address(text)


def all_addresses(values: list[str]) -> bool:
    """Whether the values of one field, taken together, are addresses: single tokens, a third of which look like
    addresses.

    Single values tell less: `home` is a word, but beside `about-us` and `contact-us` it is a page.
    """
    found = {value.strip() for value in values if value.strip()}
    if not all(is_address(value) or _TOKEN.fullmatch(value) for value in found):
        return False
    signed = sum(is_address(value) or bool(_SIGN_OF_A_TOKEN.search(value)) for value in found)
    return bool(found) and 3 * signed >= len(found)


def told_by_name(name: str) -> Copied:
    """Which values of a field or member with this name are copied: `cta_url`, `iconName`, `css-class`, `phone_2`."""
    words = words_of(name)
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    before, last = ["", "", *words][-2:]
    named = {last, before + last}
    if named & _SURELY or (last == "name" and before in _NAME_OF) or (last in _CODE and before in _CODE_OF):
        return "always"
    return "unless prose" if named & _LIKELY or (last == "number" and before in _LIKELY) else "addresses"


def words_of(name: str) -> list[str]:
    """Split a name in snake_case, kebab-case or camelCase into lower-case words."""
    return re.findall(r"[a-z]+|\d+|[^\W\d_a-z]+", re.sub(r"(?<=[a-z\d])(?=[A-Z])", "_", name).lower())
