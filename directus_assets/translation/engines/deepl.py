"""Translation by DeepL.

Limits and codes: https://developers.deepl.com/docs/api-reference/translate (50 texts and 128 KiB per request).
"""

import html
import logging
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

import deepl
import deepl.http_client
import requests
from deepl.api_data import MultilingualGlossaryDictionaryEntries
from requests.adapters import HTTPAdapter

from directus_assets.errors import (
    BadInput,
    DirectusAssetsError,
    Forbidden,
    Rejected,
    TransientError,
    Unreachable,
    from_status,
)
from directus_assets.json_text import well_formed
from directus_assets.spending.chat_limits import is_out_of_credit
from directus_assets.spending.deadline import within
from directus_assets.spending.faults import AnswerFault, RequestRefused
from directus_assets.spending.server_words import NOT_A_CHARACTER, Refusal, read_document, refusal_in, refusal_of
from directus_assets.spending.usage import Usage, counted
from directus_assets.translation import icu
from directus_assets.translation.engines.protocol import Answer, Request
from directus_assets.translation.icu_parts import Unfolded
from directus_assets.translation.languages import Language
from directus_assets.translation.segments.notation import PLACEHOLDER

logger = logging.getLogger(__name__)

GLOSSARY_NAME: Final = "directus-assets"
"""Our only glossary at DeepL, with a dictionary for each language pair; free accounts may have one."""

QUOTA_EXCEEDED: Final = 456
"""A status specific to DeepL."""

T = TypeVar("T")

_CODES: Final = {
    value.lower(): value for name, value in vars(deepl.Language).items() if name.isupper() and isinstance(value, str)
}
_LATIN_AMERICA: Final = frozenset(
    {
        "419",
        "AR",
        "BO",
        "CL",
        "CO",
        "CR",
        "CU",
        "DO",
        "EC",
        "GT",
        "HN",
        "MX",
        "NI",
        "PA",
        "PE",
        "PR",
        "PY",
        "SV",
        "UY",
        "VE",
    }
)
_SENSELESS: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError, ArithmeticError, RecursionError)
"""The exceptions that the package raises for an unexpected response."""
_EMPTY_PAIR: Final = re.compile(r"<x(\d+)\s*>\s*</x\1\s*>|<x(\d+)\s*/>")


