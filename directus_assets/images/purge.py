"""Tells a cache in front of Directus which addresses have another picture since a run.

An address counts as changed where its derivative has other bytes than the one before; where nobody knows the bytes,
because Directus has rendered them, where it was made from something else. What could not be told is told with the next.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from directus_assets.directus.storage import KeptFile, Storage
from directus_assets.errors import Unreachable, from_status
from directus_assets.images.outcomes import Delivered
from directus_assets.json_text import as_json
from directus_assets.settings.sections import PurgeOptions

_PENDING = "purges.json"
_ADDRESSES = TypeAdapter(list[str])
_CLOUDFLARE_MOST = 30
"""Addresses in one request, as Cloudflare's plans but the largest take them."""
_BUNNY = "https://api.bunny.net/purge"


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is remembered of a derivative that was made before: its fingerprint, and the digests of its bytes."""

    fingerprint: str
    digests: str = ""


def is_changed(outcome: Delivered, before: Known | None) -> bool:
    """Whether visitors may have seen another picture at the same address; pure."""
    if before is None:
        return False
    digests = digests_of(outcome)
    if digests and before.digests:
        return digests != before.digests
    return outcome.fingerprint != before.fingerprint


def digests_of(outcome: Delivered) -> str:
    """The digests of all derivatives of a file and preset; empty where one is not known."""
    digests = [made.digest for made in outcome.made]
    return ", ".join(digests) if all(digests) else ""


def address_of(public_url: str, file_id: str, preset: str) -> str:
    """Where visitors find a derivative."""
    return f"{public_url}/assets/{quote(file_id)}?key={quote(preset)}"


def requests_of(options: PurgeOptions, addresses: Sequence[str]) -> Iterator[httpx.Request]:
    """The requests that a cache is told by; pure."""
    url = options.url.get_secret_value() if options.url else ""
    token = options.token.get_secret_value() if options.token else ""
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    match options.form:
        case "generic":
            yield _post(url, {"urls": list(addresses)}, bearer)
        case "cloudflare":
            for start in range(0, len(addresses), _CLOUDFLARE_MOST):
                yield _post(url, {"files": list(addresses[start : start + _CLOUDFLARE_MOST])}, bearer)
        case "fastly":
            for address in addresses:
                yield httpx.Request("PURGE", address, headers={"Fastly-Key": token} if token else {})
        case "bunny":
            for address in addresses:
                query = {"url": address, "async": "true"}
                yield httpx.Request("POST", url or _BUNNY, params=query, headers={"AccessKey": token})


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

    def note(self, address: str) -> None:
        """This address has another picture."""
        self._file.update(lambda known: _ADDRESSES.dump_json(list(dict.fromkeys([*(known or []), address]))))

    def flush(self) -> int:
        """Tells all that has not been told; returns how many addresses that were.

        Raises:
            DirectusAssetsError: the cache does not answer or refuses; nothing is forgotten.
        """
        addresses = self._file.read() or []
        if not addresses:
            return 0
        with httpx.Client(timeout=30, transport=self.transport) as http:
            for request in requests_of(self.options, addresses):
                _send(http, request)
        told = set(addresses)
        self._file.update(lambda known: _ADDRESSES.dump_json([each for each in known or [] if each not in told]))
        return len(addresses)

    @property
    def _file(self) -> KeptFile[list[str]]:
        return KeptFile(
            storage=self.storage,
            name=_PENDING,
            what="list of addresses that a cache has not been told of",
            loss="The cache may serve old pictures.",
            parse=_ADDRESSES.validate_json,
        )


def _send(http: httpx.Client, request: httpx.Request) -> None:
    remedy = "Check `purge` in the YAML file."
    try:
        answer = http.send(request)
    except (httpx.RequestError, httpx.InvalidURL) as error:
        # The address is not told, since it may hold a secret.
        raise Unreachable(f"The cache does not answer: {type(error).__name__}.", remedy=remedy) from None
    if not answer.is_success:
        raise from_status(answer.status_code, "The cache refused to forget pictures", remedy=remedy)
