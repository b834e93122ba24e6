"""Every error that leaves our code for Dagster is free of credentials, even an unforeseen one."""

import ast
import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import dagster as dg
import httpx
import pytest

from directus_assets.errors import DirectusAssetsError, Unexpected, as_error
from directus_assets.orchestration import rim
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.sensors.collection import build_partition_sensor
from directus_assets.redaction import hide
from tests.orchestration.scripted_project import ScriptedDirectus, ScriptedProject
from tests.orchestration.test_image_presets import CARD, CARD_KEY, Pipeline

SECRET = "Tok+en/of=nobody-9f31"
BODIES = {"asset", "multi_asset", "op", "sensor", "run_failure_sensor", "schedule"}


@pytest.fixture(autouse=True)
def _known() -> None:
    hide(SECRET)


def fail_with_the_secret(*_: object, **__: object) -> NoReturn:
    """As libraries do: the error repeats what they were given, and so does its cause."""
    cause = LookupError(f"no route for Authorization: Bearer {SECRET}")
    raise RuntimeError(f"GET /items?access_token={SECRET} is odd") from cause


def all_that_is_stored(instance: dg.DagsterInstance) -> str:
    return "".join(dg.serialize_value(entry) for run in instance.get_runs() for entry in instance.all_logs(run.run_id))


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def test_a_sensor_fails_without_the_secret() -> None:
    project = ScriptedProject(ScriptedDirectus())
    project.__dict__["directus"].require_supported = fail_with_the_secret
    sensor = build_partition_sensor([Files(project, [])], project, name="sensor", description="", jobs=[])

    with pytest.raises(Unexpected) as found, dg.DagsterInstance.ephemeral() as instance:
        sensor(dg.build_sensor_context(instance=instance))

    assert "RuntimeError: GET /items?access_token=*** is odd" in shown(found.value)
    assert SECRET not in shown(found.value)


def test_an_asset_fails_without_the_secret(tmp_path: Path) -> None:
    class Maker:
        make = staticmethod(fail_with_the_secret)

    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(instance, tmp_path)
        pipeline.add("a")
        pipeline.project.__dict__["maker"] = Maker()
        assert not pipeline.run("a", presets=[CARD])

        stored = all_that_is_stored(instance)
        assert pipeline.statuses(CARD_KEY) == {"a": "FAILED"}
    assert "RuntimeError: GET /items?access_token=*** is odd" in stored
    assert SECRET not in stored
    assert "fail_with_the_secret" in stored  # where it happened is shown all the same


def test_a_job_fails_without_the_secret() -> None:
    @dg.op
    @without_secrets
    def broken(context: dg.OpExecutionContext) -> None:
        fail_with_the_secret()

    @dg.job(executor_def=dg.in_process_executor)
    def job() -> None:
        broken()

    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance, raise_on_error=False)

        stored = all_that_is_stored(instance)
    assert not done.success
    assert "RuntimeError" in stored
    assert SECRET not in stored


def test_an_order_to_dagster_stays_one_and_loses_the_cause_that_holds_the_secret() -> None:
    @dg.op
    @without_secrets
    def broken(context: dg.OpExecutionContext) -> None:
        try:
            fail_with_the_secret()
        except RuntimeError as error:
            raise dg.RetryRequested(max_retries=1, seconds_to_wait=0) from error

    @dg.job(executor_def=dg.in_process_executor)
    def job() -> None:
        broken()

    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance, raise_on_error=False)

        stored = all_that_is_stored(instance)
    assert len([event for event in done.all_events if event.is_step_up_for_retry]) == 1
    assert SECRET not in stored


def test_a_body_that_yields_fails_without_the_secret() -> None:
    @without_secrets
    def body() -> Iterator[int]:
        yield 1
        fail_with_the_secret()

    with pytest.raises(Unexpected) as found:
        list(body())

    assert SECRET not in shown(found.value)


@pytest.mark.parametrize(
    "error", [KeyError("title"), httpx.ReadTimeout("slow"), Unexpected("x"), dg.Failure("x"), OSError(28, "full")]
)
def test_an_error_without_a_secret_stays_as_it_is(error: Exception) -> None:
    @without_secrets
    def body() -> None:
        raise error

    with pytest.raises(type(error)) as found:
        body()

    assert found.value is error


@pytest.mark.parametrize(
    "spelled", [SECRET, httpx.QueryParams(t=SECRET)["t"], json.dumps(SECRET), repr(SECRET.encode())]
)
def test_a_cause_of_our_own_error_is_not_shown_with_a_secret(spelled: str) -> None:
    @without_secrets
    def body() -> None:
        raise DirectusAssetsError("It failed.") from ValueError(spelled)

    with pytest.raises(DirectusAssetsError) as found:
        body()

    assert SECRET not in shown(found.value)


@pytest.mark.parametrize("before", range(470, 500, 3))
def test_no_half_of_a_secret_is_left_where_a_long_text_is_cut(before: int) -> None:
    assert SECRET[:8] not in str(as_error(ValueError("x" * before + SECRET)))


def test_every_body_that_dagster_calls_is_wrapped() -> None:
    bare = []
    for path in Path(rim.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                names = [ast.unparse(each).partition("(")[0] for each in node.decorator_list]
                if {f"dg.{kind}" for kind in BODIES} & set(names) and names[-1] != "without_secrets":
                    bare.append(f"{path.name}: {node.name}")
    assert bare == []
