import errno
import gc
import json
import os
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from PIL import Image

from directus_assets.directus.models import Preset
from directus_assets.directus.storage import LocalStorage
from directus_assets.directus.version import LATEST, Version
from directus_assets.errors import (
    BadInput,
    DirectusAssetsError,
    Forbidden,
    Overloaded,
    PermanentError,
    TransientError,
    Unexpected,
)
from directus_assets.images.make import Maker
from directus_assets.images.manifest import Texts
from directus_assets.images.outcomes import Delivered, Failed, Outcome
from directus_assets.images.plan import fingerprint
from directus_assets.images.proof import adopted, look_up, marked
from directus_assets.images.render import Source, render
from directus_assets.images.transforms import derivatives
from directus_assets.redaction import hide
from tests.images.scripted_directus import RENDERED, ScriptedDirectus, picture

CARD = Preset(key="card", fit="cover", width=20, height=20, format="webp")
WIDE = Preset(key="wide", fit="inside", width=30, format="jpeg")
AUTO = Preset(key="auto", fit="cover", width=16, height=16, format="auto")
NOTHING = Preset(key="nothing", fit="inside")
BROKEN = Preset(key="broken", width=20, transforms=(("explode", 5),))
ANY = {preset.key: "storage" for preset in (CARD, WIDE, AUTO, NOTHING, BROKEN)}
WARM = dict.fromkeys(ANY, "warm")
EXPORT = dict.fromkeys(ANY, "export")


@pytest.fixture
def directus(tmp_path: Path) -> ScriptedDirectus:
    folder = tmp_path / "uploads"
    folder.mkdir()
    return ScriptedDirectus(folder, [CARD, WIDE, AUTO, NOTHING, BROKEN])


def delivered(outcomes: Iterable[Outcome]) -> list[Delivered]:
    return [outcome for outcome in outcomes if isinstance(outcome, Delivered)]


def failed(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], DirectusAssetsError]:
    return {(outcome.file_id, outcome.preset): outcome.error for outcome in outcomes if isinstance(outcome, Failed)}


def make(maker: Maker, directus: ScriptedDirectus, *presets: Preset) -> list[Outcome]:
    return list(maker.make({directus.file(file_id): presets for file_id in directus.rows}))


# Delivery `storage`


def test_a_derivative_is_stored_as_rendered_here_and_directus_renders_nothing(directus: ScriptedDirectus) -> None:
    content = picture()
    file = directus.add("f1", content)

    outcomes = make(directus.maker(ANY), directus, CARD, WIDE)

    assert {(o.preset, o.delivery, o.reason) for o in delivered(outcomes)} == {
        ("card", "storage", ""),
        ("wide", "storage", ""),
    }
    assert directus.rendered == []
    for preset in (CARD, WIDE):
        (wanted,) = derivatives(preset, file)
        assert directus.storage.read(wanted.stored_name) == render(Source(content), wanted).content


def test_an_outcome_tells_what_an_editor_wants_to_know(directus: ScriptedDirectus) -> None:
    content = picture()
    file = directus.add("f1", content)

    (outcome,) = delivered(make(directus.maker(ANY), directus, CARD))

    (made,) = outcome.made
    assert (made.width, made.height, made.mime_type, made.label) == (20, 20, "image/webp", "card")
    assert made.bytes == directus.storage.size(made.name)
    assert made.preview is not None
    assert made.preview.startswith("data:image/")
    assert (outcome.file_name, outcome.original_bytes) == ("F1", len(content))
    assert outcome.fingerprint == fingerprint(file, CARD)
    assert outcome.seconds > 0


def test_a_preset_with_the_format_auto_makes_three_derivatives(directus: ScriptedDirectus) -> None:
    directus.add("f1", picture())

    (outcome,) = delivered(make(directus.maker(ANY), directus, AUTO))

    assert [made.mime_type for made in outcome.made] == ["image/avif", "image/webp", "image/jpeg"]
    assert len(directus.stored()) == 3
    assert directus.rendered == []


def test_a_preset_that_asks_for_nothing_is_served_by_the_original(directus: ScriptedDirectus) -> None:
    directus.add("f1", picture())

    (outcome,) = delivered(make(directus.maker(ANY), directus, NOTHING))

    assert outcome.made == ()
    assert directus.stored() == set()


