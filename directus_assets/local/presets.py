"""The presets of the local Directus: one of every kind."""

from typing import Any


def _preset(key: str, fit: str, width: int | None, height: int | None, **more: Any) -> dict[str, Any]:
    """An entry as the Studio's form stores it: all keys, with `null` for empty ones."""
    empty = {"quality": None, "withoutEnlargement": None, "format": None, "transforms": None}
    return {"key": key, "fit": fit, "width": width, "height": height, **empty, **more}


PRESETS: list[dict[str, Any]] = [
    _preset("thumbnail", "cover", 200, 200, quality=80, format="webp"),
    _preset("card", "cover", 600, 400, quality=75, format="auto"),
    _preset("social", "cover", 1200, 630, quality=80, format="jpeg"),
    _preset("hero", "inside", 1600, None, quality=80, format="webp", withoutEnlargement=True),
    _preset("poster", "contain", 500, 500, format="png"),
    _preset("tile", "outside", 300, 300, quality=70, format="avif"),
    _preset("backdrop", "cover", 800, 450, quality=60, format="jpeg", transforms=[["grayscale"], ["blur", 8]]),
    _preset("print", "inside", 1000, 1000, format="tiff", withoutEnlargement=True),
    _preset("original-size", "inside", None, None, quality=82, format="webp"),
]
