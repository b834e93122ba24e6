"""srcset in an export's manifest: browsers choose only between pictures that look the same."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from directus_assets.directus.models import Preset
from directus_assets.directus.version import NEWEST, Version
from directus_assets.images.delivery import MANIFEST
from directus_assets.images.export_names import export_name, folder_of
from directus_assets.images.outcomes import Failed
from directus_assets.images.srcset import srcsets
from tests.images.odd_presets import KEYS
from tests.images.scripted_directus import ScriptedDirectus, picture
from tests.machine import lacking

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

SIZE = (1500, 1000)


def export(folder: Path, presets: Sequence[Preset], **fields: Any) -> dict[str, Any]:
    """The manifest's row of one picture of 1500 x 1000 pixels through these presets."""
    uploads, target = folder / "uploads", folder / "export"
    uploads.mkdir()
    target.mkdir()
    directus = ScriptedDirectus(uploads, list(presets))
    file = directus.add("f1", picture(SIZE), width=SIZE[0], height=SIZE[1], **fields)
    maker = directus.maker({preset.key: "export" for preset in presets}, export=target)
    assert [outcome for outcome in maker.make({file: presets}) if isinstance(outcome, Failed)] == []
    row: dict[str, Any] = json.loads((target / MANIFEST).read_bytes())["files"]["f1"]
    return row


def chosen_from(row: dict[str, Any]) -> set[frozenset[str]]:
    """The presets whose outputs share a srcset."""
    folders = {folder_of(key): key for key in row["presets"]}
    return {
        frozenset(folders[candidate.split("/")[0]] for candidate in srcset.split(", "))
        for srcset in row["srcset"].values()
    }


def webp(key: str, **parameters: Any) -> Preset:
    return Preset(key=key, format="webp", **parameters)


def test_twelve_mixed_presets_share_only_where_they_look_the_same(tmp_path: Path) -> None:
    row = export(
        tmp_path,
        [
            webp("whole-300", width=300),
            webp("whole-700", width=700, fit="inside", height=700),
            webp("cover-of-the-same-ratio", width=600, height=400, fit="cover"),
            webp("crop-300", width=300, height=299, fit="cover"),
            webp("crop-600", width=600, height=598),
            # The same to two decimals.
            webp("crop-other", width=400, height=400, fit="cover"),
            webp("boxed", width=500, height=333, fit="contain"),
            webp("boxed-larger", width=1000, height=666, fit="contain"),
            webp("grey", width=350, transforms=(("greyscale",),)),
            webp("grey-larger", width=750, transforms=(("grayscale",),)),
            webp("blurred", width=360, transforms=(("blur", 9),)),
            webp("blurred-larger", width=760, transforms=(("blur", 9),)),
        ],
    )

    assert chosen_from(row) == {
        frozenset({"whole-300", "whole-700", "cover-of-the-same-ratio"}),
        frozenset({"crop-300", "crop-600"}),
        frozenset({"crop-other"}),
        frozenset({"boxed", "boxed-larger"}),
        frozenset({"grey"}),
        frozenset({"grey-larger"}),
        # Nine pixels are more of a small picture than of a large one.
        frozenset({"blurred"}),
        frozenset({"blurred-larger"}),
    }
    assert len(row["srcset"]) == 8


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ({"transforms": (("flip",),)}, {"transforms": (("flip",),)}, True),
        ({"transforms": (("webp", {"quality": 20}),)}, {}, True),
        ({"quality": 20}, {"quality": 90}, True),
        (
            {"transforms": (("flatten", {"background": "#f00"}),)},
            {"transforms": (("flatten", {"background": "#00f"}),)},
            False,
        ),
        ({"height": 100, "fit": "fill"}, {"height": 200, "fit": "fill"}, True),
        ({"height": 100, "fit": "fill"}, {"height": 200, "fit": "cover"}, False),
        ({"height": 100}, {"height": 200, "focal_point_x": 1, "focal_point_y": 1}, False),
        (
            {"height": 100, "focal_point_x": 9, "focal_point_y": 9},
            {"height": 200, "focal_point_x": 1, "focal_point_y": 1},
            False,
        ),
        (
            {"height": 100, "focal_point_x": 9, "focal_point_y": 9},
            {"height": 200, "focal_point_x": 9, "focal_point_y": 9},
            True,
        ),
        ({"without_enlargement": True}, {}, True),
    ],
)
def test_what_two_presets_share(tmp_path: Path, one: dict[str, Any], other: dict[str, Any], is_shared: bool) -> None:
    row = export(tmp_path, [webp("one", width=200, **one), webp("other", width=400, **other)])

    assert (len(row["srcset"]) == 1) is is_shared


@pytest.mark.parametrize("directus", ["11.14.1", NEWEST])
def test_what_is_not_enlarged_shares_with_what_shows_the_same_on_each_directus(tmp_path: Path, directus: str) -> None:
    presets = [
        webp("crop", width=160, height=90),
        webp("no-crop-is-left", width=4000, height=2250, without_enlargement=True),
        webp("whole", width=300),
        webp("less-of-a-crop", width=1600, height=900, without_enlargement=True),
        webp("box", width=160, height=90, fit="contain", without_enlargement=True),
        webp("box-with-margins", width=1600, height=900, fit="contain", without_enlargement=True),
    ]

    row = export(tmp_path, [replace(preset, directus=Version.parse(directus)) for preset in presets])

    assert chosen_from(row) == {
        frozenset({"crop"}),
        frozenset({"no-crop-is-left", "whole"}),
        frozenset({"less-of-a-crop"}),
        frozenset({"box"}),
        frozenset({"box-with-margins"}),
    }


