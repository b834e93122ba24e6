"""Rows of every type that Directus supports, valid and absurd, are read, planned and split: no exception escapes.

A row that cannot be processed fails alone, and with a foreseen error.
"""

import uuid
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import Unexpected
from directus_assets.images.inventory import Inventory
from directus_assets.isolation import isolate
from directus_assets.json_text import well_formed
from directus_assets.orchestration.build import enriched_items, translated_items
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.kinds.subject import Subject, examine_each
from directus_assets.orchestration.project import Project
from directus_assets.planning.changes import Examination
from directus_assets.settings import Config, Environment, Settings
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.cut_fields import cut_item
from directus_assets.translation.items import Item, read_items
from tests.directus_query import query_of
from tests.random_rows import ANYTHING, TYPES, as_answer, value_of

ROWS_AT_ONCE = 8
EXAMPLES = 225
"""Of each of the three tests: 5,400 rows in all."""

KINDS = ("plain", "html", "markdown", "blocks", "slug", "tags", "repeater")
CODES = ("en-US", "de-DE", "ja-JP")
VALUES = {
    **{name: value_of(name) for name in TYPES},
    **{f"text_{kind}": value_of("text") for kind in KINDS},
    **{f"json_{kind}": value_of("json") for kind in KINDS},
}
"""A field of each type, and texts and JSON of each kind that they are read as."""
OWN_FIELDS = list(VALUES)
KINDS_OF_FIELDS = {name: name.partition("_")[2] or KINDS[number % len(KINDS)] for number, name in enumerate(OWN_FIELDS)}
K = TypeVar("K", bound=Hashable)
Row: TypeAlias = dict[str, Any]

GIVEN = settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],  # An example names the row and the field; to find a smaller one takes minutes.
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


def field(collection: str, name: str, kind: str, **others: Any) -> dict[str, Any]:
    meta = {"interface": "input", **others.pop("meta", {})}
    return {"collection": collection, "field": name, "type": kind, "schema": others, "meta": meta}


def schema() -> dict[str, Any]:
    """The schema of a collection `things` with translations in three languages."""
    texts = [(name, name.partition("_")[0]) for name in OWN_FIELDS]
    fields = [
        *(field(table, "id", "string", is_primary_key=True) for table in ("things", "things_texts", "languages")),
        field("things", "translations", "alias", meta={"special": ["translations"]}),
        field("things", "picture", "uuid"),
        field("things", "summary", "text"),
        field("things", "related", "json"),
        *(field("things", name, kind) for name, kind in texts if kind != "alias"),
        *(field("things_texts", name, kind) for name, kind in texts),
        field("things_texts", "thing", "string", foreign_key_table="things"),
        field("things_texts", "language", "string", foreign_key_table="languages"),
        field("directus_files", "description", "text"),
        *(field("directus_files", name, "string", is_primary_key=name == "id") for name in File.FIELDS),
    ]
    tables = ("things", "things_texts", "languages", "directus_files")
    return {
        "/users/me": {"id": "bot"},
        "/policies/me/globals": {},
        "/settings": {"storage_asset_presets": [], "default_language": "en-US"},
        "/collections": [{"collection": name, "meta": {}, "schema": {"name": name}} for name in tables],
        "/fields": fields,
        "/relations": [
            {
                "collection": "things_texts",
                "field": "thing",
                "related_collection": "things",
                "meta": {"one_field": "translations", "junction_field": "language"},
            },
            {"collection": "things_texts", "field": "language", "related_collection": "languages", "meta": {}},
            {"collection": "things", "field": "picture", "related_collection": "directus_files", "meta": {}},
        ],
        "/items/languages": [{"id": code, "code": code} for code in CODES],
    }


