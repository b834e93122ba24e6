"""Many threads that ask for one thing each, answered with few requests."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from directus_assets.errors import DirectusAssetsError, as_error

K = TypeVar("K")
V = TypeVar("V")


@dataclass(eq=False)
class _Question(Generic[K, V]):
    key: K
    answer: V | None = None
    is_answered: bool = False
    error: DirectusAssetsError | None = None
    is_alone: bool = False
    """Whether it has to be asked without others, since asking together has failed."""


@dataclass(eq=False)
class Together(Generic[K, V]):
    """Whoever asks while a request is under way is answered by the next one, with all others who wait for it.

    Nobody waits for others to ask, so that a caller alone is as fast as without. Every answer is from a request that
    was sent after its caller had asked.

    Args:
        fetch: one request: answers by key, none for what is not there.
        most: keys in one request.
        unrepeatable: errors that leave open whether the request was carried out. Where asking twice does harm, all who
            have asked together get such an error; after others each asks again, alone.
    """

    fetch: Callable[[Sequence[K]], Mapping[K, V]]
    most: int = 100
    unrepeatable: tuple[type[DirectusAssetsError], ...] = ()
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _waiting: list[_Question[K, V]] = field(default_factory=list)
    _is_asking: bool = False

    def get(self, key: K) -> V | None:
        """The answer; None for what is not there.

        Raises:
            DirectusAssetsError: as `fetch` for this key alone, so that nobody suffers from what others ask for; or what
                is unrepeatable.
        """
        question = _Question[K, V](key)
        with self._turn:
            self._waiting.append(question)
        while not question.is_answered:
            if question.error:
                raise question.error
            if question.is_alone:
                return self.fetch([key]).get(key)
            self._take_turn()
        return question.answer

    def _take_turn(self) -> None:
        """Asks for all who wait; or, where somebody else does so, waits for the end of that."""
        with self._turn:
            if self._is_asking:
                self._turn.wait_for(lambda: not self._is_asking)
                return
            asked, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
            self._is_asking = True
        try:
            answers = self.fetch(list(dict.fromkeys(each.key for each in asked))) if asked else {}
            for each in asked:
                each.answer, each.is_answered = answers.get(each.key), True
        except Exception as error:  # noqa: BLE001 - nobody suffers from what others ask for
            if len(asked) == 1 or isinstance(error, self.unrepeatable):
                for each in asked:
                    each.error = as_error(error)
        finally:
            for each in asked:
                each.is_alone = not (each.is_answered or each.error)
            with self._turn:
                self._is_asking = False
                self._turn.notify_all()
