"""Names of partitions, asset keys, groups and tags: each written once, here."""

import hashlib
import re

import dagster as dg

files_partitions = dg.DynamicPartitionsDefinition(name="directus_files")
"""One partition for each picture; its key is the id of the file."""

files_key = dg.AssetKey(["directus", "files"])

IMAGES_GROUP = "images"
TRANSLATIONS_GROUP = "translations"
PRIORITY_TAG = "dagster/priority"
PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

TRIGGER_TAG = "directus_assets/trigger"
"""Why a run was started by itself: `change` or `scan`. Such a run leaves alone what is already right; a run that a
person starts makes everything again."""

FRESH_PRIORITY = "10"
SCAN_PRIORITY = "-10"


_TAKEN = frozenset({"files", "settings"})
"""What `directus_files` and `directus_settings_sensor` stand for already."""


def collection_name(collection: str) -> str:
    """What Dagster calls a collection of the project: its own name, wherever Dagster takes that."""
    if re.fullmatch(r"[A-Za-z0-9_]+", collection) and collection not in _TAKEN:
        return collection
    return _distinct(re.sub(r"[^A-Za-z0-9_]+", "_", collection), collection)


def items_partitions(collection: str) -> dg.DynamicPartitionsDefinition:
    """One partition for each item of a collection; its key is the item's primary key."""
    return dg.DynamicPartitionsDefinition(name=f"directus_{collection_name(collection)}")


def items_key(collection: str) -> dg.AssetKey:
    """The collection itself, as an asset that Directus makes."""
    return dg.AssetKey(["directus", collection_name(collection)])


def translation_asset_key(collection: str, language: str) -> dg.AssetKey:
    """`translations/<collection>/<language code>`."""
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", language)
    return dg.AssetKey(
        ["translations", collection_name(collection), safe if safe == language else _distinct(safe, language)]
    )


def preset_asset_key(preset_key: str) -> dg.AssetKey:
    """`image_presets/<preset key>`; characters that Dagster refuses are replaced, and a digest keeps keys apart."""
    if re.fullmatch(r"[A-Za-z0-9_.-]+", preset_key):
        return dg.AssetKey(["image_presets", preset_key])
    return dg.AssetKey(["image_presets", _distinct(re.sub(r"[^A-Za-z0-9_.-]+", "_", preset_key), preset_key)])


def _distinct(safe: str, name: str) -> str:
    return f"{safe}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags of a run over a contiguous range of partitions, both ends included."""
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}
