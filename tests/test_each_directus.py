"""Each supported line of Directus: setup, pictures, a post, doctor. The other tests run on one of them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from directus_assets.cli import main
from directus_assets.commands.doctor.doctor import examine
from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.commands.setup.account import EMAIL, read_account
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File
from directus_assets.directus.version import TESTED
from directus_assets.images.outcomes import Delivered, Failed
from directus_assets.local.pictures import upload
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.project import Project
from directus_assets.settings import Config, Environment, Settings
from tests.images.corpus import PRESETS, pictures
from tests.postgres import running_postgres
from tests.studio import IS_SHOWN, Editor, browser_page, install_dashboard, shown_in_panel
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

_PICTURES = ("photo.jpg", "noise.jpg", "cmyk.jpg", "oriented-6.jpg", "rgba.png")
_PRESETS = ("card", "no-fit", "contain", "wide", "bounded", "auto", "turned", "grey", "tiff")

_OURS = {
    "10.13.4": set(),
    "11.14.1": {"jpeg", "webp"},
    "11.17.4": {"jpeg", "webp"},
    "12.4.1": {"jpeg", "webp", "png", "avif", "tiff"},
}
"""The formats that are stored; what is left is warmed."""

_ON_POSTGRESQL = "11.17.4"
"""The only one that enforces rights on single fields with a database that cannot sort by all types."""

_IN_THE_STUDIO = "11.17.4"
"""The tests of the Studio itself (`test_studio.py`) run on the newest."""


@pytest.fixture(scope="module", params=TESTED)
def directus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDirectus]:
    with ExitStack() as stack:
        environment = {}
        if request.param == _ON_POSTGRESQL:
            environment = {"DB_CLIENT": "pg", "DB_CONNECTION_STRING": stack.enter_context(running_postgres())}
        folder = tmp_path_factory.mktemp("directus")
        yield stack.enter_context(LocalDirectus(folder, version=request.param, environment=environment))


@pytest.fixture(scope="module")
def admin(directus: LocalDirectus) -> Iterator[DirectusClient]:
    """An administrator's client of a Directus with presets, translated collections and pictures."""
    headers = {"authorization": f"Bearer {directus.admin_token}"}
    with (
        DirectusClient(directus.url, directus.admin_token, timeout_seconds=60) as client,
        httpx.Client(base_url=directus.url, headers=headers, timeout=60, trust_env=False) as uploads,
    ):
        client.patch("/settings", {"storage_asset_presets": [each for each in PRESETS if each["key"] in _PRESETS]})
        create_collections(client)
        for each in pictures():
            if each.name in _PICTURES:
                upload(uploads, each.content, filename=each.name, type=each.type, focal_point=each.focal_point)
        yield client


