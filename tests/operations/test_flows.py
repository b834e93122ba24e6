"""The flows on a real Directus: what they send to Dagster, when, and what installing and removing them does.

In Dagster's place stands a server that keeps what it is sent.
"""

import io
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from rich.console import Console

from directus_assets.commands.setup.flow_trees import BUTTON_KEY, BUTTON_NAME
from directus_assets.commands.setup.flows import flow_id
from directus_assets.commands.setup.setup_flows import run_flows_setup
from directus_assets.errors import Rejected
from directus_assets.local.pictures import upload
from directus_assets.orchestration.buttons.job import chosen
from tests.operations.conftest import TOKEN, Site, picture
from tests.orchestration.dagster_rules import check_run, refusal

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 30


class Dagster:
    """Takes every run, and keeps what was asked for."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.refuses = False
        asked = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                asked.headers.append(self.headers.get("x-key", ""))
                refused = next(filter(None, (refusal(check_run, run) for run in runs_of(body))), None)
                content = refused.content if refused else json.dumps({"data": asked.answer(body)}).encode()
                self.send_response(refused.status_code if refused else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        query = body["query"]
        if query.startswith("{"):
            return {query.strip("{} ").partition(":")[0]: "1.13.27"}
        if "Locations" in query:
            found = {"repositories": [{"sensors": [{"name": "directus_buttons_sensor"}]}]}
            return {"workspaceOrError": {"locationEntries": [{"name": "shop", "locationOrLoadError": found}]}}
        self.requests.append(body)
        kind = "PythonError" if self.refuses else "LaunchRunSuccess"
        if "run" in body["variables"]:
            return {"launchRun": {"kind": kind}}
        results = [{"__typename": kind} for _ in body["variables"]["runs"]]
        return {"launchMultipleRuns": {"launchMultipleRunsResult": results}}

    @property
    def variables(self) -> list[dict[str, Any]]:
        return [request["variables"] for request in self.requests]

    def jobs(self) -> list[tuple[str, str]]:
        """The job and the item of each run that was asked for."""
        return [
            (run["selector"]["jobName"], tags(run).get("dagster/asset_partition_range_start", ""))
            for variables in self.variables
            for run in variables["runs"]
        ]


def runs_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs that a request asks for."""
    variables = body.get("variables") or {}
    return [*variables.get("runs", ()), *([variables["run"]] if "run" in variables else ())]


def tags(run: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["executionMetadata"]["tags"]}


@pytest.fixture
def dagster() -> Iterator[Dagster]:
    server = Dagster()
    thread = Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


@pytest.fixture
def set_up(site: Site, dagster: Dagster) -> Iterator[Callable[..., tuple[int, str]]]:
    """`directus-assets setup --flows`; everything is removed in the end."""

    def run(**options: Any) -> tuple[int, str]:
        variables = {
            "DAGSTER_FLOWS_URL": dagster.url,
            "DAGSTER_WEBSERVER_URL": dagster.url,
            **options.pop("variables", {}),
        }
        output = io.StringIO()
        status = run_flows_setup(
            Console(file=output, width=150),
            site.settings("", **variables),
            admin_token=site.directus.admin_token,
            confirm=options.pop("confirm", lambda: True),
            **options,
        )
        return status, " ".join(output.getvalue().split())

    yield run
    run(remove=True)


def flows(site: Site) -> dict[str, Any]:
    return {row["name"]: row for row in site.admin.get("/flows", fields=["*", "operations.*"], limit=-1)}


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def click(
    site: Site, button: str, collection: str, *keys: Any, token: str | None = None, **more: str
) -> httpx.Response:
    return httpx.post(
        f"{site.directus.url}/flows/trigger/{flow_id('', BUTTON_KEY)}",
        json={"collection": collection, "keys": keys, "button": button, **more},
        headers={"authorization": f"Bearer {token or site.directus.admin_token}"},
        timeout=60,
        trust_env=False,
    )


