import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from directus_assets.directus.models import File
from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import BadInput
from directus_assets.images import manifest as manifests
from directus_assets.images.delivery import Exported, ManifestEntry
from directus_assets.images.outcomes import Made
from directus_assets.images.previews import Placeholder

FILE = File(
    id="f1",
    storage="local",
    filename_disk="f1.jpg",
    filename_download="harbour.jpg",
    title="Harbour",
    type="image/jpeg",
    filesize=1000,
    width=800,
    height=600,
    focal_point_x=None,
    focal_point_y=None,
    uploaded_on="2026-01-01T00:00:00.000Z",
    modified_on=None,
)


def made(preset: str, width: int, height: int, *, kind: str = "webp") -> tuple[str, Made, str]:
    output = Made(
        label=preset,
        name=f"{preset}/f1.{kind}",
        mime_type=f"image/{kind}",
        bytes=100,
        width=width,
        height=height,
    )
    return preset, output, "5ha256"


def entry(*outputs: tuple[str, Made, str], file: File = FILE) -> ManifestEntry:
    return ManifestEntry(file=file, placeholder=Placeholder(blurhash="LKO2", colour="#aabbcc"), outputs=outputs)


def merged(current: bytes | None, **entries: ManifestEntry | None) -> tuple[bytes, dict[str, Any]]:
    manifest = manifests.read_manifest(current)
    content = manifests.written({**manifest, "files": manifests.merged(manifest["files"], entries)})
    return content, json.loads(content)


def test_a_manifest_says_what_a_static_build_needs() -> None:
    _, manifest = merged(None, f1=entry(made("card", 200, 100)))

    assert manifest == {
        "version": 1,
        "files": {
            "f1": {
                "title": "Harbour",
                "width": 800,
                "height": 600,
                "blurhash": "LKO2",
                "dominant_colour": "#aabbcc",
                "presets": {
                    "card": [
                        {
                            "path": "card/f1.webp",
                            "type": "image/webp",
                            "width": 200,
                            "height": 100,
                            "bytes": 100,
                            "sha256": "5ha256",
                        }
                    ]
                },
                "srcset": {"image/webp 2.00": "card/f1.webp 200w"},
            }
        },
    }


def test_one_srcset_holds_all_sizes_of_the_same_crop_and_type() -> None:
    outputs = [made("small", 200, 100), made("large", 801, 400), made("square", 300, 300), made("small", 200, 100)]
    outputs[3] = made("jpeg", 200, 100, kind="jpeg")

    _, manifest = merged(None, f1=entry(*outputs))

    assert manifest["files"]["f1"]["srcset"] == {
        "image/webp 2.00": "small/f1.webp 200w, large/f1.webp 801w",
        "image/webp 1.00": "square/f1.webp 300w",
        "image/jpeg 2.00": "jpeg/f1.jpeg 200w",
    }


def test_presets_made_earlier_stay_and_those_made_again_are_replaced() -> None:
    first, _ = merged(None, f1=entry(made("card", 200, 100), made("hero", 400, 300)))

    _, manifest = merged(first, f1=entry(made("card", 220, 110), file=replace(FILE, title="Port")))

    presets = manifest["files"]["f1"]["presets"]
    assert {key: outputs[0]["width"] for key, outputs in presets.items()} == {"card": 220, "hero": 400}
    assert len(presets["card"]) == 1
    assert manifest["files"]["f1"]["title"] == "Port"


def test_a_file_that_is_gone_is_taken_out() -> None:
    first, _ = merged(None, f1=entry(made("card", 200, 100)), f2=entry(made("card", 200, 100)))

    _, manifest = merged(first, f1=None, f3=None)

    assert list(manifest["files"]) == ["f2"]


def test_the_same_content_gives_the_same_bytes() -> None:
    one, _ = merged(None, f1=entry(made("card", 200, 100)), f2=entry(made("card", 200, 100)))
    other, _ = merged(merged(None, f2=entry(made("card", 200, 100)))[0], f1=entry(made("card", 200, 100)))

    assert one == other


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b'{"files": 5}', b"\xff"])
def test_what_is_no_manifest_is_never_overwritten(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(content)

    with pytest.raises(BadInput, match="was not written by this project"):
        Exported(LocalStorage(tmp_path)).publish({"f1": entry(made("card", 200, 100))})

    assert (tmp_path / "manifest.json").read_bytes() == content


def test_withdrawing_a_file_removes_what_was_exported_of_it(tmp_path: Path) -> None:
    target = Exported(LocalStorage(tmp_path))
    for name in ("card/f1.webp", "card/f2.webp"):
        target.target.write(name, b"x", content_type="image/webp")
    two = replace(made("card", 200, 100)[1], name="card/f2.webp")
    target.publish({"f1": entry(made("card", 200, 100)), "f2": entry(("card", two, "5ha256"))})

    target.withdraw("f1")
    target.withdraw("absent")

    assert list(json.loads((tmp_path / "manifest.json").read_bytes())["files"]) == ["f2"]
    assert [path.name for path in (tmp_path / "card").iterdir()] == ["f2.webp"]


def test_withdrawing_from_an_export_that_never_was_is_fine(tmp_path: Path) -> None:
    Exported(LocalStorage(tmp_path)).withdraw("f1")

    assert list(tmp_path.iterdir()) == []
