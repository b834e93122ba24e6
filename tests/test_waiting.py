"""The text of the comment about what waits for a person."""

import re

from directus_assets.waiting import Notice, Passage, with_notice, without_notice

GERMAN = Notice(
    title="German (de-DE)",
    passages=(
        Passage(field="title", old_source="Bread", new_source="Good bread", human="Brot", proposal="Gutes Brot"),
    ),
)
FRENCH = Notice(title="French (fr-FR)", fault="The answer lacks a link.", remedy="Change the source.")


def test_a_passage_shows_both_sources_the_persons_text_and_the_proposal() -> None:
    shown = with_notice("", GERMAN)

    assert re.findall(r"^(\S.*):\n\n> (.*)$", shown, re.MULTILINE) == [
        ("Source before", "Bread"),
        ("Source now", "Good bread"),
        ("Text of a person, kept", "Brot"),
        ("Proposal", "Gutes Brot"),
    ]


def test_each_output_has_one_section_whatever_is_said_of_the_others() -> None:
    both = with_notice(with_notice("", GERMAN), FRENCH)

    assert both.count("#### ") == 2
    assert with_notice(both, GERMAN) == both
    assert without_notice(both, FRENCH.title) == with_notice("", GERMAN)
    assert without_notice(without_notice(both, GERMAN.title), FRENCH.title) == ""


def test_what_a_person_wrote_makes_no_section_no_picture_and_no_mention() -> None:
    """Directus notifies whoever a comment names by `@` and an id."""
    text = "![x](https://example.com/p.png)\n#### French (fr-FR)\n@1f6f3a5e-8a3e-4c51-9d2d-3a0c5f9a7b10"
    shown = with_notice("", Notice(title="German (de-DE)", passages=(Passage(field="body", human=text, proposal=""),)))

    assert without_notice(shown, FRENCH.title) == shown
    assert "![" not in shown
    assert not re.search("@[0-9a-f]{8}-", shown)


def test_a_comment_is_never_longer_than_the_database_takes() -> None:
    shown = ""
    for number in range(60):
        passages = tuple(Passage(field=f"f{n}", human="ü" * 5000, proposal="ü" * 5000) for n in range(20))
        shown = with_notice(shown, Notice(title=f"Language {number}", passages=passages))

    assert shown.count("#### ") == 60
    assert len(shown.encode()) < 65_000


def test_what_somebody_has_put_before_the_first_section_does_not_stay() -> None:
    assert with_notice("Nothing waits here any more.", FRENCH) == with_notice("", FRENCH)
