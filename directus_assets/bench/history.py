"""A Dagster instance with a history that nobody had to wait for: all presets of many files, materialized.

One materialization of each asset is recorded in the ordinary way. The others are copies of its rows in Dagster's SQLite
tables (dagster 1.13), since recording 40,000 takes seven minutes.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg

from directus_assets.bench.bed import PRESETS
from directus_assets.images.plan import code_version
from directus_assets.orchestration.materialized import version_tags
from directus_assets.orchestration.names import Names

NAMES = Names()

_PREVIEW = "![preview](data:image/webp;base64," + "UklGRiQ" * 400 + ")"
"""As long as those of real pictures."""


def file_key(number: int) -> str:
    """A key in the form of Directus' ids."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def fill(instance: dg.DagsterInstance, home: Path, count: int) -> None:
    """Registers `count` files, and materializes all presets for each.

    Args:
        instance: an instance on SQLite, without materializations of these assets.
        home: its folder.
        count: how many files.
    """
    keys = [file_key(number) for number in range(count)]
    instance.add_dynamic_partitions(str(NAMES.files_partitions.name), keys)
    for preset in PRESETS:
        asset_key = NAMES.preset(preset.key)
        tags = version_tags(data_version="0123456789abcdef", code_version=code_version(preset), source=NAMES.files)
        event = dg.AssetMaterialization(asset_key, partition=keys[0], metadata=metadata_of(preset.key), tags=tags)
        instance.report_runless_asset_event(event)
    with closing(sqlite3.connect(home / "history" / "runs" / "index.db")) as database, database:
        for preset in PRESETS:
            _copy(database, json.dumps(NAMES.preset(preset.key).path), keys[0], keys[1:])


def _copy(database: sqlite3.Connection, asset: str, first: str, others: list[str]) -> None:
    columns = "run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition"
    (template,) = database.execute(
        f"SELECT id, {columns} FROM event_logs WHERE asset_key = ? AND partition = ?",  # noqa: S608 (no input)
        (asset, first),
    ).fetchall()
    tags = database.execute(
        'SELECT asset_key, "key", value, event_timestamp FROM asset_event_tags WHERE event_id = ?', template[:1]
    ).fetchall()
    (last,) = database.execute("SELECT max(id) FROM event_logs").fetchone()
    rows = (
        (last + index, template[1], template[2].replace(first, key), *template[3:7], key)
        for index, key in enumerate(others, 1)
    )
    database.executemany(f"INSERT INTO event_logs (id, {columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608
    database.executemany(
        'INSERT INTO asset_event_tags (event_id, asset_key, "key", value, event_timestamp) VALUES (?, ?, ?, ?, ?)',
        ((last + index, *tag) for index in range(1, len(others) + 1) for tag in tags),
    )


def metadata_of(preset: str) -> dict[str, Any]:
    """What a partition shows, in the sizes of real ones."""
    return {
        "file": "A picture",
        "delivery": "storage",
        "link": dg.MetadataValue.url(f"http://127.0.0.1:8055/assets/{file_key(0)}?key={preset}"),
        "seconds": 0.1,
        "bytes": 123_456,
        "format": "webp",
        "width": 1200,
        "height": 630,
        "ratio_to_original": 0.04,
        "stored_as": f"{file_key(0)}__0123456789012345678901234567890123456789.webp",
        "preview": dg.MetadataValue.md(_PREVIEW),
    }
