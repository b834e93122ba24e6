"""The dashboard on a real Directus: created once, its queries are answered, and it can be removed."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from directus_assets.commands.setup.dashboard import dashboard_id, panels_of, plan_dashboard, relational_fields
from directus_assets.commands.setup.setup_dashboard import run_dashboard_setup
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.version import LATEST, Version
from directus_assets.translation.scope import Scope
from tests.operations.conftest import Site
from tests.translation.test_scope import POSTS

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


def answers(client: DirectusClient, shown: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Directus' answers to the queries that the Studio sends for panels: one for system collections, one for others."""
    queries: dict[str, list[str]] = {"/graphql": [], "/graphql/system": []}
    names = {}
    for number, panel in enumerate(shown):
        collection = panel["options"]["collection"]
        path = "/graphql/system" if collection.startswith("directus_") else "/graphql"
        names[f"q{number}"] = panel["name"]
        queries[path].append(f"q{number}: {query_of(collection.removeprefix('directus_'), panel)}")
    found: dict[str, Any] = {}
    for path, parts in queries.items():
        found |= client.post(path, {"query": f"query {{ {' '.join(parts)} }}"})
    return {names[key]: answer for key, answer in found.items()}


def query_of(collection: str, panel: dict[str, Any]) -> str:
    options = panel["options"]
    arguments = {"filter": options.get("filter")}
    match panel["type"]:
        case "metric":
            name, result = f"{collection}_aggregated", f"count {{ {options['field']} }}"
        case "metric-list":
            arguments["groupBy"] = [options["groupByField"]]
            name, result = f"{collection}_aggregated", f"group count {{ {options['aggregateField']} }}"
        case _:
            arguments |= {"sort": [f"-{options['sortField']}"], "limit": options["limit"]}
            name, result = collection, "id"
    given = ", ".join(f"{key}: {literal(value)}" for key, value in arguments.items() if value)
    return f"{name} ({given}) {{ {result} }}" if given else f"{name} {{ {result} }}"


def literal(value: Any) -> str:
    """A value as GraphQL writes it."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {literal(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(value)


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
    told = answers(site.admin, found.values())
    assert int(told["posts: items"][0]["count"]["id"]) >= 1
    assert {row["group"]["languages_code"] for row in told["posts: items by language"]} >= {"en-US"}
    set_up(remove=True)
    assert site.admin.get("/dashboards", filter={"id": {"_eq": ID}}) == []
    assert own_panel


def test_a_panel_that_is_not_needed_any_more_goes_and_what_others_added_stays() -> None:
    wanted = panels_of([], version=LATEST)
    rows = [panel.row(ID) for panel in wanted]
    gone = replace(wanted[0], key="items of gone", name="gone").row(ID)
    others = {**gone, "id": "f0d2c0de-0000-4000-8000-000000000000", "name": "own"}

    steps = plan_dashboard(ID, {"id": ID}, [*rows, gone, others], wanted)

    assert [(step.verb, step.detail) for step in steps] == [("remove", "gone")]


def test_before_directus_11_comments_are_in_the_activity_log() -> None:
    by_key = {each.key: each.options for each in panels_of([], version=Version.parse("10.13.4"))}

    assert by_key["waiting"]["collection"] == "directus_activity"
    assert {"action": {"_eq": "comment"}} in by_key["waiting"]["filter"]["_and"]


@pytest.mark.parametrize(
    ("condition", "is_plain"),
    [
        ({}, True),
        ({"_and": [{"status": {"_eq": "published"}}]}, True),
        ({"author": {"_eq": "anna"}}, False),
        ({"_or": [{"status": {"_eq": "draft"}}, {"author": {"name": {"_eq": "Anna"}}}]}, False),
        ({"translations": {"_some": {"title": {"_nnull": True}}}}, False),
        ({"year(date)": {"_gte": 2026}}, False),
    ],
)
def test_only_a_filter_that_everybodys_studio_understands_is_part_of_a_panel(
    condition: dict[str, Any], is_plain: bool
) -> None:
    scope = Scope(schema=POSTS, source=POSTS.languages[0], targets=(), filter=condition)

    relations = [
        {"collection": "posts", "field": "author", "related_collection": "directus_users", "meta": None},
        {
            "collection": "posts_translations",
            "field": "posts_id",
            "related_collection": "posts",
            "meta": {"one_field": "translations"},
        },
    ]

    panels = panels_of([scope], version=LATEST, relational=relational_fields(relations))

    (items,) = [panel.options for panel in panels if panel.key == "items of posts"]
    assert items["filter"] == (condition if is_plain else {})
