"""Flows in Directus: reads, plans and removes ours.

Flows and operations have ids derived from their names, so that setup is idempotent. Whatever an administrator may like
to change (name, icon, position on the canvas) is set once and then left alone.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from directus_assets.commands.setup.account import Step
from directus_assets.directus.client import DirectusClient
from directus_assets.errors import NotFound, Rejected

_NAMESPACE = uuid.UUID("2f1d1c5e-6e0c-5f0a-9c53-0d3f6c1b7a90")
_STEP_PIXELS = 18
_OWN_FIELDS = ("status", "trigger", "accountability", "options", "operation")
_OPERATION_FIELDS = ("id", "key", "type", "options", "resolve", "reject")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One step of a flow, with its successors on success (`resolve`) and failure (`reject`)."""

    key: str
    type: str
    options: Mapping[str, Any] = field(repr=False)
    """May contain a header with a secret."""
    resolve: "Operation | None" = None
    reject: "Operation | None" = None


@dataclass(frozen=True, kw_only=True)
class Flow:
    """The desired state of one flow."""

    id: str
    name: str
    icon: str
    trigger: str
    options: Mapping[str, Any]
    first: Operation
    accountability: str | None = None
    """`activity`: Directus records each run in the activity log. Never `all`, which would store headers, too."""

    def row(self) -> dict[str, Any]:
        """The row in `directus_flows`, without its operations."""
        return {
            "id": self.id,
            "name": self.name,
            "icon": self.icon,
            "status": "active",
            "trigger": self.trigger,
            "accountability": self.accountability,
            "options": dict(self.options),
            "operation": self._id(self.first),
        }

    def operation_rows(self) -> list[dict[str, Any]]:
        """The rows in `directus_operations`; the successors of an operation come before it."""
        return list(self._rows(self.first, x=1, y=1))

    def _rows(self, operation: Operation, *, x: int, y: int) -> Iterator[dict[str, Any]]:
        x += _STEP_PIXELS
        if operation.resolve:
            yield from self._rows(operation.resolve, x=x, y=y)
        if operation.reject:
            yield from self._rows(operation.reject, x=x, y=y + _STEP_PIXELS)
        yield {
            "id": self._id(operation),
            "name": operation.key.replace("_", " "),
            "key": operation.key,
            "type": operation.type,
            "position_x": x,
            "position_y": y,
            "options": dict(operation.options),
            "resolve": self._id(operation.resolve) if operation.resolve else None,
            "reject": self._id(operation.reject) if operation.reject else None,
        }

    def _id(self, operation: Operation) -> str:
        return str(uuid.uuid5(uuid.UUID(self.id), operation.key))


def flow_id(project: str, key: str) -> str:
    """The id of one of our flows in a project."""
    return str(uuid.uuid5(_NAMESPACE, f"{project}/{key}"))


def read_flows(admin: DirectusClient, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The existing flows among these, with their operations, by id."""
    rows = admin.rows_with("/flows", "id", ids, fields=["*", "operations.*"], sort="id")
    return {row["id"]: row for row in rows}


def plan_flows(present: Mapping[str, Mapping[str, Any]], wanted: Sequence[Flow], known: Iterable[str]) -> list[Step]:
    """Plan the changes. Pure; empty if everything is in place.

    Args:
        present: the existing flows by id.
        wanted: the desired flows.
        known: ids of all flows that may be ours; existing ones that are not wanted are removed.
    """
    ids = {flow.id for flow in wanted}
    # Removals come first: a license may not allow more flows at the same time.
    steps = [
        Step(verb="remove", what="flow", detail=present[gone]["name"], method="DELETE", path=f"/flows/{gone}")
        for gone in known
        if gone in present and gone not in ids
    ]
    return [*steps, *(step for flow in wanted if (step := _step(present.get(flow.id), flow)))]


def require_room(admin: DirectusClient, steps: Iterable[Step]) -> None:
    """Check that Directus accepts this many flows.

    Directus 12 allows five active flows without a license (its entitlement `flows`); earlier versions have no limit.

    Raises:
        Rejected: it does not; nothing has been changed yet.
    """
    verbs = [step.verb for step in steps if step.what == "flow"]
    more = verbs.count("create") - verbs.count("remove")
    if more <= 0:
        return
    try:
        rule = admin.get("/license")["entitlements"].get("flows", {})
    except NotFound:
        return
    parts = [rule.get(name) or 0 for name in ("limit", "overage", "addon")]
    if "limit" not in rule or -1 in parts:
        return
    rows = admin.get("/flows", aggregate={"count": "id"}, filter={"status": {"_eq": "active"}})
    room = sum(parts) - int(rows[0]["count"]["id"])
    if more > room:
        raise Rejected(
            f"Directus' license allows {sum(parts)} active flows. There is room for {max(room, 0)}, and {more} new "
            "ones are needed.",
            remedy="Turn off flows that nobody needs, or omit --push.",
        )


def _step(row: Mapping[str, Any] | None, flow: Flow) -> Step | None:
    operations = flow.operation_rows()
    if row is None:
        body = {**flow.row(), "operations": operations}
        return Step(verb="create", what="flow", detail=flow.name, method="POST", path="/flows", body=body)
    wanted = {name: value for name, value in flow.row().items() if name in _OWN_FIELDS}
    held = {each["id"]: each for each in row["operations"]}
    changed = [each for each in operations if each["id"] not in held or _differs(held[each["id"]], each)]
    gone = sorted(held.keys() - {each["id"] for each in operations})
    if not changed and not gone and all(row.get(name) == value for name, value in wanted.items()):
        return None
    body = {
        **wanted,
        "operations": {
            "create": [each for each in changed if each["id"] not in held],
            "update": [{name: each[name] for name in _OPERATION_FIELDS} for each in changed if each["id"] in held],
            "delete": gone,
        },
    }
    return Step(verb="change", what="flow", detail=row["name"], method="PATCH", path=f"/flows/{flow.id}", body=body)


def _differs(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return any(row.get(name) != wanted[name] for name in _OPERATION_FIELDS)
