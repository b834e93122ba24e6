"""The change feed of a real Directus, and the handling of changes that are missing from it."""

import base64
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from directus_assets.commands.doctor.feed import check_feed
from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.feed import MAX_ENTRIES, begin_feed, read_feed
from directus_assets.directus.models import Preset
from directus_assets.local.bot import create_bot
from directus_assets.local.pictures import upload
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds, build_defs
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.orchestration.runs.history import version_tags
from directus_assets.orchestration.sensors.collection import build_partition_sensor
from directus_assets.orchestration.webserver import BackfillProgress, Webserver
from directus_assets.run_tags import RANGE_END_TAG, RANGE_START_TAG
from directus_assets.settings import Environment, Settings
from directus_assets.snapshot import Wanted, take_snapshot
from tests.directus_proxy import DirectusProxy
from tests.operations.conftest import picture

NAMES = Names()
CARD = {"key": "card", "fit": "cover", "width": 90, "height": 60, "quality": 80, "format": "webp"}
HERO = {"key": "hero", "fit": "cover", "width": 60, "height": 90, "quality": 80, "format": "webp"}
TEXTS = "posts_translations"
PATIENCE_SECONDS = 400

EXTENSION = {
    "name": "writer",
    "version": "1.0.0",
    "type": "module",
    "directus:extension": {"type": "endpoint", "path": "dist/index.js", "source": "src/index.js", "host": ">=11"},
}
EXTENSION_CODE = """
export default { id: "write", handler: (router, { services, getSchema }) => {
  router.post("/", async (request, response) => {
    const { collection, key, data, anonymous, silent } = request.body;
    const accountability = anonymous ? null : request.accountability;
    const service = new services.ItemsService(collection, { schema: await getSchema(), accountability });
    await service.updateOne(key, data, { emitEvents: !silent });
    response.json({});
  });
} };
"""
"""An extension that writes as extensions do: as the user of the request or as nobody, with and without events."""

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDirectus]:
    """A separate Directus with chunked uploads and an extension, whose database the tests modify."""
    prepared = LocalDirectus(tmp_path_factory.mktemp("directus"), environment={"TUS_ENABLED": "true"})
    extension = prepared.folder / "extensions" / "writer"
    (extension / "dist").mkdir(parents=True)
    (extension / "package.json").write_text(json.dumps(EXTENSION))
    (extension / "dist" / "index.js").write_text(EXTENSION_CODE)
    with prepared as server:
        with DirectusClient(server.url, server.admin_token) as client:
            create_collections(client)
            create_bot(client, token=server.bot_token)
            client.patch("/settings", {"storage_asset_presets": [CARD]})
        yield server


def go_back(site: LocalDirectus, number: int) -> None:
    """Reset the log to this entry; ids continue from there."""
    with closing(sqlite3.connect(site.folder / "data.db", timeout=30)) as database, database:
        database.execute("DELETE FROM directus_revisions WHERE activity > ?", (number,))
        database.execute("DELETE FROM directus_activity WHERE id > ?", (number,))
        database.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'directus_activity'", (number,))


