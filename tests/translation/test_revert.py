"""Reverting our writes, on the real Directus and in its log."""

import datetime as dt
import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import dagster as dg
import httpx
import pytest
from rich.console import Console

from directus_assets.commands.revert import Selection, parse_moment, run_revert
from directus_assets.directus.client import USER_AGENT, DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import BadInput
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import translated_items
from directus_assets.orchestration.runs.history import latest_records
from directus_assets.ownership.field_records import FieldRecord
from directus_assets.ownership.record_store import RecordStore
from directus_assets.ownership.take_back import (
    ANEW,
    BY_A_PERSON,
    LOST,
    MAY_NOT_DELETE,
    NOTHING_BEFORE,
    WHOLE_ROW,
    Back,
    BackPlan,
    Period,
    Write,
    plan_row,
)
from directus_assets.run_tags import CLICK_TAG, range_tags
from directus_assets.settings import TranslationOptions
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.cut_fields import cut_field
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from directus_assets.translation.memory import Memory, MemoryEntry, pair_of
from directus_assets.translation.records import Remembered, TranslationRecord
from directus_assets.translation.revert import TranslationRevert
from directus_assets.translation.scope import plan_scopes
from directus_assets.translation.segments.model import key_of, segment_key
from tests.directus_query import answer_query, matches, query_of
from tests.translation import scripted_openai as scripted
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI
from tests.translation.test_scope import POSTS


def write(values: Mapping[str, Any], *, ours: bool = True, meant: bool = False, first: bool = False) -> Write:
    return Write(is_ours=ours, is_meant=meant, is_first=first, values=values)


MADE = write({"title": "Brot"}, first=True)
BAD = write({"title": "Schlecht"}, meant=True)


@pytest.mark.parametrize(
    ("writes", "present", "back", "kept"),
    [
        ([MADE, BAD], "Schlecht", Back(bad="Schlecht", earlier="Brot", was_ours=True), None),
        # A person's text that we have overwritten comes back as theirs.
        (
            [MADE, write({"title": "Laib"}, ours=False), BAD],
            "Schlecht",
            Back(bad="Schlecht", earlier="Laib", was_ours=False),
            None,
        ),
        # What we have written after somebody holds sentences of theirs, perhaps.
        (
            [MADE, write({"title": "Laib"}, ours=False), write({"title": "Ein Laib"}), BAD],
            "Schlecht",
            Back(bad="Schlecht", earlier="Ein Laib", was_ours=False),
            None,
        ),
        # Two bad writes, one after the other, are taken back together.
        (
            [MADE, write({"title": "Übel"}, meant=True), BAD],
            "Schlecht",
            Back(bad="Schlecht", earlier="Brot", was_ours=True),
            None,
        ),
        ([MADE, BAD, write({"title": "Gut"}, ours=False)], "Gut", None, BY_A_PERSON),
        ([MADE, BAD, write({"title": "Neu"})], "Neu", None, ANEW),
        # What is not in the log, such as a change in the database itself, is somebody's.
        ([MADE, BAD], "Aus der Datenbank", None, BY_A_PERSON),
        # The log has been pruned, or the row was there before it.
        ([BAD], "Schlecht", None, LOST),
        # An empty field of a row that somebody has made.
        (
            [write({}, ours=False, first=True), BAD],
            "Schlecht",
            Back(bad="Schlecht", earlier=None, was_ours=False),
            None,
        ),
        # What has been put back already; by us, or by a person.
        ([MADE, BAD, write({"title": "Brot"})], "Brot", None, None),
        ([MADE, BAD, write({"title": "Brot"}, ours=False)], "Brot", None, None),
        # A bad write on each side of a person's: theirs comes back.
        (
            [MADE, BAD, write({"title": "Laib"}, ours=False), write({"title": "Übel"}, meant=True)],
            "Übel",
            Back(bad="Übel", earlier="Laib", was_ours=False),
            None,
        ),
        # We have made the row, and a person has written into another field of it.
        (
            [write({"title": "Schlecht"}, meant=True, first=True), write({"summary": "Kurz"}, ours=False)],
            "Schlecht",
            None,
            NOTHING_BEFORE,
        ),
        ([MADE, write({"title": "Brot"}, meant=True)], "Brot", None, None),
        # A second bad run has been taken back before; or somebody has, and means it.
        (
            [MADE, BAD, write({"title": "Übel"}), write({"title": "Schlecht"})],
            "Schlecht",
            Back(bad="Schlecht", earlier="Brot", was_ours=True),
            None,
        ),
        (
            [MADE, BAD, write({"title": "Übel"}), write({"title": "Schlecht"}, ours=False)],
            "Schlecht",
            None,
            BY_A_PERSON,
        ),
    ],
)
def test_what_is_put_back_and_what_stays(
    writes: list[Write], present: str, back: Back | None, kept: str | None
) -> None:
    found = plan_row(writes, {"title": present, "summary": "untouched"}, made_with={"id"})

    assert found == BackPlan(back={"title": back} if back else {}, kept={"title": kept} if kept else {})


