"""Purges a cache in front of Directus of pictures that have changed.

An address counts as changed if its derivative's bytes differ from before or, if the bytes are unknown, if its inputs
do. It also counts as changed if the picture is gone: its file or preset was deleted, or it can no longer be made. A
failed purge is repeated with the next one.
"""

import math
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from directus_assets.directus.client import certificates
from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.errors import DirectusAssetsError, NotFound, Rejected, TransientError, Unreachable, from_status
from directus_assets.images.outcomes import Delivered
from directus_assets.json_text import as_json
from directus_assets.settings.sections import PurgeOptions

_PENDING = "purges.json"
_ADDRESSES = TypeAdapter(dict[str, str])
_MOST: Mapping[str, int] = {"generic": 1000, "cloudflare": 30, "fastly": 1, "bunny": 1}
"""Addresses per request; for Cloudflare, the limit of all its plans but the largest."""
_MOST_REFUSED = 10
"""Addresses. A cache that refuses this many probably refuses the rest as well, and is asked again later."""
_BUNNY = "https://api.bunny.net/purge"


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """The record of a derivative made earlier.

    Attributes:
        fingerprint: of its inputs.
        digests: of its bytes; empty if unknown.
        failed: the fingerprint of the last failed attempt since then, if any.
        at: when it was made, in seconds since 1970.
    """

    fingerprint: str
    digests: str = ""
    failed: str = ""
    at: float = 0


def is_changed(outcome: Delivered, before: Known | None) -> bool:
    """Whether visitors may have seen a different picture at the same address. Pure."""
    if before is None:
        return False
    if before.failed and before.failed != before.fingerprint:
        return True  # There was something else in between, such as an error, or Directus' own rendering.
    digests = digests_of(outcome)
    if digests and before.digests:
        return digests != before.digests
    return outcome.fingerprint != before.fingerprint


def is_spoiled(error: DirectusAssetsError, fingerprint: str, before: Known | None) -> bool:
    """Whether visitors still see an earlier picture although it can no longer be made. Pure.

    Args:
        error: why it cannot be made.
        fingerprint: of the failed attempt.
        before: the record of the earlier picture.
    """
    if before is None or isinstance(error, TransientError):
        return False
    return fingerprint not in (before.fingerprint, before.failed)


def digests_of(outcome: Delivered) -> str:
    """The digests of all derivatives of a file and preset; empty if one is unknown."""
    digests = [made.digest for made in outcome.made]
    return ", ".join(digests) if all(digests) else ""


def address_of(public_url: str, file_id: str, preset: str) -> str:
    """The URL of a derivative for visitors."""
    return f"{public_url}/assets/{quote(file_id)}?key={quote(preset)}"


def requests_of(options: PurgeOptions, addresses: Iterable[str]) -> Iterator[tuple[httpx.Request, Sequence[str]]]:
    """The purge requests for a cache, each with the addresses that it covers. Pure."""
    rest = iter(addresses)
    while some := list(islice(rest, _MOST[options.form or "generic"])):
        yield _request(options, some), some


def _request(options: PurgeOptions, addresses: Sequence[str]) -> httpx.Request:
    url = options.url.get_secret_value() if options.url else ""
    token = options.token.get_secret_value() if options.token else ""
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    match options.form:
        case "cloudflare":
            return _post(url, {"files": list(addresses)}, bearer)
        case "fastly":
            return httpx.Request("PURGE", addresses[0], headers={"Fastly-Key": token} if token else {})
        case "bunny":
            query = {"url": addresses[0], "async": "true"}
            return httpx.Request("POST", url or _BUNNY, params=query, headers={"AccessKey": token})
        case _:
            return _post(url, {"urls": list(addresses)}, bearer)


def _post(url: str, body: Mapping[str, object], headers: Mapping[str, str]) -> httpx.Request:
    return httpx.Request("POST", url, content=as_json(body), headers={"Content-Type": "application/json", **headers})


@dataclass(frozen=True)
class Purger:
    """Stores pending purges and sends them.

    Args:
        options: the cache and its protocol.
        storage: holds pending purges.
        transport: for tests; the network by default.
    """

    options: PurgeOptions
    storage: Storage
    transport: httpx.BaseTransport | None = field(default=None)

    def note(self, addresses: Iterable[str]) -> None:
        """Add addresses whose picture has changed or is gone."""
        # A new mark each time: an address that changes again while it is being purged is purged again.
        mark = secrets.token_hex(8)
        new = dict.fromkeys(addresses, mark)
        if new:
            self._file.update(lambda known: _ADDRESSES.dump_json({**(known or {}), **new}))

    def flush(self, *, seconds: float = math.inf) -> bool:
        """Send pending purges; return whether all were sent.

        Args:
            seconds: the time limit; the current request is still completed.

        Raises:
            DirectusAssetsError: the cache does not answer or refuses; unsent purges stay pending. An address that it
                refuses does not hold up the others.
        """
        pending = self._file.read()
        if not pending:
            return True
        deadline, told, refused = time.monotonic() + seconds, set[str](), dict[str, DirectusAssetsError]()
        try:
            with httpx.Client(timeout=min(30, seconds), transport=self.transport, verify=certificates()) as http:
                for request, addresses in requests_of(self.options, pending):
                    try:
                        _send(http, request)
                        told |= set(addresses)
                    except (Rejected, NotFound) as error:
                        refused |= dict.fromkeys(addresses, error)
                    if time.monotonic() >= deadline or len(refused) >= _MOST_REFUSED:
                        break
        finally:
            self._settle(pending, told, refused)
        for fault in refused.values():
            raise fault
        return len(told) == len(pending)

    def _settle(self, pending: Mapping[str, str], told: Collection[str], refused: Collection[str]) -> None:
        """Remove what was purged; addresses that were refused go to the end of the queue."""

        def rest(known: Mapping[str, str] | None) -> bytes:
            left = {each: mark for each, mark in (known or {}).items() if each not in told or mark != pending[each]}
            return _ADDRESSES.dump_json(dict(sorted(left.items(), key=lambda own: own[0] in refused)))

        if told or refused:
            self._file.update(rest)

    @property
    def _file(self) -> KeptFile[dict[str, str]]:
        return KeptFile(
            storage=self.storage,
            name=_PENDING,
            what="list of addresses to purge from the cache",
            loss="The cache may serve old pictures.",
            parse=_ADDRESSES.validate_json,
        )


def _send(http: httpx.Client, request: httpx.Request) -> None:
    remedy = "Check `purge` in the YAML file."
    try:
        answer = http.send(request)
    except (httpx.RequestError, httpx.InvalidURL) as error:
        # The error does not name the URL, which may contain a secret.
        raise Unreachable(f"The cache did not respond: {type(error).__name__}.", remedy=remedy) from None
    if not answer.is_success:
        raise from_status(answer.status_code, "The cache refused to purge pictures", remedy=remedy)
