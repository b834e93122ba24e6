"""Notifies people of permanent failures: the editor in Directus, and a webhook."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import httpx
from pydantic import TypeAdapter

from directus_assets.directus.client import DirectusClient, certificates
from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.errors import (
    DirectusAssetsError,
    Forbidden,
    NotFound,
    TransientError,
    Unreachable,
    as_error,
    from_status,
)
from directus_assets.json_text import as_json

NOTIFICATIONS_RIGHT = ("directus_notifications", "create")
"""The permission that `notify.editors` needs: collection and action."""

ROLE_RIGHTS = (("directus_users", "read"), ("directus_roles", "read"), NOTIFICATIONS_RIGHT)
"""The permission needed to notify the users of a role."""

_TOLD = "notified.json"
_DIGESTS = TypeAdapter(list[str])
_REMEMBERED = 5000
"""How many causes are stored; an older one is reported again if it recurs."""
_CAUSES_SHOWN = 5
_ITEMS_SHOWN = 20
_LONGEST_SUBJECT = 255
"""The maximum length in characters of Directus' column."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Why outputs of one item failed."""

    collection: str
    item: str
    text: str

    def digest(self, channel: str = "") -> str:
        """The key under which a report of the cause is stored, by channel."""
        told = [self.collection, self.item, self.text, *([channel] if channel else [])]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """Causes reported to one recipient in one message."""

    causes: Sequence[Cause]
    send: Callable[[], None]
    """Raises DirectusAssetsError."""


def tell_new(
    storage: Storage,
    causes: Iterable[Cause],
    letters: Callable[[Sequence[Cause]], Iterable[Letter]],
    *,
    warn: Callable[[str], None],
    channel: str = "",
) -> None:
    """Report new causes to people.

    A recipient who refuses does not affect the others, and errors are only passed to `warn`: the work itself is done.

    Args:
        storage: records what people have been told. What could not be sent is sent next time.
        causes: all causes.
        letters: builds the messages for the new ones.
        warn: receives what could not be sent, with the reason.
        channel: the channel, if there are several; each keeps its own record.
    """
    try:
        new = _new_causes(storage, causes, channel)
        untold = set(new)
        try:
            waiting = list(letters(new))
            untold = {cause for letter in waiting for cause in letter.causes}
            for letter in waiting:
                try:
                    letter.send()
                except (TransientError, Forbidden):
                    raise
                except DirectusAssetsError as error:
                    warn(str(error))
                else:
                    untold.difference_update(letter.causes)
        finally:
            _forget_causes(storage, untold, channel)
    except Exception as error:  # noqa: BLE001 - unsent reports are sent later; the run has more to do
        warn(str(as_error(error)))


def _new_causes(storage: Storage, causes: Iterable[Cause], channel: str) -> list[Cause]:
    """Select failures that were not reported yet, and mark them as reported."""
    wanted = {cause.digest(channel): cause for cause in causes}
    new: list[Cause] = []

    def note(known: list[str] | None) -> bytes:
        told = known or []
        # Earlier versions recorded a cause once for all channels.
        new[:] = [cause for digest, cause in wanted.items() if not {digest, cause.digest()} & set(told)]
        return json.dumps([*told, *(cause.digest(channel) for cause in new)][-_REMEMBERED:]).encode()

    if wanted:
        _told_file(storage).update(note)
    return new


def _forget_causes(storage: Storage, causes: Iterable[Cause], channel: str) -> None:
    """Mark these as not reported, since reporting failed; they will be reported next time."""
    gone = {cause.digest(channel) for cause in causes}
    if not gone:
        return

    def forget(told: list[str] | None) -> bytes:
        return json.dumps([digest for digest in told or [] if digest not in gone]).encode()

    _told_file(storage).update(forget)


def _told_file(storage: Storage) -> KeptFile[list[str]]:
    return KeptFile(
        storage=storage,
        name=_TOLD,
        what="list of failures already reported",
        loss="They may be reported again.",
        parse=_DIGESTS.validate_json,
    )


