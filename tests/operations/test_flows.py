"""The flows on a real Directus: what they report to the door, when, and the effects of installing and removing them.

They call a real door, which records everything and carries out nothing.
"""

import io
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from rich.console import Console

from directus_assets.commands.setup.flow_trees import BUTTON_KEY, BUTTON_NAME
from directus_assets.commands.setup.flows import flow_id
from directus_assets.commands.setup.setup_flows import run_flows_setup
from directus_assets.door.requests import SECRET_HEADER
from directus_assets.door.secrets import admit_only
from directus_assets.errors import BadInput, Rejected
from directus_assets.local.pictures import upload
from directus_assets.orchestration.project import Project
from tests.door.served import Served, served
from tests.operations.conftest import TOKEN, Site, picture

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 240


BUTTONS = {("render", "directus_files"), ("render", "posts"), ("accept", "posts"), ("keep", "posts")} | {
    ("translate", "posts"),
    ("translate", "pages"),
}


@pytest.fixture
def door(site: Site) -> Iterator[Served]:
    with served(Project(site.settings("")).memory, secret=None) as made:
        made.carrier.buttons = BUTTONS
        yield made


@pytest.fixture
def set_up(site: Site, door: Served) -> Iterator[Callable[..., tuple[int, str]]]:
    """`directus-assets setup --flows`; everything is removed in the end."""

    def run(**options: Any) -> tuple[int, str]:
        variables = {
            "DOOR_URL": door.url,
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


def test_buttons_are_installed_once_and_reach_the_door(site: Site, set_up: Callable[..., tuple[int, str]]) -> None:
    status, told = set_up()
    again, nothing = set_up(confirm=lambda: pytest.fail("There is nothing to ask."))

    assert (status, again) == (0, 0)
    assert f"ok: button '{BUTTON_NAME}': reaches Dagster 1.2.3 through the door" in told
    assert "Nothing needs to change." in nothing
    ((name, row),) = flows(site).items()
    assert (name, set(row["options"]["collections"])) == (BUTTON_NAME, {"directus_files", "posts", "pages"})
    offered = {
        each["field"]: [choice["value"] for choice in each["meta"]["options"]["choices"]]
        for each in row["options"]["fields"]
    }
    assert offered["button"] == ["translate", "accept", "keep", "render"]
    assert offered["language"] == ["ar-SA", "de-DE", "fr-FR", "ja-JP"]
    assert {"title", "body"} < set(offered["field"])


def test_a_click_tells_exactly_the_chosen_items_and_who_clicked(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up()
    first, second = site.write_post("One"), site.write_post("Two")
    admin = site.admin.get("/users/me", fields=["id"])["id"]

    answer = click(site, "translate", "posts", int(first), second)

    assert answer.is_success, answer.text
    (told,) = door.carrier.clicks
    assert told.model_dump(exclude_none=True) == {
        "button": "translate",
        "collection": "posts",
        "keys": [int(first), second],
        "user": admin,
    }


def test_the_form_says_in_which_language_and_field(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up()

    click(site, "accept", "posts", "1", language="de-DE", field="title")
    click(site, "keep", "posts", "1")

    assert [(each.button, each.language, each.field) for each in door.carrier.clicks] == [
        ("accept", "de-DE", "title"),
        ("keep", None, None),
    ]


def test_the_buttons_of_earlier_versions_make_room_for_the_one(
    site: Site, set_up: Callable[..., tuple[int, str]]
) -> None:
    """Directus 12 without a license allows five active flows."""
    if site.admin.version.major < 12:
        pytest.skip(f"Directus {site.admin.version} has no limit on flows.")
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


@pytest.mark.parametrize("key", ['a"], "button": "x', "{{$accountability.user}}", "}} }", "\\", "ключ\n"])
def test_no_key_becomes_more_than_a_key(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]], key: str
) -> None:
    set_up()

    answer = click(site, "render", "directus_files", key)

    assert answer.is_success, answer.text
    assert [told.keys for told in door.carrier.clicks] == [[key]]


def test_an_editor_hears_at_once_that_a_click_was_not_taken(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up()
    door.carrier.fails_with = BadInput("No.")
    refused = click(site, "render", "directus_files", "any")
    door.room.clicks.per_minute = 0
    busy = click(site, "render", "directus_files", "any")

    if site.admin.version.has_flow_errors:
        told = [refused.text, busy.text]
        assert (refused.status_code, busy.status_code) == (502, 429)
    else:
        mine = {"recipient": {"_eq": site.admin.get("/users/me", fields=["id"])["id"]}}
        told = [row["message"] for row in site.admin.get("/notifications", filter=mine, sort="id")]
        assert (refused.status_code, busy.status_code) == (200, 200)
    assert ["rejected this request" in told[0], "Try again in a minute" in told[1], len(told)] == [True, True, 2]


def test_uploads_and_focal_points_are_pushed_together(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]], admin: httpx.Client
) -> None:
    set_up(push=True)

    first = upload(admin, picture(), filename="pushed.jpg")
    door.carrier.wait(1)
    second = upload(admin, picture(), filename="too.jpg")
    site.admin.patch(f"/files/{first}", {"focal_point_x": 10, "focal_point_y": 10})
    door.carrier.wait(3)

    assert pushed(door)[0] == ("directus_files", first)
    assert sorted(pushed(door)[1:]) == sorted([("directus_files", second), ("directus_files", first)])


