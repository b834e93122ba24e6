"""Redacts credentials in texts: those of this process, in any encoding, and everything that looks like one.

Servers, proxies and libraries repeat what they were sent: literally, in a URL, in JSON, or in base64. Our errors are
redacted when they are created. They are raised `from None` if a library's error repeats a response, since Dagster shows
causes.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, unquote

_SHORTEST_SECRET: Final = 8
_SHORTEST_MIX: Final = 5
_SHORTEST_CORE: Final = 6
_LONGEST_WORD: Final = 16

_SECRET_NAME: Final = re.compile(r"(?:^|_)(?:TOKEN|SECRET|KEY|PASSWORD|PASSWD|PWD|PASS|SERVICE_ROLE|CREDENTIALS?)$")

_SECRETS: Final = re.compile(
    r"(?i)(?P<cookie>\b(?:set-)?cookie\b)(?P<is>['\"]?\s*[:=]\s*['\"]?)[\w.-]+=[^\r\n'\"]+"
    r"|(?P<name>authorization|access_token|api[-_]?key|token|secret|passw(?:or)?d|signature|credential|service_role|(?<=[?&])sig)"
    r"(?P<sep>\\?['\"]?\s*[:=]\s*\\?['\"]?)(?:(?:bearer|basic|token|deepl-auth-key)\s+)?[^\s'\",;&}\\]+"
    r"|(?P<bearer>bearer|deepl-auth-key)\s+[\w.~+/=:-]+"
    r"|\b(?P<basic>basic)\s+(?P<login>[\w+/-]{4,}={0,2})"
    r"|(?P<openai>\bsk-)[\w-]{8,}"
    r"|(?P<jwt>\beyJ)[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
    # The formats of GitHub, Slack and AWS, and PEM keys.
    r"|(?P<whole>\bgh[oprsu]_\w{20,}|\bxox[a-z]-[\w-]{10,}|\bA[KS]IA[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?)"
    # A password may contain a slash, but a path follows a port.
    r"|(?P<userinfo>://)(?:[^/\s?#\"'<>,\\]+|[^/\s:@?#\"'<>,\\]+:(?!\d+(?:[/?#]|$))[^\s@\"'<>]{1,200})@"
)
# As people write it: with unquoted `/` and `@`, which no URL parser accepts.
_PASSWORD: Final = re.compile(r"://[^/\s:@]*:(?!\d*(?:[/?#]|$))(\S+)@")
_PARAMETER: Final = re.compile(r"[?&](?P<name>[\w.-]+)=(?P<value>[^&#\s]+)")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_-]")

_known_secrets: dict[str, tuple[re.Pattern[str], frozenset[str]]] = {}
"""Each known secret with a pattern for its spellings, and the parts of it that any base64 text contains."""


def hide(secret: str) -> None:
    """Make `redact` remove `secret` from now on, whether quoted, escaped, or in base64 or hexadecimal.

    Short ones are ignored: they are words that occur in many texts.
    """
    is_mixed = any(map(str.isalpha, secret)) and not secret.isalpha()
    if secret not in _known_secrets and (
        len(secret) >= _SHORTEST_SECRET or (is_mixed and len(secret) >= _SHORTEST_MIX)
    ):
        _known_secrets[secret] = (
            re.compile(f"{''.join(map(_spellings, secret))}|(?i:{secret.encode('utf-8', 'surrogatepass').hex()})"),
            frozenset([*_cores(secret), *_cores(quote(secret, safe=""))]),
        )


def hide_login(url: str) -> None:
    """Hide the password in a URL, and query parameters with the name of a secret."""
    found = [match[1] for match in _PASSWORD.finditer(url)]
    found += [match["value"] for match in _PARAMETER.finditer(url) if _is_called_secret(match["name"])]
    for value in found:
        hide(value)
        hide(unquote(value))


def hide_environment(environ: Mapping[str, str]) -> None:
    """Hide the values of variables with the name of a secret, and all passwords in URLs.

    A lower-case word is ignored: `directus` as a database password occurs in every other line.
    """
    for name, value in environ.items():
        if "://" in value:
            hide_login(value)
        elif _is_called_secret(name) and not (value.isalpha() and value.islower() and len(value) < _LONGEST_WORD):
            hide(value)


def hide_header(value: str) -> None:
    """Hide the value of a header without its scheme, such as `Basic`, and the password in its base64."""
    credential = value.rsplit(maxsplit=1)[-1] if value.strip() else ""
    hide(credential)
    if login := _login(credential):
        hide(login.partition(":")[2])


def redact(text: str) -> str:
    """`text` without anything that is, or looks like, a credential of this process."""
    # The longest first, since one may contain another. (`sorted` makes a copy, as other threads may add secrets
    # concurrently.)
    for _, (spelled, cores) in sorted(_known_secrets.items(), key=lambda known: len(known[0]), reverse=True):
        text = spelled.sub("***", text)
        for core in cores:
            text = _without_base64(text, core)
    return _SECRETS.sub(_covered, text)


def _covered(match: re.Match[str]) -> str:
    if match["cookie"]:
        return f"{match['cookie']}{match['is']}***"
    if match["name"]:
        return f"{match['name']}{match['sep']}***"
    if match["whole"]:
        return "***"
    if match["userinfo"]:
        return "://***@"
    if match["basic"] and not _login(match["login"]):
        return match[0]
    return f"{match['bearer'] or match['basic'] or match['openai'] or match['jwt']} ***"


def _is_called_secret(name: str) -> bool:
    return _SECRET_NAME.search(name.upper().replace("-", "_")) is not None or name.lower() in {"apikey", "sig"}


def _login(credential: str) -> str:
    """`user:password` if that is what is encoded; else empty."""
    try:
        padded = credential.rstrip("=") + "=" * (-len(credential.rstrip("=")) % 4)
        text = base64.b64decode(padded, altchars=b"-_" if set("-_") & set(credential) else None, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text if ":" in text and text.isprintable() else ""


def _spellings(sign: str) -> str:
    """A pattern for one character in texts, URLs, JSON, Python and HTML."""
    if sign.isascii() and sign.isalnum():
        return sign
    data = sign.encode("utf-8", "surrogatepass")
    utf16 = sign.encode("utf-16-be", "surrogatepass")
    forms = [
        rf"\\*{re.escape(sign)}",
        "".join(rf"%(?:25)*(?i:{byte:02x})" for byte in data),
        "".join(rf"\\+u(?i:{utf16[at]:02x}{utf16[at + 1]:02x})" for at in range(0, len(utf16), 2)),
        "".join(rf"\\+x(?i:{byte:02x})" for byte in data),
        rf"&(?:#0*{ord(sign)}|#[xX]0*(?i:{ord(sign):x}));",
    ]
    if (name := html.escape(sign)) != sign:
        forms.append(re.escape(name))
    if sign == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _cores(secret: str) -> Iterator[str]:
    """The parts of `secret` that a base64 text contains at each of the three alignments, without the edges."""
    data = secret.encode("utf-8", "surrogatepass")
    for offset in range(3):
        whole = base64.b64encode(bytes(offset) + data).decode().rstrip("=")
        # The first characters also depend on what precedes, and the last one on what follows.
        core = whole[-(-8 * offset // 6) : (8 * (offset + len(data))) // 6]
        if len(core) >= _SHORTEST_CORE:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def _without_base64(text: str, core: str) -> str:
    """`text` without base64 texts that contain `core`."""
    parts: list[str] = []
    position = 0
    while (found := text.find(core, position)) >= 0:
        start, end = found, found + len(core)
        while start > position and _BASE64.match(text[start - 1]):
            start -= 1
        while end < len(text) and _BASE64.match(text[end]):
            end += 1
        parts += [text[position:start], "***"]
        position = end
    return "".join([*parts, text[position:]])