def wait(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(2)


def made(home: Path, preset: str) -> set[str]:
    with open_instance(home) as instance:
        keys = instance.get_dynamic_partitions(str(NAMES.files_partitions.name))
        found = instance.get_status_by_partition(NAMES.preset(preset), keys, NAMES.files_partitions) or {}
    return {key for key, status in found.items() if status and status.value == "MATERIALIZED"}


# Uploads in chunks


class Chunked:
    """An upload that arrives in two chunks."""

    def __init__(self, admin: httpx.Client, content: bytes, **metadata: str) -> None:
        self._admin, self._content = admin, content
        told = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": told}
        self._address = admin.post("/files/tus", headers=headers).raise_for_status().headers["location"]

    def send_half(self) -> None:
        self._send(0, len(self._content) // 2)

    def send_rest(self) -> str:
        """Send the last chunk; return the id of the file."""
        return self._send(len(self._content) // 2, len(self._content))

    def _send(self, start: int, end: int) -> str:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(start),
            "Content-Type": "application/offset+octet-stream",
        }
        answer = self._admin.patch(self._address, content=self._content[start:end], headers=headers)
        return str(answer.raise_for_status().headers.get("directus-file-id"))


class Sensor:
    """The files sensor on an ephemeral instance; requested runs count as done."""

    def __init__(self, instance: dg.DagsterInstance, site: LocalDirectus, *, home: Path, url: str = "") -> None:
        home.mkdir(exist_ok=True)
        environ = {"DIRECTUS_URL": url or site.url, "DIRECTUS_TOKEN": site.bot_token, "DAGSTER_HOME": str(home)}
        self.project = Project(Settings(environment=Environment.read(environ)))
        preset = Preset.parse(CARD)
        self.files = Files(self.project, [preset])
        self.sensor = build_partition_sensor([self.files], self.project, name="files", description="", jobs=[])
        self.instance = instance
        self.cursor: str | None = None

    def tick(self) -> set[str]:
        """Tick; return the requested pictures."""
        result = self.sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        asked: set[str] = set()
        for request in result.run_requests or []:
            first, last = request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]
            asked |= set(self.partitions[self.partitions.index(first) : self.partitions.index(last) + 1])
        wanted = self.files.examine(sorted(asked), ["card"]).wanted if asked else {}
        for (_, key), fingerprint in wanted.items():
            tags = version_tags(data_version=fingerprint, code_version="1", source=NAMES.files)
            self.instance.report_runless_asset_event(
                dg.AssetMaterialization(NAMES.preset("card"), partition=key, tags=tags)
            )
        return asked

    @property
    def partitions(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(str(NAMES.files_partitions.name)))


def test_uploads_and_replacements_in_chunks_are_made_at_the_next_tick(site: LocalDirectus, tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {site.admin_token}"}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        DirectusProxy(site.url) as proxy,
        httpx.Client(base_url=site.url, headers=headers, timeout=60) as admin,
    ):
        old = upload(admin, picture(), filename="old.jpg")
        sensor = Sensor(instance, site, home=tmp_path / "home", url=proxy.url)
        assert (sensor.tick(), sensor.tick()) == (set(), set())
        jpeg = {"filename_download": "new.jpg", "type": "image/jpeg"}

        slow = Chunked(admin, picture(), **jpeg)
        slow.send_half()
        assert (sensor.tick(), sensor.tick()) == (set(), set())
        new = slow.send_rest()
        assert (sensor.tick(), sensor.tick()) == ({new}, set())

        slow = Chunked(admin, picture() + b" ", id=new, **jpeg)
        slow.send_half()
        assert (sensor.tick(), sensor.tick()) == (set(), set())
        slow.send_rest()
        assert (sensor.tick(), sensor.tick()) == ({new}, set())

        quick = Chunked(admin, picture() + b"  ", id=old, **jpeg)
        quick.send_half()
        quick.send_rest()
        assert (sensor.tick(), sensor.tick()) == ({old}, set())
        assert {old, new} <= set(sensor.partitions)
        others = len(sensor.partitions) - 1

        proxy.requests.clear()
        assert sensor.tick() == set()
        assert [request.split("?")[0] for request in proxy.requests] == ["GET /files", "GET /activity"]

        document = Chunked(admin, b"%PDF-1.7 and no picture", id=new, filename_download="a.pdf", type="application/pdf")
        document.send_half()
        document.send_rest()
        assert (sensor.tick(), new in sensor.partitions, len(sensor.partitions)) == (set(), False, others)


# What else leaves no entry


class Asking(Webserver):
    """Dagster's webserver, reduced to requests for backfills."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.asked: set[str] = set()

    def launch_backfill(
        self, assets: Iterable[dg.AssetKey], partitions: Sequence[str], *, title: str, tags: Mapping[str, str]
    ) -> str:
        self.asked |= set(partitions)
        return "backfill"

    def backfill(self, backfill_id: str) -> BackfillProgress:
        return BackfillProgress(is_over=True, error="", assets={})


def test_what_extensions_write_is_followed_unless_they_write_as_nobody(site: LocalDirectus, tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {site.admin_token}"}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        httpx.Client(base_url=site.url, headers=headers, timeout=60) as admin,
    ):
        admin.patch("/settings", json={"storage_asset_presets": [CARD]}).raise_for_status()
        sensor = Sensor(instance, site, home=tmp_path / "home")
        sensor.tick()
        file_id = upload(admin, picture(), filename="old.jpg")
        assert sensor.tick() == {file_id}

        def reconcile() -> set[str]:
            webserver = Asking()
            Reconcile(
                instance=instance,
                memory=sensor.project.memory,
                webserver=webserver,
                names=NAMES,
                kinds=all_kinds(sensor.project, take_snapshot(sensor.project.directus, Wanted())),
                seconds=60,
            ).run()
            return webserver.asked

        found: dict[tuple[bool, bool], tuple[set[str], set[str]]] = {}
        for number, (anonymous, silent) in enumerate([(False, False), (False, True), (True, False), (True, True)]):
            focal_point = {"focal_point_x": 5, "focal_point_y": 80 + 20 * number}
            write = {"collection": "directus_files", "key": file_id, "data": focal_point}
            admin.post("/write", json={**write, "anonymous": anonymous, "silent": silent}).raise_for_status()
            found[anonymous, silent] = sensor.tick(), reconcile()

    assert found == {
        (False, False): ({file_id}, set()),
        (False, True): ({file_id}, set()),
        (True, False): (set(), {file_id}),
        (True, True): (set(), {file_id}),
    }


def test_an_applied_schema_leaves_no_entry_and_is_told_by_the_snapshot(site: LocalDirectus) -> None:
    with DirectusClient(site.url, site.admin_token, timeout_seconds=60) as admin:
        wanted = Wanted(translations=True)
        before, position = take_snapshot(admin, wanted), begin_feed(admin)
        schema = admin.get("/schema/snapshot")
        field = next(each for each in schema["fields"] if (each["collection"], each["field"]) == (TEXTS, "title"))
        new = json.loads(json.dumps(field).replace('"title"', '"teaser"'))
        schema["fields"].append(new)

        admin.post("/schema/apply", admin.post("/schema/diff", schema))

        assert read_feed(admin, position, collections=before.watched_collections).entries == ()
        assert take_snapshot(admin, wanted).digest != before.digest


def test_a_bulk_update_leaves_an_entry_for_each_item_which_are_read_page_by_page(site: LocalDirectus) -> None:
    count = 2 * MAX_ENTRIES + 200
    with DirectusClient(site.url, site.admin_token, timeout_seconds=120) as admin:
        keys = [row["id"] for row in admin.post("/items/posts", [{"status": "draft"}] * count)]
        position = begin_feed(admin)

        admin.patch("/items/posts", {"keys": keys, "data": {"status": "published"}})

        pages = []
        for _ in range(3):
            pages.append(read_feed(admin, position, collections=["posts", TEXTS]))
            position = pages[-1].position

    assert [len(page.entries) for page in pages] == [MAX_ENTRIES, MAX_ENTRIES, 200]
    assert sorted(entry.item for page in pages for entry in page.entries) == sorted(map(str, keys))


def test_a_quiet_tick_costs_one_request_and_for_files_one_more_with_uploads_in_chunks(
    site: LocalDirectus, tmp_path: Path
) -> None:
    with dg.DagsterInstance.ephemeral() as instance, DirectusProxy(site.url) as proxy:
        environ = {"DIRECTUS_URL": proxy.url, "DIRECTUS_TOKEN": site.bot_token, "DAGSTER_HOME": str(tmp_path)}
        settings = Settings(environment=Environment.read({**environ, "TRANSLATION_ENGINE": "pseudo"}))
        definitions = build_defs(settings)

        def tick(sensor: dg.SensorDefinition, cursor: str | None) -> str | None:
            context = dg.build_sensor_context(instance=instance, cursor=cursor, definitions=definitions)
            result = sensor(context)
            return result.cursor if isinstance(result, dg.SensorResult) else None

        costs = {}
        for sensor in definitions.sensors or ():
            assert isinstance(sensor, dg.SensorDefinition)
            cursor = tick(sensor, tick(sensor, None))
            proxy.requests.clear()
            tick(sensor, cursor)
            costs[sensor.name] = [request.split("?")[0] for request in proxy.requests]

    assert costs.pop("directus_files_sensor") == ["GET /files", "GET /activity"]
    followed = ["directus_pages_sensor", "directus_posts_sensor", "directus_settings_sensor"]
    assert {name: costs.pop(name) for name in followed} == {key: ["GET /activity"] for key in followed}
    assert set(map(len, costs.values())) == {0}


# A log that goes back


def test_a_log_that_has_gone_back_is_found_by_doctor_and_by_the_next_ticks(site: LocalDirectus, tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {site.admin_token}"}
    pipeline = LocalPipeline(site, tmp_path / "pipeline")
    environ = {"DIRECTUS_URL": site.url, "DIRECTUS_TOKEN": site.bot_token, "DAGSTER_HOME": str(pipeline.home)}
    settings = Settings(environment=Environment.read(environ))

    def feed_status() -> Status:
        with closing(Checkup(Project(settings))) as subject:
            (finding,) = check_feed(subject)
        return finding.status

    with httpx.Client(base_url=site.url, headers=headers, timeout=60) as admin:
        upload(admin, picture(), filename="first.jpg")
        backup = max(row["id"] for row in admin.get("/activity?limit=-1").json()["data"])
        with pipeline:
            wait(lambda: "directus_files_sensor" in positions(pipeline.home))
            second = upload(admin, picture(), filename="second.jpg")
            for number in range(5):
                admin.patch(f"/files/{second}", json={"title": f"Title {number}"}).raise_for_status()
            wait(lambda: made(pipeline.home, "card") >= {second})
            before = feed_status()
        go_back(site, backup)
        after = feed_status()
        third = upload(admin, picture(), filename="third.jpg")
        admin.patch("/settings", json={"storage_asset_presets": [CARD, HERO]}).raise_for_status()
        with pipeline:
            wait(lambda: made(pipeline.home, "card") >= {second, third})
            wait(lambda: made(pipeline.home, "hero") >= {second, third})
            wait(lambda: feed_status() is Status.OK)

    assert (before, after) == (Status.OK, Status.FAILED)


def positions(home: Path) -> dict[str, Any]:
    with open_instance(home) as instance:
        states = instance.all_instigator_state()
    return {
        state.instigator_name: cursor for state in states if (cursor := getattr(state.instigator_data, "cursor", 0))
    }
