"""The translation memory round-trips through other tools, byte for byte, or with the reason why not."""

import csv
import io
import random
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from translate.storage.tmx import tmxfile

from directus_assets.cli import main
from directus_assets.errors import BadInput
from directus_assets.translation.exchange import (
    FORMATS,
    BrokenOff,
    Exchanged,
    Languages,
    NotTaken,
    checked,
    format_of,
    read_units,
    write_units,
)
from directus_assets.translation.memory import MemoryEntry, key_of_any_kind
from directus_assets.translation.segments.model import key_of

AWKWARD = (
    "<g1>Bread</g1> & <x2/>butter",
    "<g1>Bread <g2>and</g2></g1> ]]> <x3/>",
    'He said "five; six, seven"\tand\nleft\r\nat\ronce',
    "🥖 👩‍🍳 e\u0301 \u00a0\u2028\u2029\u0085 \ufffd",
    "\x00 \x0b\x1b[0m \x7f \ufffe\uffff \ud800",
    "=1+1",
    "&lt;p&gt; &amp;nbsp; <b>kept</b> <x2> </x3> <g4>",
    "</g1><g1> closed before",
    "مرحبا <x1/> بالعالم",
    "\ufeffat the start",
)


def unit(source: str, translation: str, *, number: int = 0, kind: str = "text", made_by: str = "person") -> Exchanged:
    return Exchanged(
        number=number,
        source_language="en-US",
        target_language="de-DE",
        source=source,
        translation=translation,
        kind=kind,
        made_by=made_by,
    )


def written(units: Sequence[Exchanged], format_: str) -> bytes:
    file = io.BytesIO()
    FORMATS[format_].write(units, file)
    return file.getvalue()


def read_back(content: bytes | str, format_: str) -> list[Exchanged | NotTaken]:
    content = content.encode() if isinstance(content, str) else content
    return list(read_units(io.BytesIO(content), format_))


@pytest.mark.parametrize("format_", FORMATS)
def test_awkward_texts_come_back_as_they_were(format_: str) -> None:
    first = 2 if format_ == "csv" else 1
    texts = [(one, other) for one in AWKWARD for other in AWKWARD]
    units = [unit(one, other, number=number, kind="list item") for number, (one, other) in enumerate(texts, first)]

    assert read_back(written(units, format_), format_) == units


@settings(max_examples=100)
@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), max_size=5), st.sampled_from(sorted(FORMATS)))
def test_any_text_comes_back_as_it_was(texts: list[tuple[str, str]], format_: str) -> None:
    first = 2 if format_ == "csv" else 1
    units = [unit(one, other, number=number) for number, (one, other) in enumerate(texts, first)]

    assert read_back(written(units, format_), format_) == units


def test_tmx_is_valid_and_another_tool_reads_the_same() -> None:
    dtd = etree.DTD(str(Path(__file__).with_name("tmx14.dtd")))
    plain = [unit("Bread & butter", "Brot & Butter 🥖"), unit("Salt <raw>", "Salz\nund mehr", made_by="openai:x")]
    content = written([*plain, *(unit(one, one) for one in AWKWARD)], "tmx")

    document = etree.fromstring(content)
    assert dtd.validate(document), dtd.error_log
    other = tmxfile(io.BytesIO(content), sourcelanguage="en-US", targetlanguage="de-DE")
    assert [(each.source, each.target) for each in other.units[:2]] == [(one.source, one.translation) for one in plain]


def test_what_another_tool_has_written_is_read() -> None:
    store = tmxfile(sourcelanguage="en-US", targetlanguage="de-DE")
    store.addtranslation("Bread & butter", "en-US", "Brot & Butter", "de-DE", comment="From the menu")

    (found,) = read_back(bytes(store), "tmx")

    assert found == unit("Bread & butter", "Brot & Butter", number=1, kind="", made_by="")


def tmx(*groups: str, source: str = "en-US", before: str = '<!DOCTYPE tmx SYSTEM "tmx14.dtd">') -> str:
    header = f'<header srclang="{source}" datatype="html" segtype="sentence" adminlang="en" o-tmf="x"/>'
    return f'<?xml version="1.0"?>{before}<tmx version="1.4">{header}<body>{"".join(groups)}</body></tmx>'


