"""A dashboard in Directus Insights: coverage, waiting items, failures, and the latest writes.

Its panels query data that Directus has anyway: translation rows, our comments, and the activity log. Ids are derived
from names, so that setup is idempotent; panels stay where an administrator moved them.

The Studio asks for all panels in one GraphQL query, which fails as a whole where Directus cannot validate one of them.
There, the form of a condition on a relational field depends on what its reader may see, so no panel has one.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from directus_assets.commands.setup.account import Step
from directus_assets.directus.client import USER_AGENT, DirectusClient
from directus_assets.directus.version import Version
from directus_assets.translation.scope import Scope
from directus_assets.waiting import HEADING, NEEDS_REVIEW, NOT_MADE

_NAMESPACE = uuid.UUID("0b8a3f0e-6f2c-5d0a-8f53-7d1c3e9b2a41")
_NAME = "Derived content"
_OWN_FIELDS = ("type", "options", "show_header")
_LISTED = 20
_HALF, _THIRD = 18, 12
"""Widths of panels, in units of Directus' grid."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The desired state of one panel."""

    key: str
    name: str
    type: str
    icon: str
    options: Mapping[str, Any]
    place: tuple[int, int, int, int]
    """Column, row, width and height."""

    def row(self, dashboard: str) -> dict[str, Any]:
        """The row in `directus_panels`."""
        x, y, width, height = self.place
        return {
            "id": str(uuid.uuid5(uuid.UUID(dashboard), self.key)),
            "dashboard": dashboard,
            "name": self.name,
            "type": self.type,
            "icon": self.icon,
            "show_header": True,
            "options": dict(self.options),
            "position_x": x,
            "position_y": y,
            "width": width,
            "height": height,
        }


def dashboard_id(project: str) -> str:
    """The id of a project's dashboard."""
    return str(uuid.uuid5(_NAMESPACE, project))


def panels_of(
    scopes: Sequence[Scope], *, version: Version, relational: Mapping[str, Collection[str]] | None = None
) -> list[Panel]:
    """The panels for the translated collections.

    Args:
        scopes: the translated collections.
        version: of Directus.
        relational: names of the relational fields, by collection.
    """
    written = {"user_agent": {"_eq": USER_AGENT}, "action": {"_in": ["create", "update"]}}
    today = {"_and": [written, {"timestamp": {"_gte": "$NOW(-1 day)"}}]}
    found = [
        _count("waiting", "Wait for review", "rate_review", _comments(version, NEEDS_REVIEW), (1, 1)),
        _count("failed", "Could not be made", "error", _comments(version, NOT_MADE), (1 + _THIRD, 1)),
        _count("today", "Written today", "bolt", _query("directus_activity", today), (1 + 2 * _THIRD, 1)),
        _list(
            "items",
            ("Items waiting for review", "list"),
            _comments(version),
            ("{{collection}} {{item}}", "date_created" if version.has_comments else "timestamp"),
            1,
        ),
        _list(
            "latest",
            ("Written last", "history"),
            _query("directus_activity", written),
            ("{{collection}} {{item}} {{timestamp}}", "timestamp"),
            1 + _HALF,
        ),
    ]
    for number, scope in enumerate(scopes):
        y = 19 + number * 12
        found += [
            _items(scope, (1, y), (relational or {}).get(scope.collection, ())),
            _languages(scope, (1 + _THIRD, y)),
        ]
    return found