@pytest.mark.parametrize(
    ("writes", "is_removed"),
    [
        ([write({"id": 1, "title": "Schlecht"}, meant=True, first=True)], True),
        ([write({"id": 1, "title": "Übel"}, meant=True, first=True), BAD], True),
        # Something else of ours has been put into it meanwhile, or before.
        ([write({"title": "Schlecht", "keywords": "x"}, meant=True, first=True)], False),
        ([write({"title": "Schlecht"}, meant=True, first=True), write({"keywords": "x"})], False),
        # What has been put into it meanwhile has been taken back.
        (
            [
                write({"title": "Schlecht"}, meant=True, first=True),
                write({"title": "Neu"}),
                write({"title": "Schlecht"}),
            ],
            True,
        ),
        ([write({"title": "Anders"}, meant=True, first=True)], False),
        ([write({"id": 1}, ours=False, first=True), BAD], False),
    ],
)
def test_a_row_that_we_have_made_goes_where_nobody_has_touched_it(writes: list[Write], is_removed: bool) -> None:
    found = plan_row(writes, {"title": "Schlecht"}, made_with={"id"})
    of_an_item = plan_row(writes, {"title": "Schlecht"})

    assert found.removed == ({"title": "Schlecht"} if is_removed else {})
    assert not of_an_item.removed


def test_where_the_log_is_kept_without_revisions_nothing_is_put_back_and_that_is_said() -> None:
    assert plan_row([], {"title": "Schlecht"}) == BackPlan(kept={WHOLE_ROW: LOST})


def test_a_moment_without_a_zone_is_in_utc() -> None:
    assert parse_moment("2026-11-29T14:25") == parse_moment("2026-11-29T15:25+01:00")
    with pytest.raises(BadInput, match="is not a valid time"):
        parse_moment("yesterday")


