import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.project_schema import CollectionSchema, ProjectSchema
from directus_assets.directus.storage import LocalStorage
from directus_assets.errors import Forbidden, PermanentError
from directus_assets.settings import Environment
from directus_assets.snapshot import Snapshot, Wanted, load_snapshot, read_snapshot, take_snapshot, write_snapshot

CARD = {"key": "card", "fit": "cover", "width": 200, "height": None}


def environment(folder: Path, *, url: str = "http://127.0.0.1:1") -> Environment:
    return Environment.read({"DIRECTUS_URL": url, "DIRECTUS_TOKEN": "t0ken", "DAGSTER_HOME": str(folder)})


def snapshot(url: str, *keys: str) -> Snapshot:
    return Snapshot(url=url, rows={"storage_asset_presets": [{**CARD, "key": key} for key in keys]})


def keys(found: Snapshot) -> list[str]:
    return [preset.key for preset in found.settings.presets]


class Settings(BaseHTTPRequestHandler):
    answer: dict[str, Any]

    def do_GET(self) -> None:
        content = json.dumps({"data": self.answer}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name of the base class)
        pass


@pytest.fixture
def directus() -> Iterator[str]:
    Settings.answer = {"storage_asset_presets": [CARD]}
    with ThreadingHTTPServer(("127.0.0.1", 0), Settings) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_directus_that_answers_is_asked_and_remembered(tmp_path: Path, directus: str) -> None:
    found = load_snapshot(environment(tmp_path, url=directus), Wanted())

    assert keys(found) == ["card"]
    assert read_snapshot(tmp_path, url=directus) == found
    assert [path.name for path in tmp_path.iterdir()] == ["directus_snapshot.json"]


def test_presets_are_kept_as_stored_since_directus_tells_null_from_absent(tmp_path: Path, directus: str) -> None:
    load_snapshot(environment(tmp_path, url=directus), Wanted())

    kept = read_snapshot(tmp_path, url=directus)

    assert kept.rows["storage_asset_presets"] == [CARD]


def test_a_directus_that_is_down_means_the_last_snapshot_and_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_snapshot(snapshot("http://127.0.0.1:1", "card", "hero"), tmp_path)

    found = load_snapshot(environment(tmp_path), Wanted())

    assert keys(found) == ["card", "hero"]
    assert "Using the last snapshot of Directus (2 presets)" in caplog.text
    assert "t0ken" not in caplog.text


def test_a_directus_that_is_down_on_the_first_start_means_no_presets_and_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = load_snapshot(environment(tmp_path), Wanted())

    assert keys(found) == []
    assert "Using the last snapshot of Directus (0 presets)" in caplog.text


def test_without_an_environment_there_is_a_warning_that_says_what_to_set(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = load_snapshot(Environment.read({"DAGSTER_HOME": str(tmp_path)}), Wanted())

    assert keys(found) == []
    assert "DIRECTUS_URL and DIRECTUS_TOKEN not set" in caplog.text


def test_the_snapshot_of_another_project_is_not_used(tmp_path: Path) -> None:
    write_snapshot(snapshot("https://old.example.com", "card"), tmp_path)

    assert keys(load_snapshot(environment(tmp_path), Wanted())) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"url": "http://127.0.0.1:1"',
        b'{"url": "http://127.0.0.1:1", "rows": null}',
        b'{"url": "http://127.0.0.1:1", "rows": {}}',
        b'{"url": "http://127.0.0.1:1", "rows": {"storage_asset_presets": 5}}',
        b'{"url": "http://127.0.0.1:1", "rows": {"storage_asset_presets": "card"}}',
        b'{"url": "http://127.0.0.1:1", "rows": {"storage_asset_presets": {"width": 5}}}',
    ],
)
def test_a_snapshot_that_is_damaged_is_set_aside_with_a_warning(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "directus_snapshot.json").write_bytes(content)

    assert keys(read_snapshot(tmp_path, url="http://127.0.0.1:1")) == []
    assert "The last snapshot of Directus cannot be read" in caplog.text
    (aside,) = tmp_path.glob("directus_snapshot.json.unreadable-*")
    assert aside.read_bytes() == content


