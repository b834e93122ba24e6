"""Segmentation runs in linear time, however hostile the text."""

# ruff: noqa: E501  # a list that is read by eye

import time

import pytest

from directus_assets.translation.segments import TextKind, cut

LENGTH = 30_000
SECONDS = 8  # linear: some tenths of a second, more on a busy machine; quadratic: ten and more

HOSTILE = [
    "<", "<a ", "<b>", "</b>", "<b></i>", '<a b="', "<!--", "&amp", "{", "{{", "%(", '[a b="', "[[", "[a](", "[/a]", "a@", "a.b@", "http://)",
    ":a", "<%", '<A "', "<A {", "\\", "`", "**a", "_", "| a ", "> ", "- ", "    ", "\r\n", "<code>", "$a", "<g1>", "[a b=", "{{x}}\n\n", "![a", "[a]: b 'c\n", "---\na: b\n",
]  # fmt: skip


@pytest.mark.parametrize("kind", [TextKind.PLAIN, TextKind.HTML, TextKind.MARKDOWN])
@pytest.mark.parametrize("part", HOSTILE)
def test_hostile_text_takes_linear_time(part: str, kind: TextKind) -> None:
    source = part * (LENGTH // len(part))
    start = time.process_time()

    document = cut(source, kind)
    spliced = document.splice({segment.id: segment.text for segment in document.segments})

    assert spliced == source
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("kind", [TextKind.PLAIN, TextKind.HTML, TextKind.MARKDOWN])
@pytest.mark.parametrize("part", ["a ", "  ", "\n", " \n", "<", "&", "*", "!", "$", "_", "\\", "#"])
def test_a_hostile_answer_takes_linear_time(part: str, kind: TextKind) -> None:
    document = cut("one", kind)
    start = time.process_time()

    document.splice({document.segments[0].id: f"a{part * LENGTH}b"})

    assert time.process_time() - start < SECONDS


def test_nesting_has_no_limit() -> None:
    for source in ("![a" * 2000 + "](b)" * 2000, "[![a](b)](c)" * 2000, "*a " * 2000 + "b*" * 2000, "> " * 2000 + "a"):
        document = cut(source, TextKind.MARKDOWN)
        assert isinstance(
            document.splice({segment.id: segment.text.replace("a", "é") for segment in document.segments}), str
        )
    document = cut("<b>a " * 5000, TextKind.HTML)
    assert (
        document.splice({segment.id: segment.text.replace("a", "é") for segment in document.segments}) == "<b>é " * 5000
    )


def test_a_text_without_spaces_is_cut_into_parts() -> None:
    document = cut("ก" * LENGTH, TextKind.PLAIN)

    assert max(len(segment.text) for segment in document.segments) <= 8000
