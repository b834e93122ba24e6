"""Runs over partitions that are not contiguous: Dagster has none, so the run's tags list them."""

import json
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.utils import make_new_run_id

from directus_assets.errors import BadInput
from directus_assets.orchestration.runs.history import failed_outputs, fingerprints
from directus_assets.planning.changes import Batch
from directus_assets.run_tags import (
    CHANGE,
    KEYS_TAG,
    PUSH,
    TRIGGER_TAG,
    batch_tags,
    keys_of_run,
    keys_of_tags,
    range_tags,
)
from tests.orchestration.dagster_rules import check_tags
from tests.orchestration.test_recorder import CARD, FILES, HERO, KEYS, Scripted, trouble_with

ASSETS = {"card": CARD, "hero": HERO}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        ephemeral.add_dynamic_partitions("files", KEYS)
        yield ephemeral


def batch(*keys: str, is_range: bool = False) -> Batch:
    return Batch(keys=keys, outputs=frozenset({"card"}), is_range=is_range)


def run(instance: dg.DagsterInstance, scripted: Scripted, *keys: str) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [scripted.definition()], instance=instance, tags=batch_tags(batch(*keys)), raise_on_error=False
    )


def test_exactly_the_named_partitions_are_made(instance: dg.DagsterInstance) -> None:
    done = run(instance, Scripted(), "f01", "f05", "f08")

    assert done.success
    made = fingerprints(instance, ASSETS, KEYS)
    assert made == {(name, key): f"v-{key}" for name in ASSETS for key in ("f01", "f05", "f08")}
    assert instance.get_status_by_partition(CARD, KEYS, FILES) == {
        key: dg.AssetPartitionStatus.MATERIALIZED if key in ("f01", "f05", "f08") else None for key in KEYS
    }


def test_what_fails_shows_as_failed_and_nothing_else(instance: dg.DagsterInstance) -> None:
    """Beside what was made, what was right already, and what the run was not over."""
    run(instance, Scripted(), "f02", "f03")
    broken = Scripted(trouble_with("f08", BadInput("broken")), right=frozenset({"f03"}))

    done = run(instance, broken, "f01", "f03", "f08")

    assert not done.success
    assert failed_outputs(instance, ASSETS, KEYS, partitions_name="files") == {("card", "f08"), ("hero", "f08")}


def test_what_is_made_later_shows_as_failed_no_more(instance: dg.DagsterInstance) -> None:
    run(instance, Scripted(trouble_with("f08", BadInput("broken"))), "f01", "f08")

    run(instance, Scripted(), "f05", "f08")

    assert failed_outputs(instance, ASSETS, KEYS, partitions_name="files") == set()


def test_an_outage_shows_all_that_was_not_tried(instance: dg.DagsterInstance) -> None:
    broken_off = Scripted(outage=("f05", BadInput("The token has lost a right.")))

    run(instance, broken_off, "f01", "f05", "f08")

    failed = failed_outputs(instance, ASSETS, KEYS, partitions_name="files")
    assert failed == {(name, key) for name in ASSETS for key in ("f05", "f08")}


def test_a_pushed_run_gives_way_to_that_of_a_sensor(instance: dg.DagsterInstance) -> None:
    """Both were asked for in the same moment, and neither could know of the other."""
    asked = {TRIGGER_TAG: CHANGE, **range_tags("f01", "f05")}
    instance.add_run(
        dg.DagsterRun(
            job_name="__ephemeral_asset_job__", run_id=make_new_run_id(), status=dg.DagsterRunStatus.STARTED, tags=asked
        )
    )
    scripted = Scripted()

    done = dg.materialize(
        [scripted.definition()], instance=instance, tags={**batch_tags(batch("f02", "f08")), TRIGGER_TAG: PUSH}
    )

    assert done.success
    assert {key for _, _, key in scripted.made} == {"f08"}


@pytest.mark.parametrize("width", [1, 36, 255])
def test_however_many_and_long_keys_are_dagster_can_keep_them(width: int) -> None:
    keys = [f"{number}".rjust(min(width, 85), "鍵") for number in range(200)]

    tags = batch_tags(batch(*keys))

    check_tags({"key": name, "value": value} for name, value in tags.items())
    assert keys_of_tags(tags) == keys


def test_neighbours_stay_a_range_that_dagster_knows() -> None:
    tags = batch_tags(batch("f01", "f02", is_range=True))

    assert KEYS_TAG not in tags
    assert keys_of_tags(tags) == []
    assert keys_of_run(tags, lambda: KEYS) == ["f01", "f02"]


def test_a_run_tells_which_partitions_it_is_over() -> None:
    scattered = {KEYS_TAG: json.dumps(["f01", "f05"])}
    one = {"dagster/partition": "f01"}

    def order() -> list[str]:
        raise AssertionError("All partitions are many, and need not be asked for.")

    assert [keys_of_run(each, order) for each in (scattered, one)] == [["f01", "f05"], ["f01"]]
    assert keys_of_run({}, order) == []