def test_a_stale_or_empty_derivative_is_overwritten(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", picture())
    (wanted,) = derivatives(CARD, file)
    directus.storage.write(wanted.stored_name, b"", content_type="image/webp")

    (outcome,) = delivered(make(directus.maker(ANY), directus, CARD))

    assert outcome.delivery == "storage"
    assert directus.storage.size(wanted.stored_name) == outcome.made[0].bytes > 0


def test_what_directus_does_not_serve_from_the_storage_is_warmed_with_a_reason(directus: ScriptedDirectus) -> None:
    """As when STORAGE_* here are those of another Directus."""
    directus.add("f1", picture())
    elsewhere = directus.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "f1.jpg").write_bytes(picture())
    other = ScriptedDirectus(elsewhere, [CARD])

    maker = directus.maker(ANY, storages={"local": other.storage})
    (outcome,) = delivered(make(maker, directus, CARD))

    assert outcome.delivery == "warm"
    assert "Directus does not serve the derivative 'card' of F1" in outcome.reason
    assert "it returns 20 bytes of its own" in outcome.reason
    assert "Check that the STORAGE_* variables are the same" in outcome.reason
    assert other.stored() == set()
    assert len(directus.rendered) == 1


def test_a_derivative_of_the_same_length_that_directus_made_under_another_name_is_no_proof(
    directus: ScriptedDirectus,
) -> None:
    """As when the name here follows the rules of another version: both sides make the same bytes."""
    file = directus.add("f1", picture())
    own = render(Source(picture()), *derivatives(CARD, file)).content

    def serve(request: httpx.Request) -> httpx.Response | None:
        headers = {"content-type": "image/webp", "content-length": str(len(own))}
        return httpx.Response(200, headers=headers) if request.method == "HEAD" else None

    directus.trouble = serve
    (outcome,) = delivered(make(directus.maker(ANY), directus, CARD))

    assert outcome.delivery == "warm"
    assert f"it returns {len(own)} bytes of its own" in outcome.reason


