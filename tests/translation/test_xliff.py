"""XLIFF 2.1 round-trips whatever a tool has made of it in between, and nothing unsafe is parsed."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from translate.storage.xliff2 import Xliff2File

from directus_assets.errors import BadInput
from directus_assets.translation.exchange.xliff import XliffDocument, XliffFile, XliffUnit, read_xliff, write_xliff
from directus_assets.translation.segments import TextKind, cut
from directus_assets.translation.segments.model import Document, SegmentTag

CORE = "{urn:oasis:names:tc:xliff:document:2.0}"
HTML = '<p>Hello <b>big <a href="/x">world</a></b>!<br>Next {{name}} 5 &lt;g1&gt; tags.</p><h2>What is <i>new</i></h2>'

_WORDS = (
    "bread",
    "Wörter",
    "日本語",
    "שלום",
    "👩\u200d🍳",
    "a & b",
    "]]>",
    "\ufffe",
    "\x07",
    "\r\n",
    "\u2028",
    "\u00a0",
    "\t",
)
_PROTECTED = ("{{name}}", "%s", "[[x]]", "&lt;g1&gt;", "&amp;nbsp;", "<x1/>", "<!-- -->", "<code>x &lt; y</code>")
_MARKUP = ("<b>bold</b>", "<i>it <b>is</b></i>", '<a href="/a?b=1&amp;c">link</a>', "<br>", "<p>", "</p>", "</b>")


def units_of(document: Document, field: str = "body") -> tuple[XliffUnit, ...]:
    return tuple(
        XliffUnit(id=f"1.{each.id}", field=field, source=each.text, codes=each.placeholders, target=each.text)
        for each in document.segments
    )


def written(*units: XliffUnit, item: str = "17") -> bytes:
    file = XliffFile(collection="posts", item=item, title="Bread", units=units)
    return write_xliff(XliffDocument(source="en-US", target="de-DE", files=(file,)))


def read_units(data: bytes) -> tuple[XliffUnit, ...]:
    (file,) = read_xliff(data).files
    return file.units


@settings(max_examples=60)
@given(
    pieces=st.lists(st.sampled_from([*_WORDS, *_PROTECTED, *_MARKUP]), min_size=1, max_size=12),
    kind=st.sampled_from([TextKind.HTML, TextKind.MARKDOWN]),
)
def test_any_text_comes_back_as_it_left(pieces: list[str], kind: TextKind) -> None:
    document = cut(" ".join(["Words", *pieces]), kind)

    data = written(*units_of(document))
    back = {unit.segment: unit.target for unit in read_units(data)}

    assert back == {each.id: each.text for each in document.segments}
    assert document.splice(back) == " ".join(["Words", *pieces])
    assert_core_rules(data)


@pytest.mark.parametrize("key", ["17", "a/b", "ä ö", "%2F", "../x", "\u2028"])
def test_collection_and_key_come_back_whatever_they_are(key: str) -> None:
    document = XliffDocument(source="en", target="de", files=(XliffFile(collection="posts.seo", item=key),))

    (file,) = read_xliff(write_xliff(document)).files

    assert (file.collection, file.item) == ("posts.seo", key)


def test_what_a_translator_has_to_know_is_in_the_file() -> None:
    unit = XliffUnit(
        id="1.ab-1",
        field="title",
        source="Bread <x1/>",
        codes=(SegmentTag(number=1, paired=False, opening="{{\x07}}"),),
        legend={"x1": "the word \x07"},
        longest=60,
        is_context=True,
        digest="d",
        notes=(("field", "title: shown in lists"), ("earlier source", "Good bread \x07")),
    )

    (element,) = ET.fromstring(written(unit)).iter(f"{CORE}unit")  # noqa: S314 - ours

    (code,) = element.iter(f"{CORE}ph")
    assert code.get("disp") == "the word \ufffd"
    assert element.get("translate") == "no"
    assert element.get("{urn:oasis:names:tc:xliff:sizerestriction:2.0}sizeRestriction") == "60"
    assert [(note.get("category"), note.text) for note in element.iter(f"{CORE}note")] == [
        ("field", "title: shown in lists"),
        ("earlier source", "Good bread \ufffd"),
    ]


RESEGMENTED = """\
<?xml version="1.0"?>
<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en" trgLang="de">
<file id="1" original="posts/1"><group id="1" name="body"><unit id="1.ab-1">
<segment id="a" state="translated"><source>One <sc id="1"/>two.</source>{first}</segment>
<ignorable><source> </source></ignorable>
<segment id="b" state="final"><source>Three<ec startRef="1"/>.</source>{second}</segment>
</unit></group></file></xliff>"""


@pytest.mark.parametrize(
    ("first", "second", "target", "defect"),
    [
        ('Eins <sc id="1"/>zwei.', 'Drei<ec startRef="1"/>.', "Eins <g1>zwei. Drei</g1>.", ""),
        ('Eins <sc id="1"/><mrk id="m" type="term">zwei</mrk>.', 'Drei<ec id="1"/>.', "Eins <g1>zwei. Drei</g1>.", ""),
        ('Eins <cp hex="0041"/><ph id="2"/>', "<sm id='m'/>Drei", "Eins A<x2/> Drei", ""),
        ('<ph id="z9"/>', "", "", "It holds the code 'z9', which the source does not have."),
        ("<b>Eins</b>", "", "", "It holds <b>, which is no inline element of XLIFF."),
        ('<cp hex="zz"/>', "", "", "It holds the character 'zz', which there is not."),
        ("Eins", None, "", "1 of its 2 segments have no translation."),
        (None, None, "", ""),
    ],
)
def test_a_unit_in_several_segments_is_one_text(
    first: str | None, second: str | None, target: str, defect: str
) -> None:
    first, second = ("" if text is None else f"<target>{text}</target>" for text in (first, second))

    (unit,) = read_units(RESEGMENTED.format(first=first, second=second).encode())

    assert (unit.target, unit.defect, unit.is_confirmed, unit.field) == (target, defect, True, "body")


def test_segments_in_another_order_are_put_in_order() -> None:
    first, second = '<target order="3">Eins.</target>', '<target order="1">Drei.</target>'

    (unit,) = read_units(RESEGMENTED.format(first=first, second=second).encode())

    assert unit.target == "Drei. Eins."


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
XLIFF = '<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.1" srcLang="en" trgLang="de">{}</xliff>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (BOMB + XLIFF.format("&b;"), "declares a document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd">' + XLIFF.format(""), "declares a document type"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + XLIFF.format("&e;"), "declares a document type"),
        (XLIFF.format("&e;"), "no well-formed XML"),
        (XLIFF.format("<file>"), "no well-formed XML"),
        ('<?xml version="1.0" encoding="what"?>' + XLIFF.format(""), "no well-formed XML"),
        ("", "no well-formed XML"),
        ("PK\x03\x04", "no well-formed XML"),
        (XLIFF.format("<group>" * 100 + "</group>" * 100), "nested too deeply"),
        (
            '<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2"/>',
            "no XLIFF 2.0 or 2.1, but version 1.2",
        ),
        ("<tmx/>", "no XLIFF 2.0 or 2.1, but <tmx>"),
    ],
)
def test_what_is_no_safe_xliff_2_is_refused(data: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_xliff(data.encode())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_are_read(encoding: str) -> None:
    assert read_xliff(XLIFF.format("").encode(encoding)).target == "de"


def assert_core_rules(data: bytes) -> None:
    """The constraints of the core specification on what we write, beyond its being XML."""
    root = ET.fromstring(data)  # noqa: S314 - ours
    for unit in root.iter(f"{CORE}unit"):
        order = [child.tag.rpartition("}")[2] for child in unit]
        assert order == sorted(order, key=["metadata", "notes", "originalData", "segment"].index)
        stored = [each.get("id") for each in unit.iter(f"{CORE}data")]
        assert len(stored) == len(set(stored))
        codes = [list(_codes(side)) for name in ("source", "target") for side in unit.iter(f"{CORE}{name}")]
        for found in codes:
            ids = [code.get("id") for code in found]
            assert len(ids) == len(set(ids))
            references = {code.get(name) for code in found for name in ("dataRef", "dataRefStart", "dataRefEnd")}
            assert references - {None} <= set(stored)
        assert all({c.get("id") for c in found} == {c.get("id") for c in codes[0]} for found in codes)
    for name in ("file", "group", "unit"):
        for parent in root.iter(f"{CORE}file"):
            ids = [each.get("id") for each in parent.iter(f"{CORE}{name}")]
            assert len(ids) == len(set(ids))
            assert all(each and not set(each) & set(" /#") for each in ids)


def _codes(element: ET.Element) -> Iterator[ET.Element]:
    yield from element.iter(f"{CORE}pc")
    yield from element.iter(f"{CORE}ph")


def test_another_tool_reads_the_file_and_what_it_saves_is_read_here() -> None:
    plain = XliffUnit(
        id="1.ab-1", field="title", source="Good bread", target="Brot", digest="d", notes=(("field", "x"),)
    )
    body = units_of(cut(HTML, TextKind.HTML))
    tool = Xliff2File.parsestring(written(plain, *body))

    for unit in tool.units:
        if unit.source == "Good bread":
            unit.target = "Gutes Brot"
    back = read_units(bytes(tool))

    assert len(tool.units) == len(back) == 1 + len(body)
    assert (back[0].target, back[0].digest, back[0].field) == ("Gutes Brot", "d", "title")
    assert [unit.target for unit in back[1:]] == [unit.target for unit in body]
