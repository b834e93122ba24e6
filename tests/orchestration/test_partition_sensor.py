import datetime as dt
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import dagster as dg
import pytest

from directus_assets.directus.models import Activity, Preset
from directus_assets.errors import ConfigurationError, Unreachable
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.sensors.collection import build_partition_sensor
from directus_assets.orchestration.sensors.cursor import Cursor
from directus_assets.planning.changes import Examination
from directus_assets.run_tags import (
    PRIORITY_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    SENSOR_TAG,
    TRIGGER_TAG,
    keys_of_tags,
    range_tags,
)
from tests.orchestration.dagster_rules import check_tags
from tests.orchestration.scripted_project import ScriptedDirectus, ScriptedProject, materialize

CARD = Preset(key="card", fit="cover", width=200, height=200, format="webp")
HERO = Preset(key="hero", fit="inside", width=1600, format="webp")
PARTITIONS = "directus_files"


class Pipeline:
    """The sensor on an instance."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        directus: ScriptedDirectus,
        *,
        presets: Sequence[Preset] = (CARD, HERO),
        backfill_on_start: bool = False,
        batch_size: int = 50,
        kind: type[Files] = Files,
        kinds: Sequence[type[Files]] = (),
    ) -> None:
        self.instance = instance
        self.directus = directus
        self.presets = presets
        self.backfill_on_start = backfill_on_start
        self.batch_size = batch_size
        self.kinds = kinds or [kind]
        self.cursor: str | None = None
        self.news: str | None = None

    def tick(self) -> list[dg.RunRequest]:
        """One tick with the definitions as they are now; what it asks for."""
        project = ScriptedProject(self.directus, batch_size=self.batch_size, backfill_on_start=self.backfill_on_start)
        sensor = build_partition_sensor(
            [kind(project, self.presets) for kind in self.kinds],
            project,
            name="directus_files_sensor",
            description="",
            jobs=[],
        )
        result = sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        said = result.skip_reason.skip_message if isinstance(result.skip_reason, dg.SkipReason) else ""
        self.news = "is older than" if "is older than" in (said or "") else said
        return list(result.run_requests or [])

    def started(self) -> "Pipeline":
        """After its first tick."""
        self.tick()
        return self

    @property
    def partitions(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(PARTITIONS))

    def partitions_between(self, first: str, last: str) -> list[str]:
        """Those of a range, both ends included."""
        order = self.partitions
        return order[order.index(first) : order.index(last) + 1]

    @property
    def state(self) -> Cursor:
        return Cursor.model_validate_json(self.cursor or "")

    def running(self, **tags: str) -> str:
        """A run that is under way; its id."""
        run_id = str(uuid.uuid4())
        run = dg.DagsterRun(job_name="image_presets", run_id=run_id, status=dg.DagsterRunStatus.STARTED, tags=tags)
        self.instance.add_run(run)
        return run_id


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def directus() -> ScriptedDirectus:
    return ScriptedDirectus()


def ranges(requests: Sequence[dg.RunRequest]) -> list[tuple[str, str]]:
    """Both ends of each range; other partitions as ranges of one."""
    return [
        ends
        for request in requests
        for ends in [(key, key) for key in keys_of_tags(request.tags)]
        or [(request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG])]
    ]


def outputs(requests: Sequence[dg.RunRequest]) -> list[list[str]]:
    return [[key.path[-1] for key in request.asset_selection or []] for request in requests]


def numbered(count: int) -> list[str]:
    return [f"f{number:03}" for number in range(count)]


def test_200_scattered_edits_are_four_runs(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    files = numbered(600)
    directus.upload(*files, log=False)
    pipeline = Pipeline(instance, directus).started()
    edited = files[::3]
    for file in edited:
        directus.change(file, filesize=2000)

    requests = pipeline.tick()

    assert len(requests) == 4
    assert [key for request in requests for key in keys_of_tags(request.tags)] == edited
    assert len({request.run_key for request in requests}) == 4


# The first tick


def test_the_first_tick_makes_partitions_of_existing_pictures_and_starts_nothing(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", "f2")
    directus.upload("document", type="application/pdf")
    pipeline = Pipeline(instance, directus)

    assert (pipeline.tick(), pipeline.tick()) == ([], [])
    assert pipeline.partitions == ["f1", "f2"]


def test_where_it_is_wished_the_first_tick_starts_all_existing_pictures(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", "f2", log=False)
    pipeline = Pipeline(instance, directus, backfill_on_start=True)

    requests = pipeline.tick()

    assert ranges(requests) == [("f1", "f2")]
    assert outputs(requests) == [["card", "hero"]]
    assert requests[0].tags[TRIGGER_TAG] == "scan"
    assert pipeline.tick() == []


def test_many_existing_pictures_are_registered_page_by_page(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload(*numbered(2500), log=False)
    pipeline = Pipeline(instance, directus).started()

    assert pipeline.partitions == sorted(numbered(2500))
    assert pipeline.state.registered_pages is None


def test_what_happened_before_is_history(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload("f1")
    directus.delete("f1")
    directus.upload("f2")

    pipeline = Pipeline(instance, directus)

    assert (pipeline.tick(), pipeline.tick()) == ([], [])
    assert pipeline.partitions == ["f2"]


def test_a_quiet_tick_leaves_the_storage_of_dagster_alone(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    pipeline = Pipeline(instance, directus).started()
    project = ScriptedProject(directus)
    sensor = build_partition_sensor([Files(project, pipeline.presets)], project, name="sensor", description="", jobs=[])

    # Without an instance: to ask the context for it would raise.
    result = sensor(dg.build_sensor_context(cursor=pipeline.cursor))

    assert isinstance(result, dg.SensorResult)
    assert not result.run_requests


# Changes


def test_a_batch_of_uploads_is_one_run_over_a_range_of_new_partitions(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    pipeline = Pipeline(instance, directus).started()
    directus.upload("f1", "f2", "f3")

    requests = pipeline.tick()

    assert ranges(requests) == [("f1", "f3")]
    assert outputs(requests) == [["card", "hero"]]
    assert pipeline.partitions == ["f1", "f2", "f3"]
    assert pipeline.tick() == []


def test_large_uploads_become_several_runs(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    pipeline = Pipeline(instance, directus, batch_size=4).started()
    directus.upload(*numbered(10))

    assert ranges(pipeline.tick()) == [("f000", "f003"), ("f004", "f007"), ("f008", "f009")]


def test_more_than_one_page_of_changes_is_followed_tick_by_tick(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    pipeline = Pipeline(instance, directus, batch_size=1000).started()
    directus.upload(*numbered(1100))

    assert [ranges(pipeline.tick()) for _ in range(4)] == [
        [("f000", "f499")],
        [("f500", "f999")],
        [("f1000", "f1099")],
        [],
    ]


def test_fresh_work_comes_before_scans(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload("f1", log=False)
    pipeline = Pipeline(instance, directus, backfill_on_start=True)
    (scan,) = pipeline.tick()
    directus.upload("f2")

    (change,) = pipeline.tick()

    assert int(change.tags[PRIORITY_TAG]) > 0 > int(scan.tags[PRIORITY_TAG])


def test_changes_gather_while_runs_queue_up_and_are_then_made_by_one_run(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    pipeline = Pipeline(instance, directus).started()
    own = {SENSOR_TAG: "directus_files_sensor", TRIGGER_TAG: "change"}
    runs = [pipeline.running(**own) for _ in range(4)]
    pipeline.running(**{**own, SENSOR_TAG: "directus_posts_sensor"})

    directus.upload("f1")
    first = pipeline.tick()
    directus.upload("f2")
    second = pipeline.tick()
    instance.report_run_failed(check(instance.get_run_by_id(runs[0])))
    after = pipeline.tick()

    assert (first, second) == ([], [])
    assert ranges(after) == [("f1", "f2")]


class AskingFiles(Files):
    """A subject that asks Directus which files a change affects."""

    def touched(self, entries: Sequence[Activity]) -> list[str]:
        self.project.directus.project_settings()
        return super().touched(entries)


def test_directus_is_not_asked_what_waits_while_runs_queue_up(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    pipeline = Pipeline(instance, directus, kind=AskingFiles).started()
    runs = [pipeline.running(**{SENSOR_TAG: "directus_files_sensor", TRIGGER_TAG: "change"}) for _ in range(4)]

    directus.upload("f1")
    pipeline.tick()
    waiting = "/settings" in directus.requests
    instance.report_run_failed(check(instance.get_run_by_id(runs[0])))
    pipeline.tick()

    assert (waiting, "/settings" in directus.requests) == (False, True)


def test_only_what_a_change_makes_stale_is_made(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload("f1", "f2", log=False)
    pipeline = Pipeline(instance, directus).started()
    materialize(instance, directus, CARD, HERO)

    directus.change("f1", title="Another title")
    title = pipeline.tick()
    directus.change("f1", focal_point_x=10, focal_point_y=20)
    focal_point = pipeline.tick()
    directus.change("f2", uploaded_on="2026-02-02T00:00:00.000Z")
    replaced = pipeline.tick()

    assert title == []
    assert (ranges(focal_point), outputs(focal_point)) == ([("f1", "f1")], [["card"]])
    assert (ranges(replaced), outputs(replaced)) == ([("f2", "f2")], [["card", "hero"]])


def test_our_own_writes_are_no_change(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    pipeline = Pipeline(instance, directus).started()
    directus.upload("f1", log=False)
    directus.log_own("update", "f1")

    assert pipeline.tick() == []


def test_documents_are_no_partitions(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    pipeline = Pipeline(instance, directus).started()
    directus.upload("f1", type="application/pdf")

    assert (pipeline.tick(), pipeline.partitions) == ([], [])


def test_a_change_that_comes_late_with_a_lower_number_is_followed(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    pipeline = Pipeline(instance, directus).started()
    directus.upload("f1", "f2", log=False)
    directus.log("create", "f1", number=12)
    assert ranges(pipeline.tick()) == [("f1", "f1")]

    directus.log("create", "f2", number=11)

    assert ranges(pipeline.tick()) == [("f2", "f2")]
    assert pipeline.tick() == []


def test_two_changes_of_one_picture_are_two_runs(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    """Dagster starts no second run with the same key."""
    pipeline = Pipeline(instance, directus).started()
    directus.upload("f1")
    (first,) = pipeline.tick()
    directus.change("f1", uploaded_on="2026-02-02T00:00:00.000Z")

    (second,) = pipeline.tick()

    assert first.run_key != second.run_key


def test_a_tick_that_is_repeated_asks_for_the_same_run(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    """As after a crash between the tick and its record."""
    pipeline = Pipeline(instance, directus).started()
    before = pipeline.cursor
    directus.upload("f1")
    (first,) = pipeline.tick()
    pipeline.cursor = before

    (again,) = pipeline.tick()

    assert first.run_key == again.run_key


# Uploads that are under way


def test_a_picture_is_made_when_all_of_it_has_arrived(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    """Directus logs the upload when it begins, and says nothing when it ends."""
    pipeline = Pipeline(instance, directus).started()
    now = dt.datetime.now(dt.UTC).isoformat()
    directus.upload("f1", uploaded_on=None, filename_disk=None, filesize=None, width=None, modified_on=now)
    begun = [pipeline.tick(), pipeline.tick()]
    assert pipeline.partitions == []

    directus.change("f1", log=False, uploaded_on=now, filename_disk="f1.jpg", filesize=10, width=800)
    ended = pipeline.tick()

    assert begun == [[], []]
    assert ranges(ended) == [("f1", "f1")]
    assert pipeline.partitions == ["f1"]
    assert pipeline.tick() == []


def test_an_upload_that_is_broken_off_is_forgotten(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    pipeline = Pipeline(instance, directus).started()
    directus.upload("f1", uploaded_on=None, modified_on=dt.datetime.now(dt.UTC).isoformat())
    pipeline.tick()

    directus.delete("f1")

    assert (pipeline.tick(), pipeline.state.unready, pipeline.partitions) == ([], (), [])


# Uploads in chunks


def test_a_picture_that_is_replaced_in_chunks_is_made_again_though_the_feed_does_not_tell(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.server = {"uploads": {"chunkSize": 8_000_000}}
    directus.upload("f1", "f2", log=False)
    pipeline = Pipeline(instance, directus).started()
    materialize(instance, directus, CARD, HERO)

    directus.log("create", "temporary")
    begun = pipeline.tick()
    directus.change("f1", log=False, uploaded_on="2026-02-02T00:00:00.000Z")
    ended = [pipeline.tick(), pipeline.tick()]

    assert begun == []
    assert [ranges(requests) for requests in ended] == [[("f1", "f1")], []]
    assert "temporary" not in pipeline.partitions


def test_replacements_in_chunks_are_different_occasions(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.server = {"uploads": {"chunkSize": 8_000_000}}
    directus.upload("f1", log=False)
    pipeline = Pipeline(instance, directus).started()

    directus.change("f1", log=False, uploaded_on="2026-02-02T00:00:00.000Z")
    (first,) = pipeline.tick()
    directus.change("f1", log=False, uploaded_on="2026-02-02T00:00:05.000Z")
    (second,) = pipeline.tick()

    assert first.run_key != second.run_key


def test_a_picture_that_a_document_replaces_in_chunks_is_no_partition_any_more(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.server = {"uploads": {"chunkSize": 8_000_000}}
    directus.upload("f1", "f2", log=False)
    pipeline = Pipeline(instance, directus).started()

    directus.change("f1", log=False, type="application/pdf", uploaded_on="2026-02-02T00:00:00.000Z")

    assert (pipeline.tick(), pipeline.partitions) == ([], ["f2"])


# Deletions


def test_a_deleted_picture_is_no_partition_any_more(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload("f1", "f2", log=False)
    pipeline = Pipeline(instance, directus).started()

    directus.delete("f1")

    assert pipeline.tick() == []
    assert pipeline.partitions == ["f2"]


def test_a_picture_that_cannot_be_read_any_more_stays_a_partition(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    """A lost right is no deletion."""
    directus.upload("f1", log=False)
    pipeline = Pipeline(instance, directus).started()
    del directus.files["f1"]
    directus.log("update", "f1")

    pipeline.tick()

    assert pipeline.partitions == ["f1"]


def test_a_picture_that_becomes_a_document_is_no_partition_any_more(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", log=False)
    pipeline = Pipeline(instance, directus).started()

    directus.change("f1", type="application/pdf")
    pipeline.tick()

    assert pipeline.partitions == []


@pytest.mark.parametrize("key", ["f1", "f3"])
def test_a_partition_is_not_taken_away_under_a_run_whose_range_it_marks(
    instance: dg.DagsterInstance, directus: ScriptedDirectus, key: str
) -> None:
    directus.upload("f1", "f2", "f3", log=False)
    pipeline = Pipeline(instance, directus).started()
    run_id = pipeline.running(**range_tags("f1", "f3"))
    directus.delete(key)
    pipeline.tick()
    meanwhile = pipeline.partitions

    instance.report_run_failed(check(instance.get_run_by_id(run_id)))
    pipeline.tick()

    assert key in meanwhile
    assert key not in pipeline.partitions


def test_a_partition_that_a_run_of_the_same_tick_begins_with_stays_for_that_run(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    """A scan may start what the feed of the same tick says was deleted: rows are read at two moments."""
    directus.upload("f1", "f2", log=False)
    pipeline = Pipeline(instance, directus, backfill_on_start=True)
    pipeline.cursor = Cursor.model_validate({"feed": {"last_id": 0}, "leaving": ("f1",)}).model_dump_json()
    instance.add_dynamic_partitions(PARTITIONS, ["f1", "f2"])

    requests = pipeline.tick()

    assert ranges(requests) == [("f1", "f2")]
    assert pipeline.partitions == ["f1", "f2"]


def test_what_was_on_its_way_out_and_is_a_picture_again_stays(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", log=False)
    pipeline = Pipeline(instance, directus).started()
    run_id = pipeline.running(**range_tags("f1", "f1"))
    directus.change("f1", type="application/pdf")
    pipeline.tick()

    directus.change("f1", type="image/png")
    pipeline.tick()
    instance.report_run_failed(check(instance.get_run_by_id(run_id)))
    pipeline.tick()

    assert pipeline.partitions == ["f1"]


# Presets


def test_a_new_preset_is_made_for_all_files_and_only_that_one(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", "f2", log=False)
    pipeline = Pipeline(instance, directus, presets=[CARD]).started()
    materialize(instance, directus, CARD)

    pipeline.presets = [CARD, HERO]
    requests = pipeline.tick()

    assert (ranges(requests), outputs(requests)) == ([("f1", "f2")], [["hero"]])
    assert pipeline.tick() == []


def test_a_changed_preset_is_made_again_for_all_files(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload("f1", "f2", log=False)
    pipeline = Pipeline(instance, directus).started()
    materialize(instance, directus, CARD, HERO)

    pipeline.presets = [replace(CARD, quality=50), HERO]
    requests = pipeline.tick()

    assert (ranges(requests), outputs(requests)) == ([("f1", "f2")], [["card"]])


def test_a_preset_that_goes_starts_nothing(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload("f1", log=False)
    pipeline = Pipeline(instance, directus).started()

    pipeline.presets = [CARD]

    assert pipeline.tick() == []


def test_without_presets_files_are_registered_so_that_a_first_preset_finds_them(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", log=False)
    pipeline = Pipeline(instance, directus, presets=[]).started()
    directus.upload("f2")
    assert pipeline.tick() == []

    pipeline.presets = [CARD]

    assert ranges(pipeline.tick()) == [("f1", "f2")]


def test_a_preset_that_changes_during_a_scan_joins_it(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload(*numbered(12), log=False)
    pipeline = Pipeline(instance, directus, backfill_on_start=True, presets=[CARD], batch_size=1)
    first = pipeline.tick()

    pipeline.presets = [CARD, HERO]
    second = pipeline.tick()

    assert outputs(first) == [["card"]] * 4
    assert ranges(second)[0] == ("f000", "f000")
    assert outputs(second) == [["card", "hero"]] * 4


# Scans


def test_a_scan_goes_on_tick_by_tick(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload(*numbered(10), log=False)
    pipeline = Pipeline(instance, directus, backfill_on_start=True, batch_size=1)

    ticks = [ranges(pipeline.tick()) for _ in range(4)]

    assert [len(found) for found in ticks] == [4, 4, 2, 0]
    assert [start for found in ticks for start, _ in found] == numbered(10)


def test_a_scan_waits_while_its_runs_queue_up_and_fresh_work_does_not(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload(*numbered(10), log=False)
    pipeline = Pipeline(instance, directus, backfill_on_start=True, batch_size=1)
    pipeline.tick()
    runs = [pipeline.running(**{TRIGGER_TAG: "scan"}) for _ in range(8)]
    directus.upload("fresh")

    meanwhile = pipeline.tick()
    instance.report_run_failed(check(instance.get_run_by_id(runs[0])))
    after = pipeline.tick()

    assert ranges(meanwhile) == [("fresh", "fresh")]
    assert len(after) == 4


def test_a_scan_passes_over_nothing_when_partitions_before_it_go(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload(*numbered(8), log=False)
    pipeline = Pipeline(instance, directus, backfill_on_start=True, batch_size=1)
    first = pipeline.tick()

    directus.delete("f000", "f001")
    rest = [*pipeline.tick(), *pipeline.tick(), *pipeline.tick()]

    assert {start for start, _ in ranges([*first, *rest])} >= set(numbered(8))


# A log that goes back


def test_after_a_restored_backup_what_is_new_and_what_is_old_again_is_made(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", "f2", "f3")
    backup = [dict(row) for row in directus.activity], {key: dict(row) for key, row in directus.files.items()}
    pipeline = Pipeline(instance, directus).started()
    directus.change("f1", uploaded_on="2026-02-02T00:00:00.000Z")
    directus.delete("f2")
    pipeline.tick()
    materialize(instance, directus, CARD, HERO)

    directus.activity, directus.files = backup
    directus.upload("f4")
    directus.log("update", "f3")
    requests = [*pipeline.tick(), *pipeline.tick(), *pipeline.tick()]

    asked = {key for first, last in ranges(requests) for key in pipeline.partitions_between(first, last)}
    assert asked >= {"f1", "f4"}
    assert "f3" not in asked
    assert sorted(pipeline.partitions) == ["f1", "f2", "f3", "f4"]
    assert pipeline.tick() == []
    assert pipeline.state.scan is None


def test_a_log_that_goes_back_is_told_and_makes_nothing_of_what_waits_for_a_backfill(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", "f2", "f3")
    pipeline = Pipeline(instance, directus).started()

    directus.activity = [{**row, "timestamp": "2025-01-01T00:00:00.000Z"} for row in directus.activity[:2]]

    assert (pipeline.tick(), pipeline.news) == ([], "is older than")
    assert (pipeline.tick(), pipeline.tick()) == ([], [])
    assert pipeline.news == "Nothing changed."


def test_what_was_on_its_way_out_stays_where_a_backup_has_brought_it_back(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1")
    backup = list(directus.activity), dict(directus.files)
    pipeline = Pipeline(instance, directus).started()
    run_id = pipeline.running(**range_tags("f1", "f1"))
    directus.delete("f1")
    pipeline.tick()
    assert pipeline.state.leaving == ("f1",)

    directus.activity, directus.files = backup
    pipeline.tick()
    instance.report_run_failed(check(instance.get_run_by_id(run_id)))
    pipeline.tick()

    assert pipeline.partitions == ["f1"]


def test_a_change_whose_number_was_given_before_is_another_occasion(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    """Dagster starts no second run with the same key."""
    directus.upload("f1")
    backup = list(directus.activity)
    pipeline = Pipeline(instance, directus).started()
    directus.change("f1", uploaded_on="2026-02-02T00:00:00.000Z")
    (before,) = pipeline.tick()

    directus.activity = backup
    directus.change("f1", uploaded_on="2026-02-03T00:00:00.000Z")
    directus.activity[-1]["timestamp"] = "2026-02-03T00:00:00.000Z"
    (after,) = [*pipeline.tick(), *pipeline.tick(), *pipeline.tick()]

    assert before.run_key != after.run_key


def test_a_log_that_has_gone_back_waits_while_runs_queue_up_and_is_then_followed(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", "f2")
    backup = directus.activity[:1]
    pipeline = Pipeline(instance, directus).started()
    own = {SENSOR_TAG: "directus_files_sensor", TRIGGER_TAG: "change"}
    runs = [pipeline.running(**own) for _ in range(4)]

    directus.activity = backup
    directus.upload("f3")
    assert [pipeline.tick() for _ in range(3)] == [[], [], []]
    instance.report_run_failed(check(instance.get_run_by_id(runs[0])))

    assert {end for pair in ranges([*pipeline.tick(), *pipeline.tick()]) for end in pair} >= {"f3"}


def test_a_log_that_is_pruned_starts_nothing(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload("f1", "f2")
    pipeline = Pipeline(instance, directus).started()
    materialize(instance, directus, CARD)
    directus.activity.clear()

    assert (pipeline.tick(), pipeline.state.scan, pipeline.news) == ([], None, "Nothing changed.")
    directus.log("update", "f1", number=3)
    directus.change("f1", log=False, uploaded_on="2026-02-02T00:00:00.000Z")
    assert ranges(pipeline.tick()) == [("f1", "f1")]


def test_a_cursor_of_the_version_before_goes_on(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    directus.upload("f1")
    pipeline = Pipeline(instance, directus).started()
    kept = json.loads(pipeline.cursor or "")
    del kept["feed"]["witness"], kept["uploads"]
    pipeline.cursor = json.dumps(kept)
    pipeline.tick()
    directus.requests.clear()

    assert pipeline.tick() == []
    assert directus.requests == ["/server/info", "/activity"]
    directus.upload("f2")
    assert ranges(pipeline.tick()) == [("f2", "f2")]


# Trouble


def test_a_failed_read_fails_the_tick_and_the_cursor_stays(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    pipeline = Pipeline(instance, directus).started()
    directus.upload("f1")
    directus.is_down = True
    before = pipeline.cursor

    assert pipeline.tick() == []
    assert "The next tick tries again." in pipeline.news
    assert pipeline.cursor == before

    directus.is_down = False
    assert ranges(pipeline.tick()) == [("f1", "f1")]


def test_a_directus_that_is_down_on_the_first_tick_is_no_empty_directus(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.upload("f1", log=False)
    directus.is_down = True
    pipeline = Pipeline(instance, directus)

    assert pipeline.tick() == []
    assert pipeline.cursor is None

    directus.is_down = False
    pipeline.tick()
    assert pipeline.partitions == ["f1"]


def test_a_directus_that_is_not_supported_is_named_by_the_tick(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    directus.server["version"] = "10.8.3"

    with pytest.raises(ConfigurationError, match=r"Directus 10\.8\.3 is too old: the oldest supported version is"):
        Pipeline(instance, directus).tick()


@pytest.mark.parametrize(
    ("server", "requests"), [({}, ["/activity"]), ({"uploads": {"chunkSize": 8_000_000}}, ["/files", "/activity"])]
)
def test_a_quiet_tick_costs_one_request_and_one_more_with_uploads_in_chunks(
    instance: dg.DagsterInstance, directus: ScriptedDirectus, server: dict[str, Any], requests: list[str]
) -> None:
    directus.server = server
    directus.upload("f1", log=False)
    pipeline = Pipeline(instance, directus).started()
    directus.requests.clear()

    pipeline.tick()

    # The definitions are new for each tick here; a process asks for the version once.
    assert directus.requests == ["/server/info", *requests]


def check(run: dg.DagsterRun | None) -> dg.DagsterRun:
    assert run is not None
    return run


# Items on their own


class Poisoned(Files):
    """Our own code is not up to a picture whose title is poison."""

    name = "poisoned"

    @cached_property
    def assets(self) -> dict[str, dg.AssetKey]:
        return {f"poisoned {output}": asset for output, asset in super().assets.items()}

    @cached_property
    def code_versions(self) -> dict[str, str]:
        return dict.fromkeys(self.assets, "1")

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        if any(file.title == "poison" for file in self.project.files_by_id(keys).values()):
            raise RecursionError("maximum recursion depth exceeded")
        found = super().examine(keys, [])
        return replace(found, wanted={(name, key): key for key in found.present for name in outputs})


class Broken(Poisoned):
    """Nothing works at all."""

    def touched(self, entries: Sequence[Activity]) -> list[str]:
        raise KeyError("item")

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        raise KeyError(keys[0])


class Down(Poisoned):
    """Its Directus is down."""

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        raise Unreachable("No answer.")


def test_an_item_that_cannot_be_planned_fails_in_a_run_and_stops_no_other(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    pipeline = Pipeline(instance, directus, presets=[CARD], kind=Poisoned).started()
    keys = [*numbered(20), "poison", *(f"g{number}" for number in range(20))]
    directus.upload(*keys)
    directus.change("poison", log=False, title="poison")

    requests = pipeline.tick()

    assert pipeline.partitions[:20] == keys[:20]
    assert sorted(pipeline.partitions) == sorted(keys)
    asked = {key for first, last in ranges(requests) for key in pipeline.partitions_between(first, last)}
    assert asked == set(keys)
    assert pipeline.tick() == []


@pytest.mark.parametrize("kind", [Poisoned, Broken])
def test_what_one_part_is_not_up_to_is_made_by_the_others(
    instance: dg.DagsterInstance, directus: ScriptedDirectus, kind: type[Files]
) -> None:
    pipeline = Pipeline(instance, directus, presets=[CARD], kinds=[kind, Files]).started()
    directus.upload("f1", "poison", "f2")
    directus.change("poison", log=False, title="poison")

    requests = pipeline.tick()

    assert sorted(pipeline.partitions) == ["f1", "f2", "poison"]
    assert len(requests) == 2
    assert {key for first, last in ranges(requests) for key in pipeline.partitions_between(first, last)} == {
        "f1",
        "poison",
        "f2",
    }
    assert pipeline.tick() == []


def test_where_directus_is_down_for_one_part_the_cursor_stays(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    pipeline = Pipeline(instance, directus, presets=[CARD], kinds=[Down, Files]).started()
    directus.upload("f1")
    before = pipeline.cursor

    assert pipeline.tick() == []

    assert pipeline.cursor == before
    assert pipeline.partitions == []


def test_an_item_that_can_be_planned_again_is_made(instance: dg.DagsterInstance, directus: ScriptedDirectus) -> None:
    pipeline = Pipeline(instance, directus, presets=[CARD], kind=Poisoned).started()
    directus.upload("poison", title="poison")
    assert len(pipeline.tick()) == 1
    directus.change("poison", title="Another")

    assert ranges(pipeline.tick()) == [("poison", "poison")]


def test_a_run_key_is_short_whatever_presets_are_called(
    instance: dg.DagsterInstance, directus: ScriptedDirectus
) -> None:
    presets = [Preset(key=f"{'名' * 30} {number}", width=number) for number in range(1, 41)]
    pipeline = Pipeline(instance, directus, presets=presets).started()
    directus.upload("f1", "f2")

    (request,) = pipeline.tick()

    check_tags([{"key": key, "value": value} for key, value in {**request.tags, "key": request.run_key or ""}.items()])
    assert len(request.asset_selection or []) == 40


@pytest.mark.parametrize("cursor", ["{", "null", '{"feed": 5}', '{"feed": {"last_id": 1e400}}', "12345", "[" * 5000])
def test_a_cursor_that_cannot_be_read_counts_as_lost(
    instance: dg.DagsterInstance, directus: ScriptedDirectus, cursor: str
) -> None:
    pipeline = Pipeline(instance, directus).started()
    first = pipeline.state

    pipeline.cursor = cursor
    pipeline.tick()

    assert pipeline.state.model_copy(update={"uploads": first.uploads}) == first