def test_what_was_proved_is_stored_without_the_mark_of_the_proof(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", picture())
    (derivative,) = derivatives(CARD, file)

    (outcome,) = delivered(make(directus.maker(ANY), directus, CARD))

    assert outcome.delivery == "storage"
    assert directus.storage.read(derivative.stored_name) == render(Source(picture()), derivative).content


def test_what_was_left_marked_when_directus_did_not_answer_is_not_adopted(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", picture())
    wanted = derivatives(CARD, file)
    directus.trouble = lambda request: httpx.Response(503) if request.method == "HEAD" else None

    error = failed(make(directus.maker(ANY), directus, CARD))["f1", "card"]

    assert isinstance(error, TransientError)
    found = look_up(directus.storage, wanted)
    assert len(found) == 1
    assert adopted(file, CARD, wanted, found) is None

    directus.trouble = lambda _: None
    assert delivered(make(directus.maker(ANY), directus, CARD))
    assert adopted(file, CARD, wanted, look_up(directus.storage, wanted))


ELEVEN = Version.parse("11.17.4")
TEN = Version.parse("10.13.4")


@pytest.mark.parametrize(
    ("version", "form", "mode", "reason"),
    [
        (ELEVEN, "webp", "RGB", ""),
        (ELEVEN, "jpg", "RGB", ""),
        (ELEVEN, "avif", "RGB", "Directus 11.17.4 encodes AVIF differently from our encoder."),
        (ELEVEN, "png", "RGB", "Directus 11.17.4 encodes PNG differently from our encoder."),
        (ELEVEN, "webp", "CMYK", "Directus 11.17.4 renders CMYK pictures differently from our renderer."),
        (TEN, "webp", "RGB", "Directus 10.13.4 encodes WEBP differently from our encoder."),
        (LATEST, "avif", "CMYK", ""),
    ],
)
def test_what_an_older_directus_makes_other_bytes_of_is_left_to_it(
    tmp_path: Path, version: Version, form: str, mode: str, reason: str
) -> None:
    preset = replace(CARD, format=form, directus=version)
    directus = ScriptedDirectus(tmp_path, [preset])
    directus.add("f1", picture(mode=mode))

    (outcome,) = delivered(make(directus.maker(ANY), directus, preset))

    assert (outcome.delivery, outcome.reason) == ("warm" if reason else "storage", reason)


def test_similar_bytes_are_stored_where_they_will_do_and_said_to_be_that(tmp_path: Path) -> None:
    preset = replace(CARD, format="avif", directus=TEN)
    directus = ScriptedDirectus(tmp_path, [preset])
    directus.add("f1", picture(mode="CMYK"))

    (outcome,) = delivered(make(directus.maker(ANY, accept_similar=True), directus, preset))

    assert outcome.delivery == "storage"
    assert outcome.reason == "Directus 10.13.4 encodes AVIF differently from our encoder."


@pytest.mark.parametrize(("width", "delivery"), [(20, "storage"), (90, "warm")])
def test_where_the_name_is_not_known_directus_makes_it(tmp_path: Path, width: int, delivery: str) -> None:
    preset = replace(CARD, width=width, without_enlargement=True, directus=Version.parse("11.15.2"))
    directus = ScriptedDirectus(tmp_path, [preset])
    directus.add("f1", picture())

    (outcome,) = delivered(make(directus.maker(ANY), directus, preset))

    assert outcome.delivery == delivery
    assert ("may use either of two names for 'card'" in outcome.reason) == (delivery == "warm")


def test_a_location_that_is_not_reached_from_here_is_warmed_with_a_reason(directus: ScriptedDirectus) -> None:
    directus.add("f1", picture(), storage="s3")

    (outcome,) = delivered(make(directus.maker(ANY), directus, CARD))

    assert outcome.delivery == "warm"
    assert "storage 's3', which is not accessible from here (local)" in outcome.reason


def test_a_storage_that_is_read_only_is_replaced_by_warming(directus: ScriptedDirectus) -> None:
    class ReadOnly(LocalStorage):
        def write(self, name: str, content: bytes, *, content_type: str) -> None:
            with self._reported(name):
                raise OSError(errno.EROFS, "Read-only file system")

    directus.add("f1", picture())

    (outcome,) = delivered(make(directus.maker(ANY, storages={"local": ReadOnly(directus.folder)}), directus, CARD))

    assert outcome.delivery == "warm"
    assert "Read-only file system" in outcome.reason
    assert len(directus.rendered) == 1


def test_an_original_that_is_gone_from_the_storage_is_told_as_that(directus: ScriptedDirectus) -> None:
    directus.add("f1", picture())
    (directus.folder / "f1.jpg").unlink()
    gone = httpx.Response(404, json={"errors": [{"message": "Route /assets/f1 doesn't exist."}]})
    directus.trouble = lambda request: gone if request.url.path == "/assets/f1" else None

    error = failed(make(directus.maker(ANY), directus, CARD))["f1", "card"]

    assert isinstance(error, PermanentError)
    assert "f1.jpg is not in the storage folder" in error.message
    assert "Directus could not make it either" in error.message


def test_a_storage_that_fails_for_now_is_tried_again_and_not_warmed(directus: ScriptedDirectus) -> None:
    directus.add("f1", picture())
    maker = directus.maker(ANY, storages={"local": LocalStorage(directus.folder / "unmounted")})

    outcomes = make(maker, directus, CARD)

    assert isinstance(failed(outcomes)["f1", "card"], TransientError)
    assert directus.rendered == []


# Delivery `warm`


def test_an_empty_derivative_that_directus_would_serve_for_ever_is_rendered_anew(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", picture())
    (card,), (wide,) = derivatives(CARD, file), derivatives(WIDE, file)
    for name, age in ((card.stored_name, 120), (wide.stored_name, 0)):
        directus.storage.write(name, b"", content_type="image/webp")
        os.utime(directus.folder / name, (time.time() - age,) * 2)

    make(directus.maker(WARM), directus, CARD, WIDE)

    assert directus.rendered == [card.stored_name]
    assert directus.storage.size(card.stored_name)
    # Directus may be rendering this one.
    assert directus.storage.size(wide.stored_name) == 0


def test_what_was_left_marked_is_rendered_anew_if_directus_is_to_make_it(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", picture())
    (wanted,) = derivatives(CARD, file)
    directus.storage.write(wanted.stored_name, marked(RENDERED), content_type="image/webp")

    (outcome,) = delivered(make(directus.maker(WARM), directus, CARD))

    assert directus.rendered == [wanted.stored_name]
    assert [made.bytes for made in outcome.made] == [len(RENDERED)]


def test_warming_makes_directus_render_each_derivative_once(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", picture())

    outcomes = delivered(make(directus.maker(WARM), directus, CARD, AUTO))

    assert {outcome.delivery for outcome in outcomes} == {"warm"}
    wanted = [each.stored_name for preset in (CARD, AUTO) for each in derivatives(preset, file)]
    assert sorted(directus.rendered) == sorted(wanted)
    assert {made.bytes for outcome in outcomes for made in outcome.made} == {len(RENDERED)}


def test_an_empty_derivative_is_missing_and_tried_again(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", picture())
    (wanted,) = derivatives(CARD, file)
    directus.storage.write(wanted.stored_name, b"", content_type="image/webp")

    error = failed(make(directus.maker(WARM), directus, CARD))["f1", "card"]

    assert isinstance(error, TransientError)
    assert "serves an empty derivative 'card' of F1" in error.message
    assert wanted.stored_name in error.remedy


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_directus_is_worth_another_try(directus: ScriptedDirectus, status: int) -> None:
    directus.add("f1", picture())
    directus.trouble = lambda request: (
        httpx.Response(status, headers={"retry-after": "9"}) if request.method == "HEAD" else None
    )

    error = failed(make(directus.maker(WARM), directus, CARD))["f1", "card"]

    assert isinstance(error, Overloaded)
    assert error.retry_after_seconds == 9


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (picture((600, 400))[:2000], 500, "damaged or incomplete"),
        (b"a text, and no picture", 400, "is not a JPEG, PNG, WebP, TIFF or AVIF picture"),
        (b"", 400, "is empty (0 bytes)"),
        (picture((7000, 6000)), 500, "has 7000 x 6000 pixels, which is too large for Directus to render"),
    ],
    ids=["truncated", "garbage", "empty", "too large, with the sizes of the picture that it has replaced"],
)
def test_a_picture_that_directus_cannot_do_is_told_as_that_and_not_tried_again(
    directus: ScriptedDirectus, content: bytes, status: int, told: str
) -> None:
    directus.add("f1", content)
    directus.trouble = lambda request: httpx.Response(status) if "key" in request.url.params else None

    error = failed(make(directus.maker(WARM), directus, CARD))["f1", "card"]

    assert isinstance(error, BadInput)
    assert told in error.message
    assert error.remedy


@pytest.mark.parametrize(("max_side", "sizes"), [(6000, (6001, 2)), (50, (60, 40))], ids=["by default", "lowered"])
def test_what_is_too_large_for_directus_to_render_is_told_as_that(
    directus: ScriptedDirectus, max_side: int, sizes: tuple[int, int]
) -> None:
    directus.max_side = max_side
    directus.add("f1", picture(sizes), width=sizes[0], height=sizes[1])

    error = failed(make(directus.maker(WARM), directus, CARD))["f1", "card"]

    assert f"F1 (f1) has {sizes[0]} x {sizes[1]} pixels" in error.message
    assert "exceeds Directus' limit" in error.message
    assert "ASSETS_TRANSFORM_IMAGE_MAX_DIMENSION" in error.remedy


def test_a_raised_limit_of_directus_is_noticed_a_day_later_at_the_latest(directus: ScriptedDirectus) -> None:
    """No row changes with it, so that no fingerprint does."""
    directus.max_side = 50
    directus.add("f1", picture())

    error = failed(make(directus.maker(WARM), directus, CARD))["f1", "card"]

    assert error.longest_wait_seconds == 86400


# Sizes that Directus does not know


@pytest.mark.parametrize("sizes", [(None, None), (60, None), (None, 40), (0, 0)])
@pytest.mark.parametrize("deliveries", [ANY, WARM], ids=["storage", "warm"])
def test_a_preset_with_a_size_is_refused_where_directus_would_serve_full_size(
    directus: ScriptedDirectus, deliveries: dict[str, str], sizes: tuple[int | None, int | None]
) -> None:
    directus.add("f1", picture(), width=sizes[0], height=sizes[1])

    errors = failed(make(directus.maker(deliveries), directus, CARD, WIDE, AUTO))

    assert {preset for _, preset in errors} == {"card", "wide", "auto"}
    for error in errors.values():
        assert "Directus has no width and height for this picture" in error.message
        assert "Replace the picture with a smaller one; or raise ASSETS_TRANSFORM_IMAGE_MAX_DIMENSION" in error.remedy
    assert directus.stored() == set()


def test_what_was_stored_in_full_size_is_not_taken_for_right(directus: ScriptedDirectus) -> None:
    """It lies under the name that Directus looks for, and Directus would serve it."""
    file = directus.add("f1", picture(), width=None, height=None)
    (full_size,) = derivatives(Preset(key="card", format="webp"), file)
    directus.storage.write(full_size.stored_name, b"full size", content_type="image/webp")

    assert list(failed(make(directus.maker(WARM), directus, CARD))) == [("f1", "card")]


def test_a_preset_that_asks_for_no_size_needs_none(directus: ScriptedDirectus) -> None:
    content = picture()
    file = directus.add("f1", content, width=None, height=None)
    preset = directus.presets["card"] = Preset(key="card", format="webp", quality=60)

    (outcome,) = delivered(make(directus.maker(ANY), directus, preset))

    (wanted,) = derivatives(preset, file)
    assert (outcome.delivery, outcome.made[0].width, outcome.made[0].height) == ("storage", 60, 40)
    assert directus.storage.read(wanted.stored_name) == render(Source(content), wanted).content


def test_of_such_a_picture_directus_itself_makes_nothing(directus: ScriptedDirectus) -> None:
    directus.add("f1", picture(), width=None, height=None)
    directus.presets["card"] = Preset(key="card", format="webp", quality=60)

    error = failed(make(directus.maker(WARM), directus, directus.presets["card"]))["f1", "card"]

    assert "has 60 x 40 pixels, but Directus has no width and height for it" in error.message
    assert "or use delivery `storage`" in error.remedy.lower()


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_export_goes_by_the_sizes_of_the_picture_itself(
    directus: ScriptedDirectus, tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    directus.add("f1", picture(exif=exif), width=None, height=None, focal_point_x=0, focal_point_y=0)
    large = Preset(key="wide", width=500, without_enlargement=True)

    outcomes = delivered(make(directus.maker(EXPORT, export=tmp_path), directus, CARD, large, AUTO, NOTHING))

    sizes = {outcome.preset: {(made.width, made.height) for made in outcome.made} for outcome in outcomes}
    upright = (60, 40) if orientation == 1 else (40, 60)
    assert sizes == {"card": {(20, 20)}, "wide": {upright}, "auto": {(16, 16)}, "nothing": set()}
    assert {outcome.delivery for outcome in outcomes} == {"export"}


def test_sizes_of_a_picture_that_was_replaced_are_not_followed(directus: ScriptedDirectus) -> None:
    """Directus keeps them where the new picture is too large for it."""
    directus.add("f1", picture((600, 400)), width=60, height=40)
    bounded = Preset(key="wide", width=500, without_enlargement=True)

    outcomes = make(directus.maker(ANY), directus, CARD, bounded)

    assert [outcome.preset for outcome in delivered(outcomes)] == ["card"]
    error = failed(outcomes)["f1", "wide"]
    assert "Directus has recorded 60 x 40 pixels for this picture, which has 600 x 400" in error.message


# Types that a file has not


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_what_is_declared_as_another_type_is_rendered_as_directus_does(directus: ScriptedDirectus, kind: str) -> None:
    content = picture(kind=kind)
    file = directus.add("f1", content)

    outcomes = delivered(make(directus.maker(ANY), directus, CARD, WIDE))

    assert {(outcome.preset, outcome.delivery) for outcome in outcomes} == {("card", "storage"), ("wide", "storage")}
    (wanted,) = derivatives(CARD, file)
    assert directus.storage.read(wanted.stored_name) == render(Source(content), wanted).content


@pytest.mark.parametrize(
    "content",
    [picture(kind="GIF"), b'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"/>', b"\n<?xml ?><svg/>"],
    ids=["GIF", "SVG", "SVG with a declaration"],
)
def test_what_directus_renders_and_this_package_does_not_open_is_left_to_directus(
    directus: ScriptedDirectus, tmp_path: Path, content: bytes
) -> None:
    directus.add("f1", content)

    (outcome,) = delivered(make(directus.maker(ANY), directus, CARD))
    errors = failed(make(directus.maker(EXPORT, export=tmp_path), directus, CARD))

    assert (outcome.delivery, len(directus.rendered)) == ("warm", 1)
    assert "Directus renders such" in outcome.reason
    assert list(errors) == [("f1", "card")]


def test_a_missing_right_is_told_with_its_remedy(directus: ScriptedDirectus) -> None:
    directus.add("f1", picture())
    directus.trouble = lambda request: httpx.Response(403) if request.method == "HEAD" else None

    error = failed(make(directus.maker(WARM), directus, CARD))["f1", "card"]

    assert isinstance(error, Forbidden)
    assert "Give the token's policy the permission 'read on directus_files'" in error.remedy


# Delivery `export`


def test_an_export_comes_with_a_manifest_for_static_builds(directus: ScriptedDirectus, tmp_path: Path) -> None:
    directus.add("f1", picture())
    export = tmp_path / "export"
    export.mkdir()

    outcomes = delivered(make(directus.maker(EXPORT, export=export), directus, CARD, WIDE))

    manifest = json.loads((export / "manifest.json").read_bytes())
    entry = manifest["files"]["f1"]
    assert {o.delivery for o in outcomes} == {"export"}
    assert sorted(entry["presets"]) == ["card", "wide"]
    (card,) = entry["presets"]["card"]
    assert (card["path"], card["width"], card["height"], card["type"]) == ("card/f1.webp", 20, 20, "image/webp")
    assert card["bytes"] == (export / "card/f1.webp").stat().st_size
    assert entry["blurhash"]
    assert entry["srcset"]["image/webp 1.00"] == "card/f1.webp 20w"
    assert directus.stored() == set()


def test_nothing_counts_as_exported_before_it_is_in_the_manifest(directus: ScriptedDirectus, tmp_path: Path) -> None:
    directus.add("f1", picture())
    (tmp_path / "manifest.json").write_text("<html>")

    outcomes = make(directus.maker({**EXPORT, "wide": "storage"}, export=tmp_path), directus, CARD, WIDE)

    assert [(o.preset, o.delivery) for o in delivered(outcomes)] == [("wide", "storage")]
    assert "manifest.json in the export folder was not written by this project" in str(failed(outcomes)["f1", "card"])


def test_a_picture_whose_texts_nobody_can_read_holds_back_no_other_from_the_manifest(
    directus: ScriptedDirectus, tmp_path: Path
) -> None:
    for number in range(5):
        directus.add(f"f{number}", picture())

    def texts(ids: Iterable[str]) -> dict[str, Texts]:
        return {}["f3"] if "f3" in set(ids) else {}

    outcomes = make(replace(directus.maker(EXPORT, export=tmp_path), texts=texts), directus, CARD)

    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert sorted(manifest["files"]) == ["f0", "f1", "f2", "f4"]
    assert list(failed(outcomes)) == [("f3", "card")]
    assert len(delivered(outcomes)) == 4


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError("nobody has foreseen this"), Unexpected),
        (RecursionError(), Unexpected),
        (OverflowError("too large"), Unexpected),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), Unexpected),
        (MemoryError(), Unexpected),
        (OSError(errno.EMFILE, "Too many open files"), TransientError),
    ],
)
def test_whatever_goes_wrong_with_one_preset_takes_no_other_along(
    directus: ScriptedDirectus, tmp_path: Path, error: Exception, kind: type[DirectusAssetsError]
) -> None:
    directus.add("f1", picture())

    def export() -> LocalStorage:
        raise error

    maker = replace(directus.maker({**ANY, "card": "export"}), export=export)
    outcomes = make(maker, directus, CARD, WIDE)

    assert isinstance(failed(outcomes)["f1", "card"], kind)
    assert [outcome.preset for outcome in delivered(outcomes)] == ["wide"]


