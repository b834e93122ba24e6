"""Storage in a bucket of an S3-compatible service."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from directus_assets.directus.storage.interface import Entry, name_aside, safe_folder, safe_name
from directus_assets.directus.storage.variables import key_prefix
from directus_assets.errors import NotFound, PermanentError, TooLarge, TransientError, Unreachable, from_status

_UPDATE_TRIES = 20

_WITH_KMS = ("aws:kms", "aws:kms:dsse")


def _send_at_once(params: Any, **_: Any) -> None:
    """Send the body unasked: botocore never stops reading the interim answer `100 Continue` if it breaks off."""
    params["headers"].pop("Expect", None)


class _ChangedMeanwhile(TransientError):
    """Another writer was faster."""


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
    acl: str | None = None
    encryption: str | None = None
    """`AES256`, `aws:kms` or `aws:kms:dsse`."""
    kms_key_id: str | None = None
    connect_seconds: float = 5
    read_seconds: float = 60
    inner: str = ""
    """A folder within `root`, with a trailing slash."""

    def describe(self) -> str:
        return f"s3://{self.bucket}/{self.root.removeprefix('./')}{self.inner and '/'}{self.inner}".rstrip("/")

    def inside(self, folder: str) -> "S3Storage":
        return replace(self, inner=f"{self.inner}{safe_folder(folder)}/")

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        client = boto3.session.Session().client(
            "s3",
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name=self.region,
            endpoint_url=self.endpoint,
            config=Config(
                s3={"addressing_style": "path" if self.force_path_style else "auto"},
                connect_timeout=self.connect_seconds,
                read_timeout=self.read_seconds,
                retries={"total_max_attempts": 1},
                max_pool_connections=32,
            ),
        )
        client.meta.events.register_last("before-call.s3", _send_at_once)
        return client

    def read(self, name: str, *, most: int | None = None) -> bytes:
        content, _ = self._get(name, most=most)
        return content

    def write(self, name: str, content: bytes, *, content_type: str) -> None:
        with self._reported(name):
            self._put(name, content, content_type)

    def update(self, name: str, change: Callable[[bytes | None], bytes], *, content_type: str) -> None:
        for number in range(_UPDATE_TRIES):
            current: bytes | None = None
            condition = {"IfNoneMatch": "*"}
            with contextlib.suppress(NotFound):
                current, etag = self._get(name)
                condition = {"IfMatch": etag}
            content = change(current)
            with contextlib.suppress(_ChangedMeanwhile), self._reported(name):
                self._put(name, content, content_type, **condition)
                return
            # Writers that stay in step are in each other's way again.
            time.sleep(secrets.randbelow(min(2000, 20 << number)) / 1000)
        raise Unreachable(f"{self.describe()}: {name} kept changing during the update.")

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
                # Part of every listing; an answer that broke off before its body would be an empty one.
                _ = page["IsTruncated"]
                for entry in page.get("Contents", ()):
                    yield Entry(
                        name=entry["Key"].removeprefix(self._folder),
                        size=int(entry["Size"]),
                        modified=entry["LastModified"],
                    )

    def delete(self, name: str) -> None:
        with self._reported(name):
            self._client.delete_object(Bucket=self.bucket, Key=self._object(name))

    def set_aside(self, name: str, *, unless: Callable[[bytes], bool]) -> str | None:
        aside = name_aside(name)
        with contextlib.suppress(NotFound, _ChangedMeanwhile):
            content, etag = self._get(name)
            if unless(content):
                return None
            source = {"Bucket": self.bucket, "Key": self._object(name)}
            with self._reported(name):
                self._client.copy_object(
                    Bucket=self.bucket,
                    Key=self._object(aside),
                    CopySource=source,
                    CopySourceIfMatch=etag,
                    **self._wishes,
                )
                self._client.delete_object(Bucket=self.bucket, Key=self._object(name))
            return aside
        return None

    def _get(self, name: str, *, most: int | None = None) -> tuple[bytes, str]:
        """The object's content and its ETag; an empty one if the service has none, which then refuses conditions."""
        with self._reported(name):
            found = self._client.get_object(Bucket=self.bucket, Key=self._object(name))
            with contextlib.closing(found["Body"]) as body:
                # Without a length, nobody would notice that the connection broke before the last byte.
                size = found["ContentLength"]
                if most is not None and size > most:
                    raise TooLarge(name, most=most, size=size)
                return body.read(), found.get("ETag", "")

    def _put(self, name: str, content: bytes, content_type: str, **condition: str) -> None:
        self._client.put_object(
            Bucket=self.bucket,
            Key=self._object(name),
            Body=content,
            ContentType=content_type,
            **self._wishes,
            **condition,
        )

    @property
    def _wishes(self) -> dict[str, str]:
        """What Directus' driver sends with each object: without it, others could not read the object, or a strict
        bucket would refuse it.
        """
        wishes = {"ACL": self.acl, "ServerSideEncryption": self.encryption}
        if self.encryption in _WITH_KMS:
            wishes["SSEKMSKeyId"] = self.kms_key_id
        return {header: wish for header, wish in wishes.items() if wish}

    @property
    def _folder(self) -> str:
        return key_prefix(self.root) + self.inner

    def _object(self, name: str) -> str:
        return self._folder + str(safe_name(name))

    @contextlib.contextmanager
    def _reported(self, name: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as error:
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
            reason = error.response.get("Error", {}).get("Code", "")
            if reason == "NoSuchBucket":
                raise PermanentError(
                    f"There is no bucket '{self.bucket}'.", remedy="Correct STORAGE_<LOCATION>_BUCKET, or create it."
                ) from None
            # botocore's stand-in for the code, which S3 sends with every refusal but that of a HEAD request.
            if reason == "404" and error.operation_name != "HeadObject":
                raise Unreachable(
                    f"{self.describe()} cannot be reached for {name}: HTTP 404, but not from S3.",
                    remedy="Check STORAGE_<LOCATION>_ENDPOINT, and that the service is running behind its proxy.",
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
        except (ResponseParserError, HTTPError, LookupError, ValueError) as error:
            # A connection that breaks between two headers ends an answer that Python's `http.client` takes for whole;
            # one that breaks in the reason of a refused download is reported by urllib3 itself (botocore 1.44).
            raise Unreachable(
                f"{self.describe()} gave an incomplete or invalid answer for {name}: {type(error).__name__}."
            ) from None
