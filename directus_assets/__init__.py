"""Keeps the derived content of a Directus project up to date by itself.

What a Dagster project may rely on is named in `__all__`; everything else may change with each release.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from directus_assets.orchestration.component import DirectusComponent
    from directus_assets.orchestration.specs import AssetProps

__all__ = ["AssetProps", "DirectusComponent"]


def __getattr__(name: str) -> Any:
    # Asked for by name only, so that what needs no Dagster does not wait for it.
    if name == "DirectusComponent":
        from directus_assets.orchestration.component import DirectusComponent

        return DirectusComponent
    if name == "AssetProps":
        from directus_assets.orchestration.specs import AssetProps

        return AssetProps
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
