"""A Dagster instance with a synthetic history: all presets of many files, materialized.

One materialization of each asset is recorded normally. The others are copies of its rows in Dagster's SQLite tables
(dagster 1.13), since recording 40,000 takes seven minutes.
"""

import datetime as dt
import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg

from bench.bed import PRESETS
from directus_assets.directus.models import File
from directus_assets.images.plan import code_version, fingerprint
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.runs.history import version_tags

NAMES = Names()

_PREVIEW = "![preview](data:image/webp;base64," + "UklGRiQ" * 400 + ")"
"""As long as those of real pictures."""


def file_key(number: int) -> str:
    """A key in the form of Directus' ids."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def file_row(number: int) -> File:
    """The file with this number."""
    key = file_key(number)
    return File(
        id=key,
        storage="local",
        filename_disk=f"{key}.jpg",
        filename_download="picture.jpg",
        title="A picture",
        type="image/jpeg",
        filesize=3_000_000,
        width=4000,
        height=3000,
        focal_point_x=None,
        focal_point_y=None,
        uploaded_on="2026-01-01T00:00:00",
        modified_on="2026-01-01T00:00:00",
    )


def add_rows(directus_database: Path, numbers: range) -> None:
    """Files in Directus itself, as rows of its SQLite database (Directus 12); their pictures do not exist."""
    columns = (
        "id, storage, filename_disk, filename_download, title, type, filesize, width, height, uploaded_on, modified_on"
    )
    names = [name.strip() for name in columns.split(",")]
    # Directus keeps times as milliseconds since 1970 there.
    moment = int(dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
    rows = ({**asdict(file_row(number)), "uploaded_on": moment, "modified_on": moment} for number in numbers)
    with closing(sqlite3.connect(directus_database, timeout=60)) as database, database:
        database.executemany(
            f"INSERT INTO directus_files ({columns}) VALUES ({', '.join(f':{name}' for name in names)})",  # noqa: S608
            ({name: row[name] for name in names} for row in rows),
        )


def fill(instance: dg.DagsterInstance, home: Path, count: int) -> None:
    """Registers `count` files, and materializes all presets for each, with the fingerprints that they have.

    Args:
        instance: an instance on SQLite, without materializations of these assets.
        home: its folder.
        count: how many files.
    """
    keys = [file_key(number) for number in range(count)]
    instance.add_dynamic_partitions(str(NAMES.files_partitions.name), keys)
    for preset in PRESETS:
        asset_key = NAMES.preset(preset.key)
        first = fingerprint(file_row(0), preset)
        tags = version_tags(data_version=first, code_version=code_version(preset), source=NAMES.files)
        event = dg.AssetMaterialization(asset_key, partition=keys[0], metadata=metadata_of(preset.key), tags=tags)
        instance.report_runless_asset_event(event)
    with closing(sqlite3.connect(home / "history" / "runs" / "index.db")) as database, database:
        for preset in PRESETS:
            made = [fingerprint(file_row(number), preset) for number in range(count)]
            _copy(database, json.dumps(NAMES.preset(preset.key).path), keys, made)


def _copy(database: sqlite3.Connection, asset: str, keys: list[str], made: list[str]) -> None:
    columns = "run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition"
    (template,) = database.execute(
        f"SELECT id, {columns} FROM event_logs WHERE asset_key = ? AND partition = ?",  # noqa: S608 (no input)
        (asset, keys[0]),
    ).fetchall()
    tags = database.execute(
        'SELECT asset_key, "key", value, event_timestamp FROM asset_event_tags WHERE event_id = ?', template[:1]
    ).fetchall()
    (last,) = database.execute("SELECT max(id) FROM event_logs").fetchone()
    others = list(enumerate(zip(keys[1:], made[1:], strict=True), last + 1))
    rows = (
        (number, template[1], template[2].replace(keys[0], key).replace(made[0], version), *template[3:7], key)
        for number, (key, version) in others
    )
    database.executemany(f"INSERT INTO event_logs (id, {columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608
    database.executemany(
        'INSERT INTO asset_event_tags (event_id, asset_key, "key", value, event_timestamp) VALUES (?, ?, ?, ?, ?)',
        (
            (number, asset_key, name, version if value == made[0] else value, moment)
            for number, (_, version) in others
            for asset_key, name, value, moment in tags
        ),
    )


def metadata_of(preset: str) -> dict[str, Any]:
    """Metadata of a partition, of realistic size."""
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