def test_what_nobody_has_foreseen_is_logged_without_credentials(
    directus: ScriptedDirectus, caplog: pytest.LogCaptureFixture
) -> None:
    directus.add("f1", picture())
    hide("hunter2-hunter2")

    def export() -> LocalStorage:
        raise KeyError("https://me:hunter2-hunter2@s3.example.com/bucket")

    (error,) = failed(make(replace(directus.maker(EXPORT), export=export), directus, CARD)).values()

    assert "KeyError" in caplog.text
    assert "hunter2" not in caplog.text + str(error)


def test_a_preset_that_is_exported_later_joins_the_others_in_the_manifest(
    directus: ScriptedDirectus, tmp_path: Path
) -> None:
    directus.add("f1", picture())
    maker = directus.maker(EXPORT, export=tmp_path)

    make(maker, directus, CARD)
    make(maker, directus, WIDE)

    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert sorted(manifest["files"]["f1"]["presets"]) == ["card", "wide"]


def test_an_export_is_not_replaced_by_warming(directus: ScriptedDirectus, tmp_path: Path) -> None:
    directus.add("f1", picture())

    outcomes = make(directus.maker(EXPORT, export=tmp_path / "unmounted"), directus, CARD)

    assert list(failed(outcomes)) == [("f1", "card")]
    assert directus.rendered == []


