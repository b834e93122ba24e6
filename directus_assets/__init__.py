"""Keeps the derived content of a Directus project up to date automatically.

`__all__` is the public API for Dagster projects; everything else may change with each release.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from directus_assets.orchestration.component import DirectusComponent
    from directus_assets.orchestration.specs import AssetProps

__all__ = ["AssetProps", "DirectusComponent"]


def __getattr__(name: str) -> Any:
    # Imported lazily, so that code without Dagster does not wait for it.
    if name == "DirectusComponent":
        from directus_assets.orchestration.component import DirectusComponent

        return DirectusComponent
    if name == "AssetProps":
        from directus_assets.orchestration.specs import AssetProps

        return AssetProps
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
