"""A small Directus with one picture, one preset and translated posts, and the user created by `setup`."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import SecretStr

from directus_assets.commands.doctor.doctor import examine
from directus_assets.commands.doctor.findings import Checkup, Finding
from directus_assets.commands.setup.account import as_permitted, carry_out, plan_account, read_account
from directus_assets.commands.setup.rights import comment_rights
from directus_assets.commands.setup.setup import rights_of_project
from directus_assets.directus.client import DirectusClient
from directus_assets.local.pictures import upload
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.project import Project
from directus_assets.settings import Environment, Settings, parse_config

TOKEN = "the-bots-own-token-0123456789"
CONFIG = "{translations: {review: version}, notify: {editors: true}}"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The running Directus, with clients of an administrator and of the pipeline's user."""

    directus: LocalDirectus
    admin: DirectusClient
    folder: Path

    def settings(self, config: str = CONFIG, **variables: str) -> Settings:
        """The settings of a pipeline for this Directus."""
        environ = {
            "DIRECTUS_URL": self.directus.url,
            "DIRECTUS_TOKEN": TOKEN,
            "DAGSTER_HOME": str(self.folder),
            "DAGSTER_WEBSERVER_URL": "http://127.0.0.1:9",
            "TRANSLATION_ENGINE": "pseudo",
            **self.directus.storage_environment,
            **variables,
        }
        return Settings(
            environment=Environment.read(environ),
            config=parse_config(config, name="directus_assets.yaml"),
            config_folder=self.folder,
        )

    def examine(self, config: str = CONFIG, **variables: str) -> list[Finding]:
        """The findings of `doctor`."""
        with contextlib.closing(Checkup(Project(self.settings(config, **variables)))) as subject:
            return list(examine(subject))

    def set_up(self, *, prune: bool = False) -> None:
        """Run `setup`."""
        project = Project(self.settings())
        needed = rights_of_project(project, self.admin)
        wished = comment_rights(needed, project.settings.config, directus=self.admin.version)
        rights = as_permitted(self.admin, [*needed, *wished])
        carry_out(self.admin, plan_account(read_account(self.admin), rights, token=TOKEN, prune=prune))

    @contextlib.contextmanager
    def without(self, right: str) -> Iterator[None]:
        """Remove one right, such as `read on posts`, for the duration of the block."""
        action, _, collection = right.partition(" on ")
        (row,) = [
            row
            for row in self.admin.get("/permissions", limit=-1)
            if (row["collection"], row["action"], row[self.holder]) == (collection, action, self.policy)
        ]
        self.admin.delete(f"/permissions/{row['id']}")
        try:
            yield
        finally:
            names = (self.holder, "collection", "action", "fields", "permissions", "validation")
            self.admin.post("/permissions", {name: row[name] for name in names})

    @property
    def holder(self) -> str:
        """The owner of the rights: a policy, or on Directus 10 a role."""
        return read_account(self.admin).holder

    @property
    def policy(self) -> str:
        return str(read_account(self.admin).policy)

    def grant(self, collection: str, action: str) -> str:
        """Grant an unneeded right; return the id of its row."""
        body = {self.holder: self.policy, "collection": collection, "action": action, "fields": ["*"]}
        return str(self.admin.post("/permissions", {**body, "permissions": {}, "validation": {}})["id"])

    def write_post(self, title: str = "Bread") -> str:
        """Create a post in English; return its key."""
        row = {"languages_code": "en-US", "title": title}
        return str(self.admin.post("/items/posts", {"status": "published", "translations": [row]})["id"])


@pytest.fixture(scope="module")
def site(
    empty_directus: LocalDirectus, admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    with DirectusClient(empty_directus.url, empty_directus.admin_token, timeout_seconds=60) as client:
        preset = {"key": "card", "fit": "cover", "width": 60, "height": 40, "format": "webp", "quality": 75}
        client.patch("/settings", {"storage_asset_presets": [preset]})
        create_collections(client)
        client.patch("/collections/posts_translations", {"meta": {"versioning": True}})
        client.patch("/collections/pages_translations", {"meta": {"versioning": True}})
        upload(admin, picture(), filename="picture.jpg")
        home = tmp_path_factory.mktemp("home")
        # Dagster has run here.
        (home / "schedules").mkdir()
        made = Site(directus=empty_directus, admin=client, folder=home)
        made.set_up()
        yield made


@pytest.fixture
def bot(site: Site) -> Iterator[DirectusClient]:
    with DirectusClient(site.directus.url, TOKEN, timeout_seconds=60) as client:
        yield client


@pytest.fixture
def imaginary() -> Callable[..., Checkup]:
    """A subject whose Directus is a function from requests to answers."""

    def make(answer: Callable[[httpx.Request], httpx.Response], config: str = "", **fields: Any) -> Checkup:
        environment = Environment(directus_url="https://cms.example.com", directus_token=SecretStr(TOKEN), **fields)
        project = Project(Settings(environment=environment, config=parse_config(config, name="directus_assets.yaml")))
        transport = httpx.MockTransport(answer)
        project.directus = DirectusClient(environment.directus_url, TOKEN, transport=transport)
        return Checkup(project, httpx.Client(transport=transport))

    return make


def picture() -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(stream, "JPEG")
    return stream.getvalue()
