"""Where translation records are kept: a folder, or a bucket that several machines share."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from directus_assets.errors import ConfigurationError, DirectusAssetsError, Rejected, Unreachable, from_status
from directus_assets.translation.records import TranslationRecord

T = TypeVar("T")


class RecordStore(Protocol):
    """Keeps one record for each collection, item and language."""

    def load(self, collection: str, item: str, language: str) -> TranslationRecord | None:
        """The record; None if there is none.

        Raises:
            BadInput: the record is damaged.
            DirectusAssetsError: the store cannot be read, which is never taken for an empty one.
        """

    def save(self, record: TranslationRecord) -> None:
        """Put `record` in the place of the last one, wholly or not at all.

        Raises:
            DirectusAssetsError: the store cannot be written.
        """

    def delete(self, collection: str, item: str, language: str) -> None:
        """Remove the record, if there is one.

        Raises:
            DirectusAssetsError: the store cannot be written.
        """


class FolderRecords:
    """A `RecordStore` in a folder, which is made when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, collection: str, item: str, language: str) -> TranslationRecord | None:
        """See `RecordStore`."""
        path = self._folder / record_name(collection, item, language)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        return TranslationRecord.from_json(data, name=str(path))

    def save(self, record: TranslationRecord) -> None:
        """See `RecordStore`."""
        path = self._folder / record_name(record.collection, record.item, record.language)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, record.to_json())
        except OSError as error:
            raise self._unusable(error) from error

    def delete(self, collection: str, item: str, language: str) -> None:
        """See `RecordStore`."""
        try:
            (self._folder / record_name(collection, item, language)).unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"The translation records in {self._folder} cannot be used: {error.strerror}.",
            remedy="Check that the folder exists, has space left, and may be written.",
        )


class BucketRecords:
    """A `RecordStore` in an S3-compatible bucket.

    Args:
        bucket: its name; it has to exist.
        prefix: where in it the records are, such as `directus-assets/records`.
        client: a boto3 S3 client.
    """

    def __init__(self, *, bucket: str, client: Any, prefix: str = "") -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client = client

    def load(self, collection: str, item: str, language: str) -> TranslationRecord | None:
        """See `RecordStore`."""
        key = self._prefix + record_name(collection, item, language)
        try:
            data = self._call(lambda: self._read(key))
        except self._client.exceptions.NoSuchKey:
            return None
        return TranslationRecord.from_json(data, name=f"s3://{self._bucket}/{key}")

    def save(self, record: TranslationRecord) -> None:
        """See `RecordStore`."""
        key = self._prefix + record_name(record.collection, record.item, record.language)
        self._call(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=record.to_json()))

    def delete(self, collection: str, item: str, language: str) -> None:
        """See `RecordStore`."""
        key = self._prefix + record_name(collection, item, language)
        self._call(lambda: self._client.delete_object(Bucket=self._bucket, Key=key))

    def _read(self, key: str) -> bytes:
        body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body

    def _call(self, operation: Callable[[], T]) -> T:
        from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004  # botocore's own, not the built-in

        try:
            return operation()
        except self._client.exceptions.NoSuchKey:
            raise
        except ClientError as error:
            raise self._classify(error) from error
        except (ConnectionError, HTTPClientError) as error:
            raise Unreachable(f"The bucket '{self._bucket}' did not answer: {error}") from error
        except BotoCoreError as error:
            raise Rejected(f"The bucket '{self._bucket}' cannot be used: {error}") from error

    def _classify(self, error: Any) -> DirectusAssetsError:
        metadata = error.response.get("ResponseMetadata", {})
        return from_status(
            metadata.get("HTTPStatusCode", 400),
            f"The bucket '{self._bucket}' refused: {error}",
            remedy="Check its name, region and address, and that the key may read, write and delete objects.",
            headers=metadata.get("HTTPHeaders"),
        )


def record_name(collection: str, item: str, language: str) -> str:
    """The relative path of a record: readable, and safe for any key that a database can hold.

    Each part is its text percent-encoded and shortened, with a digest that keeps apart what a file system would not
    (upper and lower case, long names) and that no special name (`..`, `CON`) survives.
    """
    return "/".join(map(_safe, (collection, language, item))) + ".json"


def _safe(part: str) -> str:
    data = part.encode("utf-8", "surrogatepass")
    return f"{quote(data, safe='')[:60]}.{hashlib.sha256(data).hexdigest()[:12]}"


def _replace(path: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    # Without this the rename itself may be lost when the machine stops.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
