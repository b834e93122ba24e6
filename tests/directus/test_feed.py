import datetime as dt
import random
from dataclasses import replace
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import USER_AGENT, DirectusClient
from directus_assets.directus.feed import (
    OVERLAP,
    FeedPage,
    FeedPosition,
    advance,
    begin_feed,
    foreign_changes,
    has_gone_back,
    read_deletions,
    read_feed,
)
from directus_assets.directus.models import Activity
from tests.directus_query import answer_query

BOT = "bot"


def entry(number: int, *, action: str = "update", user: str | None = "editor", agent: str = "Firefox") -> Activity:
    return Activity(
        id=number,
        action=action,
        collection="directus_files",
        item=f"file-{number}",
        user=user,
        user_agent=agent,
        timestamp=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )


class Log:
    """An activity log in which entries appear in any order, behind Directus' own filter."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.requests = 0

    def client(self) -> DirectusClient:
        return DirectusClient("http://directus.example.com", "t", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        return answer_query(request, map(self._row, self.ids))

    @staticmethod
    def _row(number: int) -> dict[str, Any]:
        return {
            "id": number,
            "action": "update",
            "collection": "directus_files",
            "item": f"file-{number}",
            "user": None,
            "user_agent": None,
            "timestamp": "2026-01-01T00:00:00.000Z",
        }


def read(log: Log, position: FeedPosition, *, limit: int = 500) -> tuple[list[int], FeedPosition]:
    with log.client() as client:
        page = read_feed(client, position, collections=["directus_files"], limit=limit)
    return [found.id for found in page.entries], page.position


def test_each_entry_is_read_once() -> None:
    log = Log()
    log.ids = {11, 12}

    first, position = read(log, FeedPosition(last_id=10, first_id=10))
    log.ids |= {13}
    second, position = read(log, position)
    third, _ = read(log, position)

    assert (first, second, third) == ([11, 12], [13], [])


def test_an_entry_that_becomes_visible_late_with_a_lower_id_is_not_lost() -> None:
    log = Log()
    log.ids = {11, 14}

    _, position = read(log, FeedPosition(last_id=10, first_id=10))
    log.ids |= {12, 13}
    late, position = read(log, position)

    assert late == [12, 13]
    assert position.last_id == 14
    assert position.seen == (11, 12, 13, 14)


def test_what_was_there_before_following_began_is_history() -> None:
    log = Log()
    log.ids = set(range(1, 101))

    news, position = read(log, FeedPosition(last_id=100, first_id=100))
    log.ids |= {101}
    later, _ = read(log, position)

    assert (news, later) == ([], [101])


def test_a_read_is_one_request_of_bounded_size_and_the_rest_waits() -> None:
    log = Log()
    log.ids = set(range(1, 26))

    first, position = read(log, FeedPosition(last_id=0), limit=10)
    second, position = read(log, position, limit=10)
    third, _ = read(log, position, limit=10)

    assert (first, second, third) == (list(range(1, 11)), list(range(11, 21)), list(range(21, 26)))
    assert log.requests == 3


def test_the_look_back_is_bounded() -> None:
    position = advance(FeedPosition(last_id=0), [entry(number) for number in range(1, 5001)])

    assert position.looks_back_to == 5000 - OVERLAP
    assert position.seen == tuple(range(5001 - OVERLAP, 5001))


def test_the_position_never_moves_back() -> None:
    position = FeedPosition(last_id=900, first_id=100, seen=(899, 900))

    assert advance(position, []) == position
    assert advance(position, [entry(450)]).last_id == 900
    assert advance(position, [entry(450)]).seen == (450, 899, 900)


@pytest.mark.parametrize("seed", range(20))
def test_no_entry_is_lost_or_read_twice_in_whatever_order_they_appear(seed: int) -> None:
    chance = random.Random(seed)
    # Each id becomes visible at most 100 places after its turn.
    order = sorted(range(1, 1001), key=lambda number: number + chance.uniform(0, 100))
    log, position, found = Log(), FeedPosition(last_id=0), []

    while order:
        visible, order = order[:37], order[37:]
        log.ids |= set(visible)
        ids, position = read(log, position, limit=25)
        found += ids
    while ids:
        ids, position = read(log, position, limit=25)
        found += ids

    assert sorted(found) == list(range(1, 1001))


@pytest.mark.parametrize(
    ("change", "is_foreign"),
    [
        (entry(1, user="editor", agent="Firefox"), True),
        (entry(1, user=BOT, agent=USER_AGENT), False),
        (entry(1, user=BOT, agent="Firefox"), True),
        (entry(1, user="editor", agent=USER_AGENT), True),
        (entry(1, user=None), True),
        (entry(1, action="create"), True),
        (entry(1, action="delete"), True),
        (entry(1, action="comment"), False),
        (entry(1, action="login"), False),
        (entry(1, action="run"), False),
    ],
)
def test_a_change_counts_unless_user_and_user_agent_are_ours(change: Activity, is_foreign: bool) -> None:
    assert foreign_changes([change], own_user_id=BOT) == ([change] if is_foreign else [])


@pytest.mark.parametrize("asked", [None, ["f1", "f2", "f3", "f4"]])
def test_deleted_is_what_the_feed_says_last(asked: list[str] | None) -> None:
    history = [("create", "f1"), ("delete", "f1"), ("delete", "f2"), ("create", "f2"), ("create", "f3")]
    history += [("delete", None)]  # as nothing of Directus' own writes it

    rows = [
        {"id": number, "collection": "directus_files", "action": action, "item": item}
        for number, (action, item) in enumerate(history)
    ]
    transport = httpx.MockTransport(lambda request: answer_query(request, rows))
    client = DirectusClient("http://directus.example.com", "t", transport=transport)

    assert read_deletions(client, "directus_files", asked) == {"f1"}


# A log that goes back


class History:
    """An activity log whose clock advances by a minute with each entry."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.clock = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        self.requests = 0

    def add(self, count: int, *, collection: str = "directus_files", action: str = "update", start: int = 0) -> None:
        for _ in range(count):
            self.clock += dt.timedelta(minutes=1)
            number = start or max([0, *(row["id"] for row in self.rows)]) + 1
            start = 0
            self.rows.append(
                {
                    "id": number,
                    "action": action,
                    "collection": collection,
                    "item": "one",
                    "user": "editor",
                    "user_agent": "Firefox",
                    "timestamp": self.clock.isoformat(),
                }
            )

    def go_back_to(self, number: int) -> None:
        """Restore a backup an hour later."""
        self.rows = [row for row in self.rows if row["id"] <= number]
        self.clock += dt.timedelta(hours=1)

    def prune(self, number: int, *, but: str = "run") -> None:
        """Prune old entries like Directus' retention; flow runs have a separate one."""
        self.rows = [row for row in self.rows if row["id"] > number or row["action"] == but]

    def client(self) -> DirectusClient:
        return DirectusClient("http://directus.example.com", "t", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        return answer_query(request, self.rows)

    def begin(self) -> FeedPosition:
        with self.client() as client:
            return begin_feed(client)

    def read(self, position: FeedPosition) -> FeedPage:
        with self.client() as client:
            page = read_feed(client, position, collections=["directus_files"])
            # What the next read is to find is what `doctor` finds.
            assert not has_gone_back(client, page.position)
            if page.starts_over:
                assert page.entries == ()
                page = replace(read_feed(client, page.position, collections=["directus_files"]), starts_over=True)
        return page

    def has_gone_back(self, position: FeedPosition) -> bool:
        with self.client() as client:
            return has_gone_back(client, position)


@pytest.fixture
def history() -> History:
    made = History()
    made.add(100)
    return made


def ids(page: FeedPage) -> list[int]:
    return [found.id for found in page.entries]


def without_witness(position: FeedPosition) -> FeedPosition:
    """The position as the previous version stored it."""
    return FeedPosition(last_id=position.last_id, first_id=position.first_id, seen=position.seen)


@pytest.mark.parametrize("news", [3, 39, 40, 41, 90])
def test_in_a_restored_log_the_feed_starts_over_with_what_is_new(history: History, news: int) -> None:
    position = history.begin()
    history.go_back_to(60)
    history.add(news)

    gone_back, page = history.has_gone_back(position), history.read(position)

    assert (gone_back, page.starts_over) == (True, True)
    assert ids(page) == list(range(61, 61 + news))
    history.add(1)
    assert ids(history.read(page.position)) == [61 + news]


@pytest.mark.parametrize(
    ("collection", "action"), [("directus_users", "login"), ("posts", "update"), ("directus_flows", "run")]
)
def test_a_log_that_has_overtaken_the_last_entry_is_told_by_what_that_was(
    history: History, collection: str, action: str
) -> None:
    position = history.begin()
    history.go_back_to(60)
    history.add(2)
    history.add(60, collection=collection, action=action)

    page = history.read(position)

    assert (page.starts_over, ids(page)) == (True, [61, 62])


def test_a_log_that_has_passed_over_the_id_of_the_last_entry_has_gone_back(history: History) -> None:
    """PostgreSQL leaves out the ids of what is rolled back."""
    position = history.begin()
    history.go_back_to(60)
    history.add(39)
    history.add(2, start=101)

    assert history.read(position).starts_over


def test_a_log_that_begins_again_is_read_from_its_beginning(history: History) -> None:
    position = history.begin()
    history.go_back_to(0)
    empty = history.read(position)
    history.add(2)

    page = history.read(empty.position)

    assert (empty.starts_over, page.starts_over, ids(page)) == (False, True, [1, 2])


def test_what_was_lost_of_other_collections_only_is_no_matter(history: History) -> None:
    position = history.begin()
    history.add(20, collection="posts")
    history.go_back_to(100)
    history.add(2)

    page = history.read(position)

    assert (page.starts_over, ids(page)) == (False, [101, 102])


@pytest.mark.parametrize("pruned", [50, 99, 100, 103])
def test_a_log_that_is_pruned_has_not_gone_back(history: History, pruned: int) -> None:
    history.rows[10] |= {"action": "run", "collection": "directus_flows"}
    position = history.begin()
    history.add(5, collection="posts")
    history.prune(pruned)

    quiet = history.read(position)
    history.add(1)
    page = history.read(quiet.position)

    assert (quiet.starts_over, page.starts_over) == (False, False)
    assert ids(page) == [106]
    history.go_back_to(105)
    history.add(1)
    assert history.read(page.position).starts_over


@pytest.mark.parametrize("kept", [True, False])
def test_a_quiet_read_is_one_request(history: History, kept: bool) -> None:
    position = history.begin()
    if not kept:
        history.prune(100)
        position = history.read(position).position
    history.requests = 0

    with history.client() as client:
        read_feed(client, position, collections=["directus_files"])

    assert history.requests == 1


def test_a_position_of_the_version_before_goes_on_and_learns_what_the_last_entry_was(history: History) -> None:
    position = without_witness(history.begin())
    history.add(2, collection="posts")
    with history.client() as client:
        page = read_feed(client, position, collections=["directus_files"])
    assert (history.requests, page.starts_over, ids(page)) == (2, False, [])

    history.go_back_to(60)
    history.add(50)

    assert history.read(page.position).starts_over


def test_a_position_of_the_version_before_that_the_log_has_not_reached_is_told(history: History) -> None:
    position = without_witness(history.begin())
    history.go_back_to(60)
    history.add(3)

    page = history.read(position)
    history.add(1)

    assert (page.starts_over, ids(page)) == (True, [])
    assert ids(history.read(page.position)) == [64]


def test_a_clock_that_differs_a_little_loses_nothing(history: History) -> None:
    """The backup is restored on another machine, at once."""
    position = history.begin()
    history.go_back_to(60)
    history.clock -= dt.timedelta(hours=1, minutes=3)
    history.add(3)

    assert {61, 62, 63} <= set(ids(history.read(position)))


@pytest.mark.parametrize(
    "odd",
    [
        {"timestamp": None},
        {"timestamp": "0000-00-00T00:00:00"},
        {"timestamp": "+012026-01-01T00:00:00.000Z"},
        {"timestamp": "9999-12-31T23:59:59-14:00"},
        {"timestamp": "0001-01-01T00:00:00+14:00"},
        {"timestamp": 7},
        {"timestamp": "2099-01-01T00:00:00+05:45"},
        {"item": None},
        {"item": ""},
        {"user_agent": "\ud83d" * 300},
    ],
)
@pytest.mark.parametrize("after", [0, 3])
def test_an_entry_that_nobody_can_read_does_not_stop_the_feed(
    history: History, odd: dict[str, Any], after: int
) -> None:
    position = history.begin()
    history.add(1)
    history.add(1)
    history.rows[-1] |= odd
    history.add(after)

    page = history.read(position)
    later = history.read(page.position)
    history.add(1)

    known = [101, *([102] if "item" not in odd else []), *range(103, 103 + after)]
    assert (ids(page), ids(later), ids(history.read(later.position))) == (known, [], [103 + after])
    assert not page.starts_over
    assert not later.starts_over


def test_an_empty_log_has_nothing_to_go_back_from() -> None:
    history = History()
    position = history.begin()
    history.add(2)

    page = history.read(position)

    assert (page.starts_over, ids(page)) == (False, [1, 2])
    assert page.position.witness is not None
