import io
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from PIL import Image

from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.pictures import shown
from directus_assets.errors import BadInput, Correctable, TooLarge
from directus_assets.images.inspection import inspect
from directus_assets.images.originals import Originals
from directus_assets.images.sharp.load import libvips
from tests.images.scripted_directus import ScriptedDirectus, picture

GIGANTIC = 3 << 30


@pytest.fixture
def directus(tmp_path: Path) -> ScriptedDirectus:
    return ScriptedDirectus(tmp_path, [])


class Endless(httpx.SyncByteStream):
    """A body that never ends, and counts what was read of it."""

    def __init__(self) -> None:
        self.sent = 0
        self.is_closed = False

    def __iter__(self):
        while True:
            self.sent += 65_536
            yield bytes(65_536)

    def close(self) -> None:
        self.is_closed = True


def test_a_sparse_file_is_refused_by_its_size_and_not_read(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", b"", filesize=None)
    with (directus.folder / "f1.jpg").open("wb") as sparse:
        sparse.truncate(GIGANTIC)

    originals = Originals(client=directus.client, storages={"local": directus.storage})

    with (
        pytest.raises(TooLarge, match=f"F1.*{GIGANTIC} bytes.*1000000000.*max_megabytes") as caught,
        originals.content(file),
    ):
        pass

    assert isinstance(caught.value, Correctable)


def test_a_row_that_says_so_is_believed_before_anything_is_asked(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", picture(), filesize=GIGANTIC)
    directus.trouble = lambda request: pytest.fail(f"{request.url} was asked for")

    with pytest.raises(TooLarge), Originals(client=directus.client).content(file):
        pass


@pytest.mark.parametrize("headers", [{"content-length": str(GIGANTIC)}, {}, {"content-length": "many"}])
def test_of_a_download_no_more_is_read_than_is_allowed(directus: ScriptedDirectus, headers: dict[str, str]) -> None:
    """Whatever the answer says of its size."""
    file = directus.add("f1", b"", filesize=None)
    body = Endless()
    directus.trouble = lambda _: httpx.Response(200, headers=headers, stream=body)

    with pytest.raises(TooLarge), Originals(client=directus.client, max_bytes=200_000).content(file):
        pass

    assert body.sent <= 200_000 + 65_536
    assert body.is_closed


def test_a_small_answer_that_unpacks_to_a_large_one_is_cut_as_well(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", b"", filesize=None)
    packed = zlib.compress(bytes(50_000_000))
    headers = {"content-encoding": "deflate"}
    directus.trouble = lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(packed))

    with pytest.raises(TooLarge), Originals(client=directus.client, max_bytes=1_000_000).content(file):
        pass


def test_a_download_of_just_the_allowed_size_is_read(directus: ScriptedDirectus) -> None:
    content = picture()
    file = directus.add("f1", content)

    with Originals(client=directus.client, max_bytes=len(content)).open(file) as (read, facts):
        assert read == content

    assert (facts.width, facts.height) == (60, 40)


def test_a_model_is_not_shown_what_is_too_large(directus: ScriptedDirectus) -> None:
    file = directus.add("f1", picture())

    with pytest.raises(TooLarge, match="F1"):
        shown(Originals(client=directus.client, max_bytes=100), file)


def test_files_that_are_read_share_the_memory(directus: ScriptedDirectus) -> None:
    files = [directus.add(f"f{number}", picture(), filesize=200_000_000) for number in range(4)]
    for file in files:
        (directus.folder / file.filename_disk).write_bytes(picture())
    originals = Originals(client=directus.client, storages={"local": LocalStorage(directus.folder)})
    held, most, lock = [0], [0], threading.Lock()

    def work(number: int) -> None:
        with originals.content(files[number]):
            with lock:
                held[0] += 1
                most[0] = max(most[0], held[0])
            threading.Event().wait(0.02)
            with lock:
                held[0] -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert most[0] == 1


def test_a_thread_that_reads_the_same_again_does_not_wait_for_itself(directus: ScriptedDirectus) -> None:
    """As the diagnosis does of a picture that Directus, too, does not make."""
    file = directus.add("f1", picture(), filesize=400_000_000)
    (directus.folder / "f1.jpg").write_bytes(picture())
    directus.rows["f1"]["filesize"] = len(picture())
    originals = Originals(client=directus.client)

    with originals.content(file), originals.content(file):
        pass


# What decoding takes


def encoded(kind: str) -> bytes:
    images = libvips().Image
    colours = images.black(100, 50, bands=3).cast("uchar").copy(interpretation="srgb")
    deep = colours.cast("ushort").copy(interpretation="rgb16")
    if kind == "animated webp":
        buffer = io.BytesIO()
        frames = [Image.new("RGB", (100, 50), colour) for colour in ("red", "blue")]
        frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
        return buffer.getvalue()
    options = {"interlace": True} if kind.startswith(("interlaced", "progressive")) else {}
    if "jpeg" in kind:
        return bytes(colours.jpegsave_buffer(**options))
    return bytes(deep.pngsave_buffer(bitdepth=16, **options) if "16" in kind else colours.pngsave_buffer(**options))


@pytest.mark.parametrize(
    ("kind", "bytes_per_pixel"),
    [
        ("png", 3),
        ("jpeg", 3),
        ("16 bit png", 6),
        ("interlaced png", 6),
        ("interlaced 16 bit png", 12),
        ("progressive jpeg", 6),
        ("animated webp", 6),
    ],
)
def test_memory_is_counted_in_bytes_and_not_in_pixels(
    directus: ScriptedDirectus, kind: str, bytes_per_pixel: int
) -> None:
    content = encoded(kind)
    file = directus.add("f1", content, width=100, height=50)

    assert inspect(content, file).decoded_bytes == 100 * 50 * bytes_per_pixel


def test_a_deep_picture_is_refused_at_fewer_pixels_than_a_usual_one(directus: ScriptedDirectus) -> None:
    deep, usual = encoded("interlaced 16 bit png"), encoded("png")
    file = directus.add("f1", deep)

    inspect(usual, directus.add("f2", usual), max_pixels=5000)
    with pytest.raises(BadInput, match=r"F1.*need 60000 bytes to decode.*8 bits per channel"):
        inspect(deep, file, max_pixels=5000)
