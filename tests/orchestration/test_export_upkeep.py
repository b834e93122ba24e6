"""The export is never wrong: after any event, manifest and folder equal those of a fresh export."""

import itertools
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from directus_assets.directus.models import Preset
from directus_assets.directus.storage import LocalStorage
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.kinds.pictures import build_image_presets
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.orchestration.runs.history import latest_records
from directus_assets.orchestration.sensors.collection import build_partition_sensor
from directus_assets.orchestration.webserver import Webserver
from directus_assets.settings import Config, Environment, Settings
from tests.images.scripted_directus import URL, ScriptedDirectus, picture

PRESETS = {
    "card": Preset(key="card", fit="cover", width=20, height=20, format="webp"),
    "wide": Preset(key="wide", fit="inside", width=30, format="jpeg"),
    "auto": Preset(key="auto", fit="cover", width=16, height=16, format="auto"),
    "nothing": Preset(key="nothing"),
}
CHANGED = {
    "card": Preset(key="card", fit="cover", width=24, height=20, format="png"),
    "wide": Preset(key="wide", fit="inside", width=30, transforms=(("explode",),)),
    "auto": Preset(key="auto"),
    "nothing": Preset(key="nothing", width=10),
}
FOLDER = {"folder": {"_eq": "shown"}}


class Site:
    """A Directus with a change feed, and a sensor whose runs are executed at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "uploads").mkdir()
        self.directus = ScriptedDirectus(folder / "uploads", [])
        self.directus.further |= {
            "/users/me": {"id": "bot"},
            "/policies/me/globals": {},
            "/server/info": {"version": "12.4.1"},
        }
        self.presets = {"card": PRESETS["card"], "wide": PRESETS["wide"]}
        self.filter: dict[str, Any] = FOLDER
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursor: str | None = None
        self.numbers = itertools.count(1)
        self.seconds = itertools.count(1)
        self.tick()

    def project(self, export: str = "export") -> Project:
        images = {"delivery": "export", "filter": self.filter, "backfill_on_start": True, "export": {"folder": export}}
        environment = Environment.read({"DIRECTUS_URL": URL, "DIRECTUS_TOKEN": "t"})
        made = Project(
            Settings(
                environment=environment,
                config=Config.model_validate({"images": images}),
                config_folder=self.folder,
            )
        )
        made.__dict__["directus"] = self.directus.client
        return made

    def log(self, action: str, item: str) -> None:
        self.directus.activity.append(
            {
                "id": next(self.numbers),
                "action": action,
                "collection": "directus_files",
                "item": item,
                "user": "editor",
                "user_agent": "Firefox",
                "timestamp": self.moment(),
            }
        )

    def moment(self) -> str:
        number = next(self.seconds)
        return f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"

    def upload(self, file_id: str, content: bytes, **fields: Any) -> None:
        known = self.directus.rows.get(file_id)
        moment = self.moment()
        kept = {name: known[name] for name in ("title", "description", "folder")} if known else {}
        row = {"description": None, "folder": "shown", **kept, "uploaded_on": moment, "modified_on": moment, **fields}
        self.directus.add(file_id, content, **row)
        self.log("update" if known else "create", file_id)

    def change(self, file_id: str, **fields: Any) -> None:
        self.directus.rows[file_id] |= fields
        self.log("update", file_id)

    def delete(self, file_id: str) -> None:
        del self.directus.rows[file_id]
        self.log("delete", file_id)

    def tick(self) -> None:
        """Tick and execute runs until the sensor requests nothing."""
        for _ in range(6):
            project, presets = self.project(), list(self.presets.values())
            sensor = build_partition_sensor(
                [Files(project, presets)], project, name="directus_files_sensor", description="", jobs=[]
            )
            result = sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
            assert isinstance(result, dg.SensorResult)
            is_quiet = self.cursor == result.cursor
            self.cursor = result.cursor
            for request in result.run_requests or []:
                dg.materialize(
                    [build_image_presets(project, presets)],
                    instance=self.instance,
                    tags=dict(request.tags),
                    selection=list(request.asset_selection or []),
                    raise_on_error=False,
                )
            if is_quiet and not result.run_requests:
                return

    def reconcile(self) -> None:
        project, presets = self.project(), list(self.presets.values())
        Reconcile(
            instance=self.instance,
            memory=project.memory,
            webserver=Webserver("http://127.0.0.1:1"),
            names=project.names,
            kinds=[Files(project, presets)],
            seconds=60,
        ).run()

    def lost(self) -> set[tuple[str, str]]:
        """The outputs that the reconcile would repair."""
        kind = Files(self.project(), list(self.presets.values()))
        keys = sorted(self.directus.rows)
        page = kind.survey().look(keys)
        records = latest_records(self.instance, kind.assets, keys)
        return {output for output, record in records.items() if page.is_lost(*output, record)}

    def exported(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        return contents(self.folder / "export")

    def fresh(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The content of a fresh export."""
        with tempfile.TemporaryDirectory(dir=self.folder) as target:
            project = self.project(Path(target).name)
            files = [file for file in project.files_by_id(self.directus.rows).values() if file.is_transformable]
            presets = list(self.presets.values())
            if files and presets:
                list(project.maker.make(dict.fromkeys(files, presets)))
            return contents(Path(target))


