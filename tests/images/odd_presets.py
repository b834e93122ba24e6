"""Presets that no form of Directus creates but that Directus accepts, since it does not validate them on saving."""

from typing import Any

MADE: list[dict[str, Any]] = [
    {"width": "200"},
    {"width": 0, "height": 50},
    {"width": "", "height": 50},
    {"width": " 77 "},
    {"width": "0x10"},
    {"width": "1e2"},
    {"width": True},
    {"width": [60]},
    {"width": 50, "quality": 0},
    {"width": 50, "quality": "70"},
    {"width": 50, "quality": True},
    {"width": 50, "quality": [60]},
    {"width": 50, "height": 40, "fit": None},
    {"width": 50, "height": 40, "fit": "fill"},
    {"width": 50, "format": "jpg"},
    {"width": 50, "format": "JPEG"},
    {"width": 50, "format": "tif", "quality": None},
    {"width": 50, "format": ""},
    {"width": 50, "format": False},
    {"width": 500, "withoutEnlargement": "false"},
    {"width": 500, "withoutEnlargement": []},
    {"width": 500, "withoutEnlargement": {}},
    {"width": 500, "withoutEnlargement": 0},
    {"width": 50, "transforms": None},
    {"width": 50, "transforms": []},
    {"width": 50, "transforms": ""},
    {"width": 50, "transforms": [["rotate", 200.5]]},
    {"width": 50, "height": 40, "focal_point_x": 10, "focal_point_y": 10},
    {"width": 50, "height": 40, "focal_point_x": "250", "focal_point_y": "7"},
    {"width": 50, "height": 40, "focal_point_x": "0", "focal_point_y": "0"},
    {"width": 50, "height": 40, "focal_point_x": 0, "focal_point_y": 0},
    {"width": 50, "height": 40, "focal_point_x": 10},
    {"width": 50, "height": 40, "focal_point_x": -4, "focal_point_y": 1e9},
    {"width": 50, "focal_point_x": 10, "focal_point_y": 10},
]
"""What Directus makes, and is made here."""

LEFT_TO_DIRECTUS: list[dict[str, Any]] = [
    {"width": 50, "format": "gif"},
    {"width": 50, "transforms": [["gif"]]},
    {"width": 50, "transforms": [["dilate", 2]]},
    {"width": 50, "transforms": [["affine", [[1, 0.3], [0.1, 0.7]]]]},
    {"width": 50, "transforms": [["withMetadata"]]},
    {"width": 50, "transforms": [["autoOrient"]]},
    {"width": 50, "transforms": [["timeout", {"seconds": 100}]]},
]
"""What Directus makes, and is not made here."""

REFUSED: list[dict[str, Any]] = [
    {"width": "0", "height": 50},
    {"width": "wide"},
    {"width": "1_0"},
    {"width": "Infinity", "height": 50},
    {"width": 200.5},
    {"width": 0.5},
    {"width": -5},
    {"width": 10**6},
    {"width": {}},
    {"width": 50, "quality": "0"},
    {"width": 50, "quality": 70.5},
    {"width": 50, "quality": 170},
    {"width": 50, "quality": "high"},
    {"width": 50, "height": 40, "fit": ""},
    {"width": 50, "height": 40, "fit": "strange"},
    {"width": 50, "height": 40, "fit": 5},
    {"width": 50, "height": 40, "fit": False},
    {"width": 50, "format": "foo"},
    {"width": 50, "format": "auto "},
    {"width": 50, "format": "jxl"},
    {"width": 50, "format": 5},
    {"width": 50, "format": True},
    {"width": 50, "transforms": ["rotate"]},
    {"width": 50, "transforms": "rotate"},
    {"width": 50, "transforms": '[["rotate", 90]]'},
    {"width": 50, "transforms": {}},
    {"width": 50, "transforms": 5},
    {"width": 50, "transforms": [[]]},
    {"width": 50, "transforms": [None]},
    {"width": 50, "transforms": [[5]]},
    {"width": 50, "transforms": [["explode"]]},
    {"width": 50, "transforms": [["rotate", "90"]]},
    {"width": 50, "height": 40, "focal_point_x": "left", "focal_point_y": "0"},
    {"width": 50.4, "height": 40, "focal_point_x": 10, "focal_point_y": 10},
]
"""What neither Directus makes nor is made here."""

REFUSED_BY_THE_NEWEST: list[dict[str, Any]] = [{"width": 2**60}]
"""What an older sharp reads as a number of 32 bits, and makes something of."""

REFUSED_HERE: list[dict[str, Any]] = [
    {"width": 50, "format": {"id": "webp"}},
    {"width": 50, "transforms": [[["rotate"], 90]]},
    {"width": 50, "transforms": [["clone"]]},
    {"width": 33, "key": "system-medium-cover"},
]
"""What Directus makes something of, and is taken for a mistake here."""

KEYS = [
    "with space", "ümläut", "a/b", 'quo"te', "sing'le", "x" * 200, "a&b=c", "%41", "😀", "-", ".", " leading", "a?b#c",
    "a,b", "<b>", "a\\b", "Case", "case", "",
]  # fmt: skip
"""Keys that Directus finds their presets by."""


def with_keys(presets: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    """These presets, each with a key of its own."""
    return [{"key": f"{prefix}-{number}", **preset} for number, preset in enumerate(presets)]