def test_buttons_are_installed_once_and_reach_dagster(site: Site, set_up: Callable[..., tuple[int, str]]) -> None:
    status, told = set_up()
    again, nothing = set_up(confirm=lambda: pytest.fail("There is nothing to ask."))

    assert (status, again) == (0, 0)
    assert f"ok: button '{BUTTON_NAME}': reaches Dagster 1.13.27" in told
    assert "Nothing has to be changed." in nothing
    ((name, row),) = flows(site).items()
    assert (name, set(row["options"]["collections"])) == (BUTTON_NAME, {"directus_files", "posts", "pages"})
    offered = {
        each["field"]: [choice["value"] for choice in each["meta"]["options"]["choices"]]
        for each in row["options"]["fields"]
    }
    assert offered["button"] == ["translate", "accept", "keep", "render"]
    assert offered["language"] == ["ar-SA", "de-DE", "fr-FR", "ja-JP"]
    assert {"title", "body"} < set(offered["field"])


def test_a_click_sends_exactly_the_chosen_items_and_who_clicked(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up()
    first, second = site.write_post("One"), site.write_post("Two")
    admin = site.admin.get("/users/me", fields=["id"])["id"]

    answer = click(site, "translate", "posts", int(first), second)

    assert answer.is_success, answer.text
    run = dagster.variables[0]["run"]
    repository = {"repositoryLocationName": "shop", "repositoryName": "__repository__"}
    assert run["selector"] == {**repository, "jobName": "directus_buttons"}
    config = run["runConfigData"]["ops"]["make_chosen_again"]["config"]
    asked = {"button": "translate", "collection": "posts", "keys": [int(first), second], "user": admin}
    assert {name: config[name] for name in asked} == asked


def test_the_form_says_in_which_language_and_field(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up()

    click(site, "accept", "posts", "1", language="de-DE", field="title")
    click(site, "keep", "posts", "1")

    configs = [each["run"]["runConfigData"]["ops"]["make_chosen_again"]["config"] for each in dagster.variables]
    assert [(each["button"], chosen(each["language"]), chosen(each["field"])) for each in configs] == [
        ("accept", "de-DE", "title"),
        ("keep", "", ""),
    ]


def test_the_buttons_of_earlier_versions_make_room_for_the_one(
    site: Site, set_up: Callable[..., tuple[int, str]]
) -> None:
    """Directus 12 without a license allows five active flows."""
    for key in ("render", "translate", "enrich"):
        earlier = {"name": key, "status": "active", "trigger": "manual", "options": {"collections": ["posts"]}}
        site.admin.post("/flows", {**earlier, "id": flow_id("", key)})
    others = [
        site.admin.post("/flows", {"name": name, "status": "active", "trigger": "webhook", "options": {}})["id"]
        for name in ("one", "two")
    ]
    try:
        status, told = set_up()

        assert (status, told.count("remove")) == (0, 3)
        assert sorted(flows(site)) == sorted([BUTTON_NAME, "one", "two"])
    finally:
        site.admin.delete("/flows", others)


@pytest.mark.parametrize("key", ['a"], "jobName": "x', "{{$accountability.user}}", "}} }", "\\", "ключ\n"])
def test_no_key_becomes_more_than_a_key(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]], key: str
) -> None:
    set_up()

    answer = click(site, "render", "directus_files", key)

    assert answer.is_success, answer.text
    run = dagster.variables[0]["run"]
    assert run["runConfigData"]["ops"]["make_chosen_again"]["config"]["keys"] == [key]
    assert dagster.requests[0]["query"].startswith("mutation Launch(")


