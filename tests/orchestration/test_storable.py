"""Metadata corrupted by an editor or an engine, which webserver and database still have to accept."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from directus_assets.orchestration.runs.storable import storable

HALF = "bicycle \ud83d"
SPOILT: dict[str, Any] = {
    "text": HALF,
    "nul": "a\x00b",
    "markdown": dg.MetadataValue.md(f"**{HALF}**"),
    "url": dg.MetadataValue.url(f"https://cms.example/{HALF}"),
    "json": dg.MetadataValue.json({HALF: [HALF, float("nan"), {"deep": 10**400}]}),
    "table": dg.MetadataValue.table([dg.TableRecord({"field": HALF, "cost": float("inf")})]),
    "nan": float("nan"),
    "infinite": dg.MetadataValue.float(float("inf")),
    "huge": 10**5000,
    "large": dg.MetadataValue.int(2**80),
    HALF: 1,
}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def test_what_dagster_holds_can_be_sent_to_a_browser(instance: dg.DagsterInstance) -> None:
    key = dg.AssetKey("spoilt")
    instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=storable(SPOILT)))

    event = instance.get_latest_materialization_event(key)

    assert event
    assert event.asset_materialization
    found = {name: value.value for name, value in event.asset_materialization.metadata.items() if name != "table"}
    # As Starlette writes what the webserver answers.
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    assert found["text"] == "bicycle \ufffd"
    assert found["nul"] == "a\ufffdb"
    assert found["markdown"] == "**bicycle \ufffd**"
    assert found["nan"] == "nan"
    assert found["infinite"] == "inf"
    assert found["json"]["bicycle \ufffd"][1] == "nan"
    assert all(str(found[name]).startswith("0x") for name in ("huge", "large"))
    table = event.asset_materialization.metadata["table"]
    assert isinstance(table, dg.TableMetadataValue)
    assert table.records[0].data == {"field": "bicycle \ufffd", "cost": "inf"}


def test_what_is_sound_stays_as_it_is() -> None:
    metadata = {
        "text": "Straße 🚲",
        "number": 7,
        "yes": True,
        "seconds": 0.5,
        "url": dg.MetadataValue.url("https://cms.example"),
        "json": dg.MetadataValue.json({"tags": ["a", None, 1.5]}),
        "table": dg.MetadataValue.table([dg.TableRecord({"a": 1})]),
        "empty": dg.MetadataValue.table([], schema=dg.TableSchema(columns=[dg.TableColumn("a")])),
        "asset": dg.MetadataValue.asset(dg.AssetKey("a")),
    }

    assert storable(metadata) == metadata
