"""Clicks on a button in the Studio: the selection, its stored state, and the reply to the editor."""

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum

from pydantic import BaseModel, ConfigDict, TypeAdapter

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import KeptFile, Storage

_CLICKS = "clicks.json"
_LINES_SHOWN = 5


class Button(Enum):
    """An action that an editor can request. The value is its name in flows and run configs."""

    TRANSLATE = "translate"
    ACCEPT = "accept"
    KEEP = "keep"
    RENDER = "render"
    ENRICH = "enrich"

    @property
    def label(self) -> str:
        """The label in the form."""
        return _LABELS[self]

    @property
    def made_by(self) -> "Button":
        """The button that remakes the same outputs."""
        return Button.TRANSLATE if self in (Button.ACCEPT, Button.KEEP) else self


_LABELS = {
    Button.TRANSLATE: "Translate again",
    Button.ACCEPT: "Accept the proposals",
    Button.KEEP: "Keep what people wrote",
    Button.RENDER: "Render presets again",
    Button.ENRICH: "Enrich again",
}


class Click(BaseModel):
    """One click that has not been answered yet."""

    model_config = ConfigDict(frozen=True)

    id: str
    """The id of the run that accepted the click; all runs it leads to carry it in a tag."""
    button: Button
    collection: str
    keys: tuple[str, ...]
    """The chosen items."""
    user: str
    """The user to notify."""
    language: str = ""
    """The code of the only requested language; empty for all."""
    field: str = ""
    """The only requested field; empty for all."""
    passed_over: tuple[str, ...] = ()
    """Chosen items that are gone or have no derived content."""
    trouble: str = ""
    """Why the click could not be accepted."""


_KEPT = TypeAdapter(dict[str, Click])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What happened to the items of a click."""

    failed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Items, each with the reasons for its failure."""
    reviewed: Collection[str] = ()
    """Items with a human text that was kept."""
    unmade: int = 0
    """Items whose run ended before it reached them."""
    endings: Sequence[str] = ()
    """How such runs ended."""
    left_out: Set[str] = frozenset()
    """Items that a filter excludes."""
    kept: Set[str] = frozenset()
    """Items with human texts or values, which stayed as they are."""
    written: Set[str] = frozenset()
    """Items in which fields were written."""
    sent: int | None = None
    """The number of segments that the engine translated; None if nothing is translated."""


def open_clicks(storage: Storage) -> list[Click]:
    """The clicks that still await a reply."""
    return list((_file(storage).read() or {}).values())


def keep_click(storage: Storage, click: Click) -> None:
    """Store a click, or its updated state."""
    _change(storage, lambda kept: {**kept, click.id: click})


def forget_click(storage: Storage, click: Click) -> None:
    """Delete a click whose editor has been notified."""
    _change(storage, lambda kept: {key: each for key, each in kept.items() if key != click.id})


def notification(click: Click, outcome: Outcome) -> dict[str, object]:
    """The body of the notification: `done`, `failed` with the reasons, or `needs review`."""
    failed, reviewed = set(outcome.failed), set(outcome.reviewed).difference(outcome.failed)
    left_out = set(outcome.left_out) - failed - reviewed
    passed_over = left_out.union(click.passed_over)
    total = len(click.keys)
    done = 0 if click.trouble else total - len(failed | reviewed) - len(passed_over) - outcome.unmade
    counts = [
        f"{count} {name}"
        for name, count in (
            ("failed", total if click.trouble else len(failed) + outcome.unmade),
            ("need review" if len(reviewed) > 1 else "needs review", len(reviewed)),
            ("left out", len(passed_over)),
        )
        if count
    ]
    lines = [
        *([click.trouble] if click.trouble else []),
        *dict.fromkeys(reason for reasons in outcome.failed.values() for reason in reasons),
        *outcome.endings,
    ]
    if len(lines) > _LINES_SHOWN:
        lines = [*lines[:_LINES_SHOWN], f"And {len(lines) - _LINES_SHOWN} more: see Dagster."]
    if reviewed:
        lines.append(f"Edited texts were kept although their source has changed: {_named(reviewed)}.")
    if passed_over:
        lines.append(
            "Left out, because a filter excludes them (drafts, for example), they no longer exist, or nothing is "
            f"generated from them: {_named(passed_over)}."
        )
    if outcome.kept:
        lines.append(f"Texts that people wrote were kept: {_named(outcome.kept)}.")
    if click.button is Button.ACCEPT and done:
        lines.append(_accepted(outcome.written))
    elif click.button is Button.KEEP and done:
        lines.append("Texts that were waiting for review now count as correct for the current source.")
    elif outcome.sent is not None and done:
        lines.append(_translated_anew(outcome.sent))
    only = {"item": click.keys[0]} if total == 1 else {}
    return {
        "recipient": click.user,
        "subject": f"{click.button.label}: {', '.join([f'{done} of {total} done', *counts])}",
        "message": "\n\n".join(lines) or ("Everything was made again." if done else "Nothing was made."),
        "collection": click.collection,
        **only,
    }


def _translated_anew(sent: int) -> str:
    if not sent:
        return "Nothing was sent to the engine: every text is empty or was edited by a person."
    return f"The engine retranslated {sent} segment{'s' if sent > 1 else ''}."


def _accepted(written: Collection[str]) -> str:
    if not written:
        return "No text was waiting for review."
    return f"Proposals replaced texts that were waiting for review: {_named(written)}."


def tell_clicker(client: DirectusClient, click: Click, outcome: Outcome) -> None:
    """Send the editor a notification in Directus.

    Raises:
        DirectusAssetsError: Directus refuses (see `NOTIFICATIONS_RIGHT`) or does not answer.
    """
    client.post("/notifications", notification(click, outcome))


def _named(keys: Collection[str]) -> str:
    names = sorted(keys)
    rest = f" and {len(names) - _LINES_SHOWN} more" if len(names) > _LINES_SHOWN else ""
    return ", ".join(names[:_LINES_SHOWN]) + rest


def _change(storage: Storage, change: Callable[[dict[str, Click]], dict[str, Click]]) -> None:
    _file(storage).update(lambda kept: _KEPT.dump_json(change(kept or {})))


def _file(storage: Storage) -> KeptFile[dict[str, Click]]:
    return KeptFile(
        storage=storage,
        name=_CLICKS,
        what="list of clicks awaiting a reply",
        loss="The people who clicked will not be notified.",
        parse=_KEPT.validate_json,
    )