def test_each_preset_goes_its_own_way(directus: ScriptedDirectus, tmp_path: Path) -> None:
    directus.add("f1", picture())
    maker = directus.maker({"card": "storage", "wide": "warm", "auto": "export"}, export=tmp_path)

    outcomes = delivered(make(maker, directus, CARD, WIDE, AUTO))

    assert {o.preset: o.delivery for o in outcomes} == {"card": "storage", "wide": "warm", "auto": "export"}


# What changes meanwhile


def test_a_file_that_is_replaced_while_it_is_made_is_made_again(directus: ScriptedDirectus) -> None:
    before = directus.add("f1", picture())
    after: list[bytes] = []

    def replace_during_the_first_proof(request: httpx.Request) -> None:
        if request.method == "HEAD" and not after:
            after.append(picture((120, 80)))
            directus.add("f1", after[0], width=120, height=80, uploaded_on="2026-02-02T00:00:00.000Z")

    directus.trouble = replace_during_the_first_proof

    outcomes = delivered(directus.maker(ANY).make({before: [CARD]}))

    now = directus.file("f1")
    (wanted,) = derivatives(CARD, now)
    assert outcomes[-1].fingerprint == fingerprint(now, CARD)
    assert directus.storage.read(wanted.stored_name) == render(Source(after[0]), wanted).content


