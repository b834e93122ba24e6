"""Batches concurrent requests: many threads ask for one key each, and few requests answer them."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from directus_assets.errors import DirectusAssetsError, as_error

K = TypeVar("K")
V = TypeVar("V")


@dataclass(eq=False)
class Company:
    """Counts the workers that ask for similar things at about the same time."""

    size: int = 0
    patience_seconds: float = 0.025
    """How long a worker that asks waits for the others: about as long as a request takes."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Belong to them for the duration of the block."""
        with self._lock:
            self.size += 1
        try:
            yield
        finally:
            with self._lock:
                self.size -= 1


@dataclass(eq=False)
class _Question(Generic[K, V]):
    key: K
    answer: V | None = None
    is_answered: bool = False
    error: DirectusAssetsError | None = None
    is_alone: bool = False
    """Whether it must be requested alone, since a batch has failed."""


@dataclass(eq=False)
class Together(Generic[K, V]):
    """Callers that ask while a request is in flight are answered together by the next one.

    A caller waits for others only if it has company, and only for a moment, so a single caller is as fast as without
    batching. Every answer is from a request sent after its caller asked.

    Args:
        fetch: sends one request: returns answers by key, without those that do not exist.
        most: maximum keys per request.
        unrepeatable: errors that leave open whether the request was carried out. If repeating it would do harm, the
            whole batch gets such an error; after other errors each caller's key is requested again, alone.
        company: the workers that ask here; by default, nobody waits for others.
    """

    fetch: Callable[[Sequence[K]], Mapping[K, V]]
    most: int = 100
    unrepeatable: tuple[type[DirectusAssetsError], ...] = ()
    company: Company = field(default_factory=Company)
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _waiting: list[_Question[K, V]] = field(default_factory=list)
    _is_asking: bool = False

    def get(self, key: K) -> V | None:
        """The answer; None if it does not exist.

        Raises:
            DirectusAssetsError: as `fetch` raises for this key alone, so that callers are isolated from each other; or
                an unrepeatable error.
        """
        question = _Question[K, V](key)
        with self._turn:
            self._waiting.append(question)
            self._turn.notify_all()
        while not question.is_answered:
            if question.error:
                raise question.error
            if question.is_alone:
                return self.fetch([key]).get(key)
            self._take_turn()
        return question.answer

    def _take_turn(self) -> None:
        """Send the request for all waiting callers; if another thread is doing so, wait for it."""
        with self._turn:
            if self._is_asking:
                self._turn.wait_for(lambda: not self._is_asking)
                return
            self._is_asking = True
        asked: list[_Question[K, V]] = []
        try:
            with self._turn:
                self._turn.wait_for(self._is_complete, self.company.patience_seconds)
                asked, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
            answers = self.fetch(list(dict.fromkeys(each.key for each in asked))) if asked else {}
            for each in asked:
                each.answer, each.is_answered = answers.get(each.key), True
        except Exception as error:  # noqa: BLE001 - callers are isolated from each other's errors
            if len(asked) == 1 or isinstance(error, self.unrepeatable):
                for each in asked:
                    each.error = as_error(error)
        finally:
            for each in asked:
                each.is_alone = not (each.is_answered or each.error)
            with self._turn:
                self._is_asking = False
                self._turn.notify_all()

    def _is_complete(self) -> bool:
        return not self._waiting or len(self._waiting) >= min(self.company.size, self.most)
