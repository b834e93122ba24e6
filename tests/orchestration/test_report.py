"""Descriptions of outputs in Dagster's UI, which interprets them as Markdown."""

from types import SimpleNamespace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from directus_assets.orchestration.runs.report import as_markdown, translation_metadata
from directus_assets.redaction import hide
from directus_assets.translation.results import Translated


@pytest.mark.parametrize(
    "text",
    [
        "![pixel](http://attacker.example/pixel.png).jpg",
        "[Sign in again](javascript:alert(1))",
        "<https://attacker.example>",
        "<img src=x onerror=alert(1)>",
        "a & b &lt;script&gt;",
        "`code`, ``more``, *bold*, __bold__, ~~gone~~",
        r"\[not escaped\](http://attacker.example)",
        "posts_translations, a_b",
    ],
)
def test_names_and_texts_from_directus_are_shown_and_nothing_else(text: str) -> None:
    (_, inline, _) = MarkdownIt("commonmark").enable("strikethrough").parse(as_markdown(text))

    assert {token.type for token in inline.children or []} <= {"text", "text_special"}
    assert "".join(token.content for token in inline.children or []) == text


def test_addresses_do_not_become_links_by_themselves() -> None:
    shown = as_markdown("Look at https://attacker.example or www.attacker.example")

    assert "://" not in shown
    assert "www." not in shown


def test_a_text_is_shown_beside_its_source_shortened_and_without_secrets() -> None:
    hide("s3cr3t-0f-the-pr0ject")
    texts = (("title", "Bread", "Brot"), ("body", "long " * 500, "Key: s3cr3t-0f-the-pr0ject"))
    result = Translated(item="1", language="de-DE", fingerprint="", written=("title", "body"), texts=texts)
    scope: Any = SimpleNamespace(collection="posts")
    engine: Any = SimpleNamespace(name="openai:tiny")

    made = translation_metadata(result, scope=scope, engine=engine, cost=None, public_url="https://cms.example.com")

    title, body = (row.data for row in made["texts"].records)
    assert title == {"field": "title", "source": "Bread", "translation": "Brot"}
    assert len(str(body["source"])) == 300
    assert "s3cr3t" not in str(body["translation"])
