"""Notifications and their recipients."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from directus_assets.desk import Desk
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import DirectusAssetsError, Forbidden, NotFound, Rejected, Unreachable
from directus_assets.notify import Cause, Letter, tell_new, tell_of_reviews, tell_role
from directus_assets.waiting import Notice

ID = "1f6f3a5e-8a3e-4c51-9d2d-3a0c5f9a7b10"


def told(role: str, *users: str) -> tuple[dict[str, object], list[str]]:
    """The requests, and the notified users."""
    asked: list[dict[str, object]] = []
    recipients: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            body = json.loads(request.content)
            if isinstance(body, list):  # Directus 10 on SQLite answers a list after a minute, or never
                raise httpx.ReadTimeout("timed out", request=request)
            recipients.append(body["recipient"])
            return httpx.Response(204)
        asked.append(json.loads(request.url.params["filter"]))
        return httpx.Response(200, json={"data": [{"id": user} for user in users]})

    with DirectusClient("http://directus", "token", transport=httpx.MockTransport(answer)) as client:
        tell_role(client, role, subject="s", message="m", collection="posts", item="1")
    return asked[0], recipients


@pytest.mark.parametrize(("role", "field"), [("Editors", "name"), (ID, "id")])
def test_only_users_of_the_role_are_asked_for_and_told_one_by_one(role: str, field: str) -> None:
    assert told(role, "a", "b") == ({"status": {"_eq": "active"}, "role": {field: {"_eq": role}}}, ["a", "b"])


def test_a_role_that_nobody_has_is_named() -> None:
    with pytest.raises(NotFound, match="'Editor'"):
        told("Editor")


class Post:
    """Sends a message for each item, and fails for some."""

    def __init__(self, folder: Path, **fails: Exception) -> None:
        self.storage = LocalStorage(folder)
        self.fails = fails
        self.sent: list[str] = []
        self.warned: list[str] = []

    def tell(self, *items: str, channel: str = "") -> None:
        causes = [Cause(collection="posts", item=item, text="corrupt") for item in items]
        tell_new(self.storage, causes, self._letters, warn=self.warned.append, channel=channel)

    def _letters(self, causes: Sequence[Cause]) -> Iterator[Letter]:
        for cause in causes:
            if cause.item != "unknown":
                yield Letter(causes=[cause], send=lambda cause=cause: self._send(cause.item))

    def _send(self, item: str) -> None:
        if error := self.fails.get(item):
            raise error
        self.sent.append(item)


def test_a_recipient_who_refuses_keeps_nobody_else_from_being_told(tmp_path: Path) -> None:
    """As one whose user has been deleted since."""
    post = Post(tmp_path, b=Rejected("There is no such user."))

    post.tell("a", "b", "c", "unknown")
    post.tell("a", "b", "c", "unknown")

    assert post.sent == ["a", "c"]
    assert post.warned == ["There is no such user."] * 2


@pytest.mark.parametrize("error", [Unreachable("Away."), Forbidden("No right."), KeyError("unforeseen")])
def test_what_was_told_before_an_outage_is_not_told_again(tmp_path: Path, error: Exception) -> None:
    post = Post(tmp_path, b=error)

    post.tell("a", "b", "c")
    post.fails.clear()
    post.tell("a", "b", "c")

    assert post.sent == ["a", "b", "c"]
    assert len(post.warned) == 1


def test_a_channel_that_is_broken_breaks_no_other(tmp_path: Path) -> None:
    broken, fine = Post(tmp_path, a=Unreachable("Away.")), Post(tmp_path)

    broken.tell("a", channel="webhook")
    fine.tell("a", channel="editors")
    fine.tell("a", channel="editors")
    broken.fails.clear()
    broken.tell("a", channel="webhook")

    assert (broken.sent, fine.sent) == (["a"], ["a"])


def test_what_an_earlier_version_has_told_is_told_by_no_channel(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.tell("a")

    post.tell("a", channel="webhook")

    assert post.sent == ["a"]


def test_a_list_of_what_was_told_that_cannot_be_kept_ends_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    post = Post(tmp_path / "file")

    post.tell("a")

    assert post.sent == []
    assert len(post.warned) == 1


def desk(folder: Path, comments: list[object], warned: list[str]) -> Desk:
    """The desk of a run, with a Directus that has these comment rows."""

    def answer(request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/server/info":
                return httpx.Response(200, json={"data": {"version": "12.4.0"}})
            case "/users/me":
                return httpx.Response(200, json={"data": {"id": ID}})
            case "/comments":
                return httpx.Response(200, json={"data": comments})
        return httpx.Response(404)

    client = DirectusClient("http://directus", "token", transport=httpx.MockTransport(answer))
    return Desk(client, LocalStorage(folder), "posts", ["1"], warned.append)


@pytest.mark.parametrize("row", [{}, {"id": 1, "item": "1"}, {"id": 1, "item": "1", "comment": 7}, None, []])
def test_a_comment_that_nobody_can_read_fails_no_output(tmp_path: Path, row: object) -> None:
    warned: list[str] = []
    own = desk(tmp_path, [row], warned)

    own.waits("1", Notice(title="German", fault="Too long."))
    own.notify()

    assert warned
    assert all("Could not add Studio comments" in each for each in warned)


def test_an_outage_while_a_comment_is_made_is_told_to_the_run(tmp_path: Path) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    client = DirectusClient("http://directus", "token", transport=httpx.MockTransport(refuse))

    with pytest.raises(DirectusAssetsError):
        Desk(client, LocalStorage(tmp_path), "posts", ["1"], print).waits("1", Notice(title="German", fault="Long."))


def test_the_key_of_an_item_of_any_length_fits_into_the_subject(tmp_path: Path) -> None:
    sent: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(204)

    with DirectusClient("http://directus", "token", transport=httpx.MockTransport(answer)) as client:
        tell_of_reviews(client, ID, collection="posts", items=["k" * 255])

    assert len(str(sent[0]["subject"])) <= 255
