"""A minimal Directus on a folder: rows, stored derivatives, and faults on request."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import LocalStorage
from directus_assets.directus.version import NEWEST
from directus_assets.images.make import Maker
from directus_assets.images.transforms import SizesUnknown, derivatives
from tests.directus_query import answer_query, sight

RENDERED = b"rendered by Directus"
URL = "http://directus.example.com"

ILLEGAL = httpx.Response(
    400,
    json={
        "errors": [
            {
                "message": "Illegal asset transformation.",
                "extensions": {"invalidTransformations": ["width", "height"], "code": "ILLEGAL_ASSET_TRANSFORMATION"},
            }
        ]
    },
)
"""What Directus answers where it knows no sizes of a picture, or larger ones than it takes."""

Trouble = Callable[[httpx.Request], httpx.Response | None]


def picture(size: tuple[int, int] = (60, 40), *, kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    """A small picture with some content."""
    image = Image.linear_gradient("L").resize(size).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


class ScriptedDirectus:
    """What Directus does with files and derivatives, and nothing else.

    `trouble` may answer a request in its place. `rendered` names what it rendered itself.
    """

    def __init__(self, folder: Path, presets: list[Preset]) -> None:
        self.folder = folder
        self.storage = LocalStorage(folder)
        self.presets = {preset.key: preset for preset in presets}
        self.rows: dict[str, dict[str, Any]] = {}
        self.activity: list[dict[str, Any]] = []
        self.further: dict[str, Any] = {}
        """Answers by path, besides those that it gives by itself."""
        self.rendered: list[str] = []
        self.max_side = 6000
        self.hides_rows = False
        """Whether the token sees some of the files only."""
        self.trouble: Trouble = lambda _: None
        self.client = DirectusClient(URL, "t", transport=httpx.MockTransport(self._answer))

    def add(self, file_id: str, content: bytes, **fields: Any) -> File:
        """Add a file with its row."""
        name = fields.get("filename_disk", f"{file_id}.jpg")
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(content)
        self.rows[file_id] = {
            "id": file_id,
            "storage": "local",
            "filename_disk": name,
            "filename_download": f"{file_id}.jpg",
            "title": file_id.title(),
            "type": "image/jpeg",
            "filesize": len(content),
            "width": 60,
            "height": 40,
            "focal_point_x": None,
            "focal_point_y": None,
            "created_on": "2026-01-01T00:00:00.000Z",
            "uploaded_on": "2026-01-01T00:00:00.000Z",
            "modified_on": "2026-01-01T00:00:00.000Z",
            **fields,
        }
        return self.file(file_id)

    def file(self, file_id: str) -> File:
        """The current row."""
        return File.parse(self.rows[file_id])

    def maker(self, deliveries: Mapping[str, str], *, export: Path | None = None, **options: Any) -> Maker:
        """A maker for this Directus."""
        return Maker(
            **{
                "client": self.client,
                "storages": {"local": self.storage},
                "export": lambda: LocalStorage(export or self.folder / "export"),
                "delivery_of": deliveries.__getitem__,
                "workers": 2,
                **options,
            }
        )

    def stored(self) -> set[str]:
        """The names of all derivatives in the storage."""
        return {path.name for path in self.folder.iterdir() if "__" in path.name}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if (answer := self.trouble(request)) is not None:
            return answer
        if request.url.path == "/server/info":
            return httpx.Response(200, json={"data": {"version": NEWEST}})
        if request.url.path == "/permissions/me":
            return httpx.Response(200, json={"data": sight("directus_files", full=not self.hides_rows)})
        return self._served(request)

    def _served(self, request: httpx.Request) -> httpx.Response:
        collections = {"/files": list(self.rows.values()), "/activity": self.activity}
        if request.url.path in self.further or request.url.path in collections:
            data = self.further.get(request.url.path)
            known = httpx.Response(200, json={"data": data})
            return known if data is not None else answer_query(request, collections[request.url.path])
        file_id = request.url.path.removeprefix("/assets/")
        if file_id not in self.rows:
            return httpx.Response(403)
        if "key" not in request.url.params:
            return httpx.Response(200, content=self.storage.read(self.rows[file_id]["filename_disk"]))
        answer = self._derivative(
            self.file(file_id), self.presets[request.url.params["key"]], request.headers["accept"]
        )
        if request.method == "GET":
            return answer
        # The answer to a HEAD has the headers, and no body.
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        return httpx.Response(answer.status_code, headers={**headers, "content-length": str(len(answer.content))})

    def _derivative(self, file: File, preset: Preset, accept: str) -> httpx.Response:
        try:
            wanted = next(each for each in derivatives(preset, file) if each.accept == accept)
        except SizesUnknown:
            return ILLEGAL
        if self.storage.size(wanted.stored_name) is None:
            if not file.width or not file.height or max(file.width, file.height) > self.max_side:
                return ILLEGAL
            self.rendered.append(wanted.stored_name)
            self.storage.write(wanted.stored_name, RENDERED, content_type=wanted.mime_type)
        headers = {"content-type": wanted.mime_type}
        return httpx.Response(200, headers=headers, content=self.storage.read(wanted.stored_name))
