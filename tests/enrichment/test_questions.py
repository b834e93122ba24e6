"""Questions about items whose content no prompt can contain."""

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.enrichment.items import EnrichedItem
from directus_assets.enrichment.questions import Questioner, fingerprint, inputs_of, source_of
from directus_assets.enrichment.vocabularies import Vocabularies
from directus_assets.errors import BadInput
from directus_assets.json_text import read_json
from tests.enrichment.test_declare import declared

DECLARATION = declared(name="summary", target="body", input=["title", "topics"])


def item(**own: object) -> EnrichedItem:
    return EnrichedItem(key="7", own=own)  # type: ignore[arg-type]  # a row can hold anything


@pytest.mark.parametrize("depth", [150, 1_500, 100_000])
def test_json_that_is_nested_too_deeply_is_told_with_item_and_field_and_can_be_planned(depth: int) -> None:
    deep = item(title="Bread", topics=read_json("[" * depth + "]" * depth))
    with DirectusClient("http://directus", "token") as client:
        questioner = Questioner(DECLARATION, Vocabularies(client, DECLARATION))

        with pytest.raises(
            BadInput, match="Field 'topics' of item 7 of notes: The JSON is nested more than 100 levels"
        ):
            questioner.question(deep, "", picture=None)

    assert fingerprint(DECLARATION, deep) == fingerprint(DECLARATION, deep) != fingerprint(DECLARATION, item())


@pytest.mark.parametrize(
    ("topics", "given"),
    [
        (["bread \ud83d"], '["bread \ufffd"]'),
        ({"\ud83d": 1}, '{"\ufffd": 1}'),
        ([float("inf")], "[Infinity]"),
        (10**400, f"1{'0' * 400}"),
        ("a\x00b", "a\x00b"),
        (True, "true"),
    ],
)
def test_an_engine_is_given_what_can_be_sent(topics: object, given: str) -> None:
    odd = item(title="\ud83d", topics=topics)

    assert inputs_of(DECLARATION, odd) == {"title": "\ufffd", "topics": given}
    assert source_of(DECLARATION, odd)