class LoggedRows:
    """Rows of translations in a Directus of a few lines, with the log of all that was written to them."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.now = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
        self.client = DirectusClient(
            "http://directus.example.com", "t", transport=httpx.MockTransport(self._answer), timeout_seconds=5
        )
        self.trouble: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    def write(self, key: int, *, by: str = "bot", **values: Any) -> None:
        """One write, by ourselves or by somebody else."""
        action = "update" if key in self.rows else "create"
        self.rows.setdefault(key, {"id": str(key), "body": None}).update(values)
        entry = {"id": len(self.log) + 1, "action": action, "collection": "posts_translations", "item": str(key)}
        who = {"user": by, "user_agent": USER_AGENT if by == "bot" else "Firefox", "timestamp": self.now.isoformat()}
        self.log.append({**entry, **who, "revisions": [{"item": str(key), "delta": values}]})

    def after(self, minutes: int) -> dt.datetime:
        self.now += dt.timedelta(minutes=minutes)
        return self.now

    def _answer(self, request: httpx.Request) -> httpx.Response:
        return self.trouble(request) or self._answered(request, request.url.path)

    def _answered(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "/users/me":
            return httpx.Response(200, json={"data": {"id": "bot"}})
        if request.method in ("PATCH", "DELETE"):
            return self._change(request.method, json.loads(request.content))
        if path == "/activity" and "$NOW" in json.dumps(query_of(request)):
            (keys,) = (each["item"]["_in"] for each in query_of(request)["filter"]["_and"] if "item" in each)
            recent = [each for each in self.log if each["item"] in keys and each["timestamp"] == self.now.isoformat()]
            return httpx.Response(200, json={"data": recent})
        return answer_query(request, self.log if path == "/activity" else self.rows.values())

    def _change(self, method: str, body: dict[str, Any]) -> httpx.Response:
        condition = body["query"]["filter"]
        key = int(condition["_and"][0]["id"]["_eq"])
        found = [key] if key in self.rows and matches(self.rows[key], condition) else []
        for key in found:
            if method == "DELETE":
                del self.rows[key]
            else:
                self.write(key, **body["data"])
        return httpx.Response(200, json={"data": [{"id": key} for key in found]})


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[tuple[LoggedRows, TranslationRevert]]:
    (scope,) = plan_scopes([POSTS], TranslationOptions(), default_language=None)
    directus = LoggedRows()
    memory = Memory(LocalStorage(tmp_path), tmp_path / "index.sqlite")
    with directus.client as client, closing(memory):
        yield (
            directus,
            TranslationRevert(client, scope, RecordStore(LocalStorage(tmp_path), TranslationRecord), memory=memory),
        )


def test_of_500_translations_of_a_bad_run_480_are_put_back_and_20_that_people_have_edited_stay(
    logged: tuple[LoggedRows, TranslationRevert],
) -> None:
    directus, revert = logged
    for number in range(1, 501):
        directus.write(number, posts_id=number, languages_code="de-DE", title=f"Brot {number}")
    start = directus.after(60)
    for number in range(1, 501):
        directus.write(number, title=f"Schlecht {number}")
    end = directus.after(5)
    directus.after(5)
    for number in range(25, 501, 25):
        directus.write(number, by="anna", title=f"Von Anna {number}")
    directus.after(5)
    period = Period(start=start, end=end, only={(str(number), "de-DE") for number in range(1, 501)})

    plan = revert.plan(period)
    previewed = [dict(row) for row in directus.rows.values()]
    outcome = list(revert.carry_out(plan))
    directus.after(5)
    again = revert.plan(period)

    assert sum(row["title"].startswith("Schlecht") for row in previewed) == 480
    assert {row.item for row in plan if row.plan.kept == {"title": BY_A_PERSON}} == {
        str(number) for number in range(25, 501, 25)
    }
    assert (len(outcome), {reason for _, reason in outcome}) == (480, {""})
    assert all(row["title"] == (f"Brot {key}" if key % 25 else f"Von Anna {key}") for key, row in directus.rows.items())
    assert all(row.is_kept for row in again)
    assert len(again) == 20


def test_what_nobody_has_touched_of_a_first_run_goes_again(logged: tuple[LoggedRows, TranslationRevert]) -> None:
    directus, revert = logged
    start = directus.after(60)
    for number in range(1, 4):
        directus.write(number, posts_id=number, languages_code="de-DE", title="Schlecht", body="<p>Schlecht</p>")
    directus.after(5)
    directus.write(2, by="anna", body="<p>Gut</p>")
    directus.after(5)

    outcome = list(revert.carry_out(plan := revert.plan(Period(start=start))))

    assert [reason for _, reason in outcome] == ["", ""]
    assert directus.rows.keys() == {2}
    assert plan[1].plan.kept == {"title": NOTHING_BEFORE, "body": BY_A_PERSON}


def translated(revert: TranslationRevert, item: str, *, title: str = "", body: str = "", **texts: str) -> None:
    """What is remembered of an item and of the project, with these translations of the segments in it."""
    assert revert.memory
    values = {"title": title, "body": body}
    segments = [each for f in revert.scope.schema.fields for each in cut_field(f, values[f.name]).segments]
    known = {each: texts[each.text.split()[0]] for each in segments}
    record = TranslationRecord(
        collection="posts",
        item=item,
        language="de-DE",
        fields={name: FieldRecord(source=value, ours="x") for name, value in values.items()},
        segments={segment_key(s): Remembered(text=text, glossary="", engine="e") for s, text in known.items()},
    )
    revert.records.save(record)
    revert.memory.remember(
        [MemoryEntry(pair=ENGLISH, key=segment_key(s), source=s.text, text=text) for s, text in known.items()]
    )


ENGLISH = pair_of("en-US", "de-DE")


def test_what_is_taken_back_is_forgotten_for_other_items_but_not_what_was_good_or_is_a_persons(
    logged: tuple[LoggedRows, TranslationRevert],
) -> None:
    directus, revert = logged
    assert revert.memory
    directus.write(1, posts_id=1, languages_code="de-DE", title="Brot", body="<p>Es <b>ruht</b>.</p><p>Heiß.</p>")
    start = directus.after(60)
    directus.write(1, title="Schlecht", body="<p>Es <b>ruht</b>.</p><p>Schlimm.</p>")
    directus.write(2, posts_id=2, languages_code="de-DE", title="Übel", body="<p>Mies.</p>")
    directus.write(3, posts_id=3, languages_code="de-DE", title="Elend")
    directus.after(5)
    directus.write(3, by="anna", title="Gut")
    body = "<p>It <b>rests</b>.</p><p>Hot.</p>"
    translated(revert, "1", title="Bread", body=body, Bread="Schlecht", It="Es <g1>ruht</g1>.", **{"Hot.": "Schlimm."})
    translated(revert, "2", title="Salt", body="<p>Oil.</p>", Salt="Übel", **{"Oil.": "Mies."})
    translated(revert, "3", title="Rye", Rye="Elend")
    theirs = MemoryEntry(pair=ENGLISH, key=key_of("text", "Oil."), source="Oil.", text="Mies.", human=True)
    revert.memory.remember([theirs])

    outcome = list(revert.carry_out(revert.plan(Period(start=start))))

    assert [reason for _, reason in outcome] == ["", ""]
    # Of what Anna has corrected herself nothing is taken back.
    assert {each.source: each.text for each in revert.memory.entries()} == {
        "It <g1>rests</g1>.": "Es <g1>ruht</g1>.",
        "Oil.": "Mies.",
        "Rye": "Elend",
    }


def in_memory(revert: TranslationRevert) -> dict[str, str]:
    assert revert.memory
    return {each.source: each.text for each in revert.memory.entries()}


@pytest.fixture
def two_bad_runs(logged: tuple[LoggedRows, TranslationRevert]) -> tuple[Period, Period]:
    """Two bad translations, one after the other: of two items, and of what has become of them since."""
    directus, revert = logged
    directus.write(1, posts_id=1, languages_code="de-DE", title="Brot", body="<p>Es <b>ruht</b>.</p>")
    translated(revert, "1", title="Bread", body="<p>It <b>rests</b>.</p>", Bread="Brot", It="Es <g1>ruht</g1>.")
    start = directus.after(60)
    directus.write(1, title="Schlecht", body="<p>Es <b>ruht</b>.</p><p><b>Mies</b>: <i>heiß</i>.</p>")
    directus.write(2, posts_id=2, languages_code="de-DE", title="Übel")
    body = "<p>It <b>rests</b>.</p><p><b>Hot</b>, <i>bad</i>.</p>"
    hot = {"<g1>Hot</g1>,": "<g2>Mies</g2>: <g1>heiß</g1>."}
    translated(revert, "1", title="Loaf", body=body, Loaf="Schlecht", It="Es <g1>ruht</g1>.", **hot)
    translated(revert, "2", title="Salt", Salt="Übel")
    first = Period(start=start, end=directus.after(5))
    start = directus.after(60)
    directus.write(1, title="Elend")
    directus.write(2, title="Widrig")
    translated(revert, "1", title="Rye", body=body, Rye="Elend", It="Es <g1>ruht</g1>.", **hot)
    translated(revert, "2", title="Oil", Oil="Widrig")
    second = Period(start=start, end=directus.after(5))
    directus.after(60)
    return first, second


GOOD: Final = {"Bread": "Brot", "It <g1>rests</g1>.": "Es <g1>ruht</g1>."}


def test_two_bad_runs_taken_back_together_are_both_forgotten(
    logged: tuple[LoggedRows, TranslationRevert], two_bad_runs: tuple[Period, Period]
) -> None:
    directus, revert = logged

    outcome = list(revert.carry_out(revert.plan(Period(start=two_bad_runs[0].start))))

    assert [reason for _, reason in outcome] == ["", ""]
    assert {key: row["title"] for key, row in directus.rows.items()} == {1: "Brot"}
    assert in_memory(revert) == GOOD


def test_two_bad_runs_taken_back_one_after_the_other_are_both_forgotten(
    logged: tuple[LoggedRows, TranslationRevert], two_bad_runs: tuple[Period, Period]
) -> None:
    directus, revert = logged
    first, second = two_bad_runs

    outcome = list(revert.carry_out(revert.plan(second)))
    assert [reason for _, reason in outcome] == ["", ""]
    assert {key: row["title"] for key, row in directus.rows.items()} == {1: "Schlecht", 2: "Übel"}
    assert in_memory(revert).keys() - GOOD.keys() == {"Loaf", "Salt", "<g1>Hot</g1>, <g2>bad</g2>."}
    directus.after(5)
    outcome = list(revert.carry_out(revert.plan(first)))

    assert [reason for _, reason in outcome] == ["", ""]
    assert {key: row["title"] for key, row in directus.rows.items()} == {1: "Brot"}
    assert in_memory(revert) == GOOD


def test_one_row_that_directus_refuses_keeps_no_other_from_being_put_back(
    logged: tuple[LoggedRows, TranslationRevert],
) -> None:
    directus, revert = logged
    for number in range(1, 4):
        directus.write(number, posts_id=number, languages_code="de-DE", title=f"Brot {number}")
    start = directus.after(60)
    for number in range(1, 4):
        directus.write(number, title="Schlecht")
    directus.write(4, posts_id=4, languages_code="de-DE", title="Schlecht")
    directus.after(5)
    directus.trouble = lambda request: (
        httpx.Response(403 if request.method == "DELETE" else 400)
        if request.method == "DELETE" or (request.method == "PATCH" and b"Brot 2" in request.content)
        else None
    )

    outcome = {row.item: reason for row, reason in revert.carry_out(revert.plan(Period(start=start)))}

    assert (outcome["1"], outcome["3"], outcome["4"]) == ("", "", MAY_NOT_DELETE)
    assert "400" in outcome["2"]
    assert [row["title"] for row in directus.rows.values()] == ["Brot 1", "Schlecht", "Brot 3", "Schlecht"]


@pytest.fixture
def pipeline(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path, {"translations": {"languages": ["de-DE"]}}) as pipeline:
        assert pipeline.tick() == []
        yield pipeline


def german(studio: DirectusClient) -> dict[str, dict[str, Any]]:
    """The German rows, by post."""
    rows = studio.get("/items/posts_translations", filter={"languages_code": {"_eq": "de-DE"}}, limit=-1)
    return {str(row["posts_id"]): row for row in rows}


def revert(pipeline: Pipeline, selection: Selection, *, dry_run: bool = False) -> tuple[int, str]:
    output = io.StringIO()
    console = Console(file=output, width=150)
    status = run_revert(
        console, pipeline.project, selection, dry_run=dry_run, confirm=lambda: True, instance=pipeline.instance
    )
    return status, output.getvalue()


COUNT, EDITED_EVERY = (500, 25) if os.environ.get("CHAOS") == "full" else (25, 8)
"""Posts of a bad run, and how many there are to each that somebody has edited since."""


@pytest.mark.integration
def test_a_bad_run_is_taken_back_but_for_what_people_have_changed_since(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    bodies = [{"translations": [{"languages_code": "en-US", "title": f"Bread {number}"}]} for number in range(COUNT)]
    parts = [bodies[start : start + 25] for start in range(0, COUNT, 25)]
    posts = [str(row["id"]) for part in parts for row in studio.post("/items/posts", part)]
    pipeline.settle()
    good = german(studio)
    time.sleep(1.5)  # so that this run is not taken for part of the next
    server.always(scripted.with_bait("XX"))
    tags = {**range_tags(posts[0], posts[-1]), CLICK_TAG: "again"}
    bad = pipeline._run("posts", dg.RunRequest(tags=tags))
    assert bad.success
    changed = [post for post, row in german(studio).items() if row["title"] != good[post]["title"]]
    assert sorted(changed) == sorted(posts)
    edited = posts[5::EDITED_EVERY]
    for post in edited:
        studio.patch(f"/items/posts_translations/{good[post]['id']}", {"title": f"Von Anna {post}"})

    previewed = revert(pipeline, Selection(run=bad.run_id), dry_run=True)
    assert [german(studio)[post]["title"] for post in edited] == [f"Von Anna {post}" for post in edited]
    status, told = revert(pipeline, Selection(run=bad.run_id))
    again = revert(pipeline, Selection(run=bad.run_id, languages=["de-DE"]))

    after = german(studio)
    assert (status, previewed[0]) == (0, 0)
    assert f"Restored: {COUNT - len(edited)} translations." in told
    assert re.findall(r"Kept: posts (\d+), de-DE, title: somebody", told) == edited
    assert all(after[post]["title"] == good[post]["title"] for post in posts if post not in edited)
    assert [after[post]["title"] for post in edited] == [f"Von Anna {post}" for post in edited]
    assert "Restored" not in again[1]
    # What was put back is ours, as it was before, and what was bad is not used again, not even for other items.
    server.always(scripted.answer_right)
    server.asked.clear()
    other = studio.post("/items/posts", {"translations": [{"languages_code": "en-US", "title": "Bread 1"}]})["id"]
    # The log of 500 posts is longer than what one tick reads.
    while str(other) not in german(studio):
        pipeline.settle()
    assert german(studio)[str(other)]["title"] == good[posts[1]]["title"]
    assert server.texts_sent == ["Bread 1"]
    (source,) = studio.get(
        "/items/posts_translations", filter={"posts_id": {"_eq": posts[0]}, "languages_code": {"_eq": "en-US"}}
    )
    studio.patch(f"/items/posts_translations/{source['id']}", {"title": "Rye"})
    pipeline.settle()
    assert german(studio)[posts[0]]["title"] == pseudo("Rye", target=language("de-DE"))


@pytest.mark.integration
def test_what_was_nothing_before_waits_once_it_is_taken_back(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    """Neither the sensor nor the reconcile makes it again at once."""
    made = studio.post("/items/posts", [{"translations": [{"languages_code": "en-US", "title": "Rye"}]} for _ in "ab"])
    first, second = (str(row["id"]) for row in made)
    studio.post("/items/posts_translations", {"posts_id": first, "languages_code": "de-DE", "title": None})
    time.sleep(1.5)
    server.always(scripted.with_bait("XX"))
    since = dt.datetime.now(dt.UTC)
    time.sleep(1.5)
    pipeline.settle()
    assert german(studio).keys() >= {first, second}

    _, told = revert(pipeline, Selection(since=since, languages=["de-DE"]))

    after = german(studio)
    assert after[first]["title"] is None
    assert "Restored: 1 translations." in told
    assert "may not delete" in told
    kinds = translated_items(pipeline.project, take_snapshot(pipeline.project.directus, pipeline.project.wanted))
    kind = next(each for each in kinds if each.name == "posts")
    page = kind.survey().look([first, second])
    record = next(iter(latest_records(pipeline.instance, kind.assets, [first]).values()))
    assert not page.is_lost("de-DE", first, record)
    assert pipeline.tick() == []
