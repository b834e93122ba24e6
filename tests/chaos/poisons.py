"""Poisons: pictures and items that cannot be processed, each in its own way, with the expected message for each.

Some are what people upload and write, some happen to files on disk, and some are answers of an engine.
"""

import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.translation.scripted_openai import (
    Asked,
    Behaviour,
    Reply,
    answer_right,
    changed_placeholders,
    completion,
    context_too_long,
    cut_off,
    filtered,
    invalid_json,
    missing_segment,
    refuse,
    wrong_language,
)


def picture(seed: int, size: tuple[int, int] = (64, 48), kind: str = "JPEG") -> bytes:
    """A picture that differs from all others."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@dataclass(frozen=True, kw_only=True)
class PicturePoison:
    """A file declared as a picture."""

    told: str
    """What the reason has to say."""
    content: bytes = field(default_factory=lambda: picture(1))
    filename: str = "poison.jpg"
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What is changed in its row once it is uploaded."""
    spoil: Callable[[Path], None] | None = None
    """What happens to it on disk once it is uploaded."""


@dataclass(frozen=True, kw_only=True)
class ItemPoison:
    """An item of `pages` by its own texts, as JSON; or a post by its title, which the engine finds hard to bear."""

    told: str
    """What the reason has to say."""
    page: str = ""
    """The fields of the page, as JSON that is sent as it is written."""
    behaviour: Behaviour | None = None
    """What the engine answers when it is asked about the post."""
    rows: Sequence[str] = ("en-US",)
    """The languages of the rows that the post has."""
    is_enrichment: bool = False
    """Whether the engine is asked about it for an enrichment, rather than for translations."""