def test_a_crop_of_a_turned_picture_is_not_the_whole_one(tmp_path: Path) -> None:
    turned = (("rotate", 90),)
    presets = [
        webp("whole", width=100, transforms=turned),
        webp("whole-larger", width=200, transforms=turned),
        # The ratio of the picture before it was turned.
        webp("crop", width=150, height=100, transforms=turned),
        webp("crop-larger", width=300, height=200, transforms=turned),
        webp("narrower", width=1200, height=800, transforms=turned, without_enlargement=True),
    ]

    row = export(tmp_path, presets)

    assert chosen_from(row) == {
        frozenset({"whole", "whole-larger"}),
        frozenset({"crop", "crop-larger"}),
        frozenset({"narrower"}),
    }


def test_a_focal_point_of_the_file_is_the_same_for_all_of_its_crops(tmp_path: Path) -> None:
    presets = [webp("one", width=200, height=200), webp("other", width=400, height=400)]

    row = export(tmp_path, presets, focal_point_x=10, focal_point_y=20)

    assert len(row["srcset"]) == 1


def test_outputs_of_an_earlier_version_are_told_apart_as_they_were() -> None:
    def output(preset: str, width: int, height: int) -> list[dict[str, Any]]:
        return [{"path": f"{preset}/f1.webp", "type": "image/webp", "width": width, "height": height, "bytes": 9}]

    presets = {"s": output("s", 200, 100), "l": output("l", 801, 400), "n": output("n", 400, 200)}
    presets["n"][0]["look"] = "2:1 cover"

    assert srcsets(presets) == {
        "image/webp 2.00": "s/f1.webp 200w, l/f1.webp 801w",
        "image/webp 2.00 2:1 cover": "n/f1.webp 400w",
    }


# Names


def test_any_key_of_a_preset_is_a_folder_of_its_own() -> None:
    keys = [
        *KEYS,
        "..",
        "a//b",
        "a/b/",
        "~2F",
        "a~2Fb",
        "x" * 300,
        "x" * 301,
        "😀" * 200,
        "\n",
        "..a",
        "a.",
        "con:1",
        "\u202e",
    ]

    folders = [folder_of(key) for key in keys]

    assert len({folder.casefold() for folder in folders}) >= len(set(keys)) - 1  # `Case` and `case`
    assert len(set(folders)) == len(set(keys))
    for folder in folders:
        assert folder not in ("", ".", "..")
        assert "/" not in folder
        assert len(folder.encode()) <= 200


@pytest.mark.parametrize("key", ["manifest.json", "Manifest.JSON", "con", "NUL.webp", "com1", "lpt²"])
def test_no_folder_has_a_name_that_is_taken(tmp_path: Path, key: str) -> None:
    row = export(tmp_path, [webp(key, width=100), webp("card", width=200)])

    assert chosen_from(row) == {frozenset({key, "card"})}
    assert folder_of(key).startswith("~~")


@pytest.mark.parametrize("key", ["console", "manifest", "com10", "a.con", "manifest.json.old"])
def test_what_only_resembles_such_a_name_is_its_folder(key: str) -> None:
    assert folder_of(key) == key


@pytest.mark.parametrize("key", ["card", "hero-2x", "Größe", "with space", "a,b", "a.b"])
def test_an_ordinary_key_is_its_folder(key: str) -> None:
    assert folder_of(key) == key


def test_extensions_do_not_depend_on_the_table_of_the_machine() -> None:
    code = (
        "import mimetypes; mimetypes.init([]); mimetypes.guess_extension = lambda *_: None;"
        "from directus_assets.images.export_names import export_name;"
        "print(*[export_name('p', 'f', f'image/{kind}') for kind in ('jpeg', 'png', 'webp', 'tiff', 'avif')])"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert told.split() == ["p/f.jpg", "p/f.png", "p/f.webp", "p/f.tiff", "p/f.avif"]
    assert export_name("a/b", "f", "image/webp") == "a~2Fb/f.webp"


def test_presets_of_any_key_are_exported_side_by_side(tmp_path: Path) -> None:
    keys = [*KEYS[:-1], "a~2Fb", "a//b", ".."]
    presets = [webp(key, width=20 + number) for number, key in enumerate(keys)]

    row = export(tmp_path, presets)

    paths = [output["path"] for outputs in row["presets"].values() for output in outputs]
    assert len(set(paths)) == len(keys)
    assert all((tmp_path / "export" / path).is_file() for path in paths)


# In a browser


@pytest.mark.integration
def test_a_browser_loads_the_smallest_picture_that_is_large_enough(tmp_path: Path) -> None:
    if not CHROMIUM:
        lacking("Chromium (Debian: apt-get install chromium)")
    keys = {250: "small, and odd: 50% #1?", 700: "größer/als vorher", 1400: "x y"}
    row = export(tmp_path, [webp(key, width=width) for width, key in keys.items()])
    (srcset,) = row["srcset"].values()
    page = tmp_path / "export" / "page.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><body style="margin:0"><img sizes="100vw" srcset="{srcset}">'
    )

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        loaded = []
        for viewport in (200, 600, 1300):
            tab = browser.new_page(viewport={"width": viewport, "height": 300})
            tab.goto(page.as_uri())
            tab.evaluate("() => document.images[0].decode()")
            loaded.append(tab.evaluate("() => document.images[0].currentSrc"))
            tab.close()
        browser.close()

    addresses = [candidate.split(" ")[0] for candidate in srcset.split(", ")]
    assert [source.removeprefix(f"{page.parent.as_uri()}/") for source in loaded] == addresses