def relational_fields(relations: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """The names of the relational fields by collection, on both sides of Directus' relations (`/relations`)."""
    found: dict[str, set[str]] = {}
    for relation in relations:
        found.setdefault(relation["collection"], set()).add(relation["field"])
        if alias := (relation.get("meta") or {}).get("one_field"):
            found.setdefault(relation.get("related_collection") or "", set()).add(alias)
    return found


def read_panels(admin: DirectusClient, dashboard: str) -> tuple[Mapping[str, Any] | None, list[dict[str, Any]]]:
    """The dashboard, if it exists, and its panels."""
    rows = admin.get("/dashboards", filter={"id": {"_eq": dashboard}}, fields=["id", "name"], limit=1)
    panels = admin.rows("/panels", filter={"dashboard": {"_eq": dashboard}}, fields=["*"], sort="id")
    return (rows[0] if rows else None), list(panels) if rows else []


def plan_dashboard(
    dashboard: str, present: Mapping[str, Any] | None, rows: Sequence[Mapping[str, Any]], wanted: Sequence[Panel]
) -> list[Step]:
    """Plan the changes that create these panels, or remove the dashboard if none is wanted. Pure.

    Args:
        dashboard: its id.
        present: the existing dashboard.
        rows: its existing panels.
        wanted: the desired panels; if empty, the dashboard is removed.
    """
    if not wanted:
        # Directus deletes its panels as well.
        gone = Step(verb="remove", what="dashboard", detail=_NAME, method="DELETE", path=f"/dashboards/{dashboard}")
        return [gone] if present else []
    steps = []
    if not present:
        note = "Created by directus-assets. To remove it: `directus-assets setup --dashboard --remove`."
        body = {"id": dashboard, "name": _NAME, "icon": "auto_awesome_motion", "note": note}
        steps.append(Step(verb="create", what="dashboard", detail=_NAME, method="POST", path="/dashboards", body=body))
    held = {row["id"]: row for row in rows}
    ours = [panel.row(dashboard) for panel in wanted]
    for row in ours:
        there, changed = held.get(row["id"]), {name: row[name] for name in _OWN_FIELDS}
        if there is None:
            steps.append(Step(verb="create", what="panel", detail=row["name"], method="POST", path="/panels", body=row))
        elif any(there.get(name) != value for name, value in changed.items()):
            path = f"/panels/{row['id']}"
            steps.append(Step(verb="change", what="panel", detail=row["name"], method="PATCH", path=path, body=changed))
    kept = {row["id"] for row in ours}
    for row_id, known in held.items():
        # Panels added by an administrator have ids of a different UUID version.
        if row_id not in kept and uuid.UUID(row_id).version == uuid.UUID(dashboard).version:
            path = f"/panels/{row_id}"
            steps.append(Step(verb="remove", what="panel", detail=known["name"], method="DELETE", path=path))
    return steps


def _items(scope: Scope, place: tuple[int, int], relational: Collection[str]) -> Panel:
    """The number of items: of all, if the filter cannot be part of the Studio's query."""
    condition = scope.filter if _is_plain(scope.filter, relational) else {}
    query = _query(scope.collection, condition, field=scope.schema.key_field)
    return _count(f"items of {scope.name}", f"{scope.name}: items", "inbox", query, place)


def _is_plain(condition: Any, relational: Collection[str]) -> bool:
    """Whether a filter has no condition on a relational field and no function of a field, such as `year(date)`."""
    match condition:
        case Mapping():
            names = condition.keys()
            is_plain = not any(name in relational or "(" in name for name in names)
            return is_plain and all(_is_plain(each, relational) for each in condition.values())
        case list():
            return all(_is_plain(each, relational) for each in condition)
    return True


def _languages(scope: Scope, place: tuple[int, int]) -> Panel:
    """The number of items, and how many of them each language has."""
    schema = scope.schema
    options = {
        "collection": schema.translations,
        "groupByField": schema.language_field,
        "aggregateField": schema.translations_key_field,
        "aggregateFunction": "count",
        "sortDirection": "desc",
        "limit": len(schema.languages),
    }
    name, key = f"{scope.name}: items by language", f"languages of {scope.name}"
    return Panel(key=key, name=name, type="metric-list", icon="translate", options=options, place=(*place, 24, 12))


def _comments(version: Version, text: str = "") -> dict[str, Any]:
    """Our comments that contain a text."""
    conditions: list[dict[str, Any]] = [{"comment": {"_starts_with": HEADING}}]
    if text:
        conditions.append({"comment": {"_contains": text}})
    if version.has_comments:
        return _query("directus_comments", {"_and": conditions})
    return _query("directus_activity", {"_and": [*conditions, {"action": {"_eq": "comment"}}]})


def _query(collection: str, condition: Mapping[str, Any], *, field: str = "id") -> dict[str, Any]:
    return {"collection": collection, "field": field, "filter": dict(condition)}


def _count(key: str, name: str, icon: str, query: Mapping[str, Any], place: tuple[int, int]) -> Panel:
    options = {**query, "function": "count"}
    return Panel(key=key, name=name, type="metric", icon=icon, options=options, place=(*place, _THIRD, 6))


def _list(key: str, title: tuple[str, str], query: Mapping[str, Any], shown: tuple[str, str], column: int) -> Panel:
    """A list of the latest rows: `title` holds its name and icon, `shown` the template and the sort field."""
    template, sort = shown
    options = {
        "collection": query["collection"],
        "filter": query["filter"],
        "displayTemplate": template,
        "sortField": sort,
        "sortDirection": "desc",
        "limit": _LISTED,
        "linkToItem": False,
    }
    name, icon = title
    return Panel(key=key, name=name, type="list", icon=icon, options=options, place=(column, 7, _HALF, 12))
