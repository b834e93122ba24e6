"""Text analysis by counting."""

import pytest

from directus_assets.enrichment import text_statistics as stats

TEXT = (
    "Wooden boats fill the harbour of Port Louis. The boats are old, and a sailor named Jean Perrin repairs them. "
    "He says: beautiful boats deserve patience!"
)


def test_markup_and_entities_are_no_text() -> None:
    assert stats.plain("<p>Salt &amp;\n<b>bread</b></p>") == "Salt & bread"
    assert stats.plain("3 < 4, and <b>bread</b>") == "3 < 4, and bread"


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (500, TEXT),
        (60, "Wooden boats fill the harbour of Port Louis."),
        (20, "Wooden boats fill…"),
        (5, "Wood…"),
    ],
)
def test_first_sentences_are_whole_where_there_is_room(most: int, expected: str) -> None:
    found = stats.first_sentences(TEXT, most)

    assert found == expected
    assert len(found) <= most


def test_japanese_sentences_end_without_a_space() -> None:
    assert stats.first_sentences("港に船がある。古い船だ。", 8) == "港に船がある。"


def test_keywords_are_the_words_that_occur_most() -> None:
    assert stats.keywords(TEXT, 3)[0] == "boats"
    assert "them" not in stats.keywords(TEXT, 50)


def test_names_are_capitalised_inside_of_a_sentence() -> None:
    assert stats.names(TEXT, 5) == ["Jean Perrin", "Port Louis"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("A beautiful, warm day.", 1.0), ("A terrible loss.", -1.0), ("A good day and a bad night.", 0.0), ("", 0.0)],
)
def test_sentiment_is_the_balance_of_known_words(text: str, expected: float) -> None:
    assert stats.sentiment(text) == expected


def test_choices_fit_by_their_words_also_inflected() -> None:
    choices = ["Food", "Boat", "Sailing", "Old harbour", "Old town"]

    assert stats.fitting(TEXT, choices, 5) == ["Boat", "Old harbour"]
    assert stats.fitting(TEXT, choices, 1) == ["Boat"]


@pytest.mark.parametrize(
    ("text", "expected"), [(TEXT, 0.0), ("kill " * 3 + "word " * 17, 1.0), ("kill", 0.33), ("", 0.0)]
)
def test_a_share_grows_with_the_number_of_wanted_words(text: str, expected: float) -> None:
    assert stats.share_of(text, ["kill"]) == expected