def test_items_are_pushed_when_they_are_made_and_when_they_change(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up(push=True)

    key, other = site.write_post("New"), site.write_post("Other")
    door.carrier.wait(2)
    site.admin.patch(f"/items/posts/{key}", {"status": "draft"})
    door.carrier.wait(3)
    site.admin.patch("/items/posts", {"keys": [int(key), int(other)], "data": {"status": "published"}})
    door.carrier.wait(5)

    found = pushed(door)
    both = {("posts", key), ("posts", other)}
    assert (set(found[:2]), found[2], set(found[3:]), len(found)) == (both, ("posts", key), both, 5)


def test_nothing_else_is_pushed(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]], admin: httpx.Client
) -> None:
    """Documents, titles, deletions, languages, and what the pipeline itself writes."""
    set_up(push=True)
    key = site.write_post("Own")
    file = upload(admin, picture(), filename="known.jpg")
    door.carrier.wait(2)
    door.carrier.batches.clear()

    upload(admin, b"%PDF-1.4", filename="document.pdf", type="application/pdf")
    site.admin.patch(f"/files/{file}", {"title": "Another"})
    with httpx.Client(base_url=site.directus.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60) as bot:
        row = {"posts_id": int(key), "languages_code": "de-DE", "title": "Eigenes"}
        bot.post("/items/posts_translations", json=row).raise_for_status()
    site.admin.delete(f"/items/posts/{key}")
    site.admin.patch(f"/files/{file}", {"focal_point_x": 10, "focal_point_y": 10})
    door.carrier.wait(1)

    assert pushed(door) == [("directus_files", file)]


def pushed(door: Served) -> list[tuple[str, str]]:
    return [(name, key) for batch in door.carrier.batches for name, keys in batch.items() for key in keys]


def test_flows_that_were_changed_or_are_for_other_collections_are_put_right(
    site: Site, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up(push=True)
    before = flows(site)
    button = before[BUTTON_NAME]
    launch = next(row["id"] for row in button["operations"] if row["key"] == "click")
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
    if site.admin.version.major < 12:
        pytest.skip(f"Directus {site.admin.version} has no limit on flows.")
    own = {"status": "active", "trigger": "webhook", "options": {}}
    ids = [site.admin.post("/flows", {**own, "name": f"Own {number}"})["id"] for number in range(4)]
    try:
        with pytest.raises(Rejected, match=r"allows 5 active flows\. There is room for 1, and 2 new ones"):
            set_up(push=True)
        assert len(flows(site)) == 4
    finally:
        site.admin.delete("/flows", ids)


def test_a_door_that_directus_does_not_reach_is_noticed(site: Site, set_up: Callable[..., tuple[int, str]]) -> None:
    status, told = set_up(variables={"DOOR_URL": "http://169.254.169.254:4000"})

    # The address that this Directus denies its flows, as one without IMPORT_IP_DENY_LIST does with its own machine's.
    assert status == 1
    assert "resolves to a denied IP address" in told
    assert "IMPORT_IP_DENY_LIST=169.254.169.254" in told


def test_a_way_to_dagster_that_need_not_be_open_is_named(
    site: Site, set_up: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """Under another name than the door's: on one host, both are open or closed together."""
    (tmp_path / "server_info").write_text("{}")
    files = site.admin.get("/files", aggregate={"count": "id"})
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as webserver:
        thread = Thread(target=webserver.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        status, told = set_up(variables={"DAGSTER_WEBSERVER_URL": f"http://localhost:{webserver.server_port}"})
        webserver.shutdown()
        thread.join()
    _, closed = set_up(variables={"DAGSTER_WEBSERVER_URL": "http://localhost:9"})

    assert status == 0
    assert "and so can anyone who can import files" in told
    assert "import files" not in closed
    assert site.admin.get("/files", aggregate={"count": "id"}) == files


def secret_of(site: Site) -> str:
    """The common secret of all flows."""
    held = {
        header["value"]
        for flow in flows(site).values()
        for operation in flow["operations"]
        for header in operation["options"].get("headers", ())
        if header["header"] == SECRET_HEADER
    }
    (secret,) = held
    return str(secret)


def test_the_secret_is_made_once_rotated_by_wish_and_shown_nowhere(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]]
) -> None:
    _, first = set_up(push=True)
    made = secret_of(site)
    set_up()
    assert secret_of(site) == made
    status, told = set_up(new_secret=True)
    rotated = secret_of(site)

    assert status == 0
    assert rotated != made
    assert click(site, "render", "directus_files", "any").is_success
    door.room.secrets._read_at = float("-inf")  # as some seconds later
    body = {"plan": "any"}
    statuses = [
        httpx.post(f"{door.url}/check", headers={SECRET_HEADER: secret}, json=body, timeout=60).status_code
        for secret in (made, rotated)
    ]
    assert statuses == [403, 202]
    assert made not in first + told
    assert rotated not in told
    text = " ".join(told.split())
    assert "administrators can read it, and so can everybody with unrestricted access to Directus' revisions." in text
    runs = site.admin.get("/revisions", filter={"activity": {"action": {"_eq": "run"}}}, limit=-1)
    assert runs == []


def test_a_door_with_other_secrets_is_told_from_one_that_is_not_there(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]]
) -> None:
    set_up()
    admit_only(door.room.secrets.storage, "another")
    door.room.secrets._read_at = float("-inf")  # as some seconds later
    found = [row.text for row in site.examine("", DOOR_URL=door.url) if "button" in row.what]

    assert found == [f"The door at {door.url} refuses this flow."]
    # Whoever has lost the list of secrets makes another one by the same command, even if the door reads it late.
    door.room.secrets._read_at = time.monotonic() + 1
    assert set_up()[0] == 0


