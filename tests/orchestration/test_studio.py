"""Calls from Directus to the door: an editor's click in the real Studio, in a headless browser, and the push of
changes.

The daemon, the webserver and Directus are real; the tests form one scenario.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import httpx
import pytest
from playwright.sync_api import Page

from directus_assets.commands.setup.flow_trees import BUTTON_NAME
from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import upload
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.runs.history import fingerprints
from directus_assets.run_tags import (
    CHANGE,
    CLICK_TAG,
    PUSH,
    RANGE_END_TAG,
    RANGE_START_TAG,
    TRIGGER_TAG,
    keys_of_tags,
)
from directus_assets.settings import Config, Environment, Settings
from directus_assets.translation.languages import language
from tests.orchestration.test_pipeline import CARD, NO_SCHEDULE, WIDE, Story, picture
from tests.studio import Editor, browser_page, install_dashboard, shown_in_panel

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def story(
    empty_directus: LocalDirectus, admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token, timeout_seconds=60) as client:
        client.patch("/settings", {"storage_asset_presets": [CARD, WIDE]})
        create_collections(client)
        create_bot(client, token=empty_directus.bot_token)
    environment = {"TRANSLATION_ENGINE": "pseudo"}
    folder = tmp_path_factory.mktemp("studio")
    with LocalPipeline(empty_directus, folder, config=NO_SCHEDULE, environment=environment) as pipeline:
        made = Story(empty_directus, admin, pipeline)
        with made.client, made.instance:
            # What is uploaded before the first tick has existed from the start, and waits for a backfill.
            made.wait("The sensor did not tick", lambda: made._followed() >= 0)
            yield made


@pytest.fixture(scope="module")
def editor(story: Story) -> Iterator[Editor]:
    with DirectusClient(story.directus.url, story.directus.admin_token) as client:
        made = Editor(story.directus, client)
        yield made
        made.directus.close()


@pytest.fixture(scope="module")
def files(story: Story, editor: Editor) -> list[str]:
    """Three pictures, each shown by a post."""
    ids = [upload(story.admin, picture(number), filename=f"{number}.jpg") for number in range(3)]
    for file in ids:
        row = {"languages_code": "en-US", "title": f"With {file}"}
        post = {"status": "published", "image": file, "translations": [row]}
        story.admin.post("/items/posts", json=post).raise_for_status()
    story.wait_until_made(*ids)
    return ids


@pytest.fixture
def page() -> Iterator[Page]:
    with browser_page() as page:
        yield page


def press(page: Page, *choices: str, picture: str) -> None:
    """Make these choices in the button's form, one after the other, and submit it."""
    page.get_by_role("button", name=BUTTON_NAME).click()
    dialog = page.locator("#dialog-outlet")
    for number, choice in enumerate(choices):
        dialog.locator(".v-input").nth(number).click()
        page.locator("#menu-outlet .v-list-item").get_by_text(choice, exact=True).click()
    _take_picture(page, picture)
    dialog.get_by_role("button", name="Run Flow").click()


def stored(story: Story, file: str) -> set[str]:
    """The names of the stored derivatives of a file."""
    return {derivative.stored_name for derivative in story.wanted(file)} & story.stored().keys()


def delete_derivatives(story: Story, *ids: str) -> None:
    for file in ids:
        for name in stored(story, file):
            (story.directus.uploads / name).unlink()


def runs_over(story: Story, file: str) -> list[dict[str, str]]:
    """The tags of all runs that begin or end with this file, or name it."""
    tags = [record.dagster_run.tags for record in story.instance.get_run_records(ascending=True)]
    ends = (RANGE_START_TAG, RANGE_END_TAG)
    return [dict(each) for each in tags if file in (*(each.get(end) for end in ends), *keys_of_tags(each))]