def test_an_editor_hears_at_once_that_a_click_was_not_taken(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up()
    dagster.refuses = True

    answer = click(site, "render", "directus_files", "any")

    assert answer.status_code == 502
    assert "did not take this" in answer.text


def test_an_upload_is_pushed_with_its_partition(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]], admin: httpx.Client
) -> None:
    set_up(push=True)

    key = upload(admin, picture(), filename="pushed.jpg")
    wait(lambda: bool(dagster.requests))

    (variables,) = dagster.variables
    assert (variables["partitions"], variables["key"]) == ("directus_files", key)
    assert dagster.jobs() == [("image_presets", key)]
    assert tags(variables["runs"][0]) == {
        "dagster/asset_partition_range_start": key,
        "dagster/asset_partition_range_end": key,
        "directus_assets/trigger": "push",
        "directus_assets/item": f"directus_files/{key}",
        "dagster/priority": "5",
    }


def test_items_are_pushed_when_they_are_made_and_when_they_change(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up(push=True)

    key = site.write_post("New")
    wait(lambda: len(dagster.requests) == 1)
    site.admin.patch(f"/items/posts/{key}", {"status": "draft"})
    wait(lambda: len(dagster.requests) == 2)
    site.admin.patch("/items/posts", {"keys": [int(key)], "data": {"status": "published"}})
    wait(lambda: len(dagster.requests) == 3)

    assert dagster.jobs() == [("translate_posts", key)] * 3
    assert [variables.get("key") for variables in dagster.variables] == [key, None, None]
    assert dagster.variables[0]["partitions"] == "directus_posts"


def test_nothing_else_is_pushed(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]], admin: httpx.Client
) -> None:
    """Documents, titles, deletions, languages, and what the pipeline itself writes."""
    set_up(push=True)
    key = site.write_post("Own")
    file = upload(admin, picture(), filename="known.jpg")
    wait(lambda: len(dagster.requests) == 2)

    upload(admin, b"%PDF-1.4", filename="document.pdf", type="application/pdf")
    site.admin.patch(f"/files/{file}", {"title": "Another"})
    with httpx.Client(base_url=site.directus.url, headers={"authorization": f"Bearer {TOKEN}"}) as bot:
        row = {"posts_id": int(key), "languages_code": "de-DE", "title": "Eigenes"}
        bot.post("/items/posts_translations", json=row).raise_for_status()
    site.admin.delete(f"/items/posts/{key}")
    site.admin.patch(f"/files/{file}", {"focal_point_x": 10, "focal_point_y": 10})
    wait(lambda: len(dagster.requests) == 3)

    assert dagster.jobs() == [("translate_posts", key), ("image_presets", file), ("image_presets", file)]


