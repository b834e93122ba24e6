"""nginx as a cache in front of Directus: it never serves an old picture, and keeps everything else."""

import io
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from PIL import Image

from directus_assets.directus.client import DirectusClient
from directus_assets.local.bot import create_bot
from directus_assets.local.content import PUBLIC_POLICY
from directus_assets.local.pictures import upload
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.kinds.pictures import build_image_presets
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.sensors.collection import build_partition_sensor
from directus_assets.settings import Environment, Settings, parse_config
from tests.nginx import Nginx

pytestmark = [pytest.mark.integration, pytest.mark.timeout(5400)]

ROUNDS = 75 if os.environ.get("CHAOS") == "full" else 4
CHANGES = 4
"""In each round, before runs follow."""

CARD = {"key": "card", "fit": "cover", "width": 20, "height": 20, "format": "webp"}
WIDE = {"key": "wide & flat", "fit": "inside", "width": 30, "format": "jpeg", "quality": 80}
AUTO = {"key": "auto", "fit": "cover", "width": 16, "height": 12, "format": "auto"}
ACCEPTS = ("image/avif,image/webp,*/*", "image/webp,*/*", "*/*")
QUERIES = ("", "?key=auto", "?key=card", "?key=wide%20%26%20flat")


def picture(chance: random.Random) -> bytes:
    buffer = io.BytesIO()
    Image.frombytes("RGB", (60, 40), chance.randbytes(60 * 40 * 3)).save(buffer, "JPEG")
    return buffer.getvalue()


class Site:
    """Directus behind a cache, editors, and a sensor whose runs are executed at once."""

    def __init__(
        self, directus: LocalDirectus, admin: httpx.Client, cache: Nginx, folder: Path, chance: random.Random
    ) -> None:
        self.admin, self.cache, self.chance = admin, cache, chance
        self.contents: dict[str, bytes] = {}
        self.names: dict[str, list[str]] = {}
        """What was behind the address of a file at the end of a tick, by id: nothing, or its filename."""
        self.followed: set[str] = set()
        self.presets: dict[str, dict[str, Any]] = {str(each["key"]): each for each in (CARD, WIDE, AUTO)}
        self.visitor = httpx.Client(timeout=60, trust_env=False)
        self.direct = directus.url
        environment = {
            "DIRECTUS_URL": directus.url,
            "DIRECTUS_TOKEN": directus.bot_token,
            "DIRECTUS_PUBLIC_URL": cache.url,
            "DAGSTER_HOME": str(folder),
            **directus.storage_environment,
        }
        config = f"{{images: {{backfill_on_start: true}}, purge: {{form: generic, url: '{cache.hook}'}}}}"
        self.project = Project(
            Settings(
                environment=Environment.read(environment),
                config=parse_config(config, name="directus_assets.yaml"),
                config_folder=folder,
            )
        )
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursor: str | None = None

    def upload(self) -> None:
        content = picture(self.chance)
        file_id = upload(self.admin, content, filename="a.jpg")
        self.contents[file_id], self.names[file_id] = content, ["", "/a.jpg"]

    def replace(self, file_id: str, content: bytes, kind: str = "image/jpeg") -> None:
        name = "a.pdf" if kind == "application/pdf" else "a.jpg"
        self.admin.patch(f"/files/{file_id}", files={"file": (name, content, kind)}).raise_for_status()

    def any_file(self) -> str:
        return self.chance.choice(list(self.contents))

    def save_presets(self) -> None:
        self.admin.patch("/settings", json={"storage_asset_presets": list(self.presets.values())}).raise_for_status()

    def tick(self) -> None:
        """Tick and execute runs until the sensor requests nothing."""
        for _ in range(6):
            presets = list(self.project.directus.project_settings().presets)
            files = Files(self.project, presets)
            sensor = build_partition_sensor(
                [files], self.project, name="directus_files_sensor", description="", jobs=[]
            )
            result = sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
            assert isinstance(result, dg.SensorResult)
            is_quiet = self.cursor == result.cursor
            self.cursor = result.cursor
            for request in result.run_requests or []:
                dg.materialize(
                    [build_image_presets(self.project, presets)],
                    instance=self.instance,
                    tags=dict(request.tags),
                    selection=list(request.asset_selection or []),
                    raise_on_error=False,
                )
            if is_quiet and not result.run_requests:
                self.followed = set(self.contents)
                for file in self.project.directus.files_by_id(self.contents):
                    # The product knows no filename that lasted less than one tick, and does not purge it.
                    self.names[file.id].append(f"/{file.filename_download}")
                return

    def addresses(self) -> list[str]:
        places = [f"/assets/{file_id}{name}" for file_id, names in self.names.items() for name in dict.fromkeys(names)]
        return [address for place in places for query in QUERIES if _is_known(address := f"{place}{query}")]

    def seen(self, origin: str) -> dict[str, tuple[bytes | None, ...]]:
        """The pictures served to visitors, by address and kind of browser; None for anything else."""
        found = {}
        for address in self.addresses():
            accepts = ACCEPTS if address.endswith("=auto") else ACCEPTS[:1]
            answers = [self.visitor.get(f"{origin}{address}", headers={"accept": each}) for each in accepts]
            found[address] = tuple(answer.content if _is_picture(answer) else None for answer in answers)
        return found

    def changes(self) -> list[Callable[[], str]]:
        return [
            lambda: self._replace(picture(self.chance)),
            lambda: self._replace(picture(self.chance)),
            lambda: self._replace(None),
            self._move,
            self._move,
            self._edit,
            self._edit,
            self._delete,
            self._drop_or_add,
            self._spoil,
        ]

    def _replace(self, content: bytes | None) -> str:
        """Replace a file by this picture, or by the last one that it had."""
        file_id = self.any_file()
        self.contents[file_id] = content or self.contents[file_id]
        self.replace(file_id, self.contents[file_id])
        return f"{file_id} is replaced" + ("" if content else " by the same")

    def _move(self) -> str:
        file_id = self.any_file()
        point = {"focal_point_x": self.chance.randrange(60), "focal_point_y": self.chance.randrange(40)}
        self.admin.patch(f"/files/{file_id}", json=point).raise_for_status()
        return f"{file_id} has another focal point"

    def _edit(self) -> str:
        key = self.chance.choice(sorted(self.presets))
        self.presets[key] = {**self.presets[key], "width": self.chance.randrange(10, 30)}
        self.save_presets()
        return f"{key} is edited"

    def _delete(self) -> str:
        file_id = self.any_file()
        del self.contents[file_id]
        # Of those that have long been gone nothing comes back. This one is the last of them.
        self.names[file_id] = self.names.pop(file_id)
        for earlier in [each for each in self.names if each not in self.contents][:-3]:
            del self.names[earlier]
        self.admin.delete(f"/files/{file_id}").raise_for_status()
        self.upload()
        return f"{file_id} is deleted"

    def _drop_or_add(self) -> str:
        if not self.presets.pop("wide & flat", None):
            self.presets["wide & flat"] = WIDE
        self.save_presets()
        return f"there are {len(self.presets)} presets"

    def _spoil(self) -> str:
        """Replace the picture by garbage, or by a document."""
        kind = self.chance.choice(["image/jpeg", "application/pdf"])
        # One of which a picture was made.
        file_id = self.chance.choice([each for each in self.contents if each in self.followed])
        self.replace(file_id, b"%PDF-1.4 no picture", kind)
        return f"{file_id} is spoiled as {kind}"