def group(english: str, german: str) -> str:
    return (
        f'<tu><tuv xml:lang="EN-US"><seg>{english}</seg></tuv>'
        f'<note>n</note><tuv lang="de-DE"><prop type="x">y</prop><seg>{german}</seg></tuv></tu>'
    )


@pytest.mark.parametrize(
    ("english", "german", "source", "translation"),
    [
        (
            'A <bpt i="1" x="1">&lt;b></bpt>bold<ept i="1">&lt;/b></ept> word<ph x="2">&lt;br/></ph>.',
            'Ein<ph x="2">&lt;br/></ph> <bpt i="7" x="1">&lt;b></bpt>fettes<ept i="7">&lt;/b></ept> Wort.',
            "A <g1>bold</g1> word<x2/>.",
            "Ein<x2/> <g1>fettes</g1> Wort.",
        ),
        ("A <hi>bold <ph>{0}</ph></hi> word", "Ein <hi>fettes <ph>{0}</ph></hi>", "A <g1>bold <x2/></g1> word", None),
        ("<ph>{0}</ph> of <ph>{0}</ph>", "<ph>{0}</ph> von <ph>{0}</ph>", "<x1/> of <x2/>", "<x1/> von <x2/>"),
        ('<it pos="begin">b</it>Bread', '<it pos="begin">b</it>Brot', "<x1/>Bread", "<x1/>Brot"),
        ("Bread&#160;&amp;<![CDATA[<b>]]>", "Brot", "Bread\u00a0&<b>", "Brot"),
    ],
)
def test_markup_of_other_tools_becomes_placeholders(
    english: str, german: str, source: str, translation: str | None
) -> None:
    (found,) = read_back(tmx(group(english, german)), "tmx")

    assert isinstance(found, Exchanged)
    assert found.source == source
    assert found.translation == (translation or "Ein <g1>fettes <x2/></g1>")


def test_each_language_beside_the_source_is_a_translation_whatever_their_order() -> None:
    variants = [f'<tuv xml:lang="{code}"><seg>{code}</seg></tuv>' for code in ("fr", "en-US", "de-DE")]

    found = read_back(tmx(f"<tu>{''.join(variants)}</tu>"), "tmx")
    of_any = read_back(tmx(f"<tu>{''.join(variants)}</tu>", source="*all*"), "tmx")

    assert [(each.source_language, each.target_language) for each in found] == [("en-US", "fr"), ("en-US", "de-DE")]
    assert [(each.source_language, each.target_language) for each in of_any] == [("fr", "en-US"), ("fr", "de-DE")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_tmx_is_read_in_the_encodings_of_other_tools(encoding: str) -> None:
    document = tmx(group("Bread", "Brötchen")).replace('"1.0"', f'"1.0" encoding="{encoding.removesuffix("-sig")}"')

    (found,) = read_back(document.encode(encoding), "tmx")

    assert isinstance(found, Exchanged)
    assert found.translation == "Brötchen"


@pytest.mark.parametrize("encoding", ["gb2312", "shift_jis", "klingon", "base64"])
def test_tmx_in_an_encoding_that_cannot_be_read_says_what_to_do(encoding: str) -> None:
    document = tmx(group("Bread", "Brot")).replace('"1.0"', f'"1.0" encoding="{encoding}"')

    with pytest.raises(BrokenOff, match="in an encoding that cannot be read") as refused:
        read_back(document, "tmx")

    assert "UTF-8" in refused.value.remedy


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("<tu><tuv xml:lang='en-US'><seg>Bread</seg></tuv></tu>", "fewer than two languages"),
        (group("Bread", "Brot<ph>x</ph>"), "markup that the source does not have"),
        (group("<ph>a<sub>text</sub></ph>", "x"), "text inside of markup"),
        (group("Bread&nbsp;", "Brot"), "&nbsp;"),
        (group('<ph type="x-character">U+XX</ph>', "Brot"), "no character 'U\\+XX'"),
        (group("Bread", "Brot").replace("EN-US", "fr"), "no text in its source language, 'en-US'"),
    ],
)
def test_a_unit_that_cannot_be_read_is_named_and_the_others_are_taken(bad: str, reason: str) -> None:
    first, second, third = read_back(tmx(group("Salt", "Salz"), bad, group("Milk", "Milch")), "tmx")

    assert isinstance(first, Exchanged)
    assert isinstance(second, NotTaken)
    assert isinstance(third, Exchanged)
    with pytest.raises(BadInput, match=reason):
        raise BadInput(second.reason)
    assert (second.number, third.number) == (2, 3)


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE tmx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE tmx [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]>',
    ],
)
def test_a_document_that_declares_entities_is_not_read(declared: str) -> None:
    with pytest.raises(BrokenOff, match="declares an entity"):
        read_back(tmx(group("&b;", "&a;"), before=declared), "tmx")


