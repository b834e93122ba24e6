"""The rights of a token, with policies and with roles."""

from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.held import Access, Held, read_access, read_held

EDITORS = {"role": "editors", "permissions": {}, "fields": ["*"]}


class Directus:
    """A Directus with these answers by path; for all other paths, it responds like the real one."""

    def __init__(self, version: str, **answers: Any) -> None:
        self.answers = {"/server/info": {"version": version}, **answers}
        self.asked: list[httpx.URL] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        if request.url.path not in self.answers:
            return httpx.Response(404, json={"errors": [{"message": f"Route {request.url.path} doesn't exist."}]})
        return httpx.Response(200, json={"data": self.answers[request.url.path]})

    def access(self) -> Access:
        with self._client() as client:
            return read_access(client)

    def held(self) -> Held:
        with self._client() as client:
            return read_held(client)

    def _client(self) -> DirectusClient:
        return DirectusClient("https://cms.example.com", "t", transport=httpx.MockTransport(self))


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"id": "bot"}, Access(is_admin=False, has_app=False)),
        ({"role": {"admin_access": False, "app_access": True}}, Access(is_admin=False, has_app=True)),
        ({"role": {"admin_access": True, "app_access": True}}, Access(is_admin=True, has_app=True)),
        ({"role": None}, Access(is_admin=False, has_app=False)),
    ],
)
def test_before_policies_the_role_says_who_is_an_administrator(user: dict[str, Any], expected: Access) -> None:
    assert Directus("10.13.4", **{"/users/me": user}).access() == expected


@pytest.mark.parametrize("version", ["11.1.0", "12.4.1"])
def test_since_there_are_policies_they_say_it(version: str) -> None:
    directus = Directus(version, **{"/policies/me/globals": {"admin_access": False, "app_access": True}})

    assert directus.access() == Access(is_admin=False, has_app=True)


def test_before_policies_the_rights_of_the_own_role_are_read() -> None:
    rows = [
        {"id": 1, "collection": "posts", "action": "read", **EDITORS},
        {"id": 2, "collection": "posts", "action": "update", **EDITORS, "permissions": {"author": {"_eq": "me"}}},
        {"collection": "directus_users", "action": "read", **EDITORS, "fields": None},
    ]
    directus = Directus("10.13.4", **{"/users/me": {"id": "bot"}, "/permissions": rows})

    assert directus.held() == {
        "posts": {
            "read": {"access": "full", "fields": ["*"]},
            "update": {"access": "partial", "fields": ["*"]},
        },
        "directus_users": {"read": {"access": "full", "fields": []}},
    }
    assert directus.asked[-1].params["filter"] == '{"role":{"_eq":"$CURRENT_ROLE"}}'


def test_before_policies_an_administrator_holds_everything() -> None:
    user = {"role": {"admin_access": True, "app_access": True}}
    directus = Directus("10.13.4", **{"/users/me": user, "/collections": [{"collection": "posts"}]})

    assert {action for action, right in directus.held()["posts"].items() if right["access"] == "full"} == {
        "create", "read", "update", "delete", "share",
    }  # fmt: skip
