"""Purging a cache in front of Directus."""

import json
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import BadInput, DirectusAssetsError, TransientError
from directus_assets.images.handed_out import HandedOut, Original, is_replaced, paths_of
from directus_assets.images.outcomes import Delivered, Made
from directus_assets.images.purge import Known, Purger, address_of, is_changed, is_spoiled, requests_of
from directus_assets.settings.sections import PurgeOptions

CDN = "https://cms.example.com"
TWO = [address_of(CDN, "f1", "card"), address_of(CDN, "f2", "wide & tall")]
THEMSELVES = [f"{CDN}{path}" for path in paths_of("f1", ["Grün, 100%.jpg", "..", "a/b.jpg"])]


def delivered(*digests: str, fingerprint: str = "new") -> Delivered:
    made = tuple(
        Made(label="card", name=f"{number}.webp", mime_type="image/webp", bytes=9, digest=digest)
        for number, digest in enumerate(digests)
    )
    return Delivered(
        file_id="f1",
        file_name="a.jpg",
        preset="card",
        fingerprint=fingerprint,
        delivery="storage",
        made=made,
        original_bytes=99,
        seconds=0.1,
    )


@pytest.mark.parametrize(
    ("outcome", "before", "changed"),
    [
        (delivered("a"), None, False),  # nobody can have seen another one
        (delivered("a"), Known(fingerprint="old", digests="a"), False),  # other settings, the same bytes
        (delivered("b"), Known(fingerprint="new", digests="a"), True),  # a repair with other bytes
        (delivered("a", "c"), Known(fingerprint="old", digests="a, b"), True),  # one of several formats
        (delivered(""), Known(fingerprint="old"), True),  # warmed: only what it was made from is known
        (delivered(""), Known(fingerprint="new"), False),
        (delivered("a"), Known(fingerprint="old"), True),  # recorded by a version without digests
        (delivered("a"), Known(fingerprint="new"), False),
        # In between it could not be made, and something else was served.
        (delivered("a"), Known(fingerprint="old", digests="a", failed="garbage"), True),
        (delivered("a"), Known(fingerprint="new", digests="a", failed="new"), False),  # a repair that failed at first
    ],
)
def test_an_address_has_changed_where_its_bytes_have(outcome: Delivered, before: Known | None, changed: bool) -> None:
    assert is_changed(outcome, before) is changed


@pytest.mark.parametrize(
    ("error", "before", "spoiled"),
    [
        (BadInput("garbage"), None, False),  # nobody can have seen one
        (BadInput("garbage"), Known(fingerprint="old", digests="a"), True),
        (BadInput("garbage"), Known(fingerprint="old", digests="a", failed="new"), False),  # told before
        (BadInput("no rights"), Known(fingerprint="new", digests="a"), False),  # a repair of what is right
        (TransientError("busy"), Known(fingerprint="old", digests="a"), False),  # it will be made
    ],
)
def test_an_address_is_spoiled_where_its_picture_cannot_be_made_any_more(
    error: DirectusAssetsError, before: Known | None, spoiled: bool
) -> None:
    assert is_spoiled(error, "new", before) is spoiled


@pytest.mark.parametrize(
    ("preset", "keys"),
    [
        ("card", ["card"]),
        ("wide & flat", ["wide%20%26%20flat"]),
        ("wide/flat", ["wide/flat", "wide%2Fflat"]),
        ("Größe (2)", ["Gr%C3%B6%C3%9Fe%20%282%29", "Gr%C3%B6%C3%9Fe%20(2)"]),
        ("it's 50%, a=b", ["it%27s%2050%25%2C%20a%3Db", "it's%2050%25%2C%20a%3Db", "it%27s%2050%25,%20a=b"]),
    ],
)
def test_a_preset_is_purged_however_pages_encode_its_key(tmp_path: Path, preset: str, keys: list[str]) -> None:
    handed_out = HandedOut(LocalStorage(tmp_path), lambda _: None)

    assert list(handed_out.paths_at("f1", [preset])) == [f"/assets/f1?key={key}" for key in keys]


def options(**given: str) -> PurgeOptions:
    return PurgeOptions.model_validate(given)


def requests_to(addresses: Sequence[str], **given: str) -> list[httpx.Request]:
    found = list(requests_of(options(**given), addresses))
    assert [address for _, told in found for address in told] == list(addresses)
    return [request for request, _ in found]


def test_each_cache_is_told_in_its_own_form() -> None:
    (generic,) = requests_to(TWO, form="generic", url="https://hook.example.com/p", token="t")
    (cloudflare,) = requests_to(TWO, form="cloudflare", url="https://api.example.com/purge_cache", token="t")
    fastly = requests_to(TWO, form="fastly", token="t")
    bunny = requests_to(TWO, form="bunny", token="t")

    assert json.loads(generic.content) == {"urls": TWO}
    assert json.loads(cloudflare.content) == {"files": TWO}
    assert generic.headers["authorization"] == cloudflare.headers["authorization"] == "Bearer t"
    assert [(each.method, str(each.url), each.headers["fastly-key"]) for each in fastly] == [
        ("PURGE", address, "t") for address in TWO
    ]
    assert [each.url.params["url"] for each in bunny] == TWO
    assert {(each.method, each.url.host, each.headers["accesskey"]) for each in bunny} == {
        ("POST", "api.bunny.net", "t")
    }


