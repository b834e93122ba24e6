"""The storage of Directus and Dagster: files, or PostgreSQL and a bucket with nothing else shared."""

import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
from sqlalchemy import URL, create_engine, make_url, text

from directus_assets.local.server import free_port
from tests import buckets
from tests.chaos.proxy import FaultyProxy
from tests.chaos.services import Service
from tests.postgres import running_postgres

LANGUAGES = ("de-DE", "fr-FR")
CONFIG: dict[str, Any] = {
    "translations": {"collections": {"posts": {"languages": list(LANGUAGES)}, "pages": {"enabled": False}}},
    "reconcile": {"cron": "*/2 * * * *"},
}
_REPOSITORY = Path(__file__).parents[2]
_BUCKET = "content"


@dataclass(kw_only=True)
class Surroundings:
    """By default, files on this machine, as without any settings."""

    directus: Mapping[str, str] = field(default_factory=dict)
    """Further variables of Directus."""
    pipeline: Mapping[str, str] = field(default_factory=dict)
    """Further variables of the pipeline."""
    dagster: Mapping[str, Any] = field(default_factory=dict)
    """Further settings of `dagster.yaml`, by section."""
    config: Mapping[str, Any] = field(default_factory=lambda: CONFIG)
    """The YAML file."""
    proxies: tuple[FaultyProxy, ...] = ()
    """What the pipeline goes through, besides that in front of Directus."""
    exported: tuple[str, ...] = ()
    """The keys of presets that are delivered by `export`, into the same storage."""
    worker_folders: tuple[Path, ...] = ()
    """The environments of runs, where they do not share the code server's."""


def may_hide_folders() -> bool:
    """Whether this user may create mount namespaces, which hide the disk of one run from another."""
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def nothing_shared(folder: Path, chance: random.Random, *, dagster: Mapping[str, Any]) -> Iterator[Surroundings]:
    """Directus and Dagster on PostgreSQL; files, records and exports in a bucket; runs in two separate environments."""
    with ExitStack() as stack:
        postgres = make_url(stack.enter_context(running_postgres()))
        _create_databases(postgres, "directus", "dagster")
        port = stack.enter_context(_bucket(folder))
        proxy = stack.enter_context(FaultyProxy(port, chance))
        workers = tuple(folder / name for name in ("worker-a", "worker-b"))
        storage = {"postgres": {"postgres_url": postgres.set(database="dagster").render_as_string()}}
        launcher = {
            "module": "tests.chaos.launcher",
            "class": "SeparateWorkers",
            "config": {"folders": [str(path) for path in workers]},
        }
        yield Surroundings(
            directus={**_database(postgres.set(database="directus")), **_storage(f"http://127.0.0.1:{port}")},
            pipeline={"STORAGE_S3_ENDPOINT": proxy.url, "PYTHONPATH": str(_REPOSITORY)},
            dagster={**dagster, "storage": storage, "run_launcher": launcher},
            config={
                **CONFIG,
                "translations": {**CONFIG["translations"], "records": {"location": "s3"}},
                "images": {"presets": {"wide": {"delivery": "export"}}, "export": {"location": "s3"}},
            },
            proxies=(proxy,),
            exported=("wide",),
            worker_folders=workers,
        )


def _create_databases(server: URL, *names: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in names:
            connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()


def _database(url: URL) -> dict[str, str]:
    """Directus' own variables for PostgreSQL."""
    settings = {"HOST": url.host, "PORT": url.port, "DATABASE": url.database, "USER": url.username, "PASSWORD": "-"}
    return {"DB_CLIENT": "pg", **{f"DB_{name}": str(value) for name, value in settings.items()}}


@contextmanager
def _bucket(folder: Path) -> Iterator[int]:
    """Run an S3-compatible service with one bucket; yield its port."""
    port = free_port()
    command = [sys.executable, buckets.__file__, str(port)]
    with Service("bucket", command, folder=folder, environment={"PATH": "/usr/bin:/bin"}, log=folder / "bucket.log"):
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=60, trust_env=False
        ) as client:
            client.get("/")
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "bucket-s3cr3t", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **keys).create_bucket(Bucket=_BUCKET)
        yield port


def _storage(endpoint: str) -> dict[str, str]:
    """Directus' own variables for the bucket."""
    settings = {
        "DRIVER": "s3",
        "KEY": "key",
        "SECRET": "bucket-s3cr3t",
        "BUCKET": _BUCKET,
        "REGION": "us-east-1",
        "ENDPOINT": endpoint,
        "FORCE_PATH_STYLE": "true",
        "ROOT": "uploads",
    }
    return {"STORAGE_LOCATIONS": "s3", **{f"STORAGE_S3_{name}": value for name, value in settings.items()}}