def test_flows_of_an_earlier_version_are_named_and_migrated(site: Site, set_up: Callable[..., tuple[int, str]]) -> None:
    """They called Dagster's GraphQL API, here one that answers as Dagster does."""
    set_up()
    site.write_post()
    (button, *_) = [row for row in flows(site).values() if row["name"] == BUTTON_NAME]
    ask = next(row for row in button["operations"] if row["key"] == "ask")
    old = {
        "name": "ask",
        "key": "ask",
        "type": "transform",
        "options": {"json": {"data": {"data": {"plan_1": "1.13"}}}},
    }
    site.admin.patch(f"/operations/{ask['id']}", old)
    before = [row for row in site.examine("", DOOR_URL="http://127.0.0.1:9") if "button" in row.what]

    status, told = set_up()

    assert [(row.status.value, row.text) for row in before] == [
        ("failed", "The flows come from an earlier version and call Dagster directly.")
    ]
    assert before[0].remedy == "Run `directus-assets setup --flows`."
    assert (status, told.count("change")) == (0, 1)


def test_the_doctor_tells_buttons_that_work_from_those_that_do_not(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]]
) -> None:
    def rows() -> list[tuple[str, str]]:
        found = site.examine("", DOOR_URL=door.url)
        return [(row.status.value, row.text) for row in found if "button" in row.what]

    assert rows()[0][1].startswith("not installed")
    set_up()
    site.write_post("Checked")
    assert [status for status, _ in rows()] == ["ok"]
    door.carrier.told = {"dagster": "1.2.3", "loaded": False, "sick": []}
    # One cause is told once.
    assert rows() == [("failed", "Directus reaches the door, but Dagster has not loaded this project.")]
    door.carrier.told = {"dagster": "1.2.3", "loaded": True, "sick": ["SENSOR"]}
    assert [status for status, _ in rows()] == ["failed"]


def test_a_click_on_content_sends_the_files_that_it_shows(
    site: Site, door: Served, set_up: Callable[..., tuple[int, str]], admin: httpx.Client
) -> None:
    set_up()
    files = [upload(admin, picture(), filename=name) for name in ("one.jpg", "two.jpg")]
    posts = [site.write_post(), site.write_post(), site.write_post()]
    for post, file in zip(posts, files, strict=False):
        site.admin.patch(f"/items/posts/{post}", {"image": file})

    assert click(site, "render", "posts", *posts).is_success
    assert click(site, "render", "posts", posts[1]).is_success

    assert [told.files for told in door.carrier.clicks] == [
        [{"image": files[0]}, {"image": files[1]}, {"image": None}],
        {"image": files[1]},
    ]