def contents(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files.pop(".lock", None)
    manifest = json.loads(files.pop("manifest.json", b'{"files": {}}'))
    return manifest["files"], files


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.instance.dispose()


def test_half_a_character_in_a_text_keeps_no_picture_out_of_the_manifest(site: Site) -> None:
    site.upload("f1", picture((40, 30)), width=40, height=30, title="Harbour \ud83d", description="\udc4d")
    site.tick()

    (row,) = site.exported()[0].values()
    assert (row["title"], row["description"]) == ("Harbour \ufffd", "\ufffd")


class Editors(RuleBasedStateMachine):
    """All kinds of edits of files, folders, texts and presets."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.site = Site(Path(self.place.name))

    def teardown(self) -> None:
        self.site.instance.dispose()
        self.place.cleanup()

    def present(self) -> list[str]:
        return sorted(self.site.directus.rows)

    @rule(number=st.integers(0, 2), width=st.integers(40, 44), kind=st.sampled_from(["JPEG", "PNG"]))
    def upload_or_replace(self, number: int, width: int, kind: str) -> None:
        content = picture((width, 30), kind=kind)
        self.site.upload(f"f{number}", content, width=width, height=30, type=f"image/{kind.lower()}")

    @rule(number=st.integers(0, 2))
    def replace_by_garbage(self, number: int) -> None:
        self.site.upload(f"f{number}", b"no picture", width=40, height=30)

    @rule(number=st.integers(0, 2))
    def replace_by_a_document(self, number: int) -> None:
        self.site.upload(f"f{number}", b"%PDF", width=None, height=None, type="application/pdf")

    @precondition(present)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.site.delete(data.draw(st.sampled_from(self.present())))

    @precondition(present)
    @rule(data=st.data(), folder=st.sampled_from(["shown", "hidden"]))
    def move(self, data: st.DataObject, folder: str) -> None:
        self.site.change(data.draw(st.sampled_from(self.present())), folder=folder)

    @precondition(present)
    @rule(data=st.data(), name=st.sampled_from(["title", "description"]), text=st.sampled_from([None, "Ä", "x"]))
    def write(self, data: st.DataObject, name: str, text: str | None) -> None:
        self.site.change(data.draw(st.sampled_from(self.present())), **{name: text})

    @rule(key=st.sampled_from(list(PRESETS)), how=st.sampled_from(["added", "removed", "changed"]))
    def preset(self, key: str, how: str) -> None:
        self.site.presets.pop(key, None)
        if how != "removed":
            self.site.presets[key] = (CHANGED if how == "changed" else PRESETS)[key]
        self.site.directus.presets = self.site.presets

    @rule(is_filtered=st.booleans())
    def filter(self, is_filtered: bool) -> None:
        self.site.filter = FOLDER if is_filtered else {}

    @invariant()
    def the_export_is_a_fresh_one(self) -> None:
        self.site.tick()
        assert self.site.exported() == self.site.fresh()


def test_after_whatever_happens_the_export_is_that_of_a_fresh_start() -> None:
    run_state_machine_as_test(
        Editors,
        settings=settings(max_examples=8, stateful_step_count=8, suppress_health_check=list(HealthCheck)),
    )


@pytest.fixture
def settled(site: Site) -> Site:
    """A site with three exported pictures."""
    for number in range(3):
        site.upload(f"f{number}", picture((40, 30 + number)), width=40, height=30 + number, description="A harbour")
    site.tick()
    assert set(site.exported()[0]) == {"f0", "f1", "f2"}
    return site


def test_texts_reach_the_manifest_without_a_run(settled: Site) -> None:
    runs = settled.instance.get_runs_count()

    settled.change("f1", title="Port", description="Boats at a quay")
    settled.tick()

    row = settled.exported()[0]["f1"]
    assert (row["title"], row["description"], row["alt"]) == ("Port", "Boats at a quay", "Boats at a quay")
    assert settled.instance.get_runs_count() == runs


def test_what_leaves_the_filter_goes_and_comes_back_with_it(settled: Site) -> None:
    settled.change("f1", folder="hidden")
    settled.tick()
    without = settled.exported()
    settled.change("f1", folder="shown")
    settled.tick()

    assert set(without[0]) == {"f0", "f2"}
    assert {name.split("/")[1][:2] for name in without[1]} == {"f0", "f2"}
    assert settled.exported() == settled.fresh()
    assert "f1" in settled.exported()[0]


def test_what_the_filter_no_longer_excludes_comes_back(settled: Site) -> None:
    settled.change("f1", folder="hidden")
    settled.tick()
    settled.upload("f2", picture((44, 30)), width=44, height=30, folder="hidden")
    settled.tick()
    assert set(settled.exported()[0]) == {"f0"}

    settled.filter = {}
    settled.tick()

    assert set(settled.exported()[0]) == {"f0", "f1", "f2"}
    assert settled.exported() == settled.fresh()


def test_a_preset_that_is_removed_goes_and_comes_back_with_it(settled: Site) -> None:
    wide = settled.presets.pop("wide")
    settled.tick()
    without = settled.exported()
    settled.presets["wide"] = wide
    settled.tick()

    assert {name.split("/")[0] for name in without[1]} == {"card"}
    assert settled.exported() == settled.fresh()
    assert {name.split("/")[0] for name in settled.exported()[1]} == {"card", "wide"}


def test_where_the_last_exported_preset_goes_nothing_is_left(settled: Site) -> None:
    settled.presets.clear()

    settled.tick()

    assert settled.exported() == ({}, {})


def test_what_the_feed_did_not_tell_is_put_right_by_the_reconcile(settled: Site) -> None:
    settled.directus.rows["f0"]["title"] = "Unseen"
    del settled.directus.rows["f1"]
    settled.directus.rows["f2"]["folder"] = "hidden"

    settled.reconcile()

    assert settled.exported() == settled.fresh()
    assert set(settled.exported()[0]) == {"f0"}


def test_a_picture_that_cannot_be_exported_any_more_is_not_shown_as_it_was(settled: Site) -> None:
    settled.upload("f1", b"no picture", width=40, height=30)

    settled.tick()

    assert set(settled.exported()[0]) == {"f0", "f2"}
    assert settled.exported() == settled.fresh()


def test_a_token_that_may_read_no_descriptions_exports_titles(settled: Site) -> None:
    def refuse(request: httpx.Request) -> httpx.Response | None:
        fields = request.url.params.get("fields", "")
        rows = [{"id": row["id"], "title": row["title"]} for row in settled.directus.rows.values()]
        if "description" in fields:
            return httpx.Response(403)
        return httpx.Response(200, json={"data": rows}) if fields == "id,title" else None

    settled.directus.trouble = refuse
    settled.change("f1", title="Port", description="Boats at a quay")
    settled.tick()

    row = settled.exported()[0]["f1"]
    assert (row["title"], row["description"]) == ("Port", "A harbour")


def test_an_export_that_cannot_be_read_keeps_no_change_from_being_followed(settled: Site) -> None:
    (settled.folder / "export" / "manifest.json").write_text("<html>")

    settled.change("f1", title="Port")
    settled.tick()

    assert settled.cursor
    assert json.loads(settled.cursor)["feed"]["last_id"] == settled.directus.activity[-1]["id"]
    assert (settled.folder / "export" / "manifest.json").read_text() == "<html>"


def test_an_export_whose_volume_is_not_mounted_is_not_taken_for_one_that_lost_all(settled: Site) -> None:
    runs = settled.instance.get_runs_count()
    (settled.folder / "export").rename(settled.folder / "unmounted")

    settled.reconcile()

    assert settled.instance.get_runs_count() == runs


class Dying(LocalStorage):
    """A storage whose process is killed before the manifest changes."""

    def update(self, *_: Any, **__: Any) -> None:
        raise KeyboardInterrupt


def test_what_a_killed_run_exported_for_a_preset_that_was_changed_back_is_made_again(settled: Site) -> None:
    other = replace(settled.presets["card"], quality=5)
    maker, file = settled.project().maker, settled.project().files_by_id(["f1"])["f1"]
    target = Dying(settled.folder / "export")

    with pytest.raises(KeyboardInterrupt):
        list(replace(maker, export=lambda: target).make({file: [other]}))
    settled.tick()

    assert settled.exported() != settled.fresh()
    assert settled.lost() == {("card", "f1")}


def test_an_exported_picture_that_is_gone_is_made_again(settled: Site) -> None:
    assert settled.lost() == set()

    (settled.folder / "export" / "card" / "f1.webp").unlink()

    assert settled.lost() == {("card", "f1")}


def test_an_export_without_its_pictures_is_not_taken_for_one_that_lost_all(settled: Site) -> None:
    (settled.folder / "export" / "card").rename(settled.folder / "card")

    assert settled.lost() == set()