def test_what_came_before_a_break_is_taken() -> None:
    document = tmx(group("Salt", "Salz"), group("Milk", "Milch"))
    found: list[Exchanged | NotTaken] = []

    with pytest.raises(BrokenOff, match="from line 1 on"):
        found.extend(read_units(io.BytesIO(document[: document.index("Milch")].encode()), "tmx"))

    units = read_units(io.BytesIO(document[: document.index("Milch")].encode()), "tmx")
    assert isinstance(first := next(units), Exchanged)
    assert first.translation == "Salz"


@pytest.mark.parametrize(("content", "format_"), [("<html/>", "tmx"), ("", "tmx"), ("a,b\n1,2", "csv"), ("", "csv")])
def test_a_file_of_another_format_is_refused(content: str, format_: str) -> None:
    with pytest.raises(BadInput):
        read_back(content, format_)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_that_a_spreadsheet_has_saved_is_read(delimiter: str) -> None:
    rows = [
        ["Translation", " Source", "target_language", "source_language", "remark"],
        ["Brot", "Bread", "de-DE", "en-US", "ok"],
        ["", "", "", "", ""],
        ["Salz", "Salt", "de-DE"],
        ["Milch", "Milk", "de-DE", "en-US", ""],
    ]
    content = "\r\n".join(delimiter.join(row) for row in rows)

    first, second, third = read_back(f"\ufeff{content}", "csv")

    assert first == unit("Bread", "Brot", number=2, kind="", made_by="")
    assert second == NotTaken(4, "It has 3 columns, where the first row has 5.")
    assert third == unit("Milk", "Milch", number=5, kind="", made_by="")


@pytest.mark.parametrize(
    "text", ["=1+1", "-5 °C", "+49 89", "@home", "'=quoted", "''-twice", "\t=x", "a=b", "'tis", "–5", "- Salz"]
)
def test_no_spreadsheet_takes_a_text_for_a_formula_and_each_comes_back(text: str) -> None:
    file = io.BytesIO()
    unit = Exchanged(number=2, source_language="en-US", target_language="de-DE", source="Bread", translation=text)

    FORMATS["csv"].write([unit], file)

    (row,) = csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig")))
    assert not row["translation"].startswith(("=", "+", "-", "@", "\t", "\r"))
    file.seek(0)
    assert list(read_units(file, "csv")) == [unit]


def test_a_row_with_bad_quotes_is_named_and_the_others_are_taken() -> None:
    content = 'source_language,target_language,source,translation\na,b,"c"d,e\na,b,c,d\na,b,c,"cut off'

    first, second, third = read_back(content, "csv")

    assert isinstance(first, NotTaken)
    assert second == Exchanged(number=3, source_language="a", target_language="b", source="c", translation="d")
    assert isinstance(third, NotTaken)


def test_a_table_in_another_encoding_says_what_to_do() -> None:
    with pytest.raises(BrokenOff, match="CSV UTF-8"):
        read_back("source_language,target_language,source,translation\na,b,c,ä".encode("iso-8859-1"), "csv")


LANGUAGES = Languages(("en-US", "de-DE", "de-AT", "fr-FR", "zh_TW"))


@pytest.mark.parametrize(
    ("named", "code"), [("FR-fr", "fr-FR"), ("fr", "fr-FR"), ("en_us", "en-US"), ("de-AT", "de-AT"), ("zh-TW", "zh_TW")]
)
def test_languages_are_known_however_a_tool_spells_them(named: str, code: str) -> None:
    assert LANGUAGES.code_of(named) == code
    assert Languages().code_of(named) == named


@pytest.mark.parametrize("named", ["de", "fr-CA", "it", ""])
def test_a_language_is_not_guessed(named: str) -> None:
    with pytest.raises(BadInput):
        LANGUAGES.code_of(named)