def test_the_command_installs_the_flows(story: Story, files: list[str]) -> None:
    command = Path(sys.executable).with_name("directus-assets")
    variables = {**story.pipeline.environment, "DIRECTUS_ADMIN_TOKEN": story.directus.admin_token}
    done = subprocess.run(
        [command, "setup", "--flows", "--push", "--yes"],
        cwd=story.pipeline.folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"ok: button '{BUTTON_NAME}': reaches Dagster" in done.stdout


def test_a_click_in_the_studio_ends_in_new_derivatives_and_a_notification(
    story: Story, editor: Editor, files: list[str], page: Page
) -> None:
    """The first and the third of three posts are chosen, whose pictures are no range."""
    delete_derivatives(story, *files)
    assert not any(stored(story, file) for file in files)

    editor.open_studio(page, "/content/posts")
    rows = page.locator("tr.table-row")
    for number in (0, 2):
        rows.nth(number).locator("td.select button, td.select .v-checkbox").first.click()
    page.get_by_role("button", name="Flows").click()
    press(page, "Render presets again", picture="buttons.png")

    story.wait("Nobody was told", lambda: bool(editor.notifications()))
    assert editor.notifications() == [("Render presets again: 2 of 2 done", "Everything was made again.")]
    wanted = [len(story.wanted(file)) for file in files]
    assert [len(stored(story, file)) for file in files] == [wanted[0], 0, wanted[2]]


def test_an_editor_is_told_why_something_could_not_be_made(story: Story, editor: Editor, files: list[str]) -> None:
    (story.directus.uploads / story.file(files[1]).filename_disk).write_bytes(b"no picture any more")
    flow = next(row for row in story.admin.get("/flows").json()["data"] if row["name"] == BUTTON_NAME)

    chosen = {"collection": "directus_files", "keys": files[1:], "button": "render"}
    editor.directus.post(f"/flows/trigger/{flow['id']}", chosen)
    story.wait("Nobody was told", lambda: len(editor.notifications()) == 2)

    subject, message = editor.notifications()[-1]
    assert subject == "Render presets again: 1 of 2 done, 1 failed"
    assert "is incomplete: the storage has 19 of" in message


def assert_pushed_once(story: Story, make: Callable[[int], str]) -> None:
    """An item is made by the run that its push asks for, and by no other; at the fifth attempt at the latest.

    On a very busy machine, the sensor is sometimes faster than the push.
    """
    triggers: list[list[str | None]] = []
    while [PUSH] not in triggers:
        assert len(triggers) < 5, triggers
        key = make(len(triggers))
        triggers.append([tags.get(TRIGGER_TAG) for tags in runs_over(story, key)])


def test_an_upload_is_pushed_and_made_once(story: Story, files: list[str]) -> None:
    def make(number: int) -> str:
        file = upload(story.admin, picture(30 + number), filename="pushed.jpg")
        story.wait_until_made(file)
        return file

    assert_pushed_once(story, make)


def test_a_post_is_pushed_and_translated_once(story: Story) -> None:
    def make(number: int) -> str:
        row = {"languages_code": "en-US", "title": f"A new one, number {number}"}
        answer = story.admin.post("/items/posts", json={"status": "published", "translations": [row]})
        post = answer.json()["data"]["id"]
        translations(story, post, count=5)
        story.settle()
        return str(post)

    assert_pushed_once(story, make)


def test_a_review_is_a_comment_shows_on_the_dashboard_and_is_settled_by_the_form(
    story: Story, editor: Editor, page: Page
) -> None:
    row = {"languages_code": "en-US", "title": "Rye bread"}
    post = story.admin.post("/items/posts", json={"status": "published", "translations": [row]}).json()["data"]["id"]
    rows = translations(story, post, count=5)
    for code, title in (("de-DE", "Roggenbrot, sagt Anna"), ("fr-FR", "Pain de seigle, dit Anna")):
        story.admin.patch(f"/items/posts_translations/{rows[code]['id']}", json={"title": title}).raise_for_status()
    story.settle()
    update = [{"id": rows["en-US"]["id"], "title": "Wheat bread"}]
    editor_saves = {"translations": {"update": update}}
    story.admin.patch(f"/items/posts/{post}", json=editor_saves).raise_for_status()
    story.wait("There is no comment", lambda: len(comments(story, post)) == 1)
    story.settle()
    assert all(title in comments(story, post)[0] for title in ("sagt Anna", "dit Anna"))

    editor.open_studio(page, f"/content/posts/{post}")
    page.get_by_text("Comments").first.click()
    shown = page.get_by_text("Roggenbrot, sagt Anna").last
    shown.wait_for()
    _take_picture(page, "comment.png")
    page.get_by_role("button", name="Flows").click()
    press(page, "Accept the proposals", f"{language('de-DE').name} (de-DE)", picture="form.png")

    story.wait("Nobody was told", lambda: editor.notifications()[-1][0].startswith("Accept the proposals"))
    assert editor.notifications()[-1][0] == "Accept the proposals: 1 of 1 done"
    accepted = translations(story, post, count=5)
    assert "Anna" not in accepted["de-DE"]["title"]
    assert accepted["fr-FR"]["title"] == "Pain de seigle, dit Anna"
    (comment,) = comments(story, post)
    assert "dit Anna" in comment
    assert "sagt Anna" not in comment

    settings = Settings(environment=Environment.read(story.pipeline.environment), config=Config())
    page.goto(f"{story.directus.url}/admin{install_dashboard(settings, story.directus)}")
    shown_in_panel(page, "Wait for review", number=1)
    _take_picture(page, "dashboard.png")
    page.goto(f"{story.directus.url}/admin/content/posts/{post}")
    page.get_by_role("button", name="Flows").click()
    press(page, "Keep what people wrote", picture="keep.png")

    story.wait("Nobody was told", lambda: editor.notifications()[-1][0].startswith("Keep what people wrote"))
    assert editor.notifications()[-1][0] == "Keep what people wrote: 1 of 1 done"
    assert translations(story, post, count=5)["fr-FR"]["title"] == "Pain de seigle, dit Anna"
    assert comments(story, post) == []


def translations(story: Story, post: int, *, count: int) -> dict[str, Any]:
    """Wait for this many rows, and return them by language."""
    found: dict[str, Any] = {}

    def read() -> bool:
        rows = story.admin.get("/items/posts_translations", params={"filter[posts_id][_eq]": post}).json()["data"]
        found.update({row["languages_code"]: row for row in rows})
        return len(found) == count

    story.wait("It was not translated", read)
    return found


def comments(story: Story, post: int) -> list[str]:
    params = {"filter[collection][_eq]": "posts", "filter[item][_eq]": post}
    return [row["comment"] for row in story.admin.get("/comments", params=params).json()["data"]]


def test_a_click_shows_in_dagster_by_its_tag(story: Story, files: list[str]) -> None:
    clicks = {tags.get(CLICK_TAG) for file in files for tags in runs_over(story, file)} - {None}

    assert len(clicks) == 2


def asked_by(story: Story, trigger: str, job: str) -> list[str]:
    """The ids of the runs with this trigger."""
    runs = story.instance.get_runs(dg.RunsFilter(tags={TRIGGER_TAG: trigger}, job_name=job))
    return [run.run_id for run in runs]


def test_a_burst_is_pushed_together(story: Story) -> None:
    story.settle()
    before = {trigger: asked_by(story, trigger, "translate_posts") for trigger in (PUSH, CHANGE)}
    rows = [{"languages_code": "en-US", "title": f"Number {number}"} for number in range(24)]
    posts = [{"status": "published", "translations": [row]} for row in rows]
    ids = [str(row["id"]) for row in story.admin.post("/items/posts", json=posts).json()["data"]]

    def is_made() -> bool:
        return fingerprints(story.instance, {"de": story_asset}, ids).keys() == {("de", key) for key in ids}

    story_asset = Names().translation("posts", "de-DE")
    story.wait("It was not translated", is_made)
    time.sleep(6)  # until the sensor has looked
    story.settle()

    after = {trigger: asked_by(story, trigger, "translate_posts") for trigger in (PUSH, CHANGE)}
    more = {trigger: len(after[trigger]) - len(before[trigger]) for trigger in after}
    # One, or some on a machine that is too busy to deliver all of them within a second: each second is a batch.
    assert more[PUSH]
    assert sum(more.values()) <= len(ids) // 3


MUTATION = 'mutation { reloadRepositoryLocation(repositoryLocationName: "directus_assets") { __typename } }'


def test_directus_is_talked_into_nothing_by_whoever_may_import(story: Story) -> None:
    """`POST /files/import` has Directus itself make the request, from this very machine."""
    addresses = [f"{story.pipeline.url}/graphql?query={quote(query, safe='')}" for query in ("{version}", MUTATION)] + [
        f"{story.pipeline.door_url}/{path}" for path in ("changes", "clicks?button=render", "check", "")
    ]

    answers = [story.admin.post("/files/import", json={"url": url, "data": {"title": "x"}}) for url in addresses]

    assert [answer.is_success for answer in answers] == [False] * len(addresses)
    assert "1.13" not in "".join(answer.text for answer in answers)


def test_no_web_page_commands_dagster_through_a_browser(story: Story) -> None:
    def ask(method: str, *, query: bool = False, **options: Any) -> int:
        address = f"{story.pipeline.url}/graphql" + (f"?query={quote(MUTATION)}" if query else "")
        return httpx.request(method, address, trust_env=False, timeout=60, **options).status_code

    page = {"origin": "https://blog.example"}
    body = {"query": "{version}"}
    assert ask("GET", query=True, headers={"accept": "image/avif,*/*", "referer": "https://blog.example/"}) == 403
    assert ask("POST", query=True, content=b"x", headers={**page, "content-type": "text/plain"}) == 403
    assert ask("POST", data=body, headers=page) == 403
    assert ask("POST", json=body, headers=page) == 403
    assert ask("POST", json=body, headers={"host": "attacker.example"}) == 403
    assert ask("POST", json=body) == 200


def test_a_door_that_is_killed_costs_time_and_nothing_else(story: Story) -> None:
    story.settle()
    assert story.pipeline.pid
    os.kill(story.pipeline.pid, signal.SIGKILL)  # the command `dev`, which holds the door; Dagster goes on
    missed = upload(story.admin, picture(20), filename="missed.jpg")
    story.wait_until_made(missed)
    command = [str(Path(sys.executable).with_name("directus-assets")), "door"]
    environment = {**os.environ, **story.pipeline.environment}
    door = subprocess.Popen([*command, "--port", story.pipeline.door_url.rpartition(":")[2]], env=environment)
    try:
        story.wait("The door is closed", lambda: _is_listening(story.pipeline.door_url))

        def make(number: int) -> str:
            file = upload(story.admin, picture(40 + number), filename="pushed-again.jpg")
            story.wait_until_made(file)
            return file

        assert_pushed_once(story, make)
    finally:
        door.terminate()
        status = door.wait()

    assert [tags.get(TRIGGER_TAG) for tags in runs_over(story, missed)] == [CHANGE]
    assert status in (0, -signal.SIGTERM)


def _is_listening(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=60).status_code == 403
    except httpx.TransportError:
        return False


def _take_picture(page: Page, name: str) -> None:
    """Take a screenshot for the README, if requested."""
    if folder := os.environ.get("STUDIO_PICTURES"):
        page.wait_for_timeout(1000)  # until all has unfolded
        page.screenshot(path=Path(folder) / name)