def _is_known(address: str) -> bool:
    """Whether it is purged in every case: a preset that is dropped is purged without filenames."""
    return not ("/a." in address and address.endswith(QUERIES[-1]))


def _is_picture(answer: httpx.Response) -> bool:
    return answer.is_success and answer.headers["content-type"].startswith("image/")


@pytest.fixture
def site(empty_directus: LocalDirectus, admin: httpx.Client, tmp_path: Path) -> Iterator[Site]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as client:
        create_bot(client, token=empty_directus.bot_token)
    public = {"policy": PUBLIC_POLICY, "collection": "directus_files", "action": "read"}
    admin.post("/permissions", json={**public, "fields": ["*"], "permissions": {}}).raise_for_status()
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"The seed is {seed} (CHAOS_SEED={seed} repeats it).")
    (tmp_path / "nginx").mkdir()
    with Nginx(empty_directus.url, tmp_path / "nginx") as cache:
        made = Site(empty_directus, admin, cache, tmp_path, random.Random(seed))
        with made.instance, made.visitor:
            made.save_presets()
            made.tick()
            for _ in range(3):
                made.upload()
            made.tick()
            yield made


def test_no_old_picture_is_shown_and_nothing_else_is_forgotten(site: Site) -> None:
    assert site.cache.told == []
    before = site.seen(site.cache.url)
    for number in range(ROUNDS):
        site.cache.told.clear()
        changes = site.chance.sample(site.changes(), CHANGES)

        time.sleep(max(0, 1 - time.time() % 1))  # Directus keeps whole seconds.
        done = [change() for change in changes]
        site.tick()

        now = site.seen(site.direct)
        told = set(filter(_is_known, (address.removeprefix(site.cache.url) for address in site.cache.told)))
        had_nothing = {address for address in now if None in before.get(address, (None,))}
        changed = {address for address in now if address not in had_nothing and now[address] != before[address]}
        print(f"Round {number + 1} of {ROUNDS}: {len(changed)} of {len(now)} addresses have changed.")
        assert told - had_nothing == changed, f"in round {number}: {done}"
        before = site.seen(site.cache.url)
        assert before == now, f"in round {number}: {done}"