class DeepLEngine:
    """An `Engine` for DeepL.

    Args:
        api_key: the key; keys ending in `:fx` belong to free accounts and use a different address.
        formality: `default`, `prefer_more` or `prefer_less`; DeepL ignores it for languages without formality.
        server_url: another address, for a proxy.
        timeout_seconds: the time limit for an answer.
    """

    name = "deepl"
    model = "deepl"
    # 128 KiB hold this many characters even if each is escaped to five bytes.
    max_characters = 24_000
    max_segments = 50
    can_repair = False

    def __init__(
        self,
        *,
        api_key: str,
        formality: str = "default",
        server_url: str | None = None,
        timeout_seconds: float = 120.0,
    ) -> None:
        # The package can only be configured by these two settings, which apply to the whole process.
        deepl.http_client.max_network_retries = 0
        deepl.http_client.min_connection_timeout = timeout_seconds
        self._client = deepl.DeepLClient(api_key, server_url=server_url, send_platform_info=False)
        # A redirect would send the texts to an address that nobody configured. The package has no setting for it.
        self._client._client._session.max_redirects = 0  # noqa: SLF001
        self._heard = _Heard()
        for scheme in ("http://", "https://"):
            self._client._client._session.mount(scheme, _Listening(self._heard))  # noqa: SLF001 - as above
        self._timeout_seconds = timeout_seconds
        self._formality = formality
        self._glossaries = _Glossaries(self._client, self._heard)

    def estimate(self, request: Request) -> Usage:
        """Exactly what DeepL bills: the source's characters."""
        return Usage(requests=1, characters=request.characters)

    def translate(self, request: Request) -> Answer:
        """Answer one request.

        Raises:
            TransientError: no answer in time, or 429, 5xx.
            Forbidden: the key is wrong, or its quota used up.
            BadInput: DeepL does not know one of the languages.
            Rejected: it refuses the request for another reason, or its answer is invalid.
        """
        source, target = _source_code(request.source), target_code(request.target)
        # DeepL does not support ICU messages, so it gets their arms one by one.
        messages = [Unfolded.of(icu.message_in(segment.text) or (segment.text,)) for segment in request.segments]
        parts = [text for message in messages for text in message.texts]
        texts = [text for text in parts if any(map(str.isalpha, PLACEHOLDER.sub("", text)))]
        if len(texts) > self.max_segments:
            return Answer(
                failure=AnswerFault.TOO_LONG, reason="So many arms are more than it takes.", was_sent_back=True
            )

        def send() -> deepl.TextResult | list[deepl.TextResult]:
            return self._client.translate_text(
                [to_xml(text) for text in texts],
                source_lang=source,
                target_lang=target,
                tag_handling="xml",
                tag_handling_version="v2",
                preserve_formatting=True,
                formality=self._formality_of(request),
                context=_context(request) or None,
                glossary=self._glossaries.id_for(request, source, target),
            )

        try:
            results = self._exchange_with_glossary(send, source, target)
        except _TooLarge as error:
            return Answer(
                usage=Usage(requests=1), failure=AnswerFault.TOO_LONG, reason=error.message, was_sent_back=True
            )
        results = results if isinstance(results, list) else [results]
        billed = counted(sum(result.billed_characters for result in results))
        usage = Usage(requests=1, characters=request.characters if billed is None else billed)
        if len(results) != len(texts):
            # Which of the texts these are is unknown.
            return Answer(usage=usage, reason=f"DeepL returned {len(results)} texts for {len(texts)} segments.")
        answers: dict[str, str | None] = {text: text for text in parts}
        for text, result in zip(texts, results, strict=True):
            answers[text] = _readable(result.text, text) if isinstance(result.text, str) else None
        found = {
            segment.key: message.folded([answers[text] for text in message.texts], request.target)
            for segment, message in zip(request.segments, messages, strict=True)
        }
        return Answer(texts={key: text for key, text in found.items() if text is not None}, usage=usage)

    def _formality_of(self, request: Request) -> str | None:
        if request.voice.register:
            # Preferred, not required: DeepL refuses a required formality for languages without such forms.
            return "prefer_more" if request.voice.register == "formal" else "prefer_less"
        return None if self._formality == "default" else self._formality

    def check(self) -> str:
        """Empty if DeepL accepts the key and has characters left; else a warning in one sentence.

        Raises:
            TransientError: no answer in time, or 429, 5xx.
            Forbidden: the key is wrong.
        """
        usage = self._exchange(self._client.get_usage)
        if usage.any_limit_reached:
            return (
                f"The quota of this API key is used up ({usage.character.count} of {usage.character.limit} characters)."
            )
        return ""

    def _exchange_with_glossary(self, send: Callable[[], T], source: str, target: str) -> T:
        """Like `_exchange`; a glossary that is gone is sent again, and left out if DeepL refuses that one as well."""
        for change in (self._glossaries.forget, self._glossaries.give_up):
            try:
                return self._exchange(send)
            except _GlossaryRefused:
                if not change(source, target):
                    raise
        return self._exchange(send)

    def _exchange(self, send: Callable[[], T]) -> T:
        """Call `send` as one exchange with one deadline.

        Raises:
            DirectusAssetsError: DeepL's message if it refuses.
        """

        def run() -> T:
            self._heard.response = None
            try:
                result = send()
            except deepl.DeepLException as error:
                raise _classify(error, self._heard.refusal) from None
            except _SENSELESS as error:
                if refusal := self._heard.refusal:
                    raise _refused(refusal) from None
                raise RequestRefused(f"DeepL sent a response that could not be understood: {error!r:.200}") from None
            # An error may arrive with a success status.
            if refusal := self._heard.refusal:
                raise _refused(refusal)
            return result

        return within(self._timeout_seconds, run, who="DeepL")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # the package leaves this one untyped


def _context(request: Request) -> str:
    """The surroundings of the texts, in their language: DeepL reads them without billing them."""
    wordings = [request.title]
    for segment in request.segments:
        wordings += [segment.reference.before, segment.reference.after]
    shown = (PLACEHOLDER.sub("", wording.source) for wording in wordings if wording)
    return "\n".join(dict.fromkeys(shown))


class _TooLarge(Rejected):
    """The request is too large; fewer texts may succeed."""


class _GlossaryRefused(RequestRefused):
    """If the request names a glossary, DeepL does not accept that."""


class _Heard(threading.local):
    """DeepL's last response: the package keeps neither its message nor its Retry-After."""

    response: requests.Response | None = None

    @property
    def refusal(self) -> Refusal | None:
        """The refusal in the last response; None if there is none."""
        if self.response is None:
            return None
        try:
            content, headers = self.response.content, self.response.headers
        except requests.RequestException:
            return None  # the connection broke off
        if self.response.status_code >= 300:
            return refusal_of(self.response.status_code, content, headers)
        document = read_document(content)
        is_answer = isinstance(document, dict) and {"translations", "glossaries", "character_count"} & document.keys()
        return None if is_answer else refusal_in(document, headers)


class _Listening(HTTPAdapter):
    def __init__(self, heard: _Heard) -> None:
        super().__init__()
        self._heard = heard

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        self._heard.response = super().send(*args, **kwargs)
        return self._heard.response