def _huge_png() -> bytes:
    """A few bytes that claim to be 50,000 pixels wide and high."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _flat(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("1", size, 1).save(buffer, "PNG")
    return buffer.getvalue()


def _into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _into_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])


def _into_hole(path: Path) -> None:
    """Three gigabytes that occupy no disk space (a sparse file)."""
    with path.open("wb") as file:
        file.truncate(3 * 1024**3)


_DAMAGED = "damaged or incomplete"
_NO_PICTURE = "is not a JPEG, PNG, WebP, TIFF or AVIF picture"

PICTURES: Mapping[str, PicturePoison] = {
    "a JPEG that is cut off": PicturePoison(content=picture(1, (320, 240))[:9000], told=_DAMAGED),
    "the head of a JPEG": PicturePoison(content=picture(2)[:300], told="header is damaged"),
    "a PNG that is cut off": PicturePoison(content=picture(3, kind="PNG")[:4000], filename="p.png", told=_DAMAGED),
    "a WebP that is cut off": PicturePoison(
        content=picture(4, (320, 240), kind="WEBP")[:-900], filename="p.webp", told=_NO_PICTURE
    ),
    "a TIFF that is cut off": PicturePoison(content=picture(5, kind="TIFF")[:900], filename="p.tif", told=_DAMAGED),
    "an AVIF that is cut off": PicturePoison(
        content=picture(6, (320, 240), kind="AVIF")[:-500], filename="p.avif", told=_DAMAGED
    ),
    "noise": PicturePoison(content=bytes(range(256)) * 8, told=_NO_PICTURE),
    "a text": PicturePoison(content=b"This is no picture.", filename="p.png", told=_NO_PICTURE),
    "a document": PicturePoison(content=b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n", told=_NO_PICTURE),
    "nothing": PicturePoison(content=b"", told="is empty (0 bytes)"),
    "a bomb": PicturePoison(content=_huge_png(), filename="p.png", told="50000 x 50000 pixels"),
    "one that is too large": PicturePoison(
        content=_flat((6100, 6000)), filename="p.png", told="has no width and height"
    ),
    "one without sizes": PicturePoison(fields={"width": None, "height": None}, told="has no width and height"),
    "one that is gone": PicturePoison(spoil=Path.unlink, told="is not in the storage"),
    "a folder in its place": PicturePoison(spoil=_into_folder, told="is a folder"),
    "one that was cut off on disk": PicturePoison(spoil=_cut_off, told="is incomplete"),
    "a hole of three gigabytes": PicturePoison(spoil=_into_hole, told="bytes"),
    "a loop of links": PicturePoison(spoil=_into_loop, told="Too many levels of symbolic links"),
}


def _each(text: str) -> Behaviour:
    """An answer with this text for every segment."""
    return lambda asked: completion(asked, json.dumps(dict.fromkeys(asked.segments, text)))


def _said(content: str) -> Behaviour:
    """An answer with this text instead of JSON."""
    return lambda asked: completion(asked, content)


def _refused_request(asked: Asked) -> Reply:
    error = {"message": "Your text was flagged.", "type": "invalid_request_error", "code": "content_policy_violation"}
    return Reply(status=400, body=json.dumps({"error": error}))


def _no_choices(asked: Asked) -> Reply:
    return Reply(body=json.dumps({**json.loads(answer_right(asked).body), "choices": []}))


_NO_JSON = "was not one JSON object"
_BLOCKS = '[{"type": "paragraph", "data": {"text": "Hello"}}]'


def _nested(depth: int) -> str:
    return f'{{"time": 1, "version": "2", "blocks": {_BLOCKS}, "x": {"[" * depth}{"]" * depth}}}'


ITEMS: Mapping[str, ItemPoison] = {
    "JSON 120 levels deep": ItemPoison(page=f'{{"notice": {_nested(120)}}}', told="nested more than 100 levels deep"),
    "JSON 900 levels deep": ItemPoison(page=f'{{"notice": {_nested(900)}}}', told="nested more than 100 levels deep"),
    "JSON 1,500 levels deep": ItemPoison(
        page=f'{{"notice": {_nested(1500)}}}', told="nested more than 100 levels deep"
    ),
    "blocks that are a text": ItemPoison(page='{"notice": "Hello {"}', told="Field 'notice'"),
    "two rows of the source": ItemPoison(rows=("en-US", "en-US"), told="more than one row for en-US"),
    "an engine that refuses": ItemPoison(behaviour=refuse, told="refused to translate"),
    "an engine whose filter cuts in": ItemPoison(behaviour=filtered, told="refused to translate"),
    "an engine whose answer is always cut off": ItemPoison(behaviour=cut_off, told="did not fit into one answer"),
    "an engine that chats": ItemPoison(behaviour=invalid_json, told=_NO_JSON),
    "an engine that forgets": ItemPoison(behaviour=missing_segment, told="There was no translation of this segment"),
    "an engine that answers in another language": ItemPoison(behaviour=wrong_language, told="in Russian"),
    "an engine that invents placeholders": ItemPoison(behaviour=changed_placeholders, told="placeholder"),
    "an engine that says nothing": ItemPoison(behaviour=_each(""), told="It holds no text"),
    "an engine that writes markup": ItemPoison(
        behaviour=_each("Brot <img src=x onerror=y>"), told="markup that the source does not have"
    ),
    "an engine that writes an address": ItemPoison(
        behaviour=_each("Brot von http://evil.example"), told="evil.example"
    ),
    "an engine that writes a template": ItemPoison(behaviour=_each("Brot {{ password }}"), told="template expression"),
    "an engine that changes the 12": ItemPoison(
        behaviour=_each("Brot für 4,711 Personen"), told="Numbers were changed"
    ),
    "an engine that never ends": ItemPoison(behaviour=_each("Brot " * 2000), told="far longer than the source"),
    "an engine that takes no such text": ItemPoison(behaviour=context_too_long, told="did not fit into one answer"),
    "an engine that rejects the request": ItemPoison(behaviour=_refused_request, told="flagged"),
    "an engine without a choice": ItemPoison(behaviour=_no_choices, told=_NO_JSON),
    "an engine that answers with a list": ItemPoison(behaviour=_said("[1, 2, 3]"), told=_NO_JSON),
    "an engine that answers with depths": ItemPoison(behaviour=_said("[" * 3000 + "]" * 3000), told=_NO_JSON),
    "an enricher that refuses": ItemPoison(behaviour=refuse, is_enrichment=True, told="refuse"),
    "an enricher that chats": ItemPoison(behaviour=invalid_json, is_enrichment=True, told=_NO_JSON),
    "an enricher that chooses what is not there": ItemPoison(
        behaviour=_said('{"mood": "purple"}'), is_enrichment=True, told="mood"
    ),
    "an enricher that answers with a list": ItemPoison(behaviour=_said('["good"]'), is_enrichment=True, told="mood"),
    "an enricher that answers with a number": ItemPoison(
        behaviour=_said('{"mood": 1e400}'), is_enrichment=True, told="mood"
    ),
}


def title_of(name: str) -> str:
    """The title by which the engine recognises the post."""
    return f"Bread of {name}"


def poisoned(asked: Asked) -> Reply:
    """The engine: correct answers, except to questions about poisons."""
    texts = " ".join([*(segment["text"] for segment in asked.segments.values()), *asked.content.values()])
    for name, poison in ITEMS.items():
        if poison.behaviour and poison.is_enrichment == asked.is_enrichment and title_of(name) in texts:
            return poison.behaviour(asked)
    return answer_right(asked)
