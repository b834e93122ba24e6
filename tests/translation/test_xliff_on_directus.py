"""Texts waiting for review go to an agency and come back, on the real Directus."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from directus_assets.commands.xliff import HandOut, run_export, run_import
from directus_assets.directus.client import DirectusClient
from directus_assets.local.server import LocalDirectus
from directus_assets.translation.exchange.xliff import read_xliff
from tests.translation.pipeline import Pipeline
from tests.translation.posts import rows_of
from tests.translation.scripted_openai import ScriptedOpenAI
from tests.translation.test_comments import comments, save
from tests.translation.test_pipeline import create_post, edit

pytestmark = pytest.mark.integration


@pytest.fixture
def pipeline(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path, {"translations": {"languages": ["de-DE"]}}) as pipeline:
        assert pipeline.tick() == []
        yield pipeline


def export(pipeline: Pipeline, choice: HandOut, path: Path) -> tuple[int, str]:
    output = io.StringIO()
    status = run_export(Console(file=output, width=200), pipeline.project, choice, path, instance=pipeline.instance)
    return status, output.getvalue()


def bring_back(pipeline: Pipeline, path: Path, *, dry_run: bool = False) -> tuple[int, str]:
    output = io.StringIO()
    console = Console(file=output, width=200)
    status = run_import(console, pipeline.project, path, dry_run=dry_run, instance=pipeline.instance)
    return status, output.getvalue()


def translate(path: Path, wordings: dict[str, str]) -> None:
    """Translate like an agency: set the target of each named source, without inline codes."""

    def changed(match: re.Match[str]) -> str:
        wording = wordings.get(re.sub("<[^>]*>", "", match["source"]))
        return match[0] if wording is None else f"<source>{match['source']}</source>\n<target>{wording}</target>"

    pattern = r"<source>(?P<source>.*?)</source>\n(?:<target>.*?</target>)?"
    path.write_text(re.sub(pattern, changed, path.read_text("utf-8"), flags=re.DOTALL), "utf-8")


def test_what_waits_goes_out_and_comes_back_as_peoples_text_for_no_money(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    posts = [create_post(studio, title=f"Bread {word}", summary="A short word.") for word in ("one", "two", "three")]
    untouched = create_post(studio, title="Cake")
    pipeline.settle()
    for post in posts:
        edit(studio, post, "de-DE", title="Brot")
    pipeline.settle()
    for post, word in zip(posts, ("one", "two", "three"), strict=True):
        save(studio, post, f"Good bread number {word}")
    pipeline.settle()
    assert [len(comments(studio, post)) for post in posts] == [1, 1, 1]
    server.asked.clear()
    path = tmp_path / "out.xlf"

    exported = export(pipeline, HandOut(languages=["de-DE"], waiting=True), path)

    lacking = export(pipeline, HandOut(collections=["posts"], items=["999"]), tmp_path / "none.xlf")
    files = read_xliff(path.read_bytes()).files
    assert (lacking[0], (tmp_path / "none.xlf").exists()) == (1, False)
    assert "posts 999: there is no such item to translate." in lacking[1]
    assert exported[0] == 0
    assert [(file.item, [unit.field for unit in file.units]) for file in files] == [(post, ["title"]) for post in posts]
    one, two, _ = posts
    translate(
        path, {f"Good bread number {w}": f"Gutes Brot {w}" for w in ("one", "two")} | {"Good bread number three": ""}
    )
    edit(studio, two, "de-DE", title="Annas Brot")
    before = rows_of(studio, one)
    assert bring_back(pipeline, path, dry_run=True)[0] == 1
    assert rows_of(studio, one) == before

    status, told = bring_back(pipeline, path)

    assert status == 1
    assert f"posts/{two}, unit " in told
    assert "field title: Somebody has changed this text since the export" in told
    assert "Imported: 1 texts of 1 items." in told
    assert "Not worked on: 1 texts." in told
    assert [row["title"] for post in posts for row in rows_of(studio, post)] == ["Gutes Brot one", "Annas Brot", "Brot"]
    assert [len(comments(studio, post)) for post in posts] == [0, 1, 1]
    pipeline.settle()  # Anna's edit
    assert pipeline.tick() == []
    for post in (one, untouched):
        pipeline.run_all(first=post, last=post)
    made = pipeline.made(one, "de-DE")
    assert made
    assert made.metadata["human_text_kept"].value == "title"
    assert "needs_review" not in made.metadata
    assert server.asked == []
    assert [row["title"] for row in rows_of(studio, one)] == ["Gutes Brot one"]


def test_an_item_comes_back_sentence_by_sentence_and_what_is_bad_is_named(
    pipeline: Pipeline, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> None:
    body = "<p>The dough <b>rests</b> for 12 hours.</p>\n<p>Then it is baked in the oven.</p>"
    post = create_post(studio, title="Good bread", body=body)
    pipeline.settle()
    ours = rows_of(studio, post)[0]["body"].partition("\n")[0]
    path = tmp_path / "out.xlf"
    assert export(pipeline, HandOut(collections=["posts"], items=[post]), path)[0] == 0
    translate(
        path,
        {
            "Good bread": "Gutes Brot",
            "The dough rests for 12 hours.": "Der Teig ruht 12 Stunden.",
            "Then it is baked in the oven.": "Danach wird er im Ofen gebacken.",
        },
    )
    server.asked.clear()

    status, told = bring_back(pipeline, path)

    (row,) = rows_of(studio, post)
    assert status == 1
    assert "field body: The placeholder <g1>" in told
    assert (row["title"], row["body"]) == ("Gutes Brot", f"{ours}\n<p>Danach wird er im Ofen gebacken.</p>")
    assert pipeline.tick() == []
    assert server.asked == []
    source = studio.get(
        "/items/posts_translations", filter={"posts_id": {"_eq": post}, "languages_code": {"_eq": "en-US"}}
    )
    studio.patch(f"/items/posts_translations/{source[0]['id']}", {"body": body.replace("12", "14")})
    pipeline.settle()
    (row,) = rows_of(studio, post)
    assert server.texts_sent == ["The dough <g1>rests</g1> for 14 hours."]
    assert row["body"] == f"{ours.replace('12', '14')}\n<p>Danach wird er im Ofen gebacken.</p>"


class Meddling(httpx.HTTPTransport):
    """Lets an editor act just before each of our writes to one text."""

    def __init__(self, text: str, act: Callable[[], object]) -> None:
        super().__init__()
        self.text = text
        self.act = act

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH" and self.text.encode() in request.read():
            self.act()
        return super().handle_request(request)


def test_an_item_that_keeps_being_edited_is_named_and_ends_no_import_of_others(
    pipeline: Pipeline, studio: DirectusClient, directus: LocalDirectus, tmp_path: Path
) -> None:
    words = ("Anna bakes", "Bea bakes", "Carla bakes")
    posts = [create_post(studio, body=f"<p>{each} bread.</p>\n<p>It rests.</p>") for each in words]
    pipeline.settle()
    path = tmp_path / "out.xlf"
    assert export(pipeline, HandOut(collections=["posts"], items=posts), path)[0] == 0
    translate(path, {f"{each} bread.": f"{each.split()[0]} backt Brot." for each in words})
    busy, edits = posts[1], list[str]()

    def save_another_sentence() -> None:
        first, _, _ = rows_of(studio, busy)[0]["body"].partition("\n")
        edits.append(f"{first}\n<p>Fassung {len(edits)}.</p>")
        edit(studio, busy, "de-DE", body=edits[-1])

    transport = Meddling("Bea backt Brot.", save_another_sentence)
    with DirectusClient(directus.url, directus.bot_token, transport=transport) as meddled:
        pipeline.project.__dict__["directus"] = meddled
        status, told = bring_back(pipeline, path)

    bodies = [rows_of(studio, post)[0]["body"] for post in posts]
    assert status == 1
    assert f"posts/{busy}: Item {busy} of posts kept being edited while it was imported." in told
    assert "Imported: 2 texts of 2 items." in told
    assert "Not imported: 1 texts or items." in told
    assert ["Anna backt Brot." in bodies[0], bodies[1] == edits[-1], "Carla backt Brot." in bodies[2]] == [True] * 3
