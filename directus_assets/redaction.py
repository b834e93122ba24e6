"""Takes credentials out of texts: those of this process, however they are spelled, and whatever looks like one.

Servers, proxies and libraries repeat what they were sent: as it is, in an address, in JSON, or in base64.
Our errors are redacted when they are made. They are raised `from None` where the error of a library repeats an answer,
since Dagster shows causes.
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
    # GitHub's, Slack's and AWS' own forms, and keys in PEM.
    r"|(?P<whole>\bgh[oprsu]_\w{20,}|\bxox[a-z]-[\w-]{10,}|\bA[KS]IA[0-9A-Z]{16}\b"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?)"
    # A password may hold a slash, but what follows a port is a path.
    r"|(?P<userinfo>://)(?:[^/\s?#\"'<>,\\]+|[^/\s:@?#\"'<>,\\]+:(?!\d+(?:[/?#]|$))[^\s@\"'<>]{1,200})@"
)
# As people write it: `/` and `@` unquoted, which no parser of addresses takes.
_PASSWORD: Final = re.compile(r"://[^/\s:@]*:(?!\d*(?:[/?#]|$))(\S+)@")
_PARAMETER: Final = re.compile(r"[?&](?P<name>[\w.-]+)=(?P<value>[^&#\s]+)")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_-]")

_known_secrets: dict[str, tuple[re.Pattern[str], frozenset[str]]] = {}
"""Each known secret with what finds its spellings, and what is in it whatever base64 text holds it."""


def hide(secret: str) -> None:
    """From now on `redact` takes `secret` out wherever it stands, quoted, escaped, in base64 and in hexadecimal.

    Short ones are left alone: they are words that stand in many texts.
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
    """Hides the password in an address, and its parameters that are called like a secret."""
    found = [match[1] for match in _PASSWORD.finditer(url)]
    found += [match["value"] for match in _PARAMETER.finditer(url) if _is_called_secret(match["name"])]
    for value in found:
        hide(value)
        hide(unquote(value))


def hide_environment(environ: Mapping[str, str]) -> None:
    """Hides what variables hold that are called like a secret, and the passwords in addresses, for whomever they are.

    Left alone is a word of small letters: `directus` as the password of a database stands in every other line.
    """
    for name, value in environ.items():
        if "://" in value:
            hide_login(value)
        elif _is_called_secret(name) and not (value.isalpha() and value.islower() and len(value) < _LONGEST_WORD):
            hide(value)


def hide_header(value: str) -> None:
    """Hides the value of a header without its scheme, such as `Basic`, and the password in its base64."""
    credential = value.rsplit(maxsplit=1)[-1] if value.strip() else ""
    hide(credential)
    if login := _login(credential):
        hide(login.partition(":")[2])


def redact(text: str) -> str:
    """`text` without anything that is a credential of this process, or looks like one."""
    # The longest first: one may hold another. (`sorted` makes a copy, as other threads may add one meanwhile.)
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
    """`user:password`, where that is what is encoded; else nothing."""
    try:
        padded = credential.rstrip("=") + "=" * (-len(credential.rstrip("=")) % 4)
        text = base64.b64decode(padded, altchars=b"-_" if set("-_") & set(credential) else None, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text if ":" in text and text.isprintable() else ""


def _spellings(sign: str) -> str:
    """A pattern for one character as it stands in texts, addresses, JSON, Python and HTML."""
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
    """What a base64 text holds of `secret`, wherever it begins: at each of the three places, without its edges."""
    data = secret.encode("utf-8", "surrogatepass")
    for offset in range(3):
        whole = base64.b64encode(bytes(offset) + data).decode().rstrip("=")
        # The first characters tell of what stands before, too, and the last one of what follows.
        core = whole[-(-8 * offset // 6) : (8 * (offset + len(data))) // 6]
        if len(core) >= _SHORTEST_CORE:
            yield core
            yield core.replace("+", "-").replace("/", "_")


def _without_base64(text: str, core: str) -> str:
    """`text` without the base64 texts that hold `core`."""
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
