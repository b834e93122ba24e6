"""A lock with expiry, shared by all runs and machines with the same storage; it survives the death of a holder."""

import datetime as dt
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.errors import TransientError


@dataclass(frozen=True)
class _Turn:
    """The holder of the lock, and its expiry."""

    holder: str
    until: dt.datetime

    def to_json(self) -> bytes:
        return json.dumps({"holder": self.holder, "until": self.until.isoformat()}).encode()


_NOBODYS = _Turn("", dt.datetime.min.replace(tzinfo=dt.UTC))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A lock that expires.

    Args:
        storage: shared by everyone who competes for the lock.
        name: the lock file.
        seconds: the time to expiry unless renewed, which is how long others wait for a dead holder.
        patience_seconds: the maximum time to wait for the lock.
        clock: returns the current time, aware; the machines' clocks may differ by less than `seconds`.
        sleep: waits for seconds.
    """

    storage: Storage
    name: str
    seconds: float = 60.0
    patience_seconds: float = 300.0
    clock: Callable[[], dt.datetime] = _now
    sleep: Callable[[float], None] = time.sleep

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Acquire the lock and release it at the end of the block.

        Yields a function that renews it, to be called before each step.

        Raises:
            TransientError: the lock could not be acquired in time; or, on renewal, it had expired and belongs to
                another holder.
        """
        holder = secrets.token_hex(8)
        deadline = time.monotonic() + self.patience_seconds
        while not self._take(holder, only_own=False):
            if time.monotonic() > deadline:
                raise TransientError(f"Another run has been working on {self.storage.describe()} for too long.")
            self.sleep(0.05 + secrets.randbelow(200) / 1000)

        def renew() -> None:
            if not self._take(holder, only_own=True):
                raise TransientError(f"A step on {self.storage.describe()} took longer than {self.seconds:.0f} s.")

        try:
            yield renew
        finally:
            self._give_back(holder)

    def _take(self, holder: str, *, only_own: bool) -> bool:
        taken = False

        def change(known: _Turn | None) -> bytes:
            nonlocal taken
            now, turn = self.clock(), known or _NOBODYS
            taken = turn.holder == holder or (not only_own and (not turn.holder or turn.until <= now))
            return (_Turn(holder, now + dt.timedelta(seconds=self.seconds)) if taken else turn).to_json()

        self._file.update(change)
        return taken

    def _give_back(self, holder: str) -> None:
        def change(known: _Turn | None) -> bytes:
            return (_NOBODYS if known is None or known.holder == holder else known).to_json()

        self._file.update(change)

    @property
    def _file(self) -> KeptFile[_Turn]:
        return KeptFile(
            storage=self.storage,
            name=self.name,
            what="lease",
            loss="Nobody holds the lease.",
            parse=self._parsed,
        )

    def _parsed(self, content: bytes) -> _Turn:
        row = json.loads(content)
        turn = _Turn(str(row["holder"]), dt.datetime.fromisoformat(row["until"]).astimezone(dt.UTC))
        if turn.until > self.clock() + dt.timedelta(seconds=2 * self.seconds):
            raise ValueError("it ends later than any lease can")
        return turn
