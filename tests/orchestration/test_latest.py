"""Records read directly from Dagster's tables, compared with Dagster's own view of them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from directus_assets.fast import latest
from directus_assets.fast.latest import Latest, read_latest
from directus_assets.orchestration.runs.history import all_materializations, latest_records
from tests.orchestration.test_batched_records import SQLITE, instance_in

CARD, HERO, WIPED = dg.AssetKey(["presets", "card"]), dg.AssetKey("hero"), dg.AssetKey("wiped")
ASSETS = {"card": CARD, "hero": HERO, "wiped": WIPED, "never": dg.AssetKey("never")}
KEYS = [f"f{number}" for number in range(1, 8)]

METADATA: dict[str, Any] = {
    "file": "Ünïcode 🙂 '\"",
    "empty": "",
    "bytes": 123_456_789_012,
    "seconds": 0.1,
    "endless": float("inf"),
    "link": dg.MetadataValue.url("http://127.0.0.1:8055/x"),
    "preview": dg.MetadataValue.md("![p](data:)"),
    "adopted": True,
    "fields": dg.MetadataValue.json({"a": [1]}),
    "derivatives": dg.MetadataValue.table(
        [dg.TableRecord({"name": "a.webp", "bytes": 12}), dg.TableRecord({"name": "a.png", "bytes": 0})]
    ),
}


@pytest.fixture(scope="module", params=["", SQLITE], ids=["stock", "batched"])
def instance(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with ExitStack() as stack:
        made = stack.enter_context(instance_in(tmp_path_factory.mktemp("home"), request.param))

        def record(key: dg.AssetKey, partition: str | None, version: str, **more: Any) -> None:
            tags = {"dagster/data_version": version, "dagster/code_version": "c"} if version else None
            made.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition, tags=tags, **more))

        for key in KEYS[:4]:
            record(CARD, key, f"first {key}")
        record(CARD, "f2", "second f2", metadata=METADATA)
        record(CARD, "f3", "", metadata={"bytes": 1}, description="without versions")
        record(CARD, None, "of no partition")
        record(HERO, "f2", "hero", metadata={"stored_as": "a.webp", "bytes": 7})
        made.report_runless_asset_event(dg.AssetObservation(HERO, partition="f3", metadata={"failed": "why"}))
        record(WIPED, "f1", "wiped")
        made.wipe_assets([WIPED])
        record(WIPED, "f2", "made again")
        yield made


def stock(instance: dg.DagsterInstance, keys: Sequence[str]) -> dict[tuple[str, str], Latest]:
    """The same as Dagster builds it, which is also what another Dagster gets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latest, "TESTED", ())
        assert read_latest(instance, CARD, keys) is None
        return latest_records(instance, ASSETS, keys)


def test_the_tables_say_what_dagster_says(instance: dg.DagsterInstance) -> None:
    fast = latest_records(instance, ASSETS, KEYS)

    assert read_latest(instance, CARD, KEYS)
    assert fast == stock(instance, KEYS)
    assert fast.keys() == {("card", key) for key in KEYS[:4]} | {("hero", "f2"), ("wiped", "f2")}
    assert fast["card", "f2"].tags["dagster/data_version"] == "second f2"
    assert fast["card", "f2"].metadata["derivatives"][1] == {"name": "a.png", "bytes": 0}
    assert fast["card", "f3"].tags == {}
    events = all_materializations(instance, CARD, ["f2"])
    assert fast["card", "f2"].timestamp == next(events).timestamp


def test_more_keys_than_fit_into_one_query_are_all_looked_up(instance: dg.DagsterInstance) -> None:
    keys = [*(f"absent {number}" for number in range(1200)), *KEYS]

    assert latest_records(instance, ASSETS, keys) == latest_records(instance, ASSETS, KEYS)
    assert latest_records(instance, ASSETS, []) == {}


def test_what_is_kept_in_another_form_is_left_to_dagster(tmp_path: Path) -> None:
    with instance_in(tmp_path) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(CARD, partition="f1", tags={"a": "1"}))
        with instance.event_log_storage.index_connection() as conn:
            conn.exec_driver_sql("UPDATE event_logs SET event = replace(event, 'metadata_entries', 'metadata')")

        assert read_latest(instance, CARD, ["f1"]) is None
        assert latest_records(instance, {"card": CARD}, ["f1"])["card", "f1"].tags["a"] == "1"