def test_a_file_that_keeps_being_replaced_is_left_for_later(directus: ScriptedDirectus) -> None:
    before = directus.add("f1", picture())
    moments = iter(range(100))

    def replace_always(request: httpx.Request) -> None:
        if request.method == "HEAD":
            directus.add("f1", picture(), uploaded_on=f"2026-02-02T00:00:{next(moments):02}.000Z")

    directus.trouble = replace_always

    outcomes = list(directus.maker(ANY).make({before: [CARD]}))

    error = failed(outcomes)["f1", "card"]
    assert isinstance(error, TransientError)
    assert "kept being replaced" in error.message


@pytest.mark.parametrize("proof", ["sight", "log"])
@pytest.mark.parametrize("deliveries", [ANY, EXPORT], ids=["storage", "export"])
def test_a_file_that_is_deleted_while_it_is_made_leaves_nothing(
    directus: ScriptedDirectus, tmp_path: Path, deliveries: dict[str, str], proof: str
) -> None:
    file = directus.add("f1", picture())
    kept = directus.add("f2", picture())
    export = tmp_path / "export"
    export.mkdir()

    def delete_at_the_end(request: httpx.Request) -> None:
        if request.url.path == "/files" and directus.rows.pop("f1", None) and proof == "log":
            directus.activity.append({"id": 1, "collection": "directus_files", "item": "f1", "action": "delete"})

    directus.trouble = delete_at_the_end
    directus.hides_rows = proof == "log"

    list(directus.maker(deliveries, export=export).make({file: [CARD, AUTO], kept: [CARD]}))

    assert [name for name in directus.stored() if name.startswith("f1")] == []
    assert [path for path in export.rglob("*") if path.name.startswith("f1")] == []
    if deliveries is EXPORT:
        assert list(json.loads((export / "manifest.json").read_bytes())["files"]) == ["f2"]


