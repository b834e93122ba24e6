"""Our derivatives compared with Directus' own: the corpus through every preset, on a real Directus."""

import io
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest
from PIL import Image

from directus_assets.directus.models import File, Preset
from directus_assets.directus.version import NEWEST, Version
from directus_assets.errors import BadInput
from directus_assets.images.inspection import Facts, inspect
from directus_assets.images.render import Rendered, Source, render
from directus_assets.images.sameness import difference
from directus_assets.images.transforms import Derivative, SizesUnknown, derivatives
from directus_assets.local.pictures import upload
from directus_assets.local.server import LocalDirectus
from tests.images.corpus import PRESETS, Picture, damaged, mistyped, pictures

pytestmark = pytest.mark.integration


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One derivative as Directus made it and as we did; an error's text where one of them refused."""

    picture: Picture
    derivative: Derivative
    theirs: httpx.Response
    ours: Rendered | str
    sizes: tuple[int, int] | None
    """Of the upright picture, as its header tells them here."""
    sizes_there: tuple[int | None, int | None]
    is_stored_as_named: bool
    is_left: bool
    """Whether delivery `storage` leaves it to Directus, since that makes other bytes of it."""

    @property
    def is_refused_there(self) -> bool:
        return self.theirs.is_error or not self.theirs.content

    @property
    def is_compared(self) -> bool:
        return not self.is_refused_there and isinstance(self.ours, Rendered)

    @property
    def is_equal(self) -> bool:
        return isinstance(self.ours, Rendered) and self.ours.content == self.theirs.content

    @property
    def verdict(self) -> str:
        if self.is_compared:
            return "equal bytes" if self.is_equal else "other bytes"
        here = "rendered" if isinstance(self.ours, Rendered) else "refused"
        return f"{'refused' if self.is_refused_there else 'rendered'} by Directus, {here} here"

    def __str__(self) -> str:
        return f"{self.picture.name} through {self.derivative.label}"


@pytest.fixture(scope="module")
def comparisons(empty_directus: LocalDirectus, admin: httpx.Client) -> list[Comparison]:
    admin.patch("/settings", json={"storage_asset_presets": PRESETS}).raise_for_status()
    stored = admin.get("/settings", params={"fields": "storage_asset_presets"}).json()["data"]
    version = Version.parse(empty_directus.version)
    presets = [Preset.parse(row, version) for row in stored["storage_asset_presets"]]
    # Two at a time keep both cores busy without Directus' own limit in sight.
    with ThreadPoolExecutor(2) as pool:
        compared = pool.map(
            lambda picture: list(_compare(empty_directus, admin, picture, presets)),
            [*pictures(), *mistyped(), *damaged()],
        )
        return [comparison for comparisons in compared for comparison in comparisons]


def _compare(
    directus: LocalDirectus, admin: httpx.Client, picture: Picture, presets: list[Preset]
) -> Iterator[Comparison]:
    file_id = upload(admin, picture.content, filename=picture.name, type=picture.type, focal_point=picture.focal_point)
    file = File.parse(admin.get(f"/files/{file_id}").json()["data"])
    facts = _facts(picture, file)
    source = facts if isinstance(facts, str) else Source(picture.content)
    for derivative in (derivative for preset in presets for derivative in _wanted(preset, file)):
        address, headers = f"/assets/{file_id}", {"accept": derivative.accept}
        theirs = admin.get(address, params={"key": derivative.preset_key}, headers=headers)
        stored = directus.uploads / derivative.stored_name
        yield Comparison(
            picture=picture,
            derivative=derivative,
            theirs=theirs,
            ours=source if isinstance(source, str) else _rendered(source, derivative),
            sizes=None if isinstance(facts, str) else facts.upright,
            sizes_there=(file.width, file.height),
            is_stored_as_named=stored.exists() and stored.read_bytes() == theirs.content,
            is_left=not isinstance(facts, str) and bool(difference(Version.parse(directus.version), derivative, facts)),
        )


def _wanted(preset: Preset, file: File) -> tuple[Derivative, ...]:
    try:
        return derivatives(preset, file)
    except SizesUnknown:
        return ()


def _facts(picture: Picture, file: File) -> Facts | str:
    try:
        return inspect(picture.content, file)
    except BadInput as error:
        return str(error)


def _rendered(source: Source, derivative: Derivative) -> Rendered | str:
    try:
        return render(source, derivative)
    except BadInput as error:
        return str(error)


def test_the_corpus_is_as_large_as_it_claims(comparisons):
    assert len(pictures()) >= 40
    assert len(PRESETS) >= 10
    assert sum(comparison.is_compared for comparison in comparisons) >= 40 * 10


def test_directus_finds_every_derivative_under_our_name(comparisons):
    misnamed = [str(c) for c in comparisons if not c.is_refused_there and not c.is_stored_as_named]

    assert not misnamed


def test_nothing_is_stored_under_a_name_that_we_do_not_know(comparisons, directus):
    known = {comparison.derivative.stored_name for comparison in comparisons}

    assert {path.name for path in directus.uploads.iterdir() if "__" in path.name} <= known


def test_width_height_and_format_are_equal(comparisons):
    different = []
    for comparison in (c for c in comparisons if c.is_compared and not c.is_left):
        theirs = Image.open(io.BytesIO(comparison.theirs.content))
        ours = Image.open(io.BytesIO(comparison.ours.content))
        if not (theirs.size == ours.size and theirs.format == ours.format):
            different.append(f"{comparison}: {theirs.format} {theirs.size}, here {ours.format} {ours.size}")

    assert not different


def test_sizes_are_read_as_directus_reads_them(comparisons):
    different = {c.picture.name: (c.sizes_there, c.sizes) for c in comparisons if c.sizes not in (None, c.sizes_there)}

    assert not different


def test_the_announced_type_is_equal(comparisons):
    different = [
        f"{c}: {c.theirs.headers['content-type']}, here {c.derivative.mime_type}"
        for c in comparisons
        if not c.is_refused_there and c.theirs.headers["content-type"] != c.derivative.mime_type
    ]

    assert not different


def test_the_bytes_are_equal(comparisons):
    assert not [str(c) for c in comparisons if c.is_compared and not c.is_left and not c.is_equal]


def test_on_the_newest_directus_nothing_is_left_to_it(comparisons, directus):
    if directus.version != NEWEST:
        pytest.skip("An older one makes other bytes.")

    assert not [str(c) for c in comparisons if c.is_left]


def test_a_whole_picture_that_directus_renders_is_never_refused_here(comparisons):
    whole = {picture.name for picture in [*pictures(), *mistyped()]}
    rendered_there = [c for c in comparisons if c.picture.name in whole and not c.is_refused_there]
    refused = [f"{c}: {c.ours}" for c in rendered_there if isinstance(c.ours, str)]

    assert not refused


def test_what_directus_refuses_is_told(comparisons, capsys):
    """Never fails: it prints what was compared, and what either side refused."""
    formats = Counter((c.ours.mime_type, c.verdict) for c in comparisons if c.is_compared)
    refusals = Counter((c.picture.name, c.verdict, c.theirs.status_code) for c in comparisons if not c.is_compared)

    with capsys.disabled():
        print(f"\n{len(comparisons)} derivatives of {len(pictures())} pictures and {len(damaged())} damaged files")
        for (mime_type, verdict), count in sorted(formats.items()):
            print(f"  {mime_type:<12} {verdict:<12} {count:>5}")
        for (name, verdict, status), count in sorted(refusals.items()):
            print(f"  {name:<24} {verdict} ({status}) {count:>3}")
