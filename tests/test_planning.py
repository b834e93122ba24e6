import datetime as dt

import pytest

from directus_assets.directus.models import Activity
from directus_assets.planning.changes import Batch, Examination, batches, deleted_items, plan_changes, stale_outputs

ORDER = ["a", "b", "c", "d", "e", "f"]
CARD = frozenset({"card"})
BOTH = frozenset({"card", "hero"})


def batch(keys: str, outputs: frozenset[str] = CARD, *, is_range: bool = True) -> Batch:
    return Batch(keys=tuple(keys), outputs=outputs, is_range=is_range)


@pytest.mark.parametrize(
    ("stale", "size", "expected"),
    [
        ({}, 50, []),
        ({"a": CARD}, 50, [batch("a")]),
        (dict.fromkeys(ORDER, CARD), 50, [batch("abcdef")]),
        (dict.fromkeys(ORDER, CARD), 4, [batch("abcd"), batch("ef")]),
        (dict.fromkeys(ORDER, CARD), 1, [batch(key) for key in ORDER]),
        ({"a": CARD, "b": CARD, "d": CARD}, 50, [batch("abd", is_range=False)]),
        ({"a": CARD, "c": CARD, "d": CARD, "e": CARD}, 3, [batch("acd", is_range=False), batch("e")]),
        ({"f": CARD, "e": CARD, "d": CARD}, 50, [batch("def")]),
        ({"a": CARD, "b": BOTH, "c": BOTH}, 50, [batch("a"), batch("bc", BOTH)]),
        ({"a": CARD, "b": BOTH, "c": CARD}, 50, [batch("ac", is_range=False), batch("b", BOTH)]),
        ({"a": CARD, "z": CARD}, 50, [batch("a")]),
        ({"a": CARD, "b": frozenset(), "c": CARD}, 50, [batch("ac", is_range=False)]),
    ],
    ids=[
        "nothing",
        "one",
        "all in one",
        "as many as fit",
        "one each",
        "what is scattered shares a batch",
        "as many of them as fit",
        "in the order of partitions",
        "other outputs end a batch",
        "those of the same outputs share one",
        "an unknown partition is left out",
        "a partition without stale outputs is a gap",
    ],
)
def test_stale_outputs_become_batches(stale: dict[str, frozenset[str]], size: int, expected: list[Batch]) -> None:
    assert batches(stale, ORDER, size=size) == expected


def test_an_output_is_stale_where_its_fingerprint_is_another_or_none() -> None:
    wanted = {("card", "a"): "1", ("hero", "a"): "2", ("card", "b"): "3", ("card", "c"): "4"}
    made = {("card", "a"): "1", ("hero", "a"): "old", ("card", "b"): "3", ("gone", "a"): "9"}

    assert stale_outputs(wanted, made) == {"a": {"hero"}, "c": {"card"}}


@pytest.mark.parametrize(
    ("examination", "deleted", "known", "registered", "removed"),
    [
        (Examination(present=("a", "b")), [], {"a"}, ("b",), ()),
        (Examination(present=("a",)), ["a"], {"a"}, (), ()),
        (Examination(), ["a", "a"], {"a"}, (), ("a",)),
        (Examination(), ["a"], set(), (), ()),
        (Examination(), [], {"a"}, (), ()),
        (Examination(unfit=("a",)), [], {"a"}, (), ("a",)),
        (Examination(unfit=("a",)), [], set(), (), ()),
        (Examination(unready=("a",)), ["a"], {"a"}, (), ()),
        (Examination(unready=("a",)), [], set(), (), ()),
    ],
    ids=[
        "new",
        "deleted and there again",
        "deleted",
        "deleted before it was ever a partition",
        "not to be read, but not deleted: it may be a lost right",
        "no picture any more",
        "never a picture",
        "being uploaded again under its old id",
        "being uploaded",
    ],
)
def test_partitions_follow_what_directus_has(
    examination: Examination,
    deleted: list[str],
    known: set[str],
    registered: tuple[str, ...],
    removed: tuple[str, ...],
) -> None:
    plan = plan_changes(examination, deleted=deleted, known=known, materialized={})

    assert (plan.registered, plan.removed) == (registered, removed)


def entry(collection: str, action: str, item: str, *, number: int = 1) -> Activity:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Activity(
        id=number, action=action, collection=collection, item=item, user=None, user_agent=None, timestamp=moment
    )


def test_what_was_deleted_and_made_again_is_not_deleted() -> None:
    entries = [entry("posts", "create", "1", number=9), entry("posts", "delete", "1", number=8)]

    assert deleted_items(entries, "posts") == []


def test_deletions_count_in_their_own_collection_only() -> None:
    entries = [entry("posts", "delete", "1"), entry("posts", "update", "2"), entry("posts_translations", "delete", "3")]

    assert deleted_items(entries, "posts") == ["1"]
