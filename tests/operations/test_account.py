"""The plan of `setup`, as a pure function of the existing account."""

from dataclasses import replace

import httpx
import pytest

from directus_assets.commands.setup.account import Account, Permission, Step, as_permitted, plan_account
from directus_assets.commands.setup.rights import OWN_PERMISSIONS, Right
from directus_assets.directus.client import DirectusClient

READ_FILES = Right(collection="directus_files", action="read", fields=("id", "type"))
UPDATE_POSTS = Right(collection="posts", action="update")
RIGHTS = (READ_FILES, UPDATE_POSTS)

COMPLETE = Account(
    policy="p",
    permissions=(Permission(id=1, right=READ_FILES), Permission(id=2, right=UPDATE_POSTS)),
    role="r",
    is_policy_of_role=True,
    user="u",
    is_in_role=True,
    is_active=True,
    has_token=True,
)


def described(steps: list[Step]) -> list[str]:
    return [f"{step.verb} {step.what}: {step.detail}" for step in steps]


def test_where_nothing_is_everything_is_made_and_linked() -> None:
    steps = plan_account(Account(), RIGHTS, token="t0ken")

    assert described(steps) == [
        "create policy: directus-assets",
        "create right: read on directus_files (id, type)",
        "create right: update on posts",
        "create role: directus-assets",
        "create user: directus-assets@example.com: role, status, token",
    ]
    policy, files, posts, role, user = (step.body for step in steps)
    assert (policy["admin_access"], policy["app_access"]) == (False, False)
    assert files["policy"] == posts["policy"] == policy["id"]
    assert role["policies"] == [{"policy": policy["id"]}]
    assert (user["role"], user["token"]) == (role["id"], "t0ken")


def test_no_step_shows_the_token() -> None:
    assert "t0ken" not in repr(plan_account(Account(), RIGHTS, token="t0ken"))


def test_where_all_is_right_nothing_is_done() -> None:
    assert plan_account(COMPLETE, RIGHTS, token="t0ken") == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"has_more_access": True}, "change policy: not an administrator, no Studio access"),
        ({"is_policy_of_role": False}, "change role: gets the policy"),
        ({"is_in_role": False}, "change user: directus-assets@example.com: role"),
        ({"is_active": False}, "change user: directus-assets@example.com: status"),
        ({"has_token": False}, "change user: directus-assets@example.com: token"),
    ],
)
def test_what_is_not_as_it_has_to_be_is_changed(change: dict[str, bool], expected: str) -> None:
    assert described(plan_account(replace(COMPLETE, **change), RIGHTS, token="t0ken")) == [expected]


def test_another_token_is_made_only_when_it_is_asked_for() -> None:
    (step,) = plan_account(COMPLETE, RIGHTS, token="t0ken", renew_token=True)

    assert (step.method, step.path, step.body) == ("PATCH", "/users/u", {"token": "t0ken"})


def test_fields_that_lack_are_added_to_those_that_are_there() -> None:
    files = replace(READ_FILES, fields=("id", "title"))
    account = replace(COMPLETE, permissions=(Permission(id=1, right=files), COMPLETE.permissions[1]))

    (step,) = plan_account(account, RIGHTS, token="t0ken")

    assert described([step]) == ["change right: read on directus_files (type)"]
    assert (step.path, step.body) == ("/permissions/1", {"fields": ["id", "title", "type"]})


def test_a_right_on_all_fields_takes_the_place_of_one_on_some() -> None:
    posts = replace(UPDATE_POSTS, fields=("title",))
    account = replace(COMPLETE, permissions=(COMPLETE.permissions[0], Permission(id=2, right=posts)))

    (step,) = plan_account(account, RIGHTS, token="t0ken")

    assert step.body == {"fields": ["*"]}


def test_what_is_not_needed_stays_and_is_named_unless_it_is_to_be_pruned() -> None:
    surplus = Permission(id=3, right=Right(collection="posts", action="delete"))
    account = replace(COMPLETE, permissions=(*COMPLETE.permissions, surplus), other_policies=("link",))

    left = plan_account(account, RIGHTS, token="t0ken")
    pruned = plan_account(account, RIGHTS, token="t0ken", prune=True)

    assert [(step.verb, step.method) for step in left] == [("leave", ""), ("leave", "")]
    assert left[0].detail == "delete on posts (not needed; removed by --prune-rights)"
    assert [(step.method, step.path) for step in pruned] == [("DELETE", "/permissions/3"), ("DELETE", "/access/link")]


@pytest.mark.parametrize(
    ("answer", "has_fields"),
    [
        (httpx.Response(404, json={"errors": [{"message": "Route /license doesn't exist."}]}), True),
        (httpx.Response(200, json={"data": {"entitlements": {}}}), True),
        (
            httpx.Response(
                200, json={"data": {"entitlements": {"custom_permission_rules_enabled": {"default": True}}}}
            ),
            True,
        ),
        (
            httpx.Response(
                200, json={"data": {"entitlements": {"custom_permission_rules_enabled": {"default": False}}}}
            ),
            False,
        ),
        (
            httpx.Response(
                200,
                json={
                    "data": {"entitlements": {"custom_permission_rules_enabled": {"default": False, "override": True}}}
                },
            ),
            True,
        ),
    ],
)
def test_rights_are_on_single_fields_where_directus_knows_such(answer: httpx.Response, has_fields: bool) -> None:
    with DirectusClient("https://cms.example.com", "t", transport=httpx.MockTransport(lambda _: answer)) as admin:
        rights = as_permitted(admin, RIGHTS)

    assert rights[0].fields == (("id", "type") if has_fields else ("*",))


def test_where_there_are_no_policies_the_role_gets_the_rights() -> None:
    rights = (READ_FILES, OWN_PERMISSIONS)

    steps = plan_account(Account(has_policies=False), rights, token="t0ken")

    assert [(step.verb, step.what, step.path) for step in steps] == [
        ("create", "role", "/roles"),
        ("create", "right", "/permissions"),
        ("create", "right", "/permissions"),
        ("create", "user", "/users"),
    ]
    role, files, own, user = (step.body for step in steps)
    assert (role["admin_access"], role["app_access"]) == (False, False)
    assert files["role"] == own["role"] == user["role"] == role["id"]
    assert "policy" not in files
    assert (files["permissions"], own["permissions"]) == ({}, {"role": {"_eq": "$CURRENT_ROLE"}})


def test_a_role_that_opens_the_studio_is_corrected_where_there_are_no_policies() -> None:
    account = replace(COMPLETE, has_policies=False, policy="r", has_more_access=True)

    (step,) = plan_account(account, RIGHTS, token="t0ken")

    assert (step.method, step.path) == ("PATCH", "/roles/r")
