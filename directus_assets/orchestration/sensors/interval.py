"""How often sensors look."""

_SLACK = 1


def minimum_interval(seconds: int) -> int:
    """The `minimum_interval_seconds` of a sensor that is to look every `seconds`.

    Dagster's daemon looks at its sensors every 5 s and passes over those whose last tick began less than their minimum
    interval ago. A tick begins some milliseconds after the look, now more, now fewer; so a sensor with just 5 s would
    often be passed over, and tick after 10 s.
    """
    return max(1, seconds - _SLACK)
