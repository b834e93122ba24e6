"""Messages to editors in the real Studio about what waits for them: a comment on the item, and a notification."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.local.server import LocalDirectus
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from tests.translation import scripted_openai as scripted
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI
from tests.translation.test_pipeline import create_post, edit

pytestmark = pytest.mark.integration


@pytest.fixture
def pipeline(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path) as pipeline:
        assert pipeline.tick() == []
        yield pipeline


def comments(studio: DirectusClient, item: str) -> list[dict[str, str]]:
    condition = {"collection": {"_eq": "posts"}, "item": {"_eq": item}}
    rows = studio.get("/comments", filter=condition, fields=["id", "comment"], sort="date_created")
    return [dict(row) for row in rows]


def told(studio: DirectusClient, item: str) -> list[str]:
    rows = studio.get("/notifications", filter={"item": {"_eq": item}}, fields=["subject"], sort="id")
    return [row["subject"] for row in rows]


def wait_for_review(pipeline: Pipeline, studio: DirectusClient) -> str:
    """A post with a German title by a person, whose source has changed since."""
    post = create_post(studio, title="Bread")
    pipeline.settle()
    edit(studio, post, "de-DE", title="Brot")
    pipeline.settle()
    save(studio, post, "Good bread")
    pipeline.settle()
    return post


def save(studio: DirectusClient, post: str, title: str) -> None:
    """The English title, in the form of the post."""
    (row,) = studio.get(
        "/items/posts_translations",
        filter={"posts_id": {"_eq": post}, "languages_code": {"_eq": "en-US"}},
        fields=["id"],
    )
    studio.patch(f"/items/posts/{post}", {"translations": {"update": [{"id": row["id"], "title": title}]}})


def test_a_review_is_one_comment_that_changes_with_it_and_goes_with_it(
    pipeline: Pipeline, studio: DirectusClient
) -> None:
    post = wait_for_review(pipeline, studio)
    (first,) = comments(studio, post)
    save(studio, post, "Better bread")
    pipeline.settle()
    (second,) = comments(studio, post)
    pipeline.run_all(first=post, last=post)
    assert comments(studio, post) == [second]
    edit(studio, post, "de-DE", title="Besseres Brot")
    pipeline.settle()

    assert all(f"> {text}" in first["comment"] for text in ("Bread", "Good bread", "Brot"))
    assert pseudo("Good bread", target=language("de-DE")).strip("[]") in first["comment"].replace("\\", "")
    assert second["id"] == first["id"]
    assert "Better bread" in second["comment"]
    assert comments(studio, post) == []
    assert told(studio, post) == [f"Item {post} of 'posts' waits for your review"] * 2  # two causes


def test_a_text_that_could_not_be_translated_is_a_comment_until_it_is(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    server.always(scripted.unauthorized)
    post = create_post(studio, summary="A cursed loaf of bread, baked by the neighbours.")
    pipeline.tick()
    assert comments(studio, post) == []  # an expired key is nothing that editors could put right
    server.always(scripted.where("cursed", scripted.echo))
    pipeline.load()
    pipeline.run_all(first=post, last=post)
    (comment,) = comments(studio, post)
    server.always(scripted.answer_right)
    pipeline.load()
    pipeline.run_all(first=post, last=post)

    assert comment["comment"].count("Could not be made") == 4
    assert comments(studio, post) == []
    assert told(studio, post) == []


def test_what_a_change_takes_back_waits_for_nobody(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI
) -> None:
    post = create_post(studio, title="Bread")
    pipeline.settle()
    server.always(scripted.where("cursed", scripted.echo))
    save(studio, post, "A cursed loaf of bread, baked by the neighbours.")
    pipeline.tick()
    waiting = len(comments(studio, post))
    save(studio, post, "Bread")

    assert pipeline.tick() == []  # it is right as it is
    assert (waiting, comments(studio, post)) == (1, [])


def test_several_items_are_told_in_one_notification_and_what_others_say_there_stays(
    pipeline: Pipeline, studio: DirectusClient
) -> None:
    posts = [create_post(studio, title=f"Bread {number}") for number in range(3)]
    theirs = "#### German (de-DE)\n\nI do it."
    pipeline.settle()
    for post in posts:
        edit(studio, post, "de-DE", title="Brot")
        studio.post("/comments", {"collection": "posts", "item": post, "comment": theirs})
    pipeline.settle()
    for post in posts:
        save(studio, post, "Cake")
    pipeline.settle()
    waiting = [len(comments(studio, post)) for post in posts]
    for post in posts:
        edit(studio, post, "de-DE", title="Kuchen")
    pipeline.settle()

    (row,) = studio.get("/notifications", filter={"subject": {"_starts_with": "3 items"}}, fields=["message"])
    assert sorted(row["message"].rpartition(": ")[2].rstrip(".").split(", ")) == sorted(posts)
    assert waiting == [2, 2, 2]
    assert [[row["comment"] for row in comments(studio, post)] for post in posts] == [[theirs]] * 3


def test_without_the_rights_the_work_is_done_and_says_what_lacks(
    pipeline: Pipeline, studio: DirectusClient, capfd: pytest.CaptureFixture[str]
) -> None:
    lacking = {"collection": {"_in": ["directus_comments", "directus_notifications"]}}
    rows = [row for row in studio.get("/permissions", filter=lacking, limit=-1) if "id" in row]
    studio.delete("/permissions", [row["id"] for row in rows])
    try:
        post = wait_for_review(pipeline, studio)
    finally:
        for row in rows:
            studio.post("/permissions", {name: value for name, value in row.items() if name != "id"})

    made, said = pipeline.made(post, "de-DE"), capfd.readouterr().err
    assert made
    assert "needs_review" in made.metadata
    assert "on directus_comments" in said
    assert "on directus_notifications" in said


def test_where_comments_are_switched_off_nobody_is_told(pipeline: Pipeline) -> None:
    pipeline.configure({"notify": {"comments": False}})

    assert pipeline.project.desk("posts", ["1"], warn=print, notifies=True) is None