def test_flows_that_were_changed_or_are_for_other_collections_are_put_right(
    site: Site, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up(push=True)
    before = flows(site)
    button = before[BUTTON_NAME]
    launch = next(row["id"] for row in button["operations"] if row["key"] == "launch")
    site.admin.patch(
        f"/flows/{button['id']}", {"name": "Nochmals", "options": {**button["options"], "collections": []}}
    )
    site.admin.patch(f"/operations/{launch}", {"options": {"url": "http://127.0.0.1:9"}})
    more = {"name": "own", "key": "own", "type": "log", "position_x": 1, "position_y": 40, "options": {}}
    site.admin.post("/operations", {**more, "flow": button["id"]})

    status, told = set_up()

    assert status == 0
    assert told.count("change") == 1
    after = flows(site)
    # The name is the administrator's.
    changed = after.pop("Nochmals")
    assert changed["options"] == button["options"]
    assert operations(changed) == operations(button)
    assert {name: operations(flow) for name, flow in after.items()} == {
        name: operations(flow) for name, flow in before.items() if flow != button
    }


def operations(flow: dict[str, Any]) -> dict[str, Any]:
    names = ("type", "options", "resolve", "reject")
    return {row["key"]: [row[name] for name in names] for row in flow["operations"]}


def test_removing_takes_our_flows_and_no_other(site: Site, set_up: Callable[..., tuple[int, str]]) -> None:
    set_up(push=True)
    own = {"name": "Somebody's", "status": "active", "trigger": "webhook", "options": {}}
    kept = site.admin.post("/flows", own)["id"]
    try:
        status, told = set_up(remove=True)

        assert (status, list(flows(site))) == (0, ["Somebody's"])
        assert told.count("remove") == 2
    finally:
        site.admin.delete(f"/flows/{kept}")


def test_a_dry_run_or_a_no_changes_nothing(site: Site, set_up: Callable[..., tuple[int, str]]) -> None:
    assert set_up(dry_run=True)[0] == 0
    assert set_up(confirm=lambda: False)[0] == 1
    assert flows(site) == {}


def test_push_is_installed_and_removed_by_wish_and_otherwise_left(
    site: Site, set_up: Callable[..., tuple[int, str]]
) -> None:
    name = "Tell the pipeline of changes"

    set_up()
    assert name not in flows(site)
    set_up(push=True)
    set_up()
    assert name in flows(site)
    set_up(push=False)
    assert name not in flows(site)


def test_what_does_not_fit_the_license_is_said_before_anything_is_done(
    site: Site, set_up: Callable[..., tuple[int, str]]
) -> None:
    """Directus 12 without a license allows five active flows."""
    own = {"status": "active", "trigger": "webhook", "options": {}}
    ids = [site.admin.post("/flows", {**own, "name": f"Own {number}"})["id"] for number in range(4)]
    try:
        with pytest.raises(Rejected, match="5 active flows with its license: room for 1, and 2 are new"):
            set_up(push=True)
        assert len(flows(site)) == 4
    finally:
        site.admin.delete("/flows", ids)


def test_a_dagster_that_directus_does_not_reach_is_noticed(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]]
) -> None:
    status, told = set_up(variables={"DAGSTER_FLOWS_URL": "http://169.254.169.254:3000"})

    # The address that this Directus denies its flows, as one without IMPORT_IP_DENY_LIST does with its own machine's.
    assert status == 1
    assert "resolves to a denied IP address" in told
    assert "IMPORT_IP_DENY_LIST=169.254.169.254" in told


def test_a_header_goes_along_and_nothing_shows_it(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]]
) -> None:
    status, told = set_up(variables={"DAGSTER_FLOWS_HEADER": "X-Key: s3cr3t"})
    click(site, "render", "directus_files", "any")

    assert status == 0
    assert dagster.headers[-2:] == ["s3cr3t", "s3cr3t"]
    assert "s3cr3t" not in told
    assert "administrators can read it" in told
    runs = site.admin.get("/revisions", filter={"activity": {"action": {"_eq": "run"}}}, limit=-1)
    assert runs == []


def test_the_doctor_tells_buttons_that_work_from_those_that_do_not(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]]
) -> None:
    def rows(url: str) -> list[tuple[str, str]]:
        found = site.examine("", DAGSTER_FLOWS_URL=url)
        return [(row.status.value, row.text) for row in found if "button" in row.what]

    assert rows(dagster.url)[0][1].startswith("not installed")
    set_up()
    site.write_post("Checked")
    assert [status for status, _ in rows(dagster.url)] == ["ok"]
    dagster.server.socket.close()
    # One cause is told once.
    assert [status for status, _ in rows(dagster.url)] == ["failed"]


def test_a_click_on_content_sends_the_files_that_it_shows(
    site: Site, dagster: Dagster, set_up: Callable[..., tuple[int, str]], admin: httpx.Client
) -> None:
    set_up()
    files = [upload(admin, picture(), filename=name) for name in ("one.jpg", "two.jpg")]
    posts = [site.write_post(), site.write_post(), site.write_post()]
    for post, file in zip(posts, files, strict=False):
        site.admin.patch(f"/items/posts/{post}", {"image": file})

    assert click(site, "render", "posts", *posts).is_success
    assert click(site, "render", "posts", posts[1]).is_success

    configs = [
        variables["run"]["runConfigData"]["ops"]["make_chosen_again"]["config"] for variables in dagster.variables
    ]
    assert [config["files"] for config in configs] == [
        [{"image": files[0]}, {"image": files[1]}, {"image": None}],
        {"image": files[1]},
    ]
