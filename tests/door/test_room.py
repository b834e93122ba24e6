"""When a batch is planned and started, with a clock that only waiting moves."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from directus_assets.directus.storage import LocalStorage
from directus_assets.door.gathering import Changes
from directus_assets.door.requests import Changed
from directus_assets.door.room import Room
from directus_assets.door.secrets import KnownSecrets
from directus_assets.errors import Unreachable
from tests.door.served import Carried

Arrivals = Sequence[tuple[float, str]]


@dataclass
class Clock:
    """A clock that advances when someone waits, delivers the pushes due by then, and finally stops the room."""

    arrivals: list[tuple[float, str]]
    now: float = 0.0
    room: Room | None = None

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float | None) -> None:
        """Wait until this time has passed or a push arrives, whichever is first."""
        assert self.room
        end = float("inf") if seconds is None else round(self.now + seconds, 6)
        if self.arrivals and self.arrivals[0][0] <= end:
            moment, key = self.arrivals.pop(0)
            self.now = max(self.now, moment)
            self.room.take(Changed(collection="posts", keys=[key]))
        elif seconds is None:
            self.room.stop()
        else:
            self.now = end


class Turn(threading.Condition):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.wait(timeout)
        return True


@dataclass
class Planner(Carried):
    """Records what it plans and starts, and when."""

    clock: Clock = field(default_factory=lambda: Clock([]))
    takes_seconds: float = 0.06
    answers: list[Exception | None] = field(default_factory=list)
    """What comes of the first plans instead of something to do."""
    plans: list[tuple[float, str]] = field(default_factory=list)
    starts: list[tuple[float, str]] = field(default_factory=list)

    def plan(self, changes: Changes) -> Callable[[], None] | None:  # type: ignore[override]
        keys = " ".join(changes["posts"])
        self.plans.append((self.clock.now, keys))
        end = round(self.clock.now + self.takes_seconds, 6)
        while self.clock.now < end:
            self.clock.wait(end - self.clock.now)
        if self.answers:
            if error := self.answers.pop(0):
                raise error
            return None
        return lambda: self.starts.append((self.clock.now, keys))


def worked(folder: Path, arrivals: Arrivals, **options: Any) -> Planner:
    """The actions of a room on these pushes."""
    clock = Clock(list(arrivals))
    planner = Planner(clock=clock, **options)
    clock.room = Room(planner, KnownSecrets(LocalStorage(folder)), clock=clock, _turn=Turn(clock))
    clock.room.work()
    return planner


CASES: Mapping[str, tuple[Arrivals, list[tuple[float, str]], list[tuple[float, str]]]] = {
    # The plan takes 0.06 s, which is longer than a push that is alone waits for others.
    "one": ([(0.0, "1")], [(0.0, "1")], [(0.06, "1")]),
    "two that come one after the other": (
        [(0.0, "1"), (1.0, "2")],
        [(0.0, "1"), (1.0, "2")],
        [(0.06, "1"), (1.06, "2")],
    ),
    "another while the first is planned": (
        [(0.0, "1"), (0.03, "2")],
        [(0.0, "1"), (0.23, "1 2")],
        [(0.29, "1 2")],
    ),
    "others after that": (
        [(0.0, "1"), (0.03, "2"), (0.2, "3")],
        [(0.0, "1"), (0.4, "1 2 3")],
        [(0.46, "1 2 3")],
    ),
    "others after the first, which was alone": (
        [(0.0, "1"), (0.15, "2"), (0.3, "3")],
        [(0.0, "1"), (0.15, "2"), (0.5, "2 3")],
        [(0.06, "1"), (0.56, "2 3")],
    ),
    "the same again, which may have changed since": (
        [(0.0, "1"), (0.03, "1")],
        [(0.0, "1"), (0.23, "1")],
        [(0.29, "1")],
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_a_batch_is_planned_while_it_waits_and_anew_only_if_more_came(tmp_path: Path, what: str) -> None:
    arrivals, plans, starts = CASES[what]

    planner = worked(tmp_path, arrivals)

    assert (planner.plans, planner.starts) == (plans, starts)


def test_a_burst_costs_two_plans_and_is_claimed_as_it_arrives(tmp_path: Path) -> None:
    keys = [str(number) for number in range(16)]

    planner = worked(tmp_path, [(round(0.06 * number, 6), key) for number, key in enumerate(keys)])

    assert [names for _, names in planner.plans] == ["0", " ".join(keys)]
    assert planner.starts == [(1.06, " ".join(keys))]
    assert planner.claims[0] == {"posts": ["0"]}
    assert planner.claims[-1] == {"posts": keys}


def test_a_plan_that_takes_longer_than_the_wait_starts_at_once(tmp_path: Path) -> None:
    planner = worked(tmp_path, [(0.0, "1"), (2.0, "2")], takes_seconds=0.7)

    assert planner.starts == [(0.7, "1"), (2.7, "2")]


@pytest.mark.parametrize("answer", [None, Unreachable("Directus is busy"), RuntimeError("nobody has foreseen this")])
def test_an_early_plan_without_anything_to_do_is_made_again_at_the_end(
    tmp_path: Path, answer: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        planner = worked(tmp_path, [(0.0, "1")], answers=[answer])

    assert planner.plans == [(0.0, "1"), (0.06, "1")]
    assert planner.starts == [(0.12, "1")]
    assert not caplog.records


def test_what_fails_at_the_end_is_told_once_and_the_next_batch_is_carried_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failure = partial(Unreachable, "Directus is down")
    with caplog.at_level(logging.WARNING):
        planner = worked(tmp_path, [(0.0, "1"), (2.0, "2")], answers=[failure(), failure()])

    assert planner.starts == [(2.06, "2")]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
