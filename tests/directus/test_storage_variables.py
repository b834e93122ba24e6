"""Directus' own STORAGE_* variables: our storage interprets them as Directus' does."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from directus_assets.directus.storage import LocalStorage, S3Storage, Storage, open_storages, unsupported
from directus_assets.directus.storage.variables import key_prefix, seconds
from directus_assets.errors import ConfigurationError
from directus_assets.local.installation import installed
from directus_assets.redaction import redact
from tests.buckets import KEYS, s3_service

BUCKET = "storage-variables"

S3 = {
    "STORAGE_LOCATIONS": "s3",
    "STORAGE_S3_DRIVER": "s3",
    "STORAGE_S3_KEY": "key",
    "STORAGE_S3_SECRET": "a-long-s3cret",
    "STORAGE_S3_BUCKET": BUCKET,
    "STORAGE_S3_REGION": "us-east-1",
    "STORAGE_S3_FORCE_PATH_STYLE": "true",
}


def opened(variables: dict[str, str], folder: Path = Path()) -> Storage:
    (storage,) = open_storages({**S3, **variables}, folder=folder).values()
    return storage


def test_a_variable_may_name_a_file_that_holds_its_value(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("from-a-file-s3cret\n")
    (tmp_path / "bucket.txt").write_text("other")
    plain = {name: value for name, value in S3.items() if not name.endswith(("_SECRET", "_BUCKET"))}
    files = {
        "STORAGE_S3_SECRET_FILE": str(tmp_path / "secret.txt"),
        # From the folder of the YAML file, as a relative root.
        "STORAGE_S3_BUCKET_FILE": "bucket.txt",
    }

    (storage,) = open_storages({**plain, **files}, folder=tmp_path).values()

    assert isinstance(storage, S3Storage)
    assert (storage.secret, storage.bucket) == ("from-a-file-s3cret", "other")
    assert redact("the secret is from-a-file-s3cret") == "the secret is ***"


def test_a_root_may_stand_in_a_file_as_well(tmp_path: Path) -> None:
    (tmp_path / "root.txt").write_text("/srv/uploads\n")
    variables = {"STORAGE_LOCATIONS": "local", "STORAGE_LOCAL_ROOT_FILE": str(tmp_path / "root.txt")}

    assert open_storages(variables) == {"local": LocalStorage(Path("/srv/uploads"))}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"STORAGE_S3_ACL_FILE refers to the file '/no/such/file'.*No such file"
    ):
        opened({"STORAGE_S3_ACL_FILE": "/no/such/file"}, tmp_path)


@pytest.mark.parametrize(
    ("variables", "root"),
    [
        ({"STORAGE_LOCATIONS": "local"}, "uploads"),
        ({"STORAGE_LOCATIONS": "local", "STORAGE_LOCAL_ROOT": "./files/../media/"}, "files/../media"),
        ({"STORAGE_LOCATIONS": "array:local", "STORAGE_LOCAL_ROOT": "string:0123"}, "0123"),
        ({"STORAGE_LOCATIONS": "Disk", "storage_disk_driver": "local", "STORAGE_disk_ROOT": "x"}, "x"),
    ],
)
def test_names_casts_and_defaults_are_those_of_directus(variables: dict[str, str], root: str, tmp_path: Path) -> None:
    (storage,) = open_storages(variables, folder=tmp_path).values()

    assert storage == LocalStorage(tmp_path / root)


@pytest.mark.parametrize(("given", "missing"), [("KEY", "SECRET"), ("SECRET", "KEY")])
def test_a_key_without_its_secret_is_refused_as_by_directus(given: str, missing: str) -> None:
    variables = {name: value for name, value in S3.items() if not name.endswith(f"S3_{missing}")}

    with pytest.raises(ConfigurationError, match=f"STORAGE_S3_{missing} is not set"):
        open_storages(variables)


@pytest.mark.parametrize("driver", ["gcs", "azure", "cloudinary", "supabase"])
def test_other_drivers_are_named(driver: str) -> None:
    variables = {"STORAGE_LOCATIONS": "local,cloud", "STORAGE_CLOUD_DRIVER": driver}

    assert unsupported(variables) == {"cloud": driver}
    assert set(open_storages(variables)) == {"local"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, 7), ("500", 0.5), ("2s", 2), ("1500ms", 1.5), ("2 minutes", 120), ("1h", 3600), ("soon", 7), ("0", 7)],
)
def test_durations_are_read_as_by_directus(text: str | None, expected: float) -> None:
    assert seconds(text, 7) == expected


# Against Directus' own driver

_DRIVER = """
import { DriverS3 } from '@directus/storage-driver-s3';
import { Readable } from 'node:stream';
const { config, name } = JSON.parse(process.argv[1]);
const driver = new DriverS3(config);
await driver.write(name, Readable.from([Buffer.from('content')]), 'image/webp');
process.exit(0);
"""


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, Any]]:
    with s3_service(BUCKET) as url:
        client = boto3.client("s3", endpoint_url=url, **KEYS)
        yield url, client
        client.close()


def written_by_directus(variables: dict[str, str], name: str) -> None:
    """Write with Directus' own driver, configured by these variables."""
    program = _DRIVER.replace(
        "const { config, name } = JSON.parse(process.argv[1]);",
        "import { useEnv } from '@directus/env';"
        "import { getConfigFromEnv } from './node_modules/@directus/api/dist/utils/get-config-from-env.js';"
        "useEnv(); const config = getConfigFromEnv('STORAGE_S3_'); const name = process.argv[1];",
    )
    installation = installed()
    subprocess.run(
        [installation.node, "--input-type=module", "-e", program, name],
        cwd=installation.folder,
        env=installation.environment(variables),
        capture_output=True,
        timeout=120,
        check=True,
    )


