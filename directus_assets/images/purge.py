"""Tells a cache in front of Directus which addresses have another picture since a run.

An address counts as changed where its derivative has other bytes than the one before; where nobody knows the bytes,
where it was made from something else. It is changed, too, where there is no picture any more: the file or the preset is
gone, or the picture cannot be made. What could not be told is told with the next.
"""

import math
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.errors import DirectusAssetsError, TransientError, Unreachable, from_status
from directus_assets.images.outcomes import Delivered
from directus_assets.json_text import as_json
from directus_assets.settings.sections import PurgeOptions

_PENDING = "purges.json"
_ADDRESSES = TypeAdapter(dict[str, str])
_MOST: Mapping[str, int] = {"generic": 1000, "cloudflare": 30, "fastly": 1, "bunny": 1}
"""Addresses in one request: Cloudflare's as all of its plans but the largest take them."""
_BUNNY = "https://api.bunny.net/purge"


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is remembered of a derivative that was made before.

    Attributes:
        fingerprint: what it was made from.
        digests: of its bytes; empty where they are not known.
        failed: what it was to be made from when that failed last, if it did since.
    """

    fingerprint: str
    digests: str = ""
    failed: str = ""


def is_changed(outcome: Delivered, before: Known | None) -> bool:
    """Whether visitors may have seen another picture at the same address; pure."""
    if before is None:
        return False
    if before.failed and before.failed != before.fingerprint:
        return True  # Meanwhile there was something else, such as an error, or what Directus made by itself.
    digests = digests_of(outcome)
    if digests and before.digests:
        return digests != before.digests
    return outcome.fingerprint != before.fingerprint


def is_spoiled(error: DirectusAssetsError, fingerprint: str, before: Known | None) -> bool:
    """Whether visitors see an earlier picture where there is none any more, since it cannot be made; pure.

    Args:
        error: why not.
        fingerprint: what it was to be made from.
        before: what was made.
    """
    if before is None or isinstance(error, TransientError):
        return False
    return fingerprint not in (before.fingerprint, before.failed)


def digests_of(outcome: Delivered) -> str:
    """The digests of all derivatives of a file and preset; empty where one is not known."""
    digests = [made.digest for made in outcome.made]
    return ", ".join(digests) if all(digests) else ""


def address_of(public_url: str, file_id: str, preset: str) -> str:
    """Where visitors find a derivative."""
    return f"{public_url}/assets/{quote(file_id)}?key={quote(preset)}"


def requests_of(options: PurgeOptions, addresses: Iterable[str]) -> Iterator[tuple[httpx.Request, Sequence[str]]]:
    """The requests that a cache is told by, each with the addresses that it tells; pure."""
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
    """Remembers what is to be told, and tells it.

    Args:
        options: whom, and in which form.
        storage: where it is remembered until then.
        transport: for tests; the network otherwise.
    """

    options: PurgeOptions
    storage: Storage
    transport: httpx.BaseTransport | None = field(default=None)

    def note(self, addresses: Iterable[str]) -> None:
        """These addresses have another picture, or none any more."""
        # Each time anew: what changes again while it is told is told again.
        mark = secrets.token_hex(8)
        new = dict.fromkeys(addresses, mark)
        if new:
            self._file.update(lambda known: _ADDRESSES.dump_json({**(known or {}), **new}))

    def flush(self, *, seconds: float = math.inf) -> bool:
        """Tells what has not been told; returns whether that was all.

        Args:
            seconds: the time it may take; it goes on to the end of the request that it is at.

        Raises:
            DirectusAssetsError: the cache does not answer or refuses; what it was not told of is not forgotten.
        """
        pending = self._file.read()
        if not pending:
            return True
        deadline, told = time.monotonic() + seconds, dict[str, str]()
        try:
            with httpx.Client(timeout=min(30, seconds), transport=self.transport) as http:
                for request, addresses in requests_of(self.options, pending):
                    _send(http, request)
                    told |= {address: pending[address] for address in addresses}
                    if time.monotonic() >= deadline:
                        break
        finally:
            self._forget(told)
        return len(told) == len(pending)

    def _forget(self, told: Mapping[str, str]) -> None:
        def rest(known: Mapping[str, str] | None) -> bytes:
            return _ADDRESSES.dump_json({each: mark for each, mark in (known or {}).items() if told.get(each) != mark})

        if told:
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
        # The address is not told, since it may hold a secret.
        raise Unreachable(f"The cache did not respond: {type(error).__name__}.", remedy=remedy) from None
    if not answer.is_success:
        raise from_status(answer.status_code, "The cache refused to purge pictures", remedy=remedy)