@pytest.mark.parametrize("deliveries", [ANY, EXPORT], ids=["storage", "export"])
def test_a_file_that_a_rule_hides_while_it_is_made_keeps_what_was_made_of_it(
    directus: ScriptedDirectus, tmp_path: Path, deliveries: dict[str, str]
) -> None:
    file = directus.add("f1", picture())
    export = tmp_path / "export"
    export.mkdir()

    def hide_at_the_end(request: httpx.Request) -> None:
        if request.url.path == "/files":
            directus.rows.pop("f1", None)

    directus.trouble = hide_at_the_end
    directus.hides_rows = True

    made = [*directus.maker(deliveries, export=export).make({file: [CARD, AUTO]})]

    names = {each.name for outcome in made if isinstance(outcome, Delivered) for each in outcome.made}
    assert len(names) == 4
    if deliveries is EXPORT:
        assert list(json.loads((export / "manifest.json").read_bytes())["files"]) == ["f1"]
        assert all((export / name).exists() for name in names)
    else:
        assert directus.stored() == names


def test_an_edited_title_is_no_reason_to_make_anything_again(directus: ScriptedDirectus) -> None:
    before = directus.add("f1", picture())
    directus.rows["f1"]["title"] = "Another title"

    assert len(list(directus.maker(ANY).make({before: [CARD]}))) == 1


# Bad input


HOSTILE = {
    "truncated": (picture((600, 400))[:3000], {}, "damaged or incomplete"),
    "cut off on its way to the storage": (picture(), {"filesize": 99_999}, "is incomplete: "),
    "garbage": (bytes(range(256)) * 8, {}, "is not a JPEG, PNG, WebP, TIFF or AVIF picture"),
    "zero bytes": (b"", {"filesize": 0}, "is empty (0 bytes)"),
    "too many pixels": (picture((1001, 1000)), {}, "has 1001 x 1000 pixels, more than the limit of 1000000"),
    "outside of its folder": (picture(), {"filename_disk": "../uploads/f1.jpg"}, "filename_disk"),
}


