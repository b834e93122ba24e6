"""Translation by DeepL.

Limits and codes: https://developers.deepl.com/docs/api-reference/translate (50 texts and 128 KiB in one request).
"""

import html
import re
import threading
from typing import Final

import deepl
import deepl.http_client
from deepl.api_data import MultilingualGlossaryDictionaryEntries

from directus_assets.errors import BadInput, DirectusAssetsError, Forbidden, Rejected, Unreachable, from_status
from directus_assets.json_text import well_formed
from directus_assets.spending.faults import (
    AnswerFault,
    RequestRefused,
)
from directus_assets.spending.usage import (
    Usage,
    counted,
)
from directus_assets.translation.engines.protocol import (
    Answer,
    Request,
)
from directus_assets.translation.languages import Language
from directus_assets.translation.segments.notation import PLACEHOLDER

GLOSSARY_NAME: Final = "directus-assets"
"""The one glossary that is kept at DeepL, with a dictionary for each pair of languages; free accounts may have one."""

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
"""What the package raises where an answer is not what it expects."""
_EMPTY_PAIR: Final = re.compile(r"<x(\d+)\s*>\s*</x\1\s*>|<x(\d+)\s*/>")


class DeepLEngine:
    """An `Engine` for DeepL.

    Args:
        api_key: the key; those that end in `:fx` are of free accounts and go to another address.
        formality: `default`, `prefer_more` or `prefer_less`; ignored by DeepL where a language has none.
        server_url: another address, for a proxy.
        timeout_seconds: how long an answer may take.
    """

    name = "deepl"
    model = "deepl"
    # 128 KiB hold this many characters even where each is escaped to five bytes.
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
        # The package has no other way than these two of its settings, which hold for the whole process.
        deepl.http_client.max_network_retries = 0
        deepl.http_client.min_connection_timeout = timeout_seconds
        self._client = deepl.DeepLClient(api_key, server_url=server_url, send_platform_info=False)
        # A redirect would take the texts to an address that nobody configured. The package has no setting for it.
        self._client._client._session.max_redirects = 0  # noqa: SLF001
        self._formality = formality
        self._glossaries = _Glossaries(self._client)

    def estimate(self, request: Request) -> Usage:
        """Exactly what DeepL bills: the source's characters."""
        return Usage(requests=1, characters=request.characters)

    def translate(self, request: Request) -> Answer:
        """The answer to one request.

        Raises:
            TransientError: no answer in time, or 429, 5xx.
            Forbidden: the key is wrong, or its quota used up.
            BadInput: DeepL does not know one of the languages.
            Rejected: it refuses the request for another reason, or its answer makes no sense.
        """
        source, target = _source_code(request.source), target_code(request.target)
        try:
            results = self._client.translate_text(
                [to_xml(segment.text) for segment in request.segments],
                source_lang=source,
                target_lang=target,
                tag_handling="xml",
                tag_handling_version="v2",
                preserve_formatting=True,
                formality=None if self._formality == "default" else self._formality,
                glossary=self._glossaries.id_for(request, source, target),
            )
        except deepl.DeepLException as error:
            classified = _classify(error)
            if isinstance(classified, Rejected) and "too large" in str(error).lower():
                return Answer(usage=Usage(requests=1), failure=AnswerFault.TOO_LONG)
            raise classified from None
        except _SENSELESS as error:
            raise RequestRefused(f"DeepL gave an answer that makes no sense: {error!r:.200}") from None
        results = results if isinstance(results, list) else [results]
        answered = zip(request.segments, results, strict=False)
        billed = counted(sum(result.billed_characters for result in results))
        return Answer(
            texts={
                # What stands in the place of half of an emoji no check lets pass.
                segment.key: well_formed(from_xml(result.text), half="\uffff")
                for segment, result in answered
                if isinstance(result.text, str)
            },
            usage=Usage(requests=1, characters=request.characters if billed is None else billed),
        )

    def check(self) -> str:
        """Nothing, where DeepL takes the key and there are characters left; else a doubt in one sentence.

        Raises:
            TransientError: no answer in time, or 429, 5xx.
            Forbidden: the key is wrong.
        """
        try:
            usage = self._client.get_usage()
        except deepl.DeepLException as error:
            raise _classify(error) from None
        if usage.any_limit_reached:
            return f"The quota of this key is used up ({usage.character.count} of {usage.character.limit} characters)."
        return ""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # the package leaves this one untyped


class _Glossaries:
    """What of the project's glossary is at DeepL. Each pair of languages is sent once, and when it changes."""

    def __init__(self, client: deepl.DeepLClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._sent: dict[tuple[str, str], tuple[dict[str, str], str | None]] = {}

    def id_for(self, request: Request, source: str, target: str) -> str | None:
        """The id of the glossary that holds this pair's terms; None where there are none, or DeepL takes none."""
        entries = {
            term.term: wording for term in request.glossary if (wording := term.fixed_translation(request.target))
        }
        if not entries:
            return None
        pair = (source.partition("-")[0], target.partition("-")[0])
        with self._lock:
            known = self._sent.get(pair)
            if known is None or known[0] != entries:
                known = self._sent[pair] = (entries, self._send(*pair, entries))
            return known[1]

    def _send(self, source: str, target: str, entries: dict[str, str]) -> str | None:
        dictionary = MultilingualGlossaryDictionaryEntries(source, target, entries)
        try:
            for glossary in self._client.list_multilingual_glossaries():
                if glossary.name == GLOSSARY_NAME:
                    self._client.replace_multilingual_glossary_dictionary(glossary, dictionary)
                    return glossary.glossary_id
            return self._client.create_multilingual_glossary(GLOSSARY_NAME, [dictionary]).glossary_id
        except deepl.DeepLException as error:
            classified = _classify(error)
            # Not every pair of languages can have a glossary; the checks still ask for its terms.
            if isinstance(classified, Rejected):
                return None
            raise classified from None


def target_code(target: Language) -> str:
    """DeepL's code for a target language: variants for English, Portuguese and Chinese, which it demands.

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
    """A segment's text as XML: placeholders are its tags, everything else is escaped."""
    parts, end = [], 0
    for match in PLACEHOLDER.finditer(text):
        parts += [html.escape(text[end : match.start()], quote=False), match[0]]
        end = match.end()
    return well_formed("".join([*parts, html.escape(text[end:], quote=False)]))


def from_xml(answer: str) -> str:
    """The text of an answer in XML."""
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
            f"DeepL does not know the language '{language.code}' ({language.name}).",
            remedy="Exclude it, or set TRANSLATION_ENGINE=openai.",
        )
    return _CODES[base]


def _classify(error: deepl.DeepLException) -> DirectusAssetsError:
    if error.http_status_code is None:
        return Unreachable(f"DeepL did not answer: {error}")
    if isinstance(error, deepl.QuotaExceededException):
        return Forbidden(f"DeepL: {error}", remedy="Wait for the next billing period, or upgrade the plan.")
    remedy = "Check DEEPL_API_KEY." if isinstance(error, deepl.AuthorizationException) else ""
    return RequestRefused.of(from_status(error.http_status_code, f"DeepL refused to translate: {error}", remedy=remedy))