@pytest.mark.parametrize("form", ["generic", "cloudflare", "fastly", "bunny"])
def test_files_themselves_have_the_same_addresses_in_each_form(form: str) -> None:
    told = requests_to(THEMSELVES, form=form, url="https://hook.example.com/p", token="t")

    addresses = {"fastly": lambda each: [str(each.url)], "bunny": lambda each: [each.url.params["url"]]}
    of = addresses.get(form, lambda each: next(iter(json.loads(each.content).values())))
    assert [address for each in told for address in of(each)] == [
        f"{CDN}/assets/f1",
        f"{CDN}/assets/f1/Gr%C3%BCn%2C%20100%25.jpg",
        f"{CDN}/assets/f1/Gr%C3%BCn,%20100%25.jpg",
        f"{CDN}/assets/f1/a%2Fb.jpg",
        f"{CDN}/assets/f1/a/b.jpg",
    ]


@pytest.mark.parametrize(
    ("before", "now", "uploaded", "replaced"),
    [
        (None, Original(content="new"), False, False),  # uploaded for the first time
        (None, Original(content="new", digest="b"), True, True),  # uploaded again, and nobody knows what was there
        (Original(content="same", digest="a"), Original(content="same"), True, False),
        (Original(content="old", digest="a"), Original(content="new", digest="a"), True, False),  # the same bytes
        (Original(content="old", digest="a"), Original(content="new", digest="b"), True, True),
        (Original(content="old"), Original(content="new", digest="b"), False, True),
        (Original(content="old", digest="a"), Original(content="new"), False, True),
    ],
)
def test_a_file_is_replaced_where_its_bytes_are_others_or_nobody_knows(
    before: Original | None, now: Original, uploaded: bool, replaced: bool
) -> None:
    assert is_replaced(before, now, uploaded=uploaded) is replaced


def test_cloudflare_is_told_of_no_more_at_once_than_it_takes() -> None:
    many = [address_of(CDN, str(number), "card") for number in range(61)]
    told = requests_to(many, form="cloudflare", url="https://api.example.com", token="t")

    assert [len(json.loads(each.content)["files"]) for each in told] == [30, 30, 1]


def test_what_could_not_be_told_is_told_with_the_next_and_then_forgotten(tmp_path: Path) -> None:
    bodies, status = list[dict[str, object]](), [503]

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(status[0])

    own = options(form="generic", url="https://hook.example.com/secret")
    purger = Purger(own, LocalStorage(tmp_path), httpx.MockTransport(answer))
    purger.note(TWO[:1])
    with pytest.raises(DirectusAssetsError, match="refused") as failed:
        purger.flush()
    purger.note([TWO[1], TWO[0]])
    status[0] = 200

    assert "secret" not in str(failed.value)
    assert (purger.flush(), purger.flush()) == (True, True)
    assert [body["urls"] for body in bodies] == [TWO[:1], TWO]


def test_what_changes_again_while_it_is_told_is_told_again(tmp_path: Path) -> None:
    told = list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        told.append(str(request.url))
        if len(told) == 1:
            purger.note(TWO[:1])
        return httpx.Response(200)

    purger = Purger(options(form="fastly"), LocalStorage(tmp_path), httpx.MockTransport(answer))
    purger.note(TWO)

    assert purger.flush()
    assert purger.flush()
    assert told == [*TWO, TWO[0]]


def test_what_takes_too_long_goes_on_where_it_stopped(tmp_path: Path) -> None:
    told = list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        told.append(str(request.url))
        return httpx.Response(500 if len(told) == 2 else 200)

    purger = Purger(options(form="fastly"), LocalStorage(tmp_path), httpx.MockTransport(answer))
    addresses = [address_of(CDN, str(number), "card") for number in range(4)]
    purger.note(addresses)

    is_first = purger.flush(seconds=1e-9)
    with pytest.raises(DirectusAssetsError):
        purger.flush()

    assert not is_first
    assert purger.flush()
    assert told == [addresses[0], addresses[1], *addresses[1:]]


def test_an_address_that_is_refused_holds_up_no_other(tmp_path: Path) -> None:
    told = list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        told.append(str(request.url))
        return httpx.Response(400 if "refused" in str(request.url) else 200)

    purger = Purger(options(form="fastly"), LocalStorage(tmp_path), httpx.MockTransport(answer))
    refused = [address_of(CDN, f"refused-{number}", "card") for number in range(12)]
    purger.note([*refused, *TWO])

    for _ in range(3):
        with pytest.raises(DirectusAssetsError, match="refused to purge"):
            purger.flush()

    assert [told.count(address) for address in TWO] == [1, 1]
    assert {told.count(address) for address in refused} == {2, 3}


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_cache_that_answers_nobody_is_asked_once(tmp_path: Path, status: int) -> None:
    asked = list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(status, headers={"retry-after": "inf"})

    purger = Purger(options(form="fastly"), LocalStorage(tmp_path), httpx.MockTransport(answer))
    purger.note(TWO)

    with pytest.raises(DirectusAssetsError):
        purger.flush()

    assert asked == TWO[:1]


@pytest.mark.parametrize("given", [{"form": "generic"}, {"form": "cloudflare", "url": "https://x"}, {"form": "bunny"}])
def test_what_a_form_needs_is_asked_for(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="needs"):
        options(**given)
