import pytest

from directus_assets.orchestration.sensors.interval import minimum_interval

LOOKS_EVERY = 5
"""Seconds between two looks of Dagster's daemon at its sensors."""


@pytest.mark.parametrize("seconds", [5, 30, 60])
@pytest.mark.parametrize("late", [0, 0.3, 0.9])
def test_a_tick_that_began_late_after_a_look_does_not_make_the_next_one_late(seconds: int, late: float) -> None:
    looks = range(LOOKS_EVERY, 10 * seconds, LOOKS_EVERY)

    due = next(look for look in looks if look - late >= minimum_interval(seconds))

    assert due == seconds


def test_a_second_is_the_least_that_dagster_knows() -> None:
    assert minimum_interval(1) == 1