class _Glossaries:
    """The project's glossary at DeepL. Each language pair is sent once, and again when it changes."""

    def __init__(self, client: deepl.DeepLClient, heard: _Heard) -> None:
        self._client = client
        self._heard = heard
        self._lock = threading.Lock()
        self._sent: dict[tuple[str, str], tuple[dict[str, str], str | None]] = {}

    def id_for(self, request: Request, source: str, target: str) -> str | None:
        """The id of the glossary with this pair's terms; None if there are none, or DeepL refuses them."""
        entries = {
            term.term: wording for term in request.glossary if (wording := term.fixed_translation(request.target))
        }
        if not entries:
            return None
        pair = _pair(source, target)
        with self._lock:
            known = self._sent.get(pair)
            if known is None or known[0] != entries:
                known = self._sent[pair] = (entries, self._send(*pair, entries))
            return known[1]

    def forget(self, source: str, target: str) -> bool:
        """Send the terms of this pair again with its next request; return whether its last one had a glossary."""
        with self._lock:
            return self._sent.pop(_pair(source, target), ({}, None))[1] is not None

    def give_up(self, source: str, target: str) -> bool:
        """Send no glossary for this pair until its terms change; return whether its last request had one."""
        with self._lock:
            entries, used = self._sent.get(_pair(source, target), ({}, None))
            self._sent[_pair(source, target)] = (entries, None)
            return used is not None

    def _send(self, source: str, target: str, entries: dict[str, str]) -> str | None:
        dictionary = MultilingualGlossaryDictionaryEntries(source, target, entries)
        try:
            for glossary in self._client.list_multilingual_glossaries():
                if glossary.name == GLOSSARY_NAME:
                    with suppress(deepl.GlossaryNotFoundException):  # deleted at this moment
                        self._client.replace_multilingual_glossary_dictionary(glossary, dictionary)
                        return glossary.glossary_id
            return self._client.create_multilingual_glossary(GLOSSARY_NAME, [dictionary]).glossary_id
        except deepl.DeepLException as error:
            reason = _classify(error, self._heard.refusal)
            if isinstance(reason, TransientError):
                raise reason from None
        except _SENSELESS as error:
            reason = RequestRefused(f"{error!r:.200}")
        # Not every language pair and account supports glossaries. The checks still require the terms.
        logger.warning("DeepL translates from %s into %s without a glossary: %s", source, target, reason)
        return None


def _pair(source: str, target: str) -> tuple[str, str]:
    return source.partition("-")[0], target.partition("-")[0]


def target_code(target: Language) -> str:
    """DeepL's code for a target language; English, Portuguese and Chinese require a variant.

    Raises:
        BadInput: DeepL does not translate into this language.
    """
    region = target.tag.rpartition("-")[2].upper() if "-" in target.tag else ""
    match target.base:
        case "en":
            return "en-US" if region in {"", "US", "CA", "PH"} else "en-GB"
        case "pt":
            return "pt-BR" if region == "BR" else "pt-PT"
        case "zh":
            return "zh-Hant" if target.script == "Hant" else "zh-Hans"
        case "es" if region in _LATIN_AMERICA:
            return "es-419"
    return _source_code(target)


def to_xml(text: str) -> str:
    """Convert a segment's text to XML: placeholders become tags, everything else is escaped."""
    parts, end = [], 0
    for match in PLACEHOLDER.finditer(text):
        parts += [html.escape(text[end : match.start()], quote=False), match[0]]
        end = match.end()
    return well_formed("".join([*parts, html.escape(text[end:], quote=False)]))


def from_xml(answer: str) -> str:
    """Convert an XML answer back to text."""
    answer = _EMPTY_PAIR.sub(lambda match: f"<x{match[1] or match[2]}/>", answer)
    parts, end = [], 0
    for match in PLACEHOLDER.finditer(answer):
        parts += [html.unescape(answer[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*parts, html.unescape(answer[end:])])


def _source_code(language: Language) -> str:
    base = {"no": "nb", "fil": "tl", "iw": "he"}.get(language.base, language.base)
    if base not in _CODES:
        raise BadInput(
            f"DeepL does not support the language '{language.code}' ({language.name}).",
            remedy="Exclude it, or set TRANSLATION_ENGINE=openai.",
        )
    return _CODES[base]


def _readable(answer: str, source: str) -> str:
    """An answer's text, where undecodable bytes and lone surrogates become a character that every check rejects."""
    # The package decodes bytes that are not UTF-8 to this character.
    broken = answer if "\ufffd" in source else answer.replace("\ufffd", NOT_A_CHARACTER)
    return well_formed(from_xml(broken), half=NOT_A_CHARACTER)


def _classify(error: deepl.DeepLException, refusal: Refusal | None) -> DirectusAssetsError:
    if error.http_status_code is None or refusal is None:
        return Unreachable(f"DeepL did not respond: {error}")
    return _refused(refusal)


def _refused(refusal: Refusal) -> DirectusAssetsError:
    if refusal.status == QUOTA_EXCEEDED or is_out_of_credit(refusal) or "quota exceeded" in refusal.said.lower():
        return Forbidden(
            f"DeepL: the quota of this API key is used up: {refusal.said}",
            remedy="Wait for the next billing period, or upgrade the plan.",
        )
    if refusal.status == 413 or "too large" in refusal.said.lower():
        return _TooLarge(refusal.said)
    message = f"DeepL refused to translate: {refusal.said}"
    remedy = "Check DEEPL_API_KEY." if refusal.status in (401, 403) else ""
    refused = _GlossaryRefused if refusal.status == 404 or "glossary" in refusal.said.lower() else RequestRefused
    return refused.of(from_status(refusal.status, message, remedy=remedy, headers=refusal.headers))
