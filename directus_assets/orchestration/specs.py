"""What an asset of ours stands for, and how Dagster shows it: the hook by which a Dagster project makes it its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import dagster as dg


@dataclass(frozen=True, kw_only=True)
class AssetProps:
    """What one asset stands for.

    Attributes:
        kind: what it is; a `source` is what Directus itself has.
        key: what it is called unless the hook says otherwise.
        group: the group that it is in unless the hook says otherwise.
        collection: the collection of Directus; `directus_files` for pictures.
        preset: the key of the preset, of an `image_preset`.
        language: the code of the target language, of a `translation`.
        enrichment: the name of the enrichment, of an `enrichment`.
        description: Markdown; it and the group are empty where only the key is asked for.
        kinds: what the UI shows as its kinds.
    """

    kind: Literal["source", "image_preset", "translation", "enrichment"]
    key: dg.AssetKey
    group: str
    collection: str
    preset: str = ""
    language: str = ""
    enrichment: str = ""
    description: str = ""
    kinds: frozenset[str] = frozenset()


SpecOf: TypeAlias = Callable[[AssetProps], dg.AssetSpec]
"""Key, group, description, owners, tags, kinds and metadata of an asset. The key depends on what the asset stands for
alone: it is asked for without a description, and more than once."""


def default_spec(props: AssetProps) -> dg.AssetSpec:
    """The asset as it is without a hook."""
    return dg.AssetSpec(
        props.key, group_name=props.group or None, description=props.description or None, kinds=set(props.kinds) or None
    )
