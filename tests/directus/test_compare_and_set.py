"""Compare-and-set writes on the real Directus: with every kind of value, on SQLite and on PostgreSQL."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.compare_and_set import Change, CompareAndSet, Values, overwritten
from directus_assets.directus.project_schema import read_project_schema
from directus_assets.enrichment.rows import compare_and_set
from directus_assets.errors import ChangedMeanwhile
from directus_assets.local.server import LocalDirectus
from tests.directus_proxy import DirectusProxy
from tests.postgres import running_postgres

TYPES = {
    "string": {},
    "text": {},
    "csv": {"special": ["cast-csv"]},
    "json": {"special": ["cast-json"]},
    "integer": {},
    "bigInteger": {},
    "float": {},
    "decimal": {},
    "boolean": {"special": ["cast-boolean"]},
    "uuid": {},
}
LONG = "<p>ü" + "x" * 1_000_000 + "</p>"
VALUES: list[tuple[str, Any, Any, Any]] = [
    # type, what we have read, what a human saves, what we write
    ("string", "Brot", "Das Brot", "Brote"),
    ("string", "Brot", "brot", "Brote"),
    ("string", None, "Das Brot", "Brote"),
    ("string", "", "Das Brot", "Brote"),
    ("string", "Brot", None, "Brote"),
    ("string", "Brot", "", "Brote"),
    ("string", "null", "Das Brot", "Brote"),
    ("string", "true", "Das Brot", "Brote"),
    ("string", "$NOW", "Das Brot", "Brote"),
    ("string", "$CURRENT_USER.email", "Das Brot", "Brote"),
    ("string", "12", "12.0", "13"),
    ("text", "<p title=\"a\">a &amp; 'b' \\n \\\\ % _ é 😀</p>\r\n", "<p>Von Hand</p>", "<p>Neu</p>"),
    ("text", LONG, "kurz", LONG.replace("ü", "ä")),
    ("text", "kurz", LONG, "neu"),
    ("csv", ["a", "b"], ["a"], ["a", "b", "c"]),
    ("csv", [], ["Hand"], ["neu"]),
    ("json", {"b": 1, "a": [{"c": "ü"}]}, {"b": 2}, {"b": 3}),
    ("json", ["a", "b"], ["a"], ["c"]),
    ("json", [], ["Hand"], ["neu"]),
    ("json", None, ["Hand"], ["neu"]),
    ("json", ["a"], None, ["neu"]),
    ("integer", 0, 1, 2),
    ("integer", None, 1, 2),
    ("bigInteger", "9007199254740991", "1", "2"),
    ("float", 1 / 3, 0.25, 0.5),
    ("decimal", 1.5, 1.25, 2.5),
    ("boolean", False, True, None),
    ("boolean", True, False, None),
    ("uuid", "9de2e318-2ebc-418d-b8d9-af04799d62e3", None, "9de2e318-2ebc-418d-b8d9-af04799d62e4"),
]


@dataclass(frozen=True)
class Site:
    """A Directus with the collection `things`, as a human sees it, and as we do through a proxy."""

    human: httpx.Client
    ours: DirectusClient
    proxy: DirectusProxy

    def things(self, collection: str = "things") -> CompareAndSet:
        return compare_and_set(self.ours, read_project_schema(self.ours).by_name[collection])

    def make(self, values: Values, collection: str = "things") -> str:
        return str(self._data(self.human.post(f"/items/{collection}", json=dict(values)))["id"])

    def save(self, key: str, values: Values, path: str = "/items/things") -> None:
        self.human.patch(f"{path}/{key}", json=dict(values)).raise_for_status()

    def read(self, key: str, path: str = "/items/things") -> dict[str, Any]:
        return dict(self._data(self.human.get(f"{path}/{key}")))

    @staticmethod
    def _data(answer: httpx.Response) -> Any:
        answer.raise_for_status()
        return answer.json()["data"]


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with ExitStack() as stack:
        environment = {"MAX_PAYLOAD_SIZE": "8mb"}
        if request.param == "PostgreSQL":
            environment |= {"DB_CLIENT": "pg", "DB_CONNECTION_STRING": stack.enter_context(running_postgres())}
        directus = stack.enter_context(LocalDirectus(environment=environment))
        proxy = stack.enter_context(DirectusProxy(directus.url))
        headers = {"authorization": f"Bearer {directus.admin_token}"}
        human = stack.enter_context(httpx.Client(base_url=directus.url, headers=headers, timeout=60, trust_env=False))
        ours = stack.enter_context(DirectusClient(proxy.url, directus.admin_token, timeout_seconds=60))
        serial = {"is_primary_key": True, "has_auto_increment": True}
        columns = [{"field": name, "type": name, "schema": {}, "meta": meta} for name, meta in TYPES.items()]
        for name, key, singleton in (
            ("things", {"type": "integer", "schema": serial}, False),
            ("terms", {"type": "string", "schema": {"is_primary_key": True, "length": 255}}, False),
            ("home", {"type": "integer", "schema": serial}, True),
        ):
            fields = [{"field": "id", "meta": {}, **key}, *columns]
            meta = {"singleton": singleton}
            ours.post("/collections", {"collection": name, "schema": {}, "meta": meta, "fields": fields})
        yield Site(human, ours, proxy)


pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("name", "read", "saved", "written"), VALUES)
def test_what_a_human_saves_between_our_read_and_our_write_stays(
    site: Site, name: str, read: Any, saved: Any, written: Any
) -> None:
    key = site.make({name: read})
    before = {name: site.read(key)[name]}
    site.save(key, {name: saved})
    after = site.read(key)
    site.save(key, before)
    site.proxy.meanwhile = [lambda: site.save(key, {name: saved})]

    with pytest.raises(ChangedMeanwhile):
        site.things().replace(key, before, {name: written})

    assert site.read(key) == after


@pytest.mark.parametrize(("name", "read", "_saved", "written"), VALUES)
def test_where_nobody_saves_it_is_written(site: Site, name: str, read: Any, _saved: Any, written: Any) -> None:
    key = site.make({name: read})
    others = {**site.read(key)}

    site.things().replace(key, {name: others.pop(name)}, {name: written})

    now = site.read(key)
    assert site.things().comparable(name, now.pop(name)) == site.things().comparable(name, written)
    assert now == others


def test_what_a_human_saves_in_another_field_hinders_nobody(site: Site) -> None:
    key = site.make({"string": "Brot", "json": ["a"], "integer": 1})
    site.proxy.meanwhile = [lambda: site.save(key, {"integer": 2})]

    site.things().replace(key, {"string": "Brot", "json": ["a"]}, {"string": "Brote", "json": ["b"]})

    now = site.read(key)
    assert (now["string"], now["json"], now["integer"]) == ("Brote", ["b"], 2)


def test_of_several_fields_each_goes_to_whom_it_belongs(site: Site) -> None:
    key = site.make({"json": ["a"], "float": 0.5})
    site.proxy.meanwhile = [lambda: site.save(key, {"json": ["Hand"]})]

    with pytest.raises(ChangedMeanwhile):
        site.things().replace(key, {"json": ["a"], "float": 0.5}, {"json": ["b"], "float": 0.75})

    now = site.read(key)
    assert (now["json"], now["float"]) == (["Hand"], 0.75)


def test_who_saves_again_while_we_put_back_wins(site: Site) -> None:
    key = site.make({"json": ["a"]})
    site.proxy.meanwhile = [lambda text=text: site.save(key, {"json": [text]}) for text in ("eins", "zwei", "drei")]

    with pytest.raises(ChangedMeanwhile):
        site.things().replace(key, {"json": ["a"]}, {"json": ["b"]})

    assert site.read(key)["json"] == ["drei"]
    assert not site.proxy.meanwhile


def test_what_a_human_saved_before_we_read_is_not_put_back(site: Site) -> None:
    key = site.make({"json": ["a"], "string": "a"})
    site.save(key, {"json": ["Hand"], "string": "Hand"})
    site.things().replace(key, {"json": ["Hand"], "string": "Hand"}, {"json": None, "string": None})

    site.things().replace(key, {"json": None, "string": None}, {"json": ["b"], "string": "b"})

    assert (site.read(key)["json"], site.read(key)["string"]) == (["b"], "b")


def test_a_row_that_is_gone_is_one_that_has_changed(site: Site) -> None:
    key = site.make({"string": "Brot"})
    site.human.delete(f"/items/things/{key}").raise_for_status()

    with pytest.raises(ChangedMeanwhile):
        site.things().replace(key, {"string": "Brot"}, {"string": "Brote"})


@pytest.mark.parametrize("key", ["Brot", "null", "true", "$NOW", "../x?y", "$../users/me"])
def test_keys_that_directus_takes_for_something_else_are_written_all_the_same(site: Site, key: str) -> None:
    site.make({"id": key, "string": "Brot"}, "terms")
    terms, path = site.things("terms"), "/items/terms"

    terms.replace(key, {"string": "Brot"}, {"string": "Brote"})
    quoted = quote(key, safe="").replace(".", "%2E")
    assert site.read(quoted, path)["string"] == "Brote"
    site.proxy.meanwhile = [lambda: site.save(quoted, {"string": "Hand"}, path)]
    with pytest.raises(ChangedMeanwhile):
        terms.replace(key, {"string": "Brote"}, {"string": "Brot"})
    assert site.read(quoted, path)["string"] == "Hand"

    terms.remove(key, {"string": "Hand"})
    assert site.human.get(f"{path}/{quoted}").is_error


def test_a_singleton_has_no_query_and_people_win_all_the_same(site: Site) -> None:
    home = site.things("home")
    site.human.patch("/items/home", json={"string": "Start"}).raise_for_status()
    site.proxy.meanwhile = [lambda: site.human.patch("/items/home", json={"string": "Hand"}).raise_for_status()]

    with pytest.raises(ChangedMeanwhile):
        home.replace("1", {"string": "Start"}, {"string": "Anfang"})
    assert site.human.get("/items/home").json()["data"]["string"] == "Hand"

    home.replace("1", {"string": "Hand"}, {"string": "Anfang"})
    assert site.human.get("/items/home").json()["data"]["string"] == "Anfang"


def test_a_row_that_a_human_has_changed_is_not_removed(site: Site) -> None:
    ours, theirs = site.make({"string": "a", "json": ["a"]}), site.make({"string": "a"})
    site.save(theirs, {"string": "Hand"})

    for key in (ours, theirs):
        site.things().remove(key, {"string": "a", "json": ["a"]})

    assert site.human.get(f"/items/things/{ours}").is_error
    assert site.read(theirs)["string"] == "Hand"


def test_people_win_at_whatever_moment_they_save(site: Site) -> None:
    things, chance = site.things(), random.Random(5)
    fields: dict[str, Any] = {"string": "a", "json": ["a"], "text": None, "integer": 3}
    for round_ in range(60):
        key = site.make(fields)
        moments = sorted(chance.uniform(0, 0.05) for _ in range(2))
        own = chance.uniform(0, 0.03)
        saved = [{"string": f"Hand {at}", "json": [f"Hand {at}"], "text": f"<p>{at}</p>"} for at in range(2)]

        def edit(key: str = key, moments: list[float] = moments, saved: list[dict[str, Any]] = saved) -> None:
            start = time.monotonic()
            for moment, values in zip(moments, saved, strict=True):
                time.sleep(max(0, moment - (time.monotonic() - start)))
                site.save(key, values)

        with ThreadPoolExecutor(1) as pool:
            editing = pool.submit(edit)
            time.sleep(own)
            with suppress(ChangedMeanwhile):
                things.replace(key, fields, {"string": "b", "json": ["b"], "text": "<p>b</p>", "integer": 4})
            editing.result()
        now = site.read(key)
        assert {name: now[name] for name in saved[-1]} == saved[-1], round_


def test_rows_that_are_written_at_the_same_time_are_looked_at_together(site: Site) -> None:
    keys = [site.make({"string": "a"}) for _ in range(12)]
    things = site.things()
    things.replace(keys[0], {"string": "a"}, {"string": "b"})
    site.proxy.requests.clear()
    gate = threading.Barrier(len(keys))

    def write(key: str) -> None:
        gate.wait()
        things.replace(key, {}, {"string": "c"})

    with ThreadPoolExecutor(len(keys)) as pool:
        list(pool.map(write, keys))

    requests = [request.partition("?")[0] for request in site.proxy.requests]
    assert requests.count("PATCH /items/things") == len(keys)
    assert len(requests) - len(keys) == requests.count("GET /activity") < len(keys)


OURS, THEIRS = Change(is_own=True, values={"a": "W"}), Change(is_own=False, values={"a": "H"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], {}),
        ([OURS], {}),
        ([OURS, THEIRS], {"a": "H"}),
        ([OURS, replace(OURS, values={"a": "W0"}), THEIRS], {}),
        ([OURS, Change(is_own=False, values={"b": "X"}), THEIRS], {"a": "H"}),
        ([OURS, OURS, THEIRS], {"a": "H"}),
        ([THEIRS, OURS], {}),
        ([THEIRS, OURS, replace(THEIRS, values={"a": "H1"})], {"a": "H1"}),
        ([OURS, replace(THEIRS, values={"a": "old"})], {}),
        ([OURS, replace(THEIRS, values={"a": "W"})], {}),
        ([Change(is_own=True, values={"b": 1}), OURS, replace(THEIRS, values={"a": None})], {"a": None}),
        ([THEIRS], {}),
    ],
)
def test_only_what_stood_just_before_our_write_is_lost(changes: list[Change], expected: Values) -> None:
    assert overwritten(changes, old={"a": "old"}, new={"a": "W"}) == expected


def test_an_account_that_may_not_ask_for_revisions_writes_all_the_same() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/activity":
            return httpx.Response(403, json={"errors": [{"message": "You don't have permission to access this."}]})
        return httpx.Response(200, json={"data": [{"id": 1}]})

    with DirectusClient("http://directus", "token", transport=httpx.MockTransport(answer)) as client:
        CompareAndSet(client, "things", "id", ["string"]).replace("1", {"string": "a"}, {"string": "b"})