@pytest.mark.parametrize(("content", "fields", "told"), HOSTILE.values(), ids=HOSTILE)
def test_a_bad_picture_fails_on_its_own_and_for_good(
    directus: ScriptedDirectus, content: bytes, fields: dict[str, object], told: str
) -> None:
    directus.add("good", picture())
    directus.add("f1", content, **fields)

    outcomes = make(directus.maker(ANY, max_pixels=1_000_000), directus, CARD, WIDE)

    errors = failed(outcomes)
    assert set(errors) == {("f1", "card"), ("f1", "wide")}
    assert {(o.file_id, o.preset) for o in delivered(outcomes)} == {("good", "card"), ("good", "wide")}
    for error in errors.values():
        assert isinstance(error, BadInput)
        assert told in f"{error.message} {error.remedy}"
        assert error.remedy
    assert {name.partition("__")[0] for name in directus.stored()} == {"good"}
    assert not list(directus.folder.glob("*.tmp"))


def test_a_name_on_disk_with_folders_is_read_there_and_served_from_where_directus_looks(
    directus: ScriptedDirectus,
) -> None:
    (directus.folder / "2026").mkdir()
    directus.add("f1", picture(), filename_disk="2026/harbour.jpg")

    (outcome,) = delivered(make(directus.maker(ANY), directus, CARD))

    assert outcome.delivery == "storage"
    assert outcome.made[0].name.startswith("harbour__")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (picture(mode="CMYK"), "image/jpeg"),
        (picture(kind="PNG", mode="I;16"), "image/png"),
        (picture(kind="PNG", mode="RGBA"), "image/png"),
        (picture(kind="WEBP", save_all=True, append_images=[], duration=50), "image/webp"),
        (picture(kind="TIFF", mode="CMYK"), "image/tiff"),
        (picture(kind="JPEG", mode="L"), "image/jpeg"),
    ],
    ids=["CMYK", "16 bit", "transparent", "animated", "CMYK TIFF", "grey"],
)
def test_an_unusual_picture_becomes_a_derivative(directus: ScriptedDirectus, content: bytes, kind: str) -> None:
    directus.add("f1", content, type=kind)

    assert len(delivered(make(directus.maker(ANY), directus, CARD, WIDE))) == 2


def test_a_preset_with_an_unknown_operation_fails_alone(directus: ScriptedDirectus) -> None:
    directus.add("f1", picture())

    outcomes = make(directus.maker(ANY), directus, BROKEN, CARD)

    assert [outcome.preset for outcome in delivered(outcomes)] == ["card"]
    error = failed(outcomes)["f1", "broken"]
    assert "Preset 'broken': 'explode' is not a sharp operation that Directus allows" in error.message


def test_a_full_disk_is_tried_again_and_leaves_nothing(directus: ScriptedDirectus) -> None:
    class Full(LocalStorage):
        """Takes no byte, as a full disk."""

        def write(self, name: str, content: bytes, *, content_type: str) -> None:
            with self._reported(name), Path("/dev/full").open("wb", buffering=0) as device:
                device.write(content)

    directus.add("f1", picture())
    (wanted,) = derivatives(CARD, directus.file("f1"))

    outcomes = make(directus.maker(ANY, storages={"local": Full(directus.folder)}), directus, CARD)

    error = failed(outcomes)["f1", "card"]
    assert isinstance(error, TransientError)
    assert f"Not enough space for {wanted.stored_name}" in error.message
    assert (directus.stored(), directus.rendered) == (set(), [])


def test_directus_that_goes_down_fails_what_is_left_for_another_try(directus: ScriptedDirectus) -> None:
    for number in range(4):
        directus.add(f"f{number}", picture())

    def down(request: httpx.Request) -> httpx.Response | None:
        if request.method == "HEAD":
            raise httpx.ConnectError("refused")
        return None

    directus.trouble = down

    outcomes = make(directus.maker(ANY), directus, CARD)

    assert len(failed(outcomes)) == 4
    assert all(isinstance(error, TransientError) for error in failed(outcomes).values())


def test_no_more_originals_stay_in_memory_than_there_are_workers(directus: ScriptedDirectus) -> None:
    for number in range(6):
        directus.add(f"f{number}", picture())

    def in_memory() -> int:
        gc.collect()
        return sum(isinstance(each, Source) for each in gc.get_objects())

    before, seen = in_memory(), []
    maker = directus.maker(ANY, workers=1, on_read=lambda _file, _content: seen.append(in_memory() - before))

    outcomes = make(maker, directus, CARD, WIDE, AUTO)

    assert len(delivered(outcomes)) == 18
    assert seen == [0] * 6
