"""An engine for segmentation tests: its answers are known, so that changes can be determined exactly."""

from collections.abc import Callable

import pytest

from directus_assets.directus.models import JsonValue
from directus_assets.translation.segments import PLACEHOLDER, Document, TextKind, cut

_ACCENTS = str.maketrans("aeioucnAEIOUCN", "àéïöüçñÀÉÏÖÜÇÑ")


def accented(text: str) -> str:
    """The text with accents and unchanged placeholders."""
    parts = []
    position = 0
    for match in PLACEHOLDER.finditer(text):
        parts += [text[position : match.start()].translate(_ACCENTS), match[0]]
        position = match.end()
    return "".join([*parts, text[position:].translate(_ACCENTS)])


@pytest.fixture
def pseudo() -> Callable[[Document], JsonValue]:
    """Splice the accented text of every segment into a document."""
    return lambda document: document.splice({segment.id: accented(segment.text) for segment in document.segments})


@pytest.fixture
def texts() -> Callable[[JsonValue, TextKind], list[str]]:
    """The texts of a value's segments."""
    return lambda value, kind: [segment.text for segment in cut(value, kind).segments]
