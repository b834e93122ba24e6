"""Imports from an agency: what may be written, and what is reported with its reason."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from directus_assets.directus.field_kinds import TextField
from directus_assets.directus.models import JsonValue
from directus_assets.ownership.field_records import FieldRecord, digest
from directus_assets.ownership.protection import FieldAction, Standing, standing
from directus_assets.translation.conversation import Assignment
from directus_assets.translation.cut_fields import cut_field
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.exchange import judgement as reasons
from directus_assets.translation.exchange.hand_out import Present
from directus_assets.translation.exchange.judgement import Judgement, judge_file
from directus_assets.translation.exchange.xliff import XliffFile, XliffUnit
from directus_assets.translation.languages import language
from directus_assets.translation.shares import Share
from tests.translation.segments.test_generated_documents import HTML, MARKDOWN, written

GERMAN = Assignment(source=language("en-US"), target=language("de-DE"))
FIELDS = {
    "title": TextField(name="title", kind="plain", longest=40),
    "body": TextField(name="body", kind="html"),
    "tags": TextField(name="tags", kind="tags"),
}
SOURCE = {
    "title": "Good bread",
    "body": "<p>The dough <b>rests</b> for 12 hours.</p>\n<p>Then it is baked in the oven.</p>",
    "tags": ["fresh bread"],
}
OLD = {
    "title": "Brot",
    "body": "<p>Der Teig <b>ruht</b> 10 Stunden.</p>\n<p>Danach wird er gebacken.</p>",
    "tags": ["frisch"],
}
NEW = {
    "title": ["Gutes Brot"],
    "body": ["Der Teig <g1>ruht</g1> ganze 12 Stunden.", "Danach wird er im Ofen gebacken."],
    "tags": ["frisches Brot"],
}
WAITING = {name: FieldRecord(source="an earlier one", written="ours") for name in SOURCE}


def share(name: str, record: FieldRecord | None, source: JsonValue, target: JsonValue) -> Share:
    return Share.of(FIELDS[name], record, source=source, target=target)


def returned(
    texts: Mapping[str, list[str]], *, source: Mapping[str, JsonValue] = SOURCE, target: Mapping[str, JsonValue] = OLD
) -> XliffFile:
    """The file as it was exported, with these translations in it."""
    units = []
    for number, (name, translations) in enumerate(texts.items(), 1):
        document = cut_field(FIELDS[name], source[name])
        present = Present.of(FIELDS[name], document, target.get(name), tag="de-DE")
        for segment, text in zip(document.segments, translations, strict=True):
            digest_then = present.digest_of(segment.id)
            units.append(XliffUnit(id=f"{number}.{segment.id}", field=name, target=text, digest=digest_then))
    return XliffFile(collection="posts", item="1", units=tuple(units))


def judged(
    file: XliffFile,
    *,
    source: Mapping[str, JsonValue] = SOURCE,
    target: Mapping[str, JsonValue] = OLD,
    records: Mapping[str, FieldRecord] = WAITING,
) -> Judgement:
    return judge_file(
        file,
        assignment=GERMAN,
        documents={name: cut_field(FIELDS[name], value) for name, value in source.items()},
        shares={name: share(name, records.get(name), value, target.get(name)) for name, value in source.items()},
    )


def values(found: Judgement) -> dict[str, JsonValue]:
    return {each.name: each.value for each in found.fields}


def refusals(found: Judgement) -> list[tuple[str, str]]:
    return [(problem.unit.field, problem.reason) for problem in found.problems]


BODY = "<p>Der Teig <b>ruht</b> ganze 12 Stunden.</p>\n<p>Danach wird er im Ofen gebacken.</p>"


def test_what_is_good_becomes_peoples_text_for_the_present_source() -> None:
    found = judged(returned(NEW))

    assert values(found) == {"title": "Gutes Brot", "body": BODY, "tags": ["frisches Brot"]}
    assert (found.problems, found.untouched) == ((), 0)
    for field in found.fields:
        assert standing(field.record, source=SOURCE[field.name], target=field.value) is Standing.HUMAN
        assert standing(field.record, source="another", target=field.value) is Standing.OUTDATED


def test_a_sentence_of_an_agency_waits_for_a_review_when_its_source_changes_and_the_others_stay() -> None:
    """However often: a first change, that changes nothing of theirs, makes nothing of it ours."""
    (field,) = judged(returned({"body": NEW["body"]})).fields
    source = SOURCE["body"].replace("in the oven", "in a hot oven")
    ours = "<p>Der Teig <b>RUHT</b> 12 Stunden.</p>\n<p>Danach backt man ihn heiß.</p>"

    settled = share("body", field.record, SOURCE["body"], field.value)
    unchanged = settled.decide(BODY)
    changed = share("body", unchanged.record, source, field.value)
    decision = changed.decide(ours)
    again = share("body", decision.record, source.replace("12", "14"), field.value).decide(ours.replace("12", "14"))

    assert set(settled.settled.values()) == {True}
    assert (unchanged.action, unchanged.value) == (FieldAction.KEEP, None)
    assert list(changed.settled.values()) == [True, False]
    assert [(each.human, each.proposal) for each in decision.conflicts] == [
        ("Danach wird er im Ofen gebacken.", "Danach backt man ihn heiß.")
    ]
    assert [decision.action, again.action] == [FieldAction.REVIEW] * 2


def test_what_is_ours_of_a_field_stays_ours_beside_what_came_back() -> None:
    ours = OLD["body"].replace("10", "12")
    record = FieldRecord(source=SOURCE["body"], written=digest(ours), ours=ours)
    file = returned({"body": ["", "Danach wird er im Ofen gebacken."]}, target={"body": ours})

    (field,) = judged(file, target={"body": ours}, records={"body": record}).fields
    now = share("body", field.record, SOURCE["body"], field.value)

    assert field.value == "<p>Der Teig <b>ruht</b> 12 Stunden.</p>\n<p>Danach wird er im Ofen gebacken.</p>"
    assert list(now.settled.values()) == [False, True]


@pytest.mark.parametrize(
    ("field", "index", "text", "reason"),
    [
        ("body", 0, "Der Teig ruht 12 Stunden.", "missing"),
        ("body", 0, "Der Teig <g1>ruht</g1> <g1>12</g1> Stunden.", "twice"),
        ("body", 0, "Der Teig <g1>ruht</g1> <x7/> 12 Stunden.", "no placeholder"),
        ("body", 0, "Der Teig <g1>ruht</g1> 120 Stunden.", "Numbers were changed"),
        ("body", 1, "Then it is baked in the oven.", "the source text again"),
        ("body", 1, "Затем его пекут в печи.", "not in the script"),
        ("body", 1, "Danach wird er <script>alert(1)</script> im Ofen gebacken.", "does not have"),
        ("title", 0, "Ein Brot, das so gut ist, dass man es kaum lassen kann.", "takes 40 characters"),
        ("title", 0, "Brot\x00", "control character"),
    ],
)
def test_a_bad_unit_is_named_and_what_stood_there_stays(field: str, index: int, text: str, reason: str) -> None:
    texts = {name: list(each) for name, each in NEW.items()}
    texts[field][index] = text

    found = judged(returned(texts))

    assert [(problem.unit.field, reason in problem.reason) for problem in found.problems] == [(field, True)]
    kept = {"title": {}, "body": {0: "Der Teig <b>ruht</b> 10 Stunden.", 1: "Danach wird er gebacken."}}
    if field == "body":
        parts = ["Der Teig <b>ruht</b> ganze 12 Stunden.", "Danach wird er im Ofen gebacken."]
        parts[index] = kept["body"][index]
        assert values(found)["body"] == f"<p>{parts[0]}</p>\n<p>{parts[1]}</p>"
    assert values(found).keys() == NEW.keys() - ({"title"} if field == "title" else set())


def test_a_field_waits_on_where_some_of_it_came_back_bad() -> None:
    texts = {"body": ["Der Teig <g1>ruht</g1> 120 Stunden.", "Danach wird er im Ofen gebacken."]}

    (field,) = judged(returned(texts)).fields

    assert standing(field.record, source=SOURCE["body"], target=field.value) is Standing.OUTDATED


def test_a_field_without_a_translation_is_written_as_a_whole_or_not_at_all_and_remembered_all_the_same() -> None:
    texts = {"body": ["Der Teig <g1>ruht</g1> 120 Stunden.", "Danach wird er im Ofen gebacken."]}

    found = judged(returned(texts, target={}), target={}, records={})

    assert found.fields == ()
    assert refusals(found)[1] == ("body", reasons.INCOMPLETE)
    assert list(found.good.values()) == ["Danach wird er im Ofen gebacken."]


def test_a_source_that_has_changed_since_is_named_and_the_rest_is_taken() -> None:
    source = {**SOURCE, "body": SOURCE["body"].replace("in the oven", "in a hot oven"), "title": "Better bread"}

    found = judged(returned(NEW), source=source)

    assert refusals(found) == [("title", reasons.SOURCE_CHANGED), ("body", reasons.SOURCE_CHANGED)]
    assert values(found)["body"] == "<p>Der Teig <b>ruht</b> ganze 12 Stunden.</p>\n<p>Danach wird er gebacken.</p>"


def test_a_text_that_a_person_has_changed_since_stays_and_is_named() -> None:
    target = {**OLD, "title": "Annas Brot", "body": OLD["body"].replace("gebacken", "lang gebacken")}

    found = judged(returned(NEW), target=target)

    assert refusals(found) == [("title", reasons.TARGET_CHANGED), ("body", reasons.TARGET_CHANGED)]
    assert (
        values(found)["body"] == "<p>Der Teig <b>ruht</b> ganze 12 Stunden.</p>\n<p>Danach wird er lang gebacken.</p>"
    )


def test_a_text_that_was_rebuilt_since_stays_and_is_named() -> None:
    found = judged(returned({"body": NEW["body"]}), target={"body": "<p>Alles ist neu.</p>"})

    assert (values(found), refusals(found)) == ({}, [("body", reasons.UNMATCHED)] * 2)


def test_what_we_have_written_since_gives_way() -> None:
    ours = {"title": "Unser Brot"}
    records = {"title": FieldRecord(source=SOURCE["title"], written=digest("Unser Brot"), ours="Unser Brot")}

    found = judged(returned({"title": NEW["title"]}), target=ours, records=records)

    assert values(found) == {"title": "Gutes Brot"}


def test_a_person_who_wrote_the_same_meanwhile_is_no_problem() -> None:
    found = judged(returned({"title": NEW["title"]}), target={**OLD, "title": "Gutes Brot"})

    assert (values(found), found.problems) == ({"title": "Gutes Brot"}, ())


def test_units_that_nobody_has_worked_on_are_left_alone_unless_somebody_says_that_they_are_right() -> None:
    as_exported = {"title": [OLD["title"]], "body": ["Der Teig <g1>ruht</g1> 10 Stunden.", ""]}
    file = returned(as_exported)
    confirmed = replace(file, units=tuple(replace(unit, is_confirmed=True) for unit in file.units))

    left, taken = judged(file), judged(confirmed)

    assert (left.fields, left.problems, left.untouched) == ((), (), 3)
    assert values(taken) == {"title": "Brot"}
    assert [name for name, _ in refusals(taken)] == ["body"]  # 10 is not 12, whoever says that it is right


def test_odd_files_are_named_unit_by_unit() -> None:
    file = returned({"title": NEW["title"]})
    (unit,) = file.units
    odd = (
        unit,
        unit,
        replace(unit, id="1.other-1"),
        replace(unit, id="2.other-1", field="subtitle"),
        replace(unit, id="", target="", defect="Broken."),
        replace(unit, id="2.context", is_context=True),
    )

    found = judged(replace(file, units=odd))

    assert values(found) == {"title": "Gutes Brot"}
    assert refusals(found) == [
        ("title", reasons.TWICE),
        ("title", reasons.SOURCE_CHANGED),
        ("subtitle", reasons.NOT_A_FIELD),
        ("title", "Broken."),
    ]


def test_a_file_that_has_lost_what_stood_there_takes_the_place_of_nothing_of_peoples() -> None:
    file = returned({"title": NEW["title"]})
    lost = replace(file, units=tuple(replace(unit, digest="") for unit in file.units))

    assert refusals(judged(lost)) == [("title", reasons.NOT_SAID)]
    assert values(judged(lost, target={}, records={})) == {"title": "Gutes Brot"}


@pytest.mark.parametrize(
    ("target", "texts"),
    [
        # As the Studio's editor respells it, and with words around the markup in another order.
        ("<p>12 Stunden <strong>ruht</strong> der Teig.</p>\n<p>Dann backen.</p>", 2),
        ("<p>Der Teig ruht.</p>\n<p>Dann backen.</p>", 0),
        ("<p>Der Teig <b>ruht</b>.</p>", 0),
        ("<h2>Der Teig <b>ruht</b>.</h2>\n<p>Dann backen.</p>", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_what_stands_there_is_shown_beside_its_source_only_where_that_is_certain(
    target: str | None, texts: int
) -> None:
    found = Present.of(FIELDS["body"], cut_field(FIELDS["body"], SOURCE["body"]), target, tag="de-DE")

    assert len(found.texts) == texts


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_whatever_we_write_is_shown_segment_by_segment(kind: str) -> None:
    text_field, rng = TextField(name="body", kind=kind), random.Random(7)
    grammar = HTML if kind == "html" else MARKDOWN
    for _ in range(60):
        document = cut_field(text_field, written(rng, grammar))
        texts = {each.id: pseudo(each.text, target=GERMAN.target) for each in document.segments}
        target = document.splice(texts, language="de-DE")

        assert Present.of(text_field, document, target, tag="de-DE").texts == texts
