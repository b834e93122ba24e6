"""Terms in texts, and binding rules in their notes."""

import pytest

from directus_assets.directus.models import GlossaryTerm
from directus_assets.translation.glossary import Term, digest_of_terms, terms_in
from directus_assets.translation.languages import language


@pytest.mark.parametrize(
    ("note", "code", "fixed"),
    [
        ("de: Rösterei; fr-FR = torréfaction", "de-DE", "Rösterei"),
        ("de: Rösterei\nfr-FR = torréfaction", "fr-FR", "torréfaction"),
        ("de: Rösterei; de-AT: Brennerei", "de-AT", "Brennerei"),
        ("de_AT: Brennerei", "de-DE", None),
        ("Do not translate.", "ja-JP", "roastery"),
        ("Never translate, it is a brand", "ja-JP", "roastery"),
        ("Keep as is", "ja-JP", "roastery"),
        ("The place, not the machine", "de-DE", None),
        ("", "de-DE", None),
    ],
)
def test_a_note_may_fix_the_translation(note: str, code: str, fixed: str | None) -> None:
    assert Term(term="roastery", note=note).fixed_translation(language(code)) == fixed


@pytest.mark.parametrize(
    ("text", "is_in"),
    [
        ("Our Roastery", True),
        ("two roasterys", True),
        ("<g1>roastery</g1>", True),
        ("roasteryスタッフ", True),
        ("microroastery", False),
        ("röroastery", False),
        ("coffee", False),
    ],
)
def test_a_term_is_found_as_a_word(text: str, is_in: bool) -> None:
    assert bool(terms_in(text, [Term(term="roastery", note="")])) is is_in


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("our coffee\u00a0roastery", "coffee roastery"),
        ("our coffee&nbsp;roastery", "coffee roastery"),
        ("our coffee\nroastery", "coffee roastery"),
        ("our coffee-roastery", "coffee roastery"),
        ("our coffee roastery", "coffee-roastery"),
        ("our coffee\u2011roastery", "coffee roastery"),
        ("our cof\u00adfee roast\u00adery", "coffee roastery"),
        ("our coffee <g1>roast</g1>ery", "coffee roastery"),
        ("our coffee <b>roast</b>ery", "coffee roastery"),
        ("our coffee roasteries", "coffee roastery"),
        ("Our Coffees and Roasters", "roaster"),
        ("zwei Röstereien", "Rösterei"),
        ("saurer Milch", "saure Milch"),
        ("в нашу кофейню", "кофейня"),
        ("our e-mails", "e-mail"),
    ],
)
def test_a_term_is_found_however_it_is_spelled(text: str, term: str) -> None:
    assert terms_in(text, [Term(term=term, note="")])


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("baker street", "bakery"),
        ("roastery, and fresh coffee", "coffee roastery"),
        ("bread</p><p>is fresh", "fresh bread"),
        ("bread is fresh", "fresh bread"),
    ],
)
def test_what_only_looks_like_a_term_is_none(text: str, term: str) -> None:
    assert not terms_in(text, [Term(term=term, note="")])


@pytest.mark.parametrize(
    ("note", "code", "forbidden"),
    [
        ("de: Rösterei; de not: Röststube, Kaffeeladen", "de-DE", ("Röststube", "Kaffeeladen")),
        ("not: Roastery\nfr: torréfaction", "fr-FR", ("Roastery",)),
        ("de-AT avoid: Brennerei", "de-DE", ()),
        ("de-AT avoid: Brennerei", "de-AT", ("Brennerei",)),
        ("Forbidden = Laden", "de", ("Laden",)),
        ("not the machine", "de", ()),
    ],
)
def test_a_note_may_forbid_wordings(note: str, code: str, forbidden: tuple[str, ...]) -> None:
    term = Term(term="roastery", note=note)

    assert term.forbidden_wordings(language(code)) == forbidden
    assert term.fixed_translation(language(code)) not in forbidden


def test_the_digest_is_of_terms_and_notes_in_any_order() -> None:
    one, two = Term(term="a", note="x"), Term(term="b", note="y")

    assert digest_of_terms([one, two]) == digest_of_terms([two, one])
    assert digest_of_terms([one]) != digest_of_terms([Term(term="a", note="z")])
    assert digest_of_terms([]) == ""


def test_an_entry_without_a_term_is_refused() -> None:
    assert Term.of(GlossaryTerm(term=" Roastery ", translation_note="")) == Term(term="Roastery", note="")
