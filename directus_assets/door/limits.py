"""Rate limits per user for pushes and clicks. Pure; callers pass the time."""

from dataclasses import dataclass, field

_WINDOW_SECONDS = 60.0
_MOST_USERS = 10_000


@dataclass
class UserLimit:
    """A maximum number per user and minute.

    >>> limit = UserLimit(2)
    >>> [limit.allows("anna", now=0.0), limit.allows("anna", now=1.0), limit.allows("anna", now=2.0)]
    [True, True, False]
    >>> limit.allows("anna", now=61.0)
    True
    """

    per_minute: int
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    """The start of each user's minute, with the count since then."""

    def allows(self, user: str, *, now: float) -> bool:
        """Whether this user may make one more request, which is then counted."""
        began, had = self._windows.get(user, (now, 0))
        if now - began >= _WINDOW_SECONDS:
            began, had = now, 0
        if had >= self.per_minute:
            return False
        if user not in self._windows and len(self._windows) >= _MOST_USERS:
            self._windows = {each: own for each, own in self._windows.items() if now - own[0] < _WINDOW_SECONDS}
            if len(self._windows) >= _MOST_USERS:
                return False
        self._windows[user] = (began, had + 1)
        return True
