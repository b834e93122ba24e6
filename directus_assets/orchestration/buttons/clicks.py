"""Clicks on a button in the Studio: what was chosen, what is remembered until the end, and what the editor is told."""

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum

from pydantic import BaseModel, ConfigDict, TypeAdapter

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import KeptFile, Storage

_CLICKS = "clicks.json"
_LINES_SHOWN = 5


class Button(Enum):
    """What an editor may ask for. The value is what flows and run configs call it."""

    TRANSLATE = "translate"
    ACCEPT = "accept"
    KEEP = "keep"
    RENDER = "render"
    ENRICH = "enrich"

    @property
    def label(self) -> str:
        """What the form says."""
        return _LABELS[self]

    @property
    def made_by(self) -> "Button":
        """Whose outputs it is about: those that are made again by this one."""
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
    """That of the run which took it; all runs that it leads to carry it in a tag."""
    button: Button
    collection: str
    keys: tuple[str, ...]
    """The chosen items."""
    user: str
    """Who is told."""
    language: str = ""
    """The code of the only language that is asked for; empty for all."""
    field: str = ""
    """The only field that is asked for; empty for all."""
    passed_over: tuple[str, ...] = ()
    """Chosen items that nothing is derived from, or that are gone."""
    trouble: str = ""
    """Why it could not be taken."""


_KEPT = TypeAdapter(dict[str, Click])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What has become of the items of a click."""

    failed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Item to the reasons."""
    reviewed: Collection[str] = ()
    """Items with a human's text that was kept."""
    unmade: int = 0
    """Items of runs that ended before their turn."""
    endings: Sequence[str] = ()
    """How such runs ended."""
    left_out: Set[str] = frozenset()
    """Items that a filter leaves out."""
    kept: Set[str] = frozenset()
    """Items with texts or values of people, which stayed as they are."""
    written: Set[str] = frozenset()
    """Items in which fields were written."""
    sent: int | None = None
    """The segments that the engine has translated anew; None where nothing is translated."""


def open_clicks(storage: Storage) -> list[Click]:
    """The clicks that nobody has been told the outcome of."""
    return list((_file(storage).read() or {}).values())


def keep_click(storage: Storage, click: Click) -> None:
    """Remembers a click, or what has become known of it."""
    _change(storage, lambda kept: {**kept, click.id: click})


def forget_click(storage: Storage, click: Click) -> None:
    """Its editor has been told."""
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
    """The notification in Directus.

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
