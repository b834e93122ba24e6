"""What is said of outputs in Dagster's UI, which reads descriptions as Markdown."""

import pytest
from markdown_it import MarkdownIt

from directus_assets.orchestration.runs.report import as_markdown


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