CONFIG = {
    "images": {"delivery": "warm"},
    "translations": {"collections": {"things": {"kinds": KINDS_OF_FIELDS}}},
    "enrichments": {
        "things": {
            "summary": {"input": [name for name in OWN_FIELDS if name != "alias"], "target": "summary"},
            "related": {"input": ["json", "unknown", "string"]},
            "look": {"prompt": "Look.", "picture": "picture", "result": {"look": "text"}},
        },
        "directus_files": {"alt_text": {}},
    },
}
PRESETS = [
    Preset(key="card", fit="cover", width=200, height=200, format="webp"),
    Preset(key="wide", fit="inside", width=1600, without_enlargement=True),
    Preset(key="auto", format="auto", quality=50),
    Preset(key="odd", format="jpeg", transforms=(("rotate", 90), ("blur",), ("extract", {"left": 1}))),
]


class World:
    """A Directus with any rows, and its project."""

    def __init__(self, folder: Path) -> None:
        self.answers = schema()
        environment = Environment.read(
            {
                "DIRECTUS_URL": "http://directus.example.com",
                "DIRECTUS_TOKEN": "t",
                "OPENAI_API_KEY": "key",
                "OPENAI_MODEL": "tiny",
                "DAGSTER_HOME": str(folder),
            }
        )
        self.project = Project(Settings(environment=environment, config=Config.model_validate(CONFIG)))
        transport = httpx.MockTransport(self._answer)
        self.project.__dict__["directus"] = DirectusClient("http://directus.example.com", "t", transport=transport)
        self.project.__dict__["memory"] = LocalStorage(folder)
        snapshot = take_snapshot(self.project.directus, self.project.wanted)
        (self.items,) = translated_items(self.project, snapshot)
        self.things, self.pictures = enriched_items(self.project, snapshot)
        self.files = Files(self.project, PRESETS)

    def put(self, path: str, rows: list[dict[str, Any]], key: str = "id") -> None:
        """Set the rows from now on."""
        self.answers[path] = [(str(row[key]), row) for row in rows]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        found = self.answers.get(request.url.path, [])
        if isinstance(found, list) and found and isinstance(found[0], tuple):
            asked = next(iter(values(query_of(request).get("filter", {}))), None)
            found = [row for key, row in found if asked is None or key in asked]
        return httpx.Response(200, content=as_answer(found), headers={"content-type": "application/json"})


def values(condition: Any) -> Iterator[list[str]]:
    """The lists of values that a filter names."""
    for name, given_ in condition.items() if isinstance(condition, Mapping) else ():
        if name == "_in":
            yield list(map(str, given_))
        for inner in given_ if isinstance(given_, list) else [given_]:
            yield from values(inner)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.project.directus.close()


def foreseen(keys: Sequence[K], work: Callable[[K], object]) -> set[K]:
    """Apply it to each item; return those that fail, each with an expected error of its own."""
    found = isolate(keys, lambda some: [work(key) for key in some])
    unforeseen = [f"{key}: {fault}" for key, fault in found.culprits.items() if isinstance(fault, Unexpected)]
    if unforeseen:
        raise AssertionError(f"Not foreseen: {unforeseen}")
    return set(found.culprits)


def planned(subject: Subject, keys: list[str]) -> Examination:
    """The plan for all items, which has to contain each of them."""
    found = examine_each(subject, keys, list(subject.assets))
    assert set(found.present) | set(found.unfit) | set(found.unready) == set(keys)
    assert {key for _, key in found.wanted} <= set(found.present)
    unforeseen = {place: mark for place, mark in found.wanted.items() if mark.endswith(Unexpected.__name__)}
    assert not unforeseen
    assert found == examine_each(subject, keys, list(subject.assets))
    return found


KEYS = st.one_of(st.integers(), st.uuids().map(str), TYPES["string"].filter(bool).map(well_formed))
SOME = st.lists(
    st.sampled_from(OWN_FIELDS).flatmap(lambda name: st.tuples(st.just(name), VALUES[name])), min_size=1, max_size=6
).map(dict)
"""Some of the fields; to draw all of them for each row would take minutes."""
ROWS = st.lists(st.tuples(KEYS, SOME), min_size=ROWS_AT_ONCE, max_size=ROWS_AT_ONCE, unique_by=lambda row: str(row[0]))


