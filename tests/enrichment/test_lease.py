"""The expiring lock between processes that share a storage."""

import datetime as dt
import threading
from pathlib import Path

import pytest

from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.lease import Lease
from directus_assets.errors import TransientError

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


def lease(folder: Path, clock: Clock | None = None, *, patience_seconds: float = 300.0) -> Lease:
    storage = LocalStorage(folder)
    if clock is None:
        return Lease(storage=storage, name="turn.json", patience_seconds=patience_seconds)
    return Lease(storage=storage, name="turn.json", clock=clock, sleep=clock.sleep, patience_seconds=patience_seconds)


def test_only_one_works_at_a_time(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with lease(tmp_path).held():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def test_the_turn_of_one_that_died_ends_by_itself(tmp_path: Path) -> None:
    clock = Clock()
    lease(tmp_path, clock)._take("the dead", only_own=False)

    with lease(tmp_path, clock).held():
        assert clock.now >= NOON + dt.timedelta(seconds=60)


def test_one_that_took_too_long_learns_it_when_it_renews(tmp_path: Path) -> None:
    clock = Clock()

    with lease(tmp_path, clock).held() as renew:
        clock.sleep(50)
        renew()
        clock.sleep(61)
        with lease(tmp_path, clock).held() as renew_other:
            with pytest.raises(TransientError, match="took longer"):
                renew()
            renew_other()


def test_waiting_ends_when_patience_does(tmp_path: Path) -> None:
    with (
        lease(tmp_path).held(),
        pytest.raises(TransientError, match="too long"),
        lease(tmp_path, patience_seconds=0.2).held(),
    ):
        raise AssertionError("Two at once.")


def test_a_turn_ends_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lease(tmp_path).held():
        raise ZeroDivisionError

    with lease(tmp_path, patience_seconds=0.2).held():
        pass


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 5000,
        b'{"holder": "me"}',
        b'{"holder": "me", "until": 1e400}',
        b'{"holder": "me", "until": "9999-12-31T00:00:00+00:00"}',
        b'{"holder": "me", "until": "0001-01-01T00:00:00+14:00"}',
        b'{"holder": "me", "until": "2020-01-01T00:00:00"}',
    ],
)
def test_a_damaged_file_is_nobodys_turn(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "turn.json").write_bytes(damaged)

    with lease(tmp_path, patience_seconds=0.2).held() as renew:
        renew()


def test_a_folder_in_the_place_of_the_file_is_nobodys_turn(tmp_path: Path) -> None:
    (tmp_path / "turn.json").mkdir()

    with lease(tmp_path, patience_seconds=0.2).held() as renew:
        renew()
