"""The dashboard on a real Directus: created once, its queries are answered, and it can be removed."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from directus_assets.commands.setup.dashboard import dashboard_id, panels_of, plan_dashboard
from directus_assets.commands.setup.setup_dashboard import run_dashboard_setup
from directus_assets.directus.client import items_path
from directus_assets.directus.version import LATEST, Version
from tests.operations.conftest import Site

pytestmark = pytest.mark.integration

ID = dashboard_id("")


@pytest.fixture
def set_up(site: Site) -> Iterator[Callable[..., str]]:
    def run(**options: Any) -> str:
        output = io.StringIO()
        status = run_dashboard_setup(
            Console(file=output, width=150),
            site.settings(),
            admin_token=site.directus.admin_token,
            confirm=options.pop("confirm", lambda: True),
            **options,
        )
        assert status == 0
        return output.getvalue()

    yield run
    run(remove=True)


def panels(site: Site) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in site.admin.get("/panels", filter={"dashboard": {"_eq": ID}}, limit=-1)}


def answer(site: Site, panel: dict[str, Any]) -> Any:
    """Directus' response to the Studio's query for a panel."""
    options = panel["options"]
    query: dict[str, Any] = {"filter": options["filter"]}
    match panel["type"]:
        case "metric":
            query["aggregate"] = {"count": options["field"]}
        case "metric-list":
            query |= {"aggregate": {"count": options["aggregateField"]}, "groupBy": [options["groupByField"]]}
        case "list":
            query |= {"sort": f"-{options['sortField']}", "limit": options["limit"]}
    return site.admin.get(items_path(options["collection"]), **query)


def test_it_is_made_once_answers_and_is_taken_away(site: Site, set_up: Callable[..., str]) -> None:
    site.write_post("Bread")
    set_up()
    own = {"dashboard": ID, "name": "Own", "type": "label", "width": 10, "height": 4, "position_x": 1, "position_y": 90}
    site.admin.post("/panels", {**own, "options": {"text": "mine"}})
    moved = panels(site)["Wait for review"]
    site.admin.patch(f"/panels/{moved['id']}", {"position_y": 60, "options": {}})
    set_up()
    found = panels(site)
    set_up(confirm=lambda: pytest.fail("There is nothing to ask."))

    own_panel = found.pop("Own")
    assert {"Wait for review", "Could not be made", "posts: items", "posts: items by language"} < found.keys()
    assert found["Wait for review"]["position_y"] == 60
    assert found["Wait for review"]["options"] == moved["options"]
    answers = {name: answer(site, panel) for name, panel in found.items()}
    assert int(answers["posts: items"][0]["count"]["id"]) >= 1
    assert {row["languages_code"] for row in answers["posts: items by language"]} >= {"en-US"}
    set_up(remove=True)
    assert site.admin.get("/dashboards", filter={"id": {"_eq": ID}}) == []
    assert own_panel


def test_a_panel_that_is_not_needed_any_more_goes_and_what_others_added_stays() -> None:
    wanted = panels_of([], own_user="bot", version=LATEST)
    rows = [panel.row(ID) for panel in wanted]
    gone = replace(wanted[0], key="items of gone", name="gone").row(ID)
    others = {**gone, "id": "f0d2c0de-0000-4000-8000-000000000000", "name": "own"}

    steps = plan_dashboard(ID, {"id": ID}, [*rows, gone, others], wanted)

    assert [(step.verb, step.detail) for step in steps] == [("remove", "gone")]


def test_before_directus_11_comments_are_in_the_activity_log() -> None:
    by_key = {each.key: each.options for each in panels_of([], own_user="bot", version=Version.parse("10.13.4"))}

    assert by_key["waiting"]["collection"] == "directus_activity"
    assert {"action": {"_eq": "comment"}} in by_key["waiting"]["filter"]["_and"]
