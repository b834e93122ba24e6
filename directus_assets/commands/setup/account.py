"""The pipeline's own user in Directus, with role and policy: reads, plans and applies them.

Everything is identified by its name or e-mail address, so that setup is idempotent.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from directus_assets.commands.setup.rights import ALL_FIELDS, OWN_PERMISSIONS, Right, surplus_rights, wished_rights
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.held import OWN_ROWS
from directus_assets.errors import NotFound

NAME = "directus-assets"
"""The name of the policy and of the role."""

EMAIL = "directus-assets@example.com"
"""The user's address, which never receives mail."""

_ICON = "smart_toy"
_ACCESS = {"admin_access": False, "app_access": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """A row of `directus_permissions`."""

    id: int
    right: Right


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The existing account. Ids are None if a part does not exist yet."""

    has_policies: bool = True
    """False before Directus 11: there the role itself holds the rights, and `policy` is the id of the role."""
    policy: str | None = None
    """The id of the policy or role that holds the rights."""
    has_more_access: bool = False
    """Whether it grants administrator or Studio access."""
    permissions: tuple[Permission, ...] = ()
    role: str | None = None
    is_policy_of_role: bool = False
    other_policies: tuple[str, ...] = ()
    """Ids of the links (`directus_access`) that give the role or user further policies."""
    user: str | None = None
    is_in_role: bool = False
    is_active: bool = False
    has_token: bool = False

    @property
    def holder(self) -> str:
        """The field of a permission that names its policy or role."""
        return "policy" if self.has_policies else "role"

    @property
    def holders_path(self) -> str:
        """The path of policies or roles in the API."""
        return "/policies" if self.has_policies else "/roles"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One planned change; `leave` changes nothing and reports a surplus that stays."""

    verb: Literal["create", "change", "remove", "leave"]
    what: str
    detail: str = ""
    method: Literal["POST", "PATCH", "DELETE", ""] = ""
    path: str = ""
    body: Any = field(default=None, repr=False)


def read_account(admin: DirectusClient) -> Account:
    """Read the existing account.

    Raises:
        DirectusAssetsError: Directus does not answer, or the token is not an administrator's.
    """
    if not admin.version.has_policies:
        return _read_account_by_role(admin)
    policy = _first(admin, "/policies", name=NAME, fields=["id", *_ACCESS])
    role = _first(admin, "/roles", name=NAME, fields=["id", "policies.id", "policies.policy"])
    user = _first(admin, "/users", email=EMAIL, fields=["id", "role", "status", "token", "policies.id"])
    rows = list(admin.rows("/permissions", filter={"policy": {"_eq": policy["id"]}}, sort="id")) if policy else []
    links = role["policies"] if role else []
    others = [link["id"] for link in links if not policy or link["policy"] != policy["id"]]
    return Account(
        policy=policy["id"] if policy else None,
        has_more_access=bool(policy and any(policy[name] for name in _ACCESS)),
        permissions=tuple(Permission(id=row["id"], right=_right(row)) for row in rows),
        role=role["id"] if role else None,
        is_policy_of_role=len(others) < len(links),
        other_policies=(*others, *(link["id"] for link in (user or {}).get("policies") or ())),
        user=user["id"] if user else None,
        is_in_role=bool(user and role and user["role"] == role["id"]),
        is_active=bool(user and user["status"] == "active"),
        has_token=bool(user and user["token"]),
    )


def _read_account_by_role(admin: DirectusClient) -> Account:
    role = _first(admin, "/roles", name=NAME, fields=["id", *_ACCESS])
    user = _first(admin, "/users", email=EMAIL, fields=["id", "role", "status", "token"])
    # Directus 10 also lists the rights that the Studio needs; those have no id.
    rows = admin.get("/permissions", filter={"role": {"_eq": role["id"]}}, limit=-1) if role else []
    return Account(
        has_policies=False,
        policy=role["id"] if role else None,
        has_more_access=bool(role and any(role[name] for name in _ACCESS)),
        permissions=tuple(Permission(id=row["id"], right=_right(row)) for row in rows if "id" in row),
        role=role["id"] if role else None,
        user=user["id"] if user else None,
        is_in_role=bool(user and role and user["role"] == role["id"]),
        is_active=bool(user and user["status"] == "active"),
        has_token=bool(user and user["token"]),
    )


def plan_account(
    account: Account, rights: Sequence[Right], *, token: str, renew_token: bool = False, prune: bool = False
) -> list[Step]:
    """Plan the changes that give the user these rights. Pure; empty if everything is in place.

    Args:
        account: the existing account.
        rights: what the user needs.
        token: for a user without one, or if `renew_token` is set.
        renew_token: replace the user's token; the old one stops working.
        prune: remove surplus rights, which are otherwise reported and left alone.
    """
    policy = account.policy or str(uuid.uuid4())
    role = (account.role or str(uuid.uuid4())) if account.has_policies else policy
    return [
        *_policy_steps(account, policy),
        *_missing_steps(account, policy, rights),
        *_surplus_steps(account, rights, prune=prune),
        *_role_steps(account, policy, role),
        *_user_steps(account, role, token=None if account.has_token and not renew_token else token),
    ]


def carry_out(admin: DirectusClient, steps: Iterable[Step]) -> None:
    """Apply the changes in order.

    Raises:
        DirectusAssetsError: Directus refuses or does not answer; running it again resumes there.
    """
    for step in steps:
        match step.method:
            case "POST":
                admin.post(step.path, step.body)
            case "PATCH":
                admin.patch(step.path, step.body)
            case "DELETE":
                admin.delete(step.path)


def as_permitted(admin: DirectusClient, rights: Sequence[Right]) -> Sequence[Right]:
    """The permissions to grant for these rights, including the optional ones, as far as Directus can express them.

    Where Directus does not support rights on single fields or rows, they cover all fields and rows.

    Directus 12 requires a license for those (its entitlement `custom_permission_rules_enabled`); earlier versions do
    not.
    """
    rights = wished_rights(rights)
    try:
        rule = admin.get("/license")["entitlements"].get("custom_permission_rules_enabled", {})
    except NotFound:
        return rights
    permitted = rule.get("override")
    if permitted is None:
        permitted = rule.get("default", True)
    return rights if permitted else [replace(right, fields=ALL_FIELDS, own="") for right in rights]


def _policy_steps(account: Account, policy: str) -> Iterable[Step]:
    if account.policy is None:
        description = "Reads pictures, texts and settings; writes only translations and generated fields."
        body = {"id": policy, "name": NAME, "icon": _ICON, "description": description, **_ACCESS}
        yield Step(verb="create", what=account.holder, detail=NAME, method="POST", path=account.holders_path, body=body)
    elif account.has_more_access:
        yield Step(
            verb="change",
            what=account.holder,
            detail="not an administrator, no Studio access",
            method="PATCH",
            path=f"{account.holders_path}/{policy}",
            body=_ACCESS,
        )


def _missing_steps(account: Account, policy: str, rights: Sequence[Right]) -> Iterable[Step]:
    for right in rights:
        row = _row_of(account, right)
        if row is None:
            body = {
                account.holder: policy,
                "collection": right.collection,
                "action": right.action,
                "fields": list(right.fields),
                "permissions": _condition(right),
                "validation": {},
            }
            yield Step(verb="create", what="right", detail=str(right), method="POST", path="/permissions", body=body)
        elif beyond := right.beyond(row.right.fields):
            fields = list(ALL_FIELDS if "*" in beyond else (*row.right.fields, *beyond))
            detail = str(replace(right, fields=tuple(beyond)))
            path = f"/permissions/{row.id}"
            yield Step(verb="change", what="right", detail=detail, method="PATCH", path=path, body={"fields": fields})


def _condition(right: Right) -> Mapping[str, Any]:
    if right.name == OWN_PERMISSIONS.name:
        return OWN_ROWS
    return {right.own: {"_eq": "$CURRENT_USER"}} if right.own else {}


def _surplus_steps(account: Account, rights: Sequence[Right], *, prune: bool) -> Iterable[Step]:
    surplus = surplus_rights(rights, [row.right for row in account.permissions])
    rows = [("right", row.right.name, f"/permissions/{row.id}") for row in account.permissions if row.right in surplus]
    links = [
        ("policy", "a different policy of the role or the user", f"/access/{link}") for link in account.other_policies
    ]
    for what, detail, path in (*rows, *links):
        if prune:
            yield Step(verb="remove", what=what, detail=detail, method="DELETE", path=path)
        else:
            yield Step(verb="leave", what=what, detail=f"{detail} (not needed; removed by --prune-rights)")


def _role_steps(account: Account, policy: str, role: str) -> Iterable[Step]:
    if not account.has_policies:
        return
    if account.role is None:
        body = {"id": role, "name": NAME, "icon": _ICON, "policies": [{"policy": policy}]}
        yield Step(verb="create", what="role", detail=NAME, method="POST", path="/roles", body=body)
    elif not account.is_policy_of_role:
        body = {"role": role, "policy": policy}
        yield Step(verb="change", what="role", detail="gets the policy", method="POST", path="/access", body=body)


def _user_steps(account: Account, role: str, *, token: str | None) -> Iterable[Step]:
    wanted: dict[str, Any] = {} if account.is_in_role else {"role": role}
    if not account.is_active:
        wanted["status"] = "active"
    if token:
        wanted["token"] = token
    detail = f"{EMAIL}: {', '.join(wanted)}"
    if account.user is None:
        body = {"email": EMAIL, "first_name": NAME, **wanted}
        yield Step(verb="create", what="user", detail=detail, method="POST", path="/users", body=body)
    elif wanted:
        path = f"/users/{account.user}"
        yield Step(verb="change", what="user", detail=detail, method="PATCH", path=path, body=wanted)


def _row_of(account: Account, right: Right) -> Permission | None:
    key = (right.collection, right.action)
    rows = [row for row in account.permissions if (row.right.collection, row.right.action) == key]
    # Directus adds several permissions up, so the widest one counts.
    return min(rows, key=lambda row: len(right.beyond(row.right.fields)), default=None)


def _right(row: dict[str, Any]) -> Right:
    return Right(collection=row["collection"], action=row["action"], fields=tuple(row["fields"] or ()))


def _first(admin: DirectusClient, path: str, *, fields: Sequence[str], **named: str) -> dict[str, Any] | None:
    condition = {name: {"_eq": value} for name, value in named.items()}
    rows = admin.get(path, filter=condition, fields=fields, sort="id", limit=1)
    return rows[0] if rows else None
