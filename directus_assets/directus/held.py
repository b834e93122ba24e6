"""The rights of a token as Directus reports them: the same form for policies (since Directus 11) and roles (Directus
10).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from directus_assets.directus.client import DirectusClient

Held: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By collection and action: `access` (`full`, `partial` or `none`) and `fields`, as in `GET /permissions/me`."""

OWN_ROWS: Mapping[str, Any] = {"role": {"_eq": "$CURRENT_ROLE"}}
"""Restricts `directus_permissions` to those of the token's own role."""

_ALL_ACTIONS = {
    action: {"access": "full", "fields": ["*"]} for action in ("create", "read", "update", "delete", "share")
}


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """The user of a token."""

    id: str
    email: str = ""
    """Empty if the user may not read it; the pipeline's own user may not."""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.email})".strip() if self.email else f"User {self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """Access that precedes all individual rights."""

    is_admin: bool
    has_app: bool
    """Whether the user may log in to the Studio."""


def read_user(client: DirectusClient) -> User:
    """Read the token's user.

    Raises:
        DirectusAssetsError: Directus does not answer, or refuses the token.
    """
    row = client.get("/users/me", fields=["id", "email", "first_name", "last_name"])
    names = (row.get("first_name"), row.get("last_name"))
    return User(id=str(row["id"]), email=row.get("email") or "", name=" ".join(filter(None, names)))


def read_access(client: DirectusClient) -> Access:
    """Read the access of the token's user.

    Raises:
        DirectusAssetsError: Directus does not answer.
    """
    if client.version.has_policies:
        row = client.get("/policies/me/globals")
    else:
        # Users who may not read roles get only an id; everyone in the Studio and every administrator may read them.
        row = client.get("/users/me", fields=["role.admin_access", "role.app_access"]).get("role") or {}
    return Access(is_admin=bool(row.get("admin_access")), has_app=bool(row.get("app_access")))


def read_held(client: DirectusClient) -> Held:
    """Read the token's rights.

    Raises:
        Forbidden: Directus 10, and the token lacks the right to read its own rights.
        DirectusAssetsError: Directus does not answer.
    """
    if client.version.has_policies:
        held: Held = client.get("/permissions/me")
        return held
    if read_access(client).is_admin:
        return {row["collection"]: _ALL_ACTIONS for row in client.get("/collections")}
    found: dict[str, dict[str, dict[str, Any]]] = {}
    # Directus 10 returns all rows whatever the limit, including those of the Studio, which have no id.
    for row in client.get("/permissions", filter=OWN_ROWS, limit=-1):
        access = "partial" if row.get("permissions") else "full"
        found.setdefault(row["collection"], {})[row["action"]] = {"access": access, "fields": row.get("fields") or []}
    return found
