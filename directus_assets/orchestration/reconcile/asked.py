"""The state of the reconcile and the sensors outside of Dagster's storage, next to the translation records."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, TypeAdapter

from directus_assets.directus.storage import KeptFile, Storage

_PLACE = "reconcile.json"
_FIRST = "existed_at_first.json"
_KEYS = TypeAdapter(dict[str, list[str]])


class Position(BaseModel):
    """How far a comparison has progressed."""

    collection: str
    step: Literal["register", "compare"] = "register"
    at: int = 0
    """Pages of rows that are registered, or partitions that are compared."""
    sees_rows: bool = False
    """Whether Directus has returned any row of the collection."""


class Asked(BaseModel):
    """A backfill that was requested."""

    backfill: str
    collection: str
    outputs: tuple[str, ...]
    keys: tuple[str, ...]


class Repair(BaseModel, frozen=True):
    """A lost output that was remade."""

    collection: str
    output: str
    key: str
    fingerprint: str


class Progress(BaseModel):
    """The persistent state of the reconcile."""

    position: Position | None = None
    """None if the last comparison was completed."""
    asked: tuple[Asked, ...] = ()
    """Backfills that had not ended at the last check."""
    repaired: frozenset[Repair] = frozenset()
    """Repairs by the last completed comparison."""
    repairing: frozenset[Repair] = frozenset()
    """Repairs by the current comparison."""


def read_place(storage: Storage) -> Progress:
    """Read the stored state; the initial state if there is none."""
    return _place_file(storage).read() or Progress()


def keep_place(storage: Storage, place: Progress) -> None:
    """Store the state."""
    _place_file(storage).write(place.model_dump_json().encode())


def note_first(storage: Storage, note: str, keys: Sequence[str]) -> None:
    """Record which rows existed when something was first derived from them, unless that is recorded already."""
    _change(storage, lambda noted: {note: list(keys), **noted})


def noted_as(storage: Storage, note: str) -> str:
    """The name of that note: the output's own, or that of its collection, which covers all languages of the first
    start.
    """
    noted = _first_file(storage).read() or {}
    collection = note.rpartition("/")[0]
    return collection if note not in noted and collection in noted else note


def keys_at_first(storage: Storage, collection: str) -> set[str] | None:
    """The rows that existed when the pipeline first started and have not been made since; None if not recorded yet."""
    keys = (_first_file(storage).read() or {}).get(collection)
    return None if keys is None else set(keys)


def forget_first(storage: Storage, collection: str, keys: Iterable[str]) -> None:
    """Remove rows that have been made: if Dagster loses its history, they are not mistaken for waiting rows."""
    gone = set(keys)

    def forget(noted: Mapping[str, list[str]]) -> dict[str, list[str]]:
        return {**noted, collection: [key for key in noted.get(collection, []) if key not in gone]}

    if gone:
        _change(storage, forget)


def _change(storage: Storage, change: Callable[[dict[str, list[str]]], Mapping[str, list[str]]]) -> None:
    _first_file(storage).update(lambda known: json.dumps(change(known or {})).encode())


def _place_file(storage: Storage) -> KeptFile[Progress]:
    return KeptFile(
        storage=storage,
        name=_PLACE,
        what="reconcile's saved position",
        loss="It starts over.",
        parse=Progress.model_validate_json,
    )


def _first_file(storage: Storage) -> KeptFile[dict[str, list[str]]]:
    return KeptFile(
        storage=storage,
        name=_FIRST,
        what="list of what existed when the pipeline first started",
        loss="Outputs that were never made wait for a backfill.",
        parse=_KEYS.validate_json,
    )
