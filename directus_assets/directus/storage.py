"""Directus' own file storage, reached with Directus' own STORAGE_* variables (local disk and S3-compatible).

Every write is atomic: on disk under a temporary name that starts with the final one (Directus then cleans it up with
the file, should it ever be left behind) and renamed; on S3 an object appears whole or not at all.
"""

import contextlib
import datetime as dt
import errno
import fcntl
import logging
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from directus_assets.errors import (
    BadInput,
    ConfigurationError,
    NotFound,
    PermanentError,
    TransientError,
    Unreachable,
    from_status,
)

_UPDATE_TRIES = 20

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_IMPOSSIBLE = frozenset({errno.ENAMETOOLONG, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EINVAL})

logger = logging.getLogger(__name__)


class StorageFull(TransientError):
    """The disk has no room; work goes on when there is some again."""


class _ChangedMeanwhile(TransientError):
    """Another writer was quicker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One file or object: its name, its size in bytes, and when it was last written."""

    name: str
    size: int
    modified: dt.datetime


class Storage(Protocol):
    """One storage location: names to bytes. Names are relative, with `/` between folders."""

    def read(self, name: str) -> bytes:
        """The content. Raises NotFound, Unreachable or PermanentError."""
        ...

    def write(self, name: str, content: bytes, *, content_type: str) -> None:
        """Puts the content there, whole or not at all, over what was there."""
        ...

    def update(self, name: str, change: Callable[[bytes | None], bytes], *, content_type: str) -> None:
        """Replaces what is there by `change` of it (None: nothing there); no update by anybody else is lost."""
        ...

    def size(self, name: str) -> int | None:
        """Bytes of what is there, or None."""
        ...

    def entry(self, name: str) -> Entry | None:
        """What is there, or None."""
        ...

    def names(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names that start with `prefix`, with their sizes."""
        ...

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """What is there under names that start with `prefix`."""
        ...

    def delete(self, name: str) -> None:
        """Removes what is there; nothing there is fine."""
        ...

    def inside(self, folder: str) -> "Storage":
        """The storage that starts in a folder of this one. Raises ConfigurationError if that folder leaves it."""
        ...

    def describe(self) -> str:
        """Where this is, for people; no secrets."""
        ...


@dataclass(frozen=True)
class LocalStorage:
    """A folder on this machine (Directus: `STORAGE_<LOCATION>_DRIVER=local`, `_ROOT`)."""

    root: Path

    def describe(self) -> str:
        return str(self.root)

    def inside(self, folder: str) -> "LocalStorage":
        inner = self.root / _safe_folder(folder)
        self._require_root()
        with self._reported(folder):
            inner.mkdir(parents=True, exist_ok=True)
        return LocalStorage(inner)

    def read(self, name: str) -> bytes:
        with self._reported(name):
            return self._path(name).read_bytes()

    def write(self, name: str, content: bytes, *, content_type: str) -> None:  # noqa: ARG002 (objects have one, files none)
        path = self._path(name)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        self._require_root()
        with self._reported(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def update(self, name: str, change: Callable[[bytes | None], bytes], *, content_type: str) -> None:
        path = self._path(name)
        self._require_root()
        with self._reported(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.with_name(f".{path.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                current = path.read_bytes() if path.exists() else None
                self.write(name, change(current), content_type=content_type)

    def size(self, name: str) -> int | None:
        found = self.entry(name)
        return found.size if found else None

    def entry(self, name: str) -> Entry | None:
        try:
            with self._reported(name):
                return _entry(name, self._path(name).stat())
        except NotFound:
            return None

    def names(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        return ((entry.name, entry.size) for entry in self.entries(prefix))

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        folder, _, start = prefix.rpartition("/")
        top = self._path(folder) if folder else self.root
        with self._reported(prefix):
            for entry in sorted(os.scandir(top), key=lambda found: found.name):
                if entry.name.startswith(start) and entry.is_file():
                    # What was removed since the folder was read is not there any more.
                    with contextlib.suppress(FileNotFoundError):
                        yield _entry(f"{folder}/{entry.name}" if folder else entry.name, entry.stat())

    def delete(self, name: str) -> None:
        with self._reported(name):
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.root / safe_name(name)

    def _require_root(self) -> None:
        """A folder that is not there is a volume that is not mounted, and not an empty storage."""
        if not self.root.is_dir():
            raise Unreachable(f"The storage folder {self.root} is not there.", remedy="Is its volume mounted?")

    @contextlib.contextmanager
    def _reported(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            self._require_root()
            raise NotFound(f"{name} is not in the storage folder {self.root}.") from None
        except OSError as error:
            raise self._explained(error, name) from None

    def _explained(self, error: OSError, name: str) -> PermanentError | TransientError:
        if error.errno in _FULL:
            return StorageFull(
                f"No room left for {name} in {self.root}.", remedy="Free some space; the work is tried again."
            )
        if error.errno in _REFUSED:
            return PermanentError(
                f"The storage folder {self.root} does not let us at {name}: {error.strerror}.",
                remedy="Run as a user that may read and write Directus' uploads, or use delivery `warm`.",
            )
        if error.errno in _IMPOSSIBLE:
            return BadInput(
                f"The storage folder {self.root} cannot hold {name}: {error.strerror}.",
                remedy="Correct `filename_disk` of that file.",
            )
        return Unreachable(f"The storage folder {self.root} failed on {name}: {error.strerror}.")


@dataclass(frozen=True)
class S3Storage:
    """A bucket of any S3-compatible service (Directus: `STORAGE_<LOCATION>_DRIVER=s3` and its `_KEY`, `_BUCKET`, …)."""

    bucket: str
    root: str = ""
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    region: str | None = None
    endpoint: str | None = None
    force_path_style: bool = False

    def describe(self) -> str:
        return f"s3://{self.bucket}/{self.root}".rstrip("/")

    def inside(self, folder: str) -> "S3Storage":
        return replace(self, root=f"{self._folder}{_safe_folder(folder)}")

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.session.Session().client(
            "s3",
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name=self.region,
            endpoint_url=self.endpoint,
            config=Config(
                s3={"addressing_style": "path" if self.force_path_style else "auto"},
                connect_timeout=5,
                read_timeout=60,
                retries={"total_max_attempts": 1},
                max_pool_connections=32,
            ),
        )

    def read(self, name: str) -> bytes:
        with self._reported(name):
            content: bytes = self._client.get_object(Bucket=self.bucket, Key=self._object(name))["Body"].read()
            return content

    def write(self, name: str, content: bytes, *, content_type: str) -> None:
        with self._reported(name):
            self._client.put_object(Bucket=self.bucket, Key=self._object(name), Body=content, ContentType=content_type)

    def update(self, name: str, change: Callable[[bytes | None], bytes], *, content_type: str) -> None:
        for _ in range(_UPDATE_TRIES):
            current: bytes | None = None
            condition = {"IfNoneMatch": "*"}
            with contextlib.suppress(NotFound), self._reported(name):
                found = self._client.get_object(Bucket=self.bucket, Key=self._object(name))
                current, condition = found["Body"].read(), {"IfMatch": found["ETag"]}
            content = change(current)
            with contextlib.suppress(_ChangedMeanwhile), self._reported(name):
                self._client.put_object(
                    Bucket=self.bucket, Key=self._object(name), Body=content, ContentType=content_type, **condition
                )
                return
        raise Unreachable(f"{self.describe()}: {name} kept changing while it was updated.")

    def size(self, name: str) -> int | None:
        found = self.entry(name)
        return found.size if found else None

    def entry(self, name: str) -> Entry | None:
        try:
            with self._reported(name):
                head = self._client.head_object(Bucket=self.bucket, Key=self._object(name))
                return Entry(name=name, size=int(head["ContentLength"]), modified=head["LastModified"])
        except NotFound:
            return None

    def names(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        return ((entry.name, entry.size) for entry in self.entries(prefix))

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        with self._reported(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self._object(prefix) if prefix else self._folder
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield Entry(
                        name=entry["Key"].removeprefix(self._folder),
                        size=int(entry["Size"]),
                        modified=entry["LastModified"],
                    )

    def delete(self, name: str) -> None:
        with self._reported(name):
            self._client.delete_object(Bucket=self.bucket, Key=self._object(name))

    @property
    def _folder(self) -> str:
        return f"{self.root.strip('/')}/" if self.root.strip("/.") else ""

    def _object(self, name: str) -> str:
        return self._folder + str(safe_name(name))

    @contextlib.contextmanager
    def _reported(self, name: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
            reason = error.response.get("Error", {}).get("Code", "")
            if reason == "NoSuchBucket":
                raise PermanentError(
                    f"There is no bucket '{self.bucket}'.", remedy="Correct STORAGE_<LOCATION>_BUCKET, or create it."
                ) from None
            if status == 404:
                raise NotFound(f"{name} is not in {self.describe()}.") from None
            attempt = f"{self.describe()} refuses {name}: {reason}"
            if status in (409, 412):
                raise _ChangedMeanwhile(attempt) from None
            raise from_status(
                status, attempt, remedy="Check STORAGE_<LOCATION>_KEY, _SECRET and the bucket's policy."
            ) from None
        except BotoCoreError as error:
            raise Unreachable(f"{self.describe()} cannot be reached for {name}: {type(error).__name__}.") from None


def open_storages(variables: Mapping[str, str], *, folder: Path = Path()) -> dict[str, Storage]:
    """The storage locations that Directus' own variables name, by location; empty where none is set.

    Args:
        variables: `STORAGE_LOCATIONS` and `STORAGE_<LOCATION>_…`, with Directus' meaning.
        folder: what a relative `_ROOT` starts from.

    Raises:
        ConfigurationError: a variable is missing. A location with a driver that we cannot write to is left out, with a
            warning; its files are delivered by `warm`.
    """
    locations = [name.strip() for name in variables.get("STORAGE_LOCATIONS", "").split(",") if name.strip()]
    opened = {location: _open(location, variables, folder) for location in locations}
    return {location: storage for location, storage in opened.items() if storage}


def safe_name(name: str) -> PurePosixPath:
    """`name` as a path that stays inside its root.

    Raises:
        BadInput: it is empty or absolute, or climbs out (`..`), or holds a NUL.
    """
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name or "\\" in name:
        raise BadInput(
            f"The stored name {name!r} leaves its storage folder.", remedy="Correct `filename_disk` of that file."
        )
    return path


def _entry(name: str, status: os.stat_result) -> Entry:
    return Entry(name=name, size=status.st_size, modified=dt.datetime.fromtimestamp(status.st_mtime, dt.UTC))


def _safe_folder(folder: str) -> PurePosixPath:
    try:
        return safe_name(folder)
    except BadInput:
        raise ConfigurationError(
            f"The folder {folder!r} is none inside its storage location.", remedy="Name one, such as `exports`."
        ) from None


def _open(location: str, variables: Mapping[str, str], folder: Path) -> Storage | None:
    prefix = f"STORAGE_{location.upper()}_"
    own = {name.removeprefix(prefix).lower(): value for name, value in variables.items() if name.startswith(prefix)}
    driver = own.get("driver", "")
    if driver == "local":
        return LocalStorage(folder / _required(own, "root", prefix))
    if driver == "s3":
        return S3Storage(
            bucket=_required(own, "bucket", prefix),
            root=own.get("root", ""),
            key=own.get("key"),
            secret=own.get("secret"),
            region=own.get("region"),
            endpoint=_with_scheme(own.get("endpoint")),
            force_path_style=own.get("force_path_style", "").lower() == "true",
        )
    logger.warning(
        "%sDRIVER is '%s'; delivery `storage` writes to `local` and `s3`, so files there are delivered by `warm`.",
        prefix,
        driver,
    )
    return None


def _required(own: Mapping[str, str], name: str, prefix: str) -> str:
    if not own.get(name):
        raise ConfigurationError(
            f"{prefix}{name.upper()} is not set.", remedy="Give this project the same STORAGE_* variables as Directus."
        )
    return own[name]


def _with_scheme(endpoint: str | None) -> str | None:
    """Directus accepts an endpoint without a scheme and takes https."""
    return endpoint if not endpoint or "://" in endpoint else f"https://{endpoint}"
