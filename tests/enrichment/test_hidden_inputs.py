"""Fields hidden in the Studio are not input, unless the YAML file names them."""

from collections.abc import Sequence
from typing import Any

import pytest

from directus_assets.directus.project_schema import CollectionSchema, FieldSchema, ProjectSchema
from directus_assets.enrichment.declare import declare
from directus_assets.enrichment.items import EnrichedItem
from directus_assets.enrichment.questions import inputs_of
from directus_assets.settings import Config

FIELDS = (
    FieldSchema(name="id", type="integer", is_key=True),
    FieldSchema(name="title", type="string", is_text=True),
    FieldSchema(name="body", type="text", is_text=False, is_secret=True),
    FieldSchema(name="links", type="json", is_text=True, hidden_members=("note", "rows.note")),
    FieldSchema(name="summary", type="text", is_text=True),
)
SCHEMA = ProjectSchema((CollectionSchema(name="notes", fields=FIELDS),))
ITEM = EnrichedItem(
    key="7",
    own={
        "title": "Bread",
        "body": "Secret",
        "links": [{"label": "Oven", "note": "No", "rows": [{"label": "Salt", "note": "Nor"}]}],
    },
)


@pytest.mark.parametrize(
    ("named", "given"),
    [
        ([], {"title": "Bread", "links": '[{"label": "Oven", "rows": [{"label": "Salt"}]}]'}),
        (["title", "body"], {"title": "Bread", "body": "Secret"}),
        (["links"], {"links": '[{"label": "Oven", "rows": [{"label": "Salt"}]}]'}),
        (["links.note"], {"links": '[{"label": "Oven", "note": "No", "rows": [{"label": "Salt"}]}]'}),
        (["links", "links.rows.note"], {"links": '[{"label": "Oven", "rows": [{"label": "Salt", "note": "Nor"}]}]'}),
    ],
)
def test_a_built_in_is_given_what_people_see_and_what_is_named(named: Sequence[str], given: dict[str, Any]) -> None:
    options = {"input": named} if named else {}
    config = Config.model_validate({"enrichments": {"notes": {"summary": options}}})
    (found,) = declare(config.enrichments, SCHEMA, default_language=None)

    assert {name: text.replace('","', '", "') for name, text in inputs_of(found, ITEM).items()} == given
