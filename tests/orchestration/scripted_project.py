"""A project whose Directus is a list of files and a list of events."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg
import httpx

from directus_assets.directus.client import USER_AGENT, DirectusClient
from directus_assets.directus.models import File, Preset, ProjectSettings
from directus_assets.directus.version import NEWEST
from directus_assets.errors import NotFound
from directus_assets.images.plan import code_version, fingerprint
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import version_tags
from directus_assets.settings import Config, Environment, Settings
from tests.directus_query import answer_query, sight

NAMES = Names()

BOT = "bot"

LOCATIONS = {
    "__typename": "Workspace",
    "locationEntries": [
        {
            "name": "directus_assets",
            "locationOrLoadError": {"repositories": [{"sensors": [{"name": "directus_settings_sensor"}]}]},
        }
    ],
}
"""What Dagster's webserver answers when it is asked for the code location of our sensors."""


class Memory:
    """The stored state of a project, available while its Directus is."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def read(self, name: str) -> bytes:
        if name not in self.kept:
            raise NotFound(name)
        return self.kept[name]

    def write(self, name: str, content: bytes, *, content_type: str) -> None:
        self.kept[name] = content

    def update(self, name: str, change: Callable[[bytes | None], bytes], *, content_type: str) -> None:
        self.kept[name] = change(self.kept.get(name))


class ScriptedDirectus:
    """A Directus with files and a change feed, which can go down or lose a right."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.files: dict[str, dict[str, Any]] = {}
        self.activity: list[dict[str, Any]] = []
        self.is_down = False
        self.hidden: set[str] = set()
        """Files that a rule on the right to read hides."""
        self.requests: list[str] = []
        self.settings: dict[str, Any] = {"storage_asset_presets": []}
        self.server: dict[str, Any] = {"version": NEWEST}
        """What `/server/info` tells."""
        self.further: dict[str, Any] = {}
        """Answers by path, besides those that it gives by itself."""
        self.meanwhile: dict[str, Callable[[], None]] = {}
        """What others do as soon as a path is asked for."""

    def upload(self, *ids: str, log: bool = True, **fields: Any) -> None:
        """Add files; without `log`, they existed before the first tick."""
        for file_id in ids:
            self.files[file_id] = {
                "id": file_id,
                "storage": "local",
                "filename_disk": f"{file_id}.jpg",
                "filename_download": f"{file_id}.jpg",
                "title": None,
                "type": "image/jpeg",
                "filesize": 1000,
                "width": 800,
                "height": 600,
                "focal_point_x": None,
                "focal_point_y": None,
                "uploaded_on": "2026-01-01T00:00:00.000Z",
                "modified_on": "2026-01-01T00:00:00.000Z",
                **fields,
            }
            if log:
                self.log("create", file_id)

    def change(self, file_id: str, *, log: bool = True, **fields: Any) -> None:
        """Edit the row of a file."""
        self.files[file_id] |= fields
        if log:
            self.log("update", file_id)

    def delete(self, *ids: str) -> None:
        """Delete files."""
        for file_id in ids:
            del self.files[file_id]
            self.log("delete", file_id)

    def log(self, action: str, item: str, *, user: str = "editor", agent: str = "Firefox", number: int = 0) -> None:
        """Add an entry to the change feed, by default with the next id."""
        self.activity.append(
            {
                "id": number or max([0, *(row["id"] for row in self.activity)]) + 1,
                "action": action,
                "collection": "directus_files",
                "item": item,
                "user": user,
                "user_agent": agent,
                "timestamp": "2026-01-01T00:00:00.000Z",
            }
        )

    def log_own(self, action: str, item: str) -> None:
        """Add an entry caused by our own write."""
        self.log(action, item, user=BOT, agent=USER_AGENT)

    @property
    def settings_row(self) -> dict[str, Any]:
        """The settings in the form of a snapshot."""
        return {**self.settings, ProjectSettings.VERSION: self.server.get("version", NEWEST)}

    def client(self) -> DirectusClient:
        """A client of this Directus."""
        return DirectusClient("http://directus.example.com", "t", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.url.path)
        if self.is_down:
            raise httpx.ConnectError("refused")
        self.meanwhile.pop(request.url.path, lambda: None)()
        known = {
            "/permissions/me": sight("directus_files", full=not self.hidden),
            "/users/me": {"id": BOT},
            "/policies/me/globals": {},
            "/settings": self.settings,
            "/server/info": self.server,
            **self.further,
        }
        if (data := known.get(request.url.path)) is not None:
            return httpx.Response(200, json={"data": data})
        seen = [row for row in self.files.values() if row["id"] not in self.hidden]
        return answer_query(request, {"/activity": self.activity, "/files": seen}[request.url.path])


class ScriptedProject(Project):
    """A project with that Directus."""

    def __init__(self, directus: ScriptedDirectus, **images: Any) -> None:
        environment = Environment.read({"DIRECTUS_URL": "http://directus.example.com", "DIRECTUS_TOKEN": "t"})
        super().__init__(
            Settings(environment=environment, config=Config.model_validate({"images": {"delivery": "warm", **images}}))
        )
        self.__dict__["directus"] = directus.client()
        self.__dict__["memory"] = directus.memory


def materialize(
    instance: dg.DagsterInstance, directus: ScriptedDirectus, *presets: Preset, but: Sequence[str] = ()
) -> None:
    """Record all presets of all files, except some, as materialized in their current state."""
    for preset in presets:
        for row in (row for file_id, row in directus.files.items() if file_id not in but):
            tags = version_tags(
                data_version=fingerprint(File.parse(row), preset), code_version=code_version(preset), source=NAMES.files
            )
            instance.report_runless_asset_event(
                dg.AssetMaterialization(NAMES.preset(preset.key), partition=row["id"], tags=tags)
            )
