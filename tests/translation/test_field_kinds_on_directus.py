"""Addresses, hidden fields, repeaters and rich text as in other people's projects, on the real Directus."""

from pathlib import Path
from typing import Any

import pytest

from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.commands.doctor.translations import check_collections
from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from tests.translation import shapes
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

PATH = {"_and": [{"permalink": {"_regex": "^/(?:[a-z0-9]+(?:-[a-z0-9]+)*(?:/[a-z0-9]+(?:-[a-z0-9]+)*)*)?$"}}]}
SLUG = {"_and": [{"slug": {"_regex": "^[a-z0-9]+(?:-[a-z0-9]+)*$"}}]}
CONFIG: dict[str, Any] = {"translations": {"languages": ["de-DE", "ja-JP"]}}


def member(name: str, interface: str = "input", **options: Any) -> dict[str, Any]:
    kind = "json" if interface in ("list", "tags") else "string"
    return {
        "field": name,
        "name": name,
        "type": kind,
        "meta": {"field": name, "interface": interface, "options": options},
    }


LINKS = [
    member("label"),
    member("url"),
    member("note", masked=True),
    member("tags", "tags"),
    member("rows", "list", fields=[member("label"), member("icon")]),
]
FIELDS = [
    shapes.text("title"),
    shapes.text("permalink", validation=PATH),
    shapes.text("slug", validation=SLUG),
    shapes.text("css_class"),
    shapes.text("place"),
    shapes.text("note", options={"masked": True}),
    shapes.text("internal", hidden=True),
    shapes.text("links", "json", "list", special=["cast-json"], options={"fields": LINKS}),
    shapes.text("rich", "json", "tiptap-editor", special=["cast-json"]),
    shapes.text("blocks", "json", "input-block-editor", special=["cast-json"]),
]
RICH = {
    "type": "doc",
    "content": [
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "text": "See "},
                {
                    "type": "text",
                    "text": "our team",
                    "marks": [{"type": "link", "attrs": {"href": "/about us"}}, {"type": "bold"}],
                },
                {"type": "text", "text": " now."},
            ],
        },
    ],
}
GUIDE: dict[str, Any] = {
    "title": "About us",
    "permalink": "/about-us/team",
    "slug": "about-us",
    "css_class": "wide box",
    "place": "#top",
    "note": "Nobody reads this",
    "internal": "Nor this one",
    "links": [
        {
            "label": "Home",
            "url": "/some where",
            "note": "Top secret words",
            "tags": ["warm bread"],
            "rows": [{"label": "Deep down", "icon": "some icon"}],
        }
    ],
    "rich": RICH,
    "blocks": {
        "blocks": [
            {"id": "a", "type": "callout", "data": {"title": "Good news", "link": "/about us"}},
            {"id": "b", "type": "raw", "data": {"html": "<p>Some raw text</p>"}},
        ]
    },
}


@pytest.fixture(scope="module")
def guides(directus: LocalDirectus, studio: DirectusClient) -> DirectusClient:
    shapes.create(studio, "guides")
    shapes.translate(studio, "guides", FIELDS)
    create_bot(studio, token=directus.bot_token)
    return studio


def create(studio: DirectusClient) -> str:
    return str(studio.post("/items/guides", {"translations": [{"language": "en-US", **GUIDE}]})["id"])


def row(studio: DirectusClient, item: str, code: str) -> dict[str, Any]:
    condition = {"item": {"_eq": item}, "language": {"_eq": code}}
    (found,) = studio.get("/items/guides_translations", filter=condition, limit=-1)
    return dict(found)


def in_japanese(text: str) -> str:
    return pseudo(text, target=language("ja-JP"))


def in_german(text: str) -> str:
    return pseudo(text, target=language("de-DE"))


