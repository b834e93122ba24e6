from collections.abc import Callable

import dagster as dg
import pytest

from directus_assets.errors import ConfigurationError, DirectusAssetsError, Overloaded, Unreachable
from directus_assets.orchestration.sensors.outages import Crier, through_outages


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def failing(error: DirectusAssetsError) -> Callable[[dg.SensorEvaluationContext], dg.SensorResult]:
    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        raise error

    return tick


def test_ten_sensors_say_the_same_once_a_minute() -> None:
    said: list[str] = []
    clock = Clock()
    crier = Crier(clock=clock, say=said.append)
    ticks = [through_outages(failing(Unreachable("Directus is away.")), crier=crier) for _ in range(10)]

    for second in range(0, 121, 5):
        clock.now = float(second)
        for tick in ticks:
            tick(dg.build_sensor_context(cursor="here"))

    assert said == ["Directus is away. Nothing is lost: the sensors will try again."] * 3


def test_requests_and_reasons_that_differ_are_one_outage_and_two_addresses_are_two() -> None:
    said: list[str] = []
    crier = Crier(clock=Clock(), say=said.append)

    for text in (
        "GET /activity on Directus at http://cms:8055 failed: refused.",
        "GET /settings on Directus at http://cms:8055 timed out.",
        "GET /fields on Directus at http://cms:8055/ failed (HTTP 503)",
        "Dagster's webserver at http://127.0.0.1:3000 does not respond: [Errno 111] Connection refused.",
    ):
        crier.tell(text)

    assert [text.partition(" ")[0] for text in said] == ["GET", "Dagster's"]


@pytest.mark.parametrize("error", [Unreachable("Away."), Overloaded("Away.", retry_after_seconds=3)])
def test_what_passes_skips_the_tick_and_leaves_its_cursor(error: DirectusAssetsError) -> None:
    tick = through_outages(failing(error), crier=Crier(say=lambda _: None))

    result = tick(dg.build_sensor_context(cursor="here"))

    assert isinstance(result, dg.SensorResult)
    assert isinstance(result.skip_reason, dg.SkipReason)
    assert (result.skip_reason.skip_message, result.cursor) == ("Away. The next tick tries again.", "here")


def test_what_somebody_has_to_put_right_fails_the_tick() -> None:
    tick = through_outages(failing(ConfigurationError("A mistake.")), crier=Crier(say=lambda _: None))

    with pytest.raises(ConfigurationError):
        tick(dg.build_sensor_context())
