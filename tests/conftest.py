"""Shared fixtures of the integration tests: one real Directus per session, started on first use.

Tests that use these fixtures carry the mark `integration`. The variable `LOCAL_DIRECTUS` selects another pinned version
(`make test DIRECTUS=11.17.4`).
"""

import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from directus_assets.local.content import PUBLIC_POLICY
from directus_assets.local.server import LocalDirectus
from tests.directus_proxy import IN_TIME

# A shell that starts the tests in the background has them ignore Ctrl+C, and all that they start and interrupt as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

# By default Hypothesis fails an example that takes 200 ms, or is drawn slowly, which on a busy machine any may.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs no Directus first: on a fresh machine its versions are being installed meanwhile."""
    real = {item.path for item in items if item.get_closest_marker("integration")}
    items.sort(key=lambda item: item.path in real)


@pytest.fixture(scope="session")
def directus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDirectus]:
    """A running Directus. It starts empty, and contains what earlier test modules left: see `empty_directus`."""
    # Directus accepts a megabyte of JSON unless told otherwise; a field of a megabyte does not fit into that.
    with LocalDirectus(tmp_path_factory.mktemp("directus"), environment={"MAX_PAYLOAD_SIZE": "8mb"}) as server:
        yield server


@pytest.fixture(scope="session")
def admin(directus: LocalDirectus) -> Iterator[httpx.Client]:
    """An administrator's client of that Directus."""
    headers = {"authorization": f"Bearer {directus.admin_token}"}
    with httpx.Client(base_url=directus.url, headers=headers, timeout=60, limits=IN_TIME, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def empty_directus(directus: LocalDirectus, admin: httpx.Client) -> LocalDirectus:
    """That Directus without content, once per test module. The change feed keeps its history.

    Emptying takes some hundred milliseconds, another server five seconds.
    """
    _remove_content(admin)
    return directus


def _remove_content(admin: httpx.Client) -> None:
    """Remove files, presets, custom collections, dashboards, flows, comments, and all users but the administrator."""
    settings = {"storage_asset_presets": None, "storage_asset_transform": "all"}
    admin.patch("/settings", json=settings).raise_for_status()
    own = [row["collection"] for row in _rows(admin, "/collections") if not row["collection"].startswith("directus_")]
    while own:
        # A collection that rows of another one refer to can be removed when that one is gone.
        staying = [collection for collection in own if admin.delete(f"/collections/{collection}").is_error]
        assert len(staying) < len(own), f"Directus does not remove {', '.join(own)}."
        own = staying
    info = admin.get("/server/info").json()["data"]
    has_policies = not info["version"].startswith("10.")
    fields = "id,role.id,role.policies.policy" if has_policies else "id,role.id"
    me = admin.get("/users/me", params={"fields": fields}).json()["data"]
    kept = {PUBLIC_POLICY, me["id"], me["role"]["id"]}
    kept |= {access["policy"] for access in me["role"].get("policies", ())}
    public = {"filter[policy][_eq]": PUBLIC_POLICY} if has_policies else {"filter[role][_null]": "true"}
    rights = _rows(admin, "/permissions", **public, limit=-1, fields="id")
    # Directus 10 lists rights of its own making as well, which have no id.
    _delete(admin, "/permissions", [row["id"] for row in rights if "id" in row])
    newer = ("/policies", "/comments") if has_policies else ()
    for path in ("/dashboards", "/flows", "/files", "/folders", "/notifications", "/users", "/roles", *newer):
        _delete(admin, path, [row["id"] for row in _rows(admin, path, limit=-1, fields="id") if row["id"] not in kept])


def _delete(admin: httpx.Client, path: str, ids: list[Any]) -> None:
    if ids:
        admin.request("DELETE", path, json=ids).raise_for_status()


def _rows(admin: httpx.Client, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = admin.get(path, params=params)
    answer.raise_for_status()
    return list(answer.json()["data"])