def test_addresses_are_copied_what_is_hidden_stays_and_texts_of_all_editors_are_translated(
    directus: LocalDirectus, guides: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    with Pipeline(directus, server, tmp_path, CONFIG) as pipeline:
        pipeline.tick("guides")
        server.asked.clear()
        key = create(guides)

        pipeline.settle("guides")

        german, japanese = row(guides, key, "de-DE"), row(guides, key, "ja-JP")
        copied = ("permalink", "css_class", "place")
        assert {name: german[name] for name in copied} == {name: GUIDE[name] for name in copied}
        assert {name: japanese[name] for name in copied} == {name: GUIDE[name] for name in copied}
        assert (german["note"], german["internal"]) == (None, None)
        assert german["slug"].isascii()
        assert japanese["slug"].isascii()
        (link,) = german["links"]
        assert {**link, "label": "", "tags": [], "rows": []} == {
            **GUIDE["links"][0],
            "label": "",
            "tags": [],
            "rows": [],
        }
        assert (link["label"], link["tags"]) == (in_german("Home"), [in_german("warm bread")])
        assert link["rows"] == [{"label": in_german("Deep down"), "icon": "some icon"}]
        (paragraph,) = german["rich"]["content"]
        assert [leaf.get("marks") for leaf in paragraph["content"]] == [
            None,
            RICH["content"][0]["content"][1]["marks"],
            None,
        ]  # type: ignore[index]
        assert german["blocks"]["blocks"][0]["data"] == {"title": in_german("Good news"), "link": "/about us"}
        assert german["blocks"]["blocks"][1] == GUIDE["blocks"]["blocks"][1]
        sent = "\n".join(server.texts_sent)
        assert "See <g1>" in sent
        for secret in ("Nobody", "Nor this", "secret", "/about-us", "some icon", "wide box", "Some raw"):
            assert secret not in sent
        made = pipeline.made(key, "de-DE", "guides")
        assert made is not None
        assert "blocks.blocks.data.html" in str(made.metadata["not_translated"].value)
        assert pipeline.tick("guides") == []


def test_a_slug_stays_where_its_page_is_while_its_source_does(
    directus: LocalDirectus, guides: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    with Pipeline(directus, server, tmp_path, CONFIG) as pipeline:
        pipeline.tick("guides")
        key = create(guides)
        pipeline.settle("guides")
        before = row(guides, key, "de-DE")
        source = row(guides, key, "en-US")

        guides.patch(f"/items/guides_translations/{source['id']}", {"title": "About them"})
        pipeline.settle("guides")
        assert row(guides, key, "de-DE") == {**before, "title": in_german("About them")}

        guides.patch(f"/items/guides_translations/{source['id']}", {"slug": "about-them"})
        pipeline.settle("guides")
        assert row(guides, key, "de-DE")["slug"] != before["slug"]


def test_what_the_yaml_file_names_is_translated(
    directus: LocalDirectus, guides: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    kinds = {"permalink": "translate", "internal": "plain", "links.note": "plain"}
    config = {"translations": {"languages": ["ja-JP"], "collections": {"guides": {"kinds": kinds}}}}
    with Pipeline(directus, server, tmp_path, config) as pipeline:
        pipeline.tick("guides")
        key = create(guides)

        pipeline.settle("guides")

        made = row(guides, key, "ja-JP")
        assert made["internal"] == in_japanese("Nor this one")
        assert made["note"] is None
        assert made["links"][0]["note"] == in_japanese("Top secret words")
        assert made["permalink"] != GUIDE["permalink"]
        assert made["permalink"].isascii()
        assert made["permalink"].count("/") == 2


def test_doctor_says_what_is_translated_copied_and_left_and_what_cannot_be_cut(
    directus: LocalDirectus, guides: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    create(guides)
    with Pipeline(directus, server, tmp_path, CONFIG) as pipeline:
        findings = [each for each in check_collections(Checkup(pipeline.project)) if each.what == "collection guides"]

    told = {each.status: each.text for each in findings}
    assert "permalink (copied), slug (slug), css_class (copied)" in told[Status.OK]
    assert "links (repeater, without note)" in told[Status.OK]
    assert "internal (hidden in the Studio, and never sent unless the YAML file names it)" in told[Status.OK]
    assert "note (masked in the Studio" in told[Status.OK]
    assert "blocks.blocks.data.html (item " in told[Status.WARNING]