def last_editors(
    client: DirectusClient, collection: str, items: Sequence[str], *, within_days: int | None = None
) -> dict[str, str]:
    """Map each item to the user who changed it last, other than ourselves, as far as the change feed knows.

    Args:
        client: Directus.
        collection: of the items.
        items: their keys.
        within_days: only changes within this period, by Directus' clock.
    """
    editors: dict[str, str] = {}
    conditions: list[dict[str, object]] = [
        {"collection": {"_eq": collection}},
        {"action": {"_in": ["create", "update"]}},
        {"user": {"_nnull": True}},
        {"user": {"_neq": client.own_user_id}},
    ]
    if within_days is not None:
        conditions.append({"timestamp": {"_gte": f"$NOW(-{within_days} days)"}})
    matching = {"_and": conditions}
    for row in client.rows_with("/activity", "item", items, matching=matching, fields=["item", "user"], sort="-id"):
        editors.setdefault(str(row["item"]), str(row["user"]))
    return editors


def tell_editor(client: DirectusClient, recipient: str, causes: Sequence[Cause]) -> None:
    """Send one notification in Directus about one item.

    Raises:
        DirectusAssetsError: Directus refuses (see `NOTIFICATIONS_RIGHT`) or does not answer.
    """
    first = causes[0]
    client.post(
        "/notifications",
        {
            "recipient": recipient,
            "subject": "We couldn't generate content from your change",
            "message": "\n\n".join(cause.text for cause in causes[:_CAUSES_SHOWN]),
            "collection": first.collection,
            "item": first.item,
        },
    )


def tell_of_reviews(client: DirectusClient, recipient: str, *, collection: str, items: Sequence[str]) -> None:
    """Send one notification in Directus about all items of a collection that wait for review since a run.

    Raises:
        DirectusAssetsError: as for `tell_editor`.
    """
    names = ", ".join(items[:_ITEMS_SHOWN]) + (f" and {len(items) - _ITEMS_SHOWN} more" if items[_ITEMS_SHOWN:] else "")
    what = f"{len(items)} items of '{collection}' wait" if items[1:] else f"Item {names} of '{collection}' waits"
    client.post(
        "/notifications",
        {
            "recipient": recipient,
            "subject": f"{what} for your review"[:_LONGEST_SUBJECT],
            "message": (
                "You changed the source of texts that people wrote or edited. We kept those texts, but they "
                f"may be out of date. A comment on the item shows each text next to a proposal: {names}."
            ),
            "collection": collection,
            **({} if items[1:] else {"item": items[0]}),
        },
    )


def tell_role(client: DirectusClient, role: str, *, subject: str, message: str, collection: str, item: str) -> None:
    """Send one notification about one item to each active user of a role.

    Args:
        client: Directus.
        role: the name or the id of the role.
        subject: of the notification.
        message: its text, Markdown.
        collection: of the item.
        item: its key.

    Raises:
        NotFound: there is no such role with active users, as far as the token can see.
        DirectusAssetsError: Directus refuses (see `ROLE_RIGHTS`) or does not answer.
    """
    # PostgreSQL refuses to compare an id with a text that is not an id. Some projects have a user for each visitor, so
    # the request is limited to the role.
    condition = {"status": {"_eq": "active"}, "role": {"id" if _is_id(role) else "name": {"_eq": role}}}
    recipients = [row["id"] for row in client.rows("/users", fields=["id"], filter=condition, sort="id")]
    if not recipients:
        raise NotFound(f"No active user has the role '{role}'.", remedy="Use the name or id of a Directus role.")
    body = {"subject": subject, "message": message, "collection": collection, "item": item}
    # One by one: on SQLite, Directus 10 writes a list in transactions that block each other for a minute.
    for recipient in recipients:
        client.post("/notifications", {**body, "recipient": recipient})


def _is_id(role: str) -> bool:
    try:
        return bool(uuid.UUID(role))
    except ValueError:
        return False


def call_webhook(url: str, body: Mapping[str, object], *, transport: httpx.BaseTransport | None = None) -> None:
    """Send a POST with a JSON body.

    Raises:
        Unreachable: no answer; the error does not name the address, which may contain a secret.
        DirectusAssetsError: it answers with an error.
    """
    remedy = "Check `notify.webhook` in the YAML file."
    try:
        with httpx.Client(timeout=10, transport=transport, verify=certificates()) as http:
            answer = http.post(url, content=as_json(body), headers={"Content-Type": "application/json"})
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise Unreachable(f"The webhook did not respond: {type(error).__name__}.", remedy=remedy) from None
    if not answer.is_success:
        raise from_status(answer.status_code, "The webhook refused", remedy=remedy)
