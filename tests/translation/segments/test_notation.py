import pytest

from directus_assets.errors import PermanentError
from directus_assets.translation.segments import BadAnswer, TextKind, cut
from directus_assets.translation.segments.notation import PLACEHOLDER, Mark, read

DOCUMENT = cut("<p>One <b>two</b> <code>x</code> three</p>", TextKind.HTML)
(SEGMENT,) = DOCUMENT.segments


def test_an_answer_is_read_as_text_and_marks() -> None:
    parts = read(SEGMENT, " <x2/> eins <g1>zwei</g1> ")

    assert parts == [Mark("single", 2), " eins ", Mark("open", 1), "zwei", Mark("close", 1)]


@pytest.mark.parametrize(
    ("answer", "defect"),
    [
        ("eins <g1>zwei</g1>", "<x2/> is missing"),
        ("eins <g1>zwei <x2/>", "</g1> is missing"),
        ("eins zwei <x2/>", "<g1>, </g1> is missing"),
        ("<g1>a</g1> <x2/> <x2/>", "<x2/> appears twice"),
        ("<g1>a</g1> <x2/> <x3/>", "<x3/> is no placeholder"),
        ("<g1>a</g1> <g2>b</g2>", "<g2> is no placeholder"),
        ("<g1/>a <x2/>", "<g1/> is no placeholder"),
        ("<g1>a</g1></x2>", "</x2> is no placeholder"),
        ("</g1>a<g1><x2/>", "</g1> closes"),
        ("", "no text"),
        ("<g1> </g1><x2/>", "no text"),
        ("<g1>a\x00</g1><x2/>", "U+0000"),
        ("<g1>a\ud800</g1><x2/>", "U+D800"),
    ],
)
def test_a_bad_answer_names_segment_and_defect(answer: str, defect: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        DOCUMENT.splice({SEGMENT.id: answer})

    assert defect in caught.value.defect
    assert caught.value.segment_id == SEGMENT.id
    assert isinstance(caught.value, PermanentError)


def test_crossing_pairs_are_a_bad_answer() -> None:
    document = cut("a <b>b</b> <i>c</i> d", TextKind.HTML)

    with pytest.raises(BadAnswer, match="not the last one opened"):
        document.splice({document.segments[0].id: "a <g1>b <g2></g1> c</g2> d"})


@pytest.mark.parametrize("literal", ["<g1>", "</g1>", "<x1/>", "<x99/>", "<g2/>"])
@pytest.mark.parametrize("kind", [TextKind.PLAIN, TextKind.HTML, TextKind.MARKDOWN])
def test_text_that_looks_like_a_placeholder_is_one(literal: str, kind: TextKind) -> None:
    source = {TextKind.PLAIN: literal, TextKind.HTML: literal.replace("<", "&lt;"), TextKind.MARKDOWN: f"\\{literal}"}[
        kind
    ]

    document = cut(f"Write {source} twice", kind)

    assert document.segments[0].text == "Write <x1/> twice"
    assert document.splice({document.segments[0].id: "Zweimal <x1/>"}) == f"Zweimal {source}"


def test_every_placeholder_in_a_text_says_what_it_stands_for() -> None:
    (first, second) = SEGMENT.placeholders

    assert [match[0] for match in PLACEHOLDER.finditer(SEGMENT.text)] == ["<g1>", "</g1>", "<x2/>"]
    assert (first.number, first.paired, first.opening, first.closing) == (1, True, "<b>", "</b>")
    assert (second.number, second.paired, second.opening, second.closing) == (2, False, "<code>x</code>", "")


def test_ids_do_not_change_with_edits_elsewhere() -> None:
    before = cut("<p>One</p><p>Two</p><p>Two</p><p>Three</p>", TextKind.HTML)
    after = cut("<h1>New</h1><p>Two</p><div>Two</div><p>Three</p>", TextKind.HTML)

    assert [segment.id for segment in before.segments[1:]] == [segment.id for segment in after.segments[1:]]
    assert len({segment.id for segment in before.segments}) == 4


def test_segments_without_an_answer_keep_their_text() -> None:
    document = cut("<p>One &eacute;</p>\n<p>Two</p>", TextKind.HTML)

    assert document.splice({document.segments[1].id: "Zwei", "unknown": "x"}) == "<p>One &eacute;</p>\n<p>Zwei</p>"