@pytest.mark.parametrize(
    ("source", "translation", "reason"),
    [
        ("Bread", " ", "In the translation, it holds no text."),
        (" ", "Brot", "There is no source text."),
        ("<g1>Bread</g1>", "Brot", "the placeholder <g1>, </g1> is missing"),
        ("Bread", "Brot<x1/>", "<x1/> is no placeholder of the source"),
        ("<g1>Bread", "<g1>Brot", "In the source text, the placeholder </g1> is missing"),
        ("Bread", "Br\x0bot", "control character U+000B"),
    ],
)
def test_what_could_not_be_written_is_not_remembered(source: str, translation: str, reason: str) -> None:
    found = checked(unit(source, translation, number=7), LANGUAGES)

    assert isinstance(found, NotTaken)
    assert found.number == 7
    assert reason in found.reason


def test_what_is_imported_is_a_persons_in_the_place_that_it_names() -> None:
    heading = checked(unit("Bread\x0b", " Brot ", kind="heading", made_by="openai:x"), LANGUAGES)
    anywhere = checked(unit("<g2>Bread</g2> <x1/>", "<x1/> <g2>Brot</g2>", kind=""), LANGUAGES)

    assert isinstance(heading, MemoryEntry)
    assert isinstance(anywhere, MemoryEntry)
    assert (heading.pair, heading.text, heading.human) == ("en-US>de-DE", "Brot", True)
    assert heading.key == key_of("heading", "Bread")
    assert anywhere.key == key_of_any_kind("<g2>Bread</g2> <x1/>")


def test_the_format_is_told_by_the_suffix_or_named(tmp_path: Path) -> None:
    assert format_of(Path("A.TMX")) == "tmx"
    assert format_of(Path("a.txt"), "csv") == "csv"
    with pytest.raises(BadInput, match="--format"):
        format_of(Path("a.xml"))


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "memory.csv"
    path.write_text("what was there")

    def breaking() -> Sequence[Exchanged]:
        raise BadInput("the memory cannot be read")

    with pytest.raises(BadInput):
        write_units((each for each in breaking()), path, "csv")
    assert [each.name for each in tmp_path.iterdir()] == ["memory.csv"]
    assert path.read_text() == "what was there"
    with pytest.raises(BadInput, match="cannot be written"):
        write_units([], tmp_path / "none" / "memory.csv", "csv")


def memory_command(folder: Path, *arguments: str, **more: str) -> Result:
    environment = {"DIRECTUS_URL": "http://127.0.0.1:1", "DIRECTUS_TOKEN": "t0ken", "DAGSTER_HOME": str(folder), **more}
    return CliRunner(env=environment).invoke(main, ["memory", *arguments])


def test_the_commands_take_what_is_good_say_what_is_not_and_hand_it_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    units = [unit("Bread", "Brot"), unit("<g1>Salt</g1>", "Salz"), replace(unit("Milk", "Lait"), target_language="fr")]
    Path("in.csv").write_bytes(written(units, "csv"))

    checked_only = memory_command(tmp_path, "import", "in.csv", "--dry-run")
    nothing = memory_command(tmp_path, "export", "none.tmx")
    imported = memory_command(tmp_path, "import", "in.csv")
    exported = memory_command(tmp_path, "export", "out.tmx")
    german = memory_command(tmp_path, "export", "out.txt", "--format", "csv", "--language", "de-DE")
    unknown = memory_command(tmp_path, "export", "out.tmx", "--language", "it")

    assert (checked_only.exit_code, imported.exit_code) == (1, 1)
    assert "Not taken: row 3: In the translation, the placeholder <g1>, </g1> is missing." in imported.output
    assert "Remembered: 2 translations" in imported.output
    assert "0 translations" in nothing.output
    assert exported.exit_code == 0, exported.output
    texts = [(each.source, each.translation) for each in read_back(Path("out.tmx").read_bytes(), "tmx")]
    assert texts == [("Bread", "Brot"), ("Milk", "Lait")]
    assert german.exit_code == 0
    assert len(read_back(Path("out.txt").read_bytes(), "csv")) == 1
    assert unknown.exit_code == 1


def test_a_large_document_is_read_in_little_memory() -> None:
    rng = random.Random(1)
    groups = (group(f"Bread {rng.random()}", f"Brot {rng.random()}") for _ in range(4_000))
    document = io.BytesIO(tmx(*groups).encode())
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_units(document, "tmx"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert count == 4_000
    assert peak < len(document.getvalue())