@GIVEN
@given(ROWS)
def test_items_are_read_planned_and_cut_for_their_translations(world: World, rows: list[tuple[Any, Row]]) -> None:
    nothing = dict.fromkeys(OWN_FIELDS)
    world.put("/items/things", [{"id": key, **nothing, **row} for key, row in rows])
    texts = [
        {"id": f"{number}-{code}", "thing": key, "language": code, **nothing, **row}
        for number, (key, row) in enumerate(rows)
        for code in CODES[: 1 + number % 2]
    ]
    world.put("/items/things_texts", texts, "thing")
    client, scope = world.project.directus, world.items.scope
    keys = [str(key) for key, _ in rows]

    assert len(planned(world.items, keys).wanted) == len(keys) * len(scope.targets)

    items = {item.key: item for item in read_items(client, scope, keys)}
    assert list(items) == keys
    places = [(key, name) for key, item in items.items() for name in item.source]
    assert len(places) == len(keys) * len(OWN_FIELDS)
    odd = foreseen(places, lambda place: cut_item(scope, only(items[place[0]], [place[1]])))
    translator = world.items.translator()
    good = {key: only(item, [name for name in item.source if (key, name) not in odd]) for key, item in items.items()}
    assert foreseen(list(good), lambda key: [translator.forecast(good[key], row) for row in scope.targets]) == set()


def only(item: Item, names: Sequence[str]) -> Item:
    """The item with some of its texts."""
    return replace(item, source={name: item.source[name] for name in names})


@GIVEN
@given(ROWS)
def test_items_are_read_planned_and_put_into_questions_for_enrichments(
    world: World, rows: list[tuple[Any, Row]]
) -> None:
    things = [{"id": key, "picture": row.get("uuid"), "summary": row.get("unknown"), **row} for key, row in rows]
    world.put("/items/things", things)
    world.put("/files", [file_row(id=str(row.get("uuid"))) for _, row in rows])
    keys = [str(key) for key, _ in rows]

    planned(world.things, keys)

    items = {item.key: item for item in world.things.reader.read(keys)}
    for enricher in world.things.enrichers.values():
        foreseen(list(items), lambda key, enricher=enricher: enricher.forecast(items[key]))


def file_row(**own: Any) -> dict[str, Any]:
    """A valid row."""
    return {
        "id": str(uuid.UUID(int=1)),
        "storage": "local",
        "filename_disk": "picture.jpg",
        "filename_download": "Picture.jpg",
        "title": "A picture",
        "type": "image/jpeg",
        "filesize": 1000,
        "width": 800,
        "height": 600,
        "focal_point_x": None,
        "focal_point_y": None,
        "uploaded_on": "2026-01-01T00:00:00.000Z",
        "modified_on": "2026-01-01T00:00:00.000Z",
        **own,
    }


ODD_FIELDS = [name for name in File.FIELDS if name not in ("id", "storage")]
ODD = st.builds(
    lambda common, odd: {**common, **odd},
    st.sampled_from(({}, {"uploaded_on": None}, {"width": None, "height": None})),
    st.dictionaries(
        st.sampled_from(ODD_FIELDS), st.one_of(st.none(), st.integers(), TYPES["string"], ANYTHING), max_size=4
    ),
)
"""What differs from a row that is right: often what differs while a file is uploaded, or of an unknown kind."""


@GIVEN
@given(st.lists(st.tuples(st.uuids(), ODD), min_size=ROWS_AT_ONCE, max_size=ROWS_AT_ONCE, unique_by=lambda row: row[0]))
def test_files_are_read_and_planned_for_their_presets(world: World, rows: list[tuple[Any, dict[str, Any]]]) -> None:
    world.put("/files", [file_row(id=str(key), **row) for key, row in rows])
    keys = [str(key) for key, _ in rows]

    found = planned(world.files, keys)
    assert len(found.wanted) == len(found.present) * len(PRESETS)
    planned(world.pictures, keys)

    inventory = Inventory(presets=PRESETS, listings={})
    foreseen(keys, lambda key: [inventory.count(file, {}) for file in world.project.directus.files_by_id([key])])
    assert list(inventory.unclaimed()) == []