def objects(client: Any) -> dict[str, Any]:
    """All objects with their headers and permissions; then delete them."""
    found = {}
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        key = entry["Key"]
        headers = client.head_object(Bucket=BUCKET, Key=key)["ResponseMetadata"]["HTTPHeaders"]
        grants = client.get_object_acl(Bucket=BUCKET, Key=key)["Grants"]
        own = {
            name: text for name, text in headers.items() if name not in ("date", "last-modified", "x-amzn-requestid")
        }
        found[key] = (own, grants)
        client.delete_object(Bucket=BUCKET, Key=key)
    return found


@pytest.mark.integration
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"STORAGE_S3_ACL": "public-read", "STORAGE_S3_ROOT": "media"},
        {"STORAGE_S3_SERVER_SIDE_ENCRYPTION": "AES256", "STORAGE_S3_ROOT": "./media/"},
        {
            "STORAGE_S3_ACL": "bucket-owner-full-control",
            "STORAGE_S3_SERVER_SIDE_ENCRYPTION": "aws:kms",
            "STORAGE_S3_SERVER_SIDE_ENCRYPTION_KMS_KEY_ID": "arn:aws:kms:us-east-1:000000000000:key/1",
            "STORAGE_S3_ROOT": "/a//b/../media",
        },
        {
            "STORAGE_S3_SERVER_SIDE_ENCRYPTION": "AES256",
            "STORAGE_S3_SERVER_SIDE_ENCRYPTION_KMS_KEY_ID": "not-for-this",
            "STORAGE_S3_ROOT": ".",
        },
        {"STORAGE_S3_ROOT": "/"},
        {"STORAGE_S3_ROOT": '"quoted"', "STORAGE_S3_ACL": "string:public-read"},
    ],
    ids=["plain", "acl", "encryption", "kms", "a key that does not belong", "slash", "casts"],
)
def test_what_is_written_has_the_key_the_headers_and_the_readers_of_directus_own_driver(
    service: tuple[str, Any], variables: dict[str, str]
) -> None:
    url, client = service
    given = {**S3, "STORAGE_S3_ENDPOINT": url, **variables}
    written_by_directus(given, "a__1.webp")
    theirs = objects(client)

    storage = opened(given)
    storage.write("a__1.webp", b"content", content_type="image/webp")
    ours = objects(client)
    storage.update("a__1.webp", lambda _: b"content", content_type="image/webp")
    updated = objects(client)

    assert len(theirs) == 1
    assert ours == theirs
    assert updated == theirs


@pytest.mark.integration
def test_what_is_set_aside_has_the_headers_and_the_readers_of_what_is_written(service: tuple[str, Any]) -> None:
    url, client = service
    variables = {"STORAGE_S3_ACL": "public-read", "STORAGE_S3_SERVER_SIDE_ENCRYPTION": "AES256"}
    storage = opened({"STORAGE_S3_ENDPOINT": url, **variables})
    storage.write("state.json", b"content", content_type="application/json")
    written = objects(client)["state.json"]
    storage.write("state.json", b"content", content_type="application/json")

    aside = storage.set_aside("state.json", unless=lambda _: False)

    assert objects(client) == {aside: written}


@pytest.mark.parametrize(
    ("root", "prefix"),
    [("", ""), (".", ""), ("./", ""), ("media", "media/"), ("./media/", "media/"), ("/", "/"), ("/media", "media/")],
)
def test_the_root_is_put_before_each_key(root: str, prefix: str) -> None:
    assert key_prefix(root) == prefix