def test_a_folder_in_the_place_of_the_snapshot_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "directus_snapshot.json").mkdir()

    write_snapshot(snapshot("u", "card"), tmp_path)

    assert keys(read_snapshot(tmp_path, url="u")) == ["card"]


def test_a_folder_that_cannot_be_written_does_not_keep_definitions_from_loading(
    tmp_path: Path, directus: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")

    found = load_snapshot(environment(tmp_path / "file" / "state", url=directus), Wanted())

    assert keys(found) == ["card"]
    assert "Could not save" in caplog.text


def test_what_is_kept_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_snapshot(snapshot("u", "card"), tmp_path)
    unwritable = Snapshot(url="u", rows={"storage_asset_presets": [object()]})

    with pytest.raises(Exception, match="serialize"):
        write_snapshot(unwritable, tmp_path)

    assert keys(read_snapshot(tmp_path, url="u")) == ["card"]


def test_a_run_on_a_new_disk_finds_the_shared_snapshot_while_directus_is_down(tmp_path: Path, directus: str) -> None:
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    first, second = (environment(tmp_path / name, url=directus) for name in ("first", "second"))
    load_snapshot(first, Wanted(), shared=lambda: LocalStorage(bucket))
    Settings.answer = {}

    found = load_snapshot(second, Wanted(), shared=lambda: LocalStorage(bucket))

    assert keys(found) == ["card"]


def test_a_shared_storage_that_is_away_does_not_keep_definitions_from_loading(
    tmp_path: Path, directus: str, caplog: pytest.LogCaptureFixture
) -> None:
    away = tmp_path / "away"

    found = load_snapshot(environment(tmp_path, url=directus), Wanted(), shared=lambda: LocalStorage(away))
    Settings.answer = {}
    kept = load_snapshot(environment(tmp_path, url=directus), Wanted(), shared=lambda: LocalStorage(away))

    assert keys(found) == keys(kept) == ["card"]
    assert "Could not save" in caplog.text


def test_an_unchanged_snapshot_is_not_written_again(tmp_path: Path, directus: str) -> None:
    load_snapshot(environment(tmp_path, url=directus), Wanted())
    path = tmp_path / "directus_snapshot.json"
    before = path.stat().st_ino

    load_snapshot(environment(tmp_path, url=directus), Wanted())

    assert path.stat().st_ino == before


@pytest.mark.parametrize("is_deleted", [False, True])
def test_an_enriched_collection_that_is_not_seen_any_more_is_lost_only_where_it_was_deleted(
    *, is_deleted: bool
) -> None:
    deletion = [{"id": 1, "action": "delete", "item": "notes"}] if is_deleted else []

    def answer(request: httpx.Request) -> httpx.Response:
        known = {"/server/info": {}, "/settings": {"storage_asset_presets": [CARD]}, "/activity": deletion}
        data = known.get(request.url.path, [])
        return httpx.Response(200, json={"data": data})

    names = ("notes", "others")
    schema = ProjectSchema(tuple(CollectionSchema(name=name, fields=()) for name in names))
    known = replace(snapshot("http://directus"), schema=schema)
    wanted = Wanted(schema=True, enriched=frozenset({"notes"}))
    may_go = nullcontext() if is_deleted else pytest.raises(Forbidden, match=r"no longer shows notes.*'read on notes'")

    transport = httpx.MockTransport(answer)
    with DirectusClient("http://directus", "token", transport=transport) as client, may_go:
        assert take_snapshot(client, wanted, known=known).schema == ProjectSchema()


def test_another_snapshot_has_another_digest() -> None:
    assert snapshot("u", "card").digest == snapshot("u", "card").digest
    assert snapshot("u", "card").digest != snapshot("u", "hero").digest


def translated(*names: str) -> dict[str, Any]:
    """Directus' responses about these translated collections."""
    relations, fields = [], [{"collection": "languages", "field": "code", "type": "string", "schema": PRIMARY}]
    for name in names:
        rows, item = f"{name}_translations", f"{name}_id"
        meta = {"one_field": "translations", "junction_field": "languages_code"}
        relations += [
            {"collection": rows, "field": item, "related_collection": name, "meta": meta},
            {"collection": rows, "field": "languages_code", "related_collection": "languages", "meta": {}},
        ]
        special = {"special": ["translations"], "options": {}}
        fields += [
            {"collection": name, "field": "id", "type": "integer", "schema": PRIMARY},
            {"collection": name, "field": "translations", "type": "alias", "meta": special},
            {"collection": rows, "field": "id", "type": "integer", "schema": PRIMARY},
            {"collection": rows, "field": "title", "type": "string", "meta": {"interface": "input"}},
        ]
    tables = [f"{name}{end}" for name in names for end in ("", "_translations")]
    return {
        "/server/info": {"version": "11.17.4"},
        "/settings": {"storage_asset_presets": [CARD]},
        "/relations": relations,
        "/fields": fields,
        "/collections": [{"collection": name, "meta": {}, "schema": {}} for name in ("languages", *tables)],
        "/items/languages": [{"code": "en-US"}, {"code": "de-DE"}],
    }


PRIMARY = {"is_primary_key": True}
TRANSLATED = Wanted(translations=True)


def take(
    answers: dict[str, Any], known: Snapshot | None = None, *, wanted: Wanted = TRANSLATED
) -> tuple[list[str], dict[str, PermanentError]]:
    """The translated collections of a snapshot, and the faults."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers[request.url.path]
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json={"data": found})

    faults: dict[str, PermanentError] = {}
    with DirectusClient("http://directus", "token", transport=httpx.MockTransport(answer)) as client:
        found = take_snapshot(client, wanted, known=known, faults=faults)
    return [each.collection for each in found.collections], faults


def known_snapshot(answers: dict[str, Any]) -> Snapshot:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=json.dumps({"data": answers[request.url.path]}))

    transport = httpx.MockTransport(answer)
    with DirectusClient("http://directus", "token", transport=transport) as client:
        return take_snapshot(client, TRANSLATED)


def spoilt(answers: dict[str, Any], collection: str) -> dict[str, Any]:
    """The same, with an uninterpretable field."""
    odd = {"collection": collection, "field": "odd", "type": "string", "meta": {"interface": {}}}
    return {**answers, "/fields": [*answers["/fields"], odd]}


def test_a_collection_that_cannot_be_described_is_left_out_where_nobody_knows_it() -> None:
    found, faults = take(spoilt(translated("pages", "posts"), "pages_translations"))

    assert found == ["posts"]
    assert list(faults) == ["pages"]


def test_a_collection_that_cannot_be_described_any_more_stays_as_it_is_known() -> None:
    answers = translated("pages", "posts")

    found, faults = take(spoilt(answers, "pages_translations"), known_snapshot(answers))

    assert found == ["pages", "posts"]
    assert list(faults) == ["pages"]


@pytest.mark.parametrize("name", ["note", "interface", "group"])
def test_half_an_emoji_in_a_schema_keeps_no_definitions_from_loading(tmp_path: Path, name: str) -> None:
    answers = translated("posts")
    title = next(row for row in answers["/fields"] if row["field"] == "title")
    title["meta"][name] = "half \ud83d"

    found = known_snapshot(answers)
    write_snapshot(found, tmp_path)

    assert read_snapshot(tmp_path, url=found.url) == found


def test_a_right_that_is_lost_is_told_and_changes_nothing() -> None:
    answers = translated("posts")
    refused = httpx.Response(403, json={"errors": [{"message": "No permission."}]})

    with pytest.raises(Forbidden, match="'read on languages'"):
        take({**answers, "/items/languages": refused}, known_snapshot(answers))


def test_presets_are_there_before_anybody_may_read_the_languages() -> None:
    refused = httpx.Response(403, json={"errors": [{"message": "No permission."}]})

    found, faults = take({**translated("posts"), "/items/languages": refused})

    assert found == []
    assert "'read on languages'" in faults["posts"].remedy


def test_whatever_directus_answers_definitions_are_built_from_what_is_kept(
    tmp_path: Path, directus: str, caplog: pytest.LogCaptureFixture
) -> None:
    write_snapshot(snapshot(directus, "kept"), tmp_path)
    Settings.answer = 7

    assert keys(load_snapshot(environment(tmp_path, url=directus), Wanted())) == ["kept"]
    assert "Using the last snapshot of Directus (1 presets): TypeError: 'int' object is not a mapping" in caplog.text
