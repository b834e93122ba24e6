"""Taking back what we have written, on the real Directus and in its log."""

import io
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from rich.console import Console

from directus_assets.commands.revert import Selection, parse_moment, run_revert
from directus_assets.directus.client import DirectusClient
from directus_assets.errors import BadInput
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.runs.tags import CLICK_TAG, range_tags
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from directus_assets.translation.revert import ANEW, BY_A_PERSON, LOST, Back, Write, plan_row
from tests.translation import scripted_openai as scripted
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI


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
        # What we have made was nothing before.
        ([write({"title": "Schlecht"}, meant=True, first=True)], "Schlecht", None, None),
        ([MADE, write({"title": "Brot"}, meant=True)], "Brot", None, None),
    ],
)
def test_what_is_put_back_and_what_stays(
    writes: list[Write], present: str, back: Back | None, kept: str | None
) -> None:
    found = plan_row(writes, {"title": present, "summary": "untouched"})

    assert found == ({"title": back} if back else {}, {"title": kept} if kept else {})


def test_a_moment_without_a_zone_is_in_utc() -> None:
    assert parse_moment("2026-11-29T14:25") == parse_moment("2026-11-29T15:25+01:00")
    with pytest.raises(BadInput, match="is not a valid time"):
        parse_moment("yesterday")


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


@pytest.mark.integration
def test_a_bad_run_is_taken_back_but_for_what_people_have_changed_since(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    bodies = [{"translations": [{"languages_code": "en-US", "title": f"Bread {number}"}]} for number in range(25)]
    posts = [str(row["id"]) for row in studio.post("/items/posts", bodies)]
    pipeline.settle()
    good = german(studio)
    time.sleep(1.5)  # so that this run is not taken for part of the next
    server.always(scripted.with_bait("XX"))
    tags = {**range_tags(posts[0], posts[-1]), CLICK_TAG: "again"}
    bad = pipeline._run("posts", dg.RunRequest(tags=tags))
    assert bad.success
    changed = [post for post, row in german(studio).items() if row["title"] != good[post]["title"]]
    assert sorted(changed) == sorted(posts)
    edited = posts[5:20:5]
    for post in edited:
        studio.patch(f"/items/posts_translations/{good[post]['id']}", {"title": f"Von Anna {post}"})

    previewed = revert(pipeline, Selection(run=bad.run_id), dry_run=True)
    assert [german(studio)[post]["title"] for post in edited] == [f"Von Anna {post}" for post in edited]
    status, told = revert(pipeline, Selection(run=bad.run_id))
    again = revert(pipeline, Selection(run=bad.run_id, languages=["de-DE"]))

    after = german(studio)
    assert (status, previewed[0]) == (0, 0)
    assert "Restored: 22 translations." in told
    assert re.findall(r"Kept: posts (\d+), de-DE, title: somebody", told) == edited
    assert all(after[post]["title"] == good[post]["title"] for post in posts if post not in edited)
    assert [after[post]["title"] for post in edited] == [f"Von Anna {post}" for post in edited]
    assert "Restored" not in again[1]
    # What was put back is ours, as it was before, and what was bad is not used again.
    server.always(scripted.answer_right)
    (source,) = studio.get(
        "/items/posts_translations", filter={"posts_id": {"_eq": posts[0]}, "languages_code": {"_eq": "en-US"}}
    )
    studio.patch(f"/items/posts_translations/{source['id']}", {"title": "Rye"})
    pipeline.settle()
    assert german(studio)[posts[0]]["title"] == pseudo("Rye", target=language("de-DE"))
