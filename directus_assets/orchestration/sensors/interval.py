"""The interval of sensors."""

_SLACK = 1


def minimum_interval(seconds: int) -> int:
    """The `minimum_interval_seconds` for a sensor that should tick every `seconds`.

    Dagster's daemon checks its sensors every 5 s and skips those whose last tick started less than their minimum
    interval ago. A tick starts some milliseconds after the check, with jitter; so a sensor with exactly 5 s would often
    be skipped, and tick after 10 s.
    """
    return max(1, seconds - _SLACK)
