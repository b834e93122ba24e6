import random

from bench.texts import body, paragraph, post


def test_a_paragraph_has_fifty_words():
    assert len(paragraph(random.Random(1)).split()) == 50


def test_paragraphs_differ_and_the_same_seed_gives_the_same():
    lines = body(40, seed=3).splitlines()

    assert len(set(lines)) == 40
    assert body(40, seed=3).splitlines() == lines
    assert body(40, seed=4).splitlines() != lines


def test_a_post_carries_its_source_language():
    (row,) = post("Bread", paragraphs=2)["translations"]

    assert row["languages_code"] == "en-US"
    assert row["body"].count("<p>") == 2
