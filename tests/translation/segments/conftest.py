"""Engines for the tests of the segmenters: what they answer is known, so that what changed can be told exactly."""

import re
from collections.abc import Callable

import pytest

from directus_assets.directus.models import JsonValue
from directus_assets.translation.segments import PLACEHOLDER, Document, Kind, cut

_ACCENTS = str.maketrans("aeioucnAEIOUCN", "àéïöüçñÀÉÏÖÜÇÑ")


def accented(text: str) -> str:
    """The text with accents, its placeholders as they are."""
    parts = re.split(f"({PLACEHOLDER.pattern})", text)
    # Each match brings its four groups along; only what stands between matches is text.
    return "".join(
        part.translate(_ACCENTS) if index % 6 == 0 else part for index, part in enumerate(parts) if index % 6 < 2
    )


@pytest.fixture
def pseudo() -> Callable[[Document], JsonValue]:
    """Puts the accented text of every segment into a document."""
    return lambda document: document.splice({segment.id: accented(segment.text) for segment in document.segments})


@pytest.fixture
def texts() -> Callable[[JsonValue, Kind], list[str]]:
    """The texts of a value's segments."""
    return lambda value, kind: [segment.text for segment in cut(value, kind).segments]


@pytest.fixture
def told() -> Callable[..., JsonValue]:
    """A value with its segments replaced: answers by segment text."""

    def tell(value: JsonValue, kind: Kind, answers: dict[str, str], language: str = "") -> JsonValue:
        document = cut(value, kind)
        assert set(answers) <= {segment.text for segment in document.segments}
        by_id = {segment.id: answers[segment.text] for segment in document.segments if segment.text in answers}
        return document.splice(by_id, language=language)

    return tell
