"""Checks that amounts keep their units: currencies, units of measurement, degrees below zero.

Only symbols are compared, which mean the same in all languages. If one of the texts uses a word instead, there is no
finding.
"""

import re
import unicodedata
from typing import Final

from directus_assets.translation.case import Case

_SPACE: Final = r"[\s\u00a0\u202f\u2009-]?"
_UNITS: Final = re.compile(
    rf"\d{_SPACE}(?P<unit>[mcd]?[lL]|[kmcµμn]?m|[kmµμ]?g|[km]?W|[kM]?Hz|GHz|[KMGT]i?B|[km]?V|mAh|Ah|[kM]Wh|ha|°C|°F|kcal|kJ|psi|mph|km/h"
    r"|lbs?|oz|mm²|cm²|m²|km²|m³|cm³)(?![\w²³/])"
)
_ONE: Final = {"μm": "µm", "μg": "µg", "lbs": "lb", "L": "l", "mL": "ml", "cL": "cl", "dL": "dl"}
_DEGREES: Final = re.compile(
    r"(?<![\w.,°\u2013-])(?P<sign>\u2212\s?|[-\u2013\u2010\u2011])?\d+(?:[.,\u066b]\d+)?\s?(?:°|degrees?\b)"
)
_BELOW: Final = re.compile(
    r"(?i)\b(?:minus|moins|menos|meno|m[ií]nus\w*|miinus|pod nulou|below|unter|sous zéro"
    r"|bajo cero|sotto|abaixo|eksi|âm|мінус|минус|μείον"
    r"|ниже|нижче)\b|零下|负|負|マイナス|氷点下|영하|마이너스"
    r"|ลบ|ติดลบ|מינוס|מתחת|ناقص|سالب|تحت|منفی|زیر|माइनस|शून्य से|[-\u2212\u2013\u2010\u2011]\s?\d"
)


def changed_units(case: Case) -> str | None:
    """A currency or unit symbol that replaced another one, or a lost sign."""
    texts = case.bare_text, case.bare_answer
    for find in (_currencies, _units):
        before, after = map(find, texts)
        if (lost := before - after) and (new := after - before):
            return f"{' '.join(sorted(lost))} became {' '.join(sorted(new))}. Amounts and their units stay as they are."
    signs = [{bool(match["sign"]) for match in _DEGREES.finditer(text)} for text in texts]
    for own, other, text in ((signs[0], signs[1], texts[1]), (signs[1], signs[0], texts[0])):
        if True in own and True not in other and not _BELOW.search(text):
            return "The sign of a temperature was changed."
    return None


def _currencies(text: str) -> set[str]:
    # The yen and the yuan share a sign.
    return {unicodedata.normalize("NFKC", sign) for sign in text if unicodedata.category(sign) == "Sc"}


def _units(text: str) -> set[str]:
    return {_ONE.get(match["unit"], match["unit"]) for match in _UNITS.finditer(text)}