@pytest.fixture(scope="module")
def environment(
    directus: LocalDirectus, admin: DirectusClient, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The content of `.env` after `setup`."""
    variables = {
        "DIRECTUS_URL": directus.url,
        "TRANSLATION_ENGINE": "pseudo",
        "DAGSTER_WEBSERVER_URL": "http://127.0.0.1:9",
        "DAGSTER_HOME": str(tmp_path_factory.mktemp("home")),
        **directus.storage_environment,
    }
    made = _run(directus, variables, "setup", "--yes")
    assert made.exit_code == 0, made.output
    (token,) = [line for line in made.output.splitlines() if line.startswith("DIRECTUS_TOKEN=")]
    return {**variables, "DIRECTUS_TOKEN": token.partition("=")[2]}


@pytest.fixture(scope="module")
def project(environment: dict[str, str]) -> Iterator[Project]:
    project = Project(Settings(environment=Environment.read(environment), config=Config()))
    with project.directus:
        yield project


def _run(directus: LocalDirectus, variables: Mapping[str, str], *command: str) -> Result:
    """Run a command in an empty folder."""
    given = {"DIRECTUS_TOKEN": "", "COLUMNS": "200", **variables, "DIRECTUS_ADMIN_TOKEN": directus.admin_token}
    with chdir(variables["DAGSTER_HOME"]):
        return CliRunner(env=given).invoke(main, command)


def test_setup_makes_a_user_with_the_least_rights_and_finds_it_again(
    directus: LocalDirectus, admin: DirectusClient, environment: dict[str, str]
) -> None:
    again = _run(directus, environment, "setup", "--yes")

    assert again.exit_code == 0, again.output
    assert "Nothing needs to change." in again.output
    fields = ["role.policies.policy.admin_access"] if admin.version.has_policies else ["role.admin_access"]
    (user,) = admin.get("/users", filter={"email": {"_eq": EMAIL}}, fields=fields)
    assert "True" not in str(user)


def test_doctor_finds_nothing_that_is_wrong_and_names_the_version(directus: LocalDirectus, project: Project) -> None:
    findings = list(examine(Checkup(project)))

    troubles = [
        (f.what, f.text) for f in findings if f.status is not Status.OK and f.what not in ("webserver", "engine")
    ]
    assert troubles == []
    texts = {finding.what: finding.text for finding in findings}
    assert texts["version"].startswith(f"Directus {directus.version}; tested with ")
    left = "differently from our" in texts["preset card"]
    assert left == ("webp" not in _OURS[directus.version])
    assert texts["served from local"].startswith("Directus serves the derivatives stored")


def test_a_right_that_is_not_there_is_named(admin: DirectusClient, project: Project) -> None:
    holder = "policy" if admin.version.has_policies else "role"
    mine = {
        holder: {"_eq": read_account(admin).policy},
        "collection": {"_eq": "directus_activity"},
        "action": {"_eq": "read"},
    }
    (row,) = admin.get("/permissions", filter=mine, limit=-1)
    admin.delete(f"/permissions/{row['id']}")
    try:
        texts = [finding.text for finding in examine(Checkup(project)) if finding.status is Status.FAILED]
    finally:
        admin.post("/permissions", {name: value for name, value in row.items() if name != "id"})

    assert any(text.startswith("Missing: read on directus_activity") for text in texts)


def test_names_types_and_what_is_stored_are_those_of_this_directus(directus: LocalDirectus, project: Project) -> None:
    presets = project.directus.project_settings().presets
    files = [File.parse(row) for row in project.directus.rows("/files", fields=File.FIELDS, sort="id")]

    outcomes = list(project.maker.make(dict.fromkeys(files, presets)))

    refused = {(each.file_name, each.preset) for each in outcomes if isinstance(each, Failed)}
    # An older one cuts where there is nothing, and answers with an error.
    bad = [] if project.directus.version.limits_targets else [file for file in files if file.focal_point_x is not None]
    assert refused == {(file.name, "bounded") for file in bad}
    delivered = [each for each in outcomes if isinstance(each, Delivered)]
    assert len(delivered) >= len(files) * (len(presets) - 1)
    stored = {path.name for path in directus.uploads.iterdir() if "__" in path.name}
    assert {made.name for each in delivered for made in each.made} == stored
    ours = [(each, made) for each in delivered if each.delivery == "storage" for made in each.made]
    assert {made.mime_type.removeprefix("image/") for _, made in ours} == _OURS[directus.version]
    assert all(each.reason for each in delivered if each.delivery == "warm")
    different = [
        f"{each.file_name} through {made.label}"
        for each, made in ours
        if not _is_theirs(directus, each, made.name, made.label)
    ]
    assert different == []


def _is_theirs(directus: LocalDirectus, each: Delivered, name: str, label: str) -> bool:
    """Whether Directus makes the same derivative under the same name once ours is deleted."""
    path = directus.uploads / name
    content = path.read_bytes()
    path.unlink()
    output = label.partition("[")[2].removesuffix("]")
    accept = f"image/{output}" if output in ("avif", "webp") else "*/*"
    headers = {"authorization": f"Bearer {directus.admin_token}", "accept": accept}
    answer = httpx.get(
        f"{directus.url}/assets/{each.file_id}", params={"key": each.preset}, headers=headers, timeout=60
    )
    return answer.content == content and path.read_bytes() == content


def test_nothing_that_is_served_is_an_orphan_and_nothing_is_missing(
    directus: LocalDirectus, project: Project, environment: dict[str, str]
) -> None:
    pruned = _run(directus, environment, "prune", "--dry-run")
    planned = _run(directus, environment, "plan")

    assert (pruned.exit_code, planned.exit_code) == (0, 0), pruned.output + planned.output
    assert "Nothing to prune." in pruned.output


def test_a_post_is_translated(directus: LocalDirectus, admin: DirectusClient, project: Project, tmp_path: Path) -> None:
    row = {"languages_code": "en-US", "title": "Bread", "body": "<p>Flour and <b>water</b>.</p>"}
    comments: list[list[str]] = []
    admin.patch(f"/users/{_bot(admin)}", {"token": directus.bot_token})
    with ScriptedOpenAI() as server, Pipeline(directus, server, tmp_path) as pipeline:
        pipeline.settle()
        key = str(admin.post("/items/posts", {"status": "published", "translations": [row]})["id"])
        pipeline.settle()
        made = pipeline.made(key, "de-DE")
        for code, title in (("de-DE", "Brot"), ("en-US", "Cake"), ("de-DE", "Kuchen")):
            _write_title(admin, key, code, title)
            pipeline.settle()
            comments.append(_comments(admin, key))
            if code == "en-US" and directus.version == _IN_THE_STUDIO and IS_SHOWN:
                _look_into_the_studio(directus, admin, key)
    rows = admin.get("/items/posts_translations", filter={"posts_id": {"_eq": key}}, fields=["languages_code", "body"])

    assert made
    assert {each["languages_code"] for each in rows} > {"en-US", "de-DE"}
    assert all("<b>" in each["body"] for each in rows)
    assert [len(found) for found in comments] == [0, 1, 0]
    assert "> Brot" in comments[1][0]


def _look_into_the_studio(directus: LocalDirectus, admin: DirectusClient, key: str) -> None:
    """An editor with few rights sees on the dashboard that something waits, and on the item what."""
    editor = Editor(directus, admin)
    variables = {"DIRECTUS_URL": directus.url, "DIRECTUS_TOKEN": directus.bot_token, "TRANSLATION_ENGINE": "pseudo"}
    dashboard = install_dashboard(Settings(environment=Environment.read(variables), config=Config()), directus)
    with browser_page() as page:
        editor.open_studio(page, dashboard)
        shown_in_panel(page, "Wait for review", number=1)
        page.goto(f"{directus.url}/admin/content/posts/{key}")
        page.get_by_text("Comments").first.click()
        page.locator("blockquote").get_by_text("Brot", exact=True).first.wait_for()
    editor.directus.close()


def _write_title(admin: DirectusClient, key: str, code: str, title: str) -> None:
    condition = {"posts_id": {"_eq": key}, "languages_code": {"_eq": code}}
    (row,) = admin.get("/items/posts_translations", filter=condition, fields=["id"])
    admin.patch(f"/items/posts_translations/{row['id']}", {"title": title})


def _comments(admin: DirectusClient, key: str) -> list[str]:
    condition = {"collection": {"_eq": "posts"}, "item": {"_eq": key}}
    if not admin.version.has_comments:
        condition["action"] = {"_eq": "comment"}
    path = "/comments" if admin.version.has_comments else "/activity"
    return [row["comment"] for row in admin.get(path, filter=condition, fields=["comment"])]


def _bot(admin: DirectusClient) -> str:
    (user,) = admin.get("/users", filter={"email": {"_eq": EMAIL}}, fields=["id"])
    return str(user["id"])
