"""The properties of our assets, and the hook with which a Dagster project customises them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import dagster as dg


@dataclass(frozen=True, kw_only=True)
class AssetProps:
    """What one asset represents.

    Attributes:
        kind: the kind of asset; a `source` represents content in Directus itself.
        key: the default key.
        group: the default group.
        collection: the Directus collection; `directus_files` for pictures.
        preset: the key of the preset of an `image_preset`.
        language: the code of the target language of a `translation`.
        enrichment: the name of an `enrichment`.
        description: Markdown; empty, like the group, if only the key is needed.
        kinds: the kinds shown in the UI.
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
"""Key, group, description, owners, tags, kinds and metadata of an asset.

The key must depend only on what the asset represents: the hook is called without a description, and more than once.
"""


def default_spec(props: AssetProps) -> dg.AssetSpec:
    """The spec of an asset without a hook."""
    return dg.AssetSpec(
        props.key, group_name=props.group or None, description=props.description or None, kinds=set(props.kinds) or None
    )
