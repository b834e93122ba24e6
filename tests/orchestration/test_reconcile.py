import datetime as dt
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import count
from typing import Any, cast

import dagster as dg
import httpx
import pytest

from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import Storage
from directus_assets.errors import (
    BadInput,
    DirectusAssetsError,
    Forbidden,
    Overloaded,
    Unexpected,
    Unreachable,
    as_error,
)
from directus_assets.images.plan import fingerprint
from directus_assets.isolation import stand_in
from directus_assets.orchestration.kinds.files import Files
from directus_assets.orchestration.kinds.survey_files import FilePage, FileSurveyor
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.reconcile.asked import (
    Position,
    Progress,
    keep_place,
    keys_at_first,
    note_first,
    read_place,
)
from directus_assets.orchestration.reconcile.report import Report
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.orchestration.runs.history import failures, try_metadata
from directus_assets.orchestration.webserver import Webserver
from directus_assets.planning.changes import Examination
from directus_assets.planning.verdicts import Verdict
from directus_assets.run_tags import (
    COLLECTION_TAG,
    OUTPUTS_TAG,
    PRIORITY_TAG,
    RANGE_START_TAG,
    TRIGGER_TAG,
)
from tests.orchestration.dagster_rules import check_backfill, refusal
from tests.orchestration.scripted_project import ScriptedDirectus, ScriptedProject, materialize

NAMES = Names()

CARD = Preset(key="card", fit="cover", width=200, height=200, format="webp")
HERO = Preset(key="hero", fit="inside", width=1600, format="webp")
PARTITIONS = "directus_files"


class ScriptedWebserver:
    """Accepts and records backfills, which end on request."""

    def __init__(self) -> None:
        self.backfills: list[dict[str, Any]] = []
        self.over: set[str] = set()
        self.requests = 0
        self.is_down = False
        self.refused: set[str] = set()
        """Assets that it does not know."""

    def client(self) -> Webserver:
        return Webserver("http://dagster.example.com", transport=httpx.MockTransport(self._answer))

    @property
    def asked(self) -> list[tuple[list[str], list[str]]]:
        """The outputs and partitions of each requested backfill."""
        return [
            ([asset["path"][-1] for asset in backfill["assetSelection"]], backfill["partitionNames"])
            for backfill in self.backfills
        ]

    def tags(self, index: int) -> dict[str, str]:
        return {tag["key"]: tag["value"] for tag in self.backfills[index]["tags"]}

    def _check(self, parameters: Mapping[str, Any]) -> None:
        check_backfill(parameters)
        unknown = self.refused.intersection(asset["path"][-1] for asset in parameters["assetSelection"])
        assert not unknown, f"No asset {', '.join(unknown)}."

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.is_down:
            raise httpx.ConnectError("refused")
        body = json.loads(request.content)
        if "launchPartitionBackfill" in body["query"]:
            parameters = body["variables"]["parameters"]
            if refused := refusal(self._check, parameters):
                return refused
            self.backfills.append(parameters)
            answer = {"launchPartitionBackfill": {"backfillId": f"b{len(self.backfills)}"}}
        else:
            status = "COMPLETED" if body["variables"]["id"] in self.over else "REQUESTED"
            found = {"status": status, "error": None, "assetBackfillData": None}
            answer = {"partitionBackfillOrError": found}
        return httpx.Response(200, json={"data": answer})


class Pipeline:
    """The reconcile on an instance."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.directus = ScriptedDirectus()
        self.webserver = ScriptedWebserver()
        self.page_size = 500
        self.memory = cast("Storage", self.directus.memory)

    def run(
        self,
        *,
        presets: Sequence[Preset] = (CARD, HERO),
        seconds: float = 600,
        backfill_on_start: bool = False,
        further: Sequence[type[Files]] = (),
        survey: type[FileSurveyor] = FileSurveyor,
        kind: type[Files] = Files,
    ) -> Report:
        """Of the pictures; and before them of further subjects over the same partitions."""
        ticks = count()
        project = ScriptedProject(self.directus, backfill_on_start=backfill_on_start)
        return Reconcile(
            instance=self.instance,
            memory=self.memory,
            webserver=self.webserver.client(),
            names=NAMES,
            kinds=[surveyed_by(survey, each)(project, presets) for each in (*further, kind)],
            seconds=seconds,
            page_size=self.page_size,
            clock=lambda: float(next(ticks)),
        ).run()

    def started(self, *existing: str) -> "Pipeline":
        """A pipeline that found these files at its first start, and has made nothing of them."""
        self.directus.upload(*existing, log=False)
        self.instance.add_dynamic_partitions(PARTITIONS, list(existing))
        note_first(self.memory, "directus_files", existing)
        return self

    def made(self) -> "Pipeline":
        materialize(self.instance, self.directus, CARD, HERO)
        return self

    def failed(self, key: str, error: DirectusAssetsError, *, tried: str = "") -> None:
        """As a run leaves it that could not make the card of a file."""
        row = File.parse(self.directus.files[key])
        metadata = try_metadata(error, fingerprint=tried or fingerprint(row, CARD))
        self.instance.report_runless_asset_event(
            dg.AssetObservation(NAMES.preset("card"), partition=key, metadata={"failed": f"{key}: {error}", **metadata})
        )

    @property
    def partitions(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(PARTITIONS))


def surveyed_by(surveyor: type[FileSurveyor], kind: type[Files]) -> type[Files]:
    """The same kind with another surveyor."""

    class Surveyed(kind):  # type: ignore[valid-type, misc]
        def survey(self) -> FileSurveyor:
            return surveyor(self)

    return Surveyed


class Lost(FileSurveyor):
    """A surveyor for which every recorded output is lost."""

    def look(self, keys: Sequence[str]) -> FilePage:
        page = super().look(keys)
        return LostPage(**{each.name: getattr(page, each.name) for each in fields(page)})


class LostPage(FilePage):
    def is_lost(self, output: str, key: str, record: dg.EventLogRecord) -> bool:
        return True


class Unreadable(Files):
    """A collection whose rows the token cannot read."""

    name = "secrets"

    def existing(self, *, page: int, size: int) -> list[str]:
        raise Forbidden("GET /items/secrets failed (HTTP 403)", remedy="Give the right 'read on secrets'.")


class Odd(Files):
    """A collection that triggers a bug of ours."""

    name = "odd"

    def existing(self, *, page: int, size: int) -> list[str]:
        return [{}["rows"]]


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Pipeline(instance)


def test_where_all_is_made_nothing_is_asked_for_and_few_requests_are_sent(pipeline: Pipeline) -> None:
    pipeline.started(*(f"f{number}" for number in range(90))).made()
    pipeline.directus.requests.clear()

    report = pipeline.run()

    assert report.is_complete
    assert report.verdicts == {("directus_files", Verdict.RIGHT): 180}
    assert pipeline.webserver.requests == 0
    assert len(pipeline.directus.requests) == 2


def test_a_row_that_never_became_a_partition_becomes_one_and_is_made(pipeline: Pipeline) -> None:
    pipeline.started("old").made()
    pipeline.directus.upload("new", log=False)

    report = pipeline.run()

    assert pipeline.partitions == ["old", "new"]
    assert report.registered == {"directus_files": 1}
    assert pipeline.webserver.asked == [(["card", "hero"], ["new"])]
    assert pipeline.webserver.tags(0) == {
        PRIORITY_TAG: "-10",
        TRIGGER_TAG: "scan",
        COLLECTION_TAG: "directus_files",
        OUTPUTS_TAG: "card, hero",
    }


def test_a_file_that_is_still_being_uploaded_is_left_to_the_sensor(pipeline: Pipeline) -> None:
    pipeline.started()
    pipeline.directus.upload("new", uploaded_on=None, filesize=None, modified_on="2999-01-01T00:00:00.000Z")

    pipeline.run()

    assert pipeline.partitions == []
    assert pipeline.webserver.asked == []


def test_a_partition_whose_row_is_gone_is_removed(pipeline: Pipeline) -> None:
    pipeline.started("a", "b", "c").made()
    del pipeline.directus.files["b"]

    report = pipeline.run()

    assert pipeline.partitions == ["a", "c"]
    assert report.removed == {"directus_files": 1}


def test_rows_that_a_rule_hides_keep_their_partitions_and_what_the_log_calls_deleted_goes(pipeline: Pipeline) -> None:
    pipeline.started("a", "b", "c", "d").made()
    pipeline.directus.hidden = {"b", "c"}
    pipeline.directus.delete("d")

    report = pipeline.run()

    assert pipeline.partitions == ["a", "b", "c"]
    assert report.removed == {"directus_files": 1}


def test_a_hidden_row_that_was_deleted_once_and_made_again_keeps_its_partition(pipeline: Pipeline) -> None:
    pipeline.started("a", "b").made()
    pipeline.directus.delete("b")
    pipeline.directus.upload("b")
    pipeline.directus.hidden = {"b"}

    pipeline.run()

    assert pipeline.partitions == ["a", "b"]


def test_a_row_that_comes_to_light_while_it_is_asked_about_keeps_its_partition(pipeline: Pipeline) -> None:
    pipeline.started("a", "b").made()
    pipeline.directus.hidden = {"b"}
    # Somebody takes the rule away just before we ask for it.
    pipeline.directus.meanwhile["/permissions/me"] = pipeline.directus.hidden.clear

    pipeline.run()

    assert "/permissions/me" in pipeline.directus.requests
    assert pipeline.partitions == ["a", "b"]


def test_a_file_that_is_no_picture_any_more_is_no_partition_any_more(pipeline: Pipeline) -> None:
    pipeline.started("a", "b").made()
    pipeline.directus.change("a", log=False, type="application/pdf")

    pipeline.run()

    assert pipeline.partitions == ["b"]


def test_a_partition_stays_under_an_unfinished_run_whose_range_it_marks(pipeline: Pipeline) -> None:
    pipeline.started("a", "b").made()
    run = dg.DagsterRun(
        job_name="image_presets",
        run_id=str(uuid.uuid4()),
        status=dg.DagsterRunStatus.STARTED,
        tags={RANGE_START_TAG: "a"},
    )
    pipeline.instance.add_run(run)
    del pipeline.directus.files["a"]

    pipeline.run()
    assert pipeline.partitions == ["a", "b"]

    pipeline.instance.report_run_failed(run)
    pipeline.run()
    assert pipeline.partitions == ["b"]


def test_where_no_row_at_all_can_be_seen_no_partition_is_removed(pipeline: Pipeline) -> None:
    pipeline.started("a", "b").made()
    pipeline.directus.files.clear()

    pipeline.run()

    assert pipeline.partitions == ["a", "b"]


def test_only_what_is_stale_is_asked_for(pipeline: Pipeline) -> None:
    pipeline.started("a", "b", "c").made()
    pipeline.directus.change("b", log=False, uploaded_on="2026-02-02T00:00:00.000Z")
    bigger = Preset(key="hero", fit="inside", width=1700, format="webp")

    pipeline.run(presets=(CARD, bigger))

    assert sorted(pipeline.webserver.asked) == [(["card", "hero"], ["b"]), (["hero"], ["a", "c"])]


def test_what_existed_at_first_waits_for_a_backfill_and_what_came_later_does_not(pipeline: Pipeline) -> None:
    pipeline.started("old")
    pipeline.directus.upload("new", log=False)

    pipeline.run()

    assert pipeline.webserver.asked == [(["card", "hero"], ["new"])]


def test_what_existed_at_first_is_made_where_the_settings_wish_it(pipeline: Pipeline) -> None:
    pipeline.started("old").run(backfill_on_start=True)

    assert pipeline.webserver.asked == [(["card", "hero"], ["old"])]


def test_as_long_as_the_first_registration_is_under_way_nothing_untried_is_started(pipeline: Pipeline) -> None:
    pipeline.directus.upload("old", log=False)

    pipeline.run(backfill_on_start=True)

    assert pipeline.webserver.asked == []


def test_what_was_made_once_does_not_wait_after_the_history_is_lost(pipeline: Pipeline) -> None:
    pipeline.started("made", "waiting")
    for preset in ("card", "hero"):
        row = File.parse(pipeline.directus.files["made"])
        tags = {"dagster/data_version": fingerprint(row, CARD if preset == "card" else HERO)}
        pipeline.instance.report_runless_asset_event(
            dg.AssetMaterialization(NAMES.preset(preset), partition="made", tags=tags)
        )
    pipeline.run()

    with dg.DagsterInstance.ephemeral() as empty:
        pipeline.instance = empty
        pipeline.run()

    assert keys_at_first(pipeline.memory, "directus_files") == {"waiting"}
    assert pipeline.webserver.asked == [(["card", "hero"], ["made"])]


def test_what_failed_for_good_is_not_tried_again_until_it_changes(pipeline: Pipeline) -> None:
    pipeline.started("a")
    pipeline.failed("a", BadInput("corrupt"))
    pipeline.run(presets=(CARD,))
    assert pipeline.webserver.asked == []

    pipeline.directus.change("a", log=False, uploaded_on="2026-02-02T00:00:00.000Z")
    pipeline.run(presets=(CARD,))
    assert pipeline.webserver.asked == [(["card"], ["a"])]


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (Unreachable("no answer"), True),
        (Overloaded("busy", retry_after_seconds=0), True),
        (Overloaded("limit of the day", retry_after_seconds=3600), False),
        (Forbidden("no right"), False),
    ],
)
def test_what_failed_for_a_reason_that_passes_is_tried_again(
    pipeline: Pipeline, error: DirectusAssetsError, asked: bool
) -> None:
    pipeline.started("a")
    pipeline.failed("a", error)

    pipeline.run(presets=(CARD,))

    assert bool(pipeline.webserver.asked) is asked


def test_what_somebody_may_put_right_is_looked_at_soon_and_then_ever_more_rarely(pipeline: Pipeline) -> None:
    pipeline.started("a")

    def waits_for() -> dt.timedelta:
        found = failures(pipeline.instance, {"card": NAMES.preset("card")}, ["a"], first_wait_seconds=600)
        moment, failure = found["card", "a"]
        assert failure.not_before
        return failure.not_before - dt.datetime.fromtimestamp(moment, dt.UTC)

    waits = []
    for _ in range(5):
        pipeline.failed("a", Forbidden("no right"))
        waits.append(waits_for() // dt.timedelta(minutes=1))
    pipeline.directus.change("a", log=False, uploaded_on="2026-02-02T00:00:00.000Z")
    pipeline.failed("a", Forbidden("no right"))

    assert waits == [10, 20, 40, 60, 60]
    assert waits_for() == dt.timedelta(minutes=10)


def test_what_is_asked_for_is_not_asked_for_again_until_its_backfill_is_over(pipeline: Pipeline) -> None:
    pipeline.started()
    pipeline.directus.upload("a", log=False)
    pipeline.run()
    pipeline.run()
    assert len(pipeline.webserver.backfills) == 1

    pipeline.webserver.over.add("b1")
    pipeline.run()
    assert len(pipeline.webserver.backfills) == 2


def test_where_the_webserver_is_down_the_next_run_asks_again(pipeline: Pipeline) -> None:
    pipeline.started()
    pipeline.directus.upload("a", log=False)
    pipeline.webserver.is_down = True
    with pytest.raises(Unreachable):
        pipeline.run()

    pipeline.webserver.is_down = False
    pipeline.run()

    assert pipeline.webserver.asked == [(["card", "hero"], ["a"])]


def test_a_scan_of_the_sensor_comes_first(pipeline: Pipeline) -> None:
    pipeline.started()
    pipeline.directus.upload("a", log=False)
    run = dg.DagsterRun(
        job_name="image_presets",
        run_id=str(uuid.uuid4()),
        status=dg.DagsterRunStatus.STARTED,
        tags={TRIGGER_TAG: "scan"},
    )
    pipeline.instance.add_run(run)

    report = pipeline.run()

    assert report.passed_over == ["directus_files"]
    assert pipeline.webserver.asked == []


def test_a_failed_read_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.started("a").made()
    pipeline.directus.is_down = True

    with pytest.raises(Unreachable):
        pipeline.run()

    assert pipeline.partitions == ["a"]


def test_a_tiny_time_budget_goes_page_by_page_and_comes_to_the_same_end(pipeline: Pipeline) -> None:
    pipeline.page_size = 3
    pipeline.started(*(f"old{number}" for number in range(7))).made()
    pipeline.directus.upload(*(f"new{number}" for number in range(4)), log=False)
    for gone in ("old1", "old5"):
        del pipeline.directus.files[gone]

    runs = 1
    while not pipeline.run(seconds=0).is_complete:
        runs += 1
        assert runs < 20

    assert pipeline.partitions == ["old0", "old2", "old3", "old4", "old6", "new0", "new1", "new2", "new3"]
    asked = [key for _, keys in pipeline.webserver.asked for key in keys]
    assert sorted(asked) == ["new0", "new1", "new2", "new3"]
    assert runs > 4
    assert read_place(pipeline.memory).position is None


def test_many_outputs_with_long_names_are_asked_for_by_a_title_that_dagster_takes(pipeline: Pipeline) -> None:
    names = ["x" * 100, "50% off", 'the "best"', "*", *(f"preset number {number}" for number in range(40))]
    presets = [Preset(key=name, width=10) for name in names]
    pipeline.started()
    pipeline.directus.upload("a", log=False)

    report = pipeline.run(presets=presets)

    assert report.troubles == []
    (asked,) = pipeline.webserver.asked
    assert len(asked[0]) == 44
    assert pipeline.webserver.backfills[0]["title"] == "Reconcile: missing or stale"


def test_a_backfill_that_dagster_refuses_stops_no_other_and_is_asked_for_again(pipeline: Pipeline) -> None:
    pipeline.started("a", "b").made()
    pipeline.directus.upload("new", log=False)
    pipeline.webserver.refused = {"hero"}

    report = pipeline.run(presets=(CARD, replace(HERO, width=1700)))

    assert pipeline.webserver.asked == []
    assert [trouble.what for trouble in report.troubles] == [
        "Could not start a backfill of 2 partitions of 'directus_files' (hero)",
        "Could not start a backfill of 1 partitions of 'directus_files' (card, hero)",
    ]
    assert "refused: No asset hero." in str(report.troubles[0].error)

    pipeline.webserver.refused = {"card"}
    pipeline.run(presets=(CARD, replace(HERO, width=1700)))

    assert pipeline.webserver.asked == [(["hero"], ["a", "b"])]


@pytest.mark.parametrize(
    ("kind", "told"), [(Unreadable, "Give the right 'read on secrets'"), (Odd, "KeyError: 'rows'")]
)
def test_a_collection_that_cannot_be_compared_stops_no_other(pipeline: Pipeline, kind: type[Files], told: str) -> None:
    pipeline.started()
    pipeline.directus.upload("new", log=False)

    report = pipeline.run(further=[kind])

    assert pipeline.webserver.asked == [(["card", "hero"], ["new"])]
    assert report.is_complete
    (trouble,) = report.troubles
    assert trouble.what == f"'{kind.name}' could not be compared"
    assert told in str(trouble.error)


def test_where_the_last_collection_fails_on_its_own_the_next_run_begins_with_the_first(pipeline: Pipeline) -> None:
    keep_place(pipeline.memory, Progress(position=Position(collection="directus_files")))
    pipeline.started()
    pipeline.directus.is_down = True

    report = pipeline.run(further=[Unreadable])

    assert [trouble.collection for trouble in report.troubles] == ["directus_files"]
    assert read_place(pipeline.memory).position is None


def test_what_is_lost_and_was_refused_does_not_count_as_made_again(pipeline: Pipeline) -> None:
    pipeline.started("a").made()
    pipeline.webserver.refused = {"card"}
    assert len(pipeline.run(survey=Lost).troubles) == 1

    pipeline.webserver.refused = set()
    pipeline.run(survey=Lost)
    assert pipeline.webserver.asked == [(["card", "hero"], ["a"])]

    pipeline.webserver.over.add("b1")
    report = pipeline.run(survey=Lost)
    assert report.verdicts == {("directus_files", Verdict.GIVEN_UP): 2}


class Poisoned(Files):
    """A picture with the title `poison` triggers a bug of ours."""

    def examine(self, keys: Sequence[str], outputs: Sequence[str]) -> Examination:
        if any(file.title == "poison" for file in self.project.files_by_id(keys).values()):
            raise RecursionError("maximum recursion depth exceeded")
        return super().examine(keys, outputs)


class PoisonedSurveyor(FileSurveyor):
    def look(self, keys: Sequence[str]) -> FilePage:
        self.subject.examine(keys, [])
        return super().look(keys)


def test_an_item_that_cannot_be_planned_is_asked_for_once_and_stops_no_other(pipeline: Pipeline) -> None:
    pipeline.started()
    keys = [f"f{number}" for number in range(9)]
    pipeline.directus.upload(*keys, "poison", log=False)
    pipeline.directus.change("poison", log=False, title="poison")

    report = pipeline.run(presets=(CARD,), kind=Poisoned, survey=PoisonedSurveyor)

    assert pipeline.webserver.asked == [(["card"], [*keys, "poison"])]
    assert report.troubles == []

    materialize(pipeline.instance, pipeline.directus, CARD, but=["poison"])
    pipeline.failed("poison", as_error(RecursionError()), tried=stand_in(as_error(RecursionError())))
    pipeline.webserver.over.add("b1")
    again = pipeline.run(presets=(CARD,), kind=Poisoned, survey=PoisonedSurveyor)

    assert again.verdicts == {("directus_files", Verdict.RIGHT): 9, ("directus_files", Verdict.LATER): 1}
    assert len(pipeline.webserver.asked) == 1

    pipeline.directus.change("poison", log=False, title="harmless", uploaded_on="2026-02-02T00:00:00.000Z")
    pipeline.run(presets=(CARD,), kind=Poisoned, survey=PoisonedSurveyor)

    assert pipeline.webserver.asked[1:] == [(["card"], ["poison"])]


class OddPage(FilePage):
    """A page on which every question fails."""

    def is_lost(self, output: str, key: str, record: dg.EventLogRecord) -> bool:
        raise KeyError(key)

    def is_there(self, output: str, key: str) -> bool:
        raise KeyError(key)


class OddSurveyor(FileSurveyor):
    def look(self, keys: Sequence[str]) -> FilePage:
        page = super().look(keys)
        return OddPage(**{each.name: getattr(page, each.name) for each in fields(page)})


def test_where_a_closer_look_at_an_output_fails_it_counts_as_neither_lost_nor_there(pipeline: Pipeline) -> None:
    pipeline.started("a").made()
    pipeline.directus.upload("new", log=False)

    report = pipeline.run(survey=OddSurveyor)

    assert report.verdicts == {("directus_files", Verdict.RIGHT): 2, ("directus_files", Verdict.START): 2}
    assert pipeline.webserver.asked == [(["card", "hero"], ["new"])]


def test_what_nobody_has_foreseen_is_looked_at_again_after_a_day_and_then_ever_more_rarely(
    pipeline: Pipeline,
) -> None:
    pipeline.started("a")
    waits = []
    for _ in range(7):
        pipeline.failed("a", Unexpected("KeyError: 'title'"))
        found = failures(pipeline.instance, {"card": NAMES.preset("card")}, ["a"], first_wait_seconds=0)
        moment, failure = found["card", "a"]
        assert failure.not_before
        waits.append((failure.not_before - dt.datetime.fromtimestamp(moment, dt.UTC)) // dt.timedelta(days=1))

    assert waits == [1, 2, 4, 8, 16, 30, 30]


class Forgetful:
    """An instance whose status cache has missed materializations, until they are recorded again."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.passed_over: set[str] = set()
        self.looks = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.instance, name)

    def get_status_by_partition(self, *args: Any) -> dict[str, Any]:
        self.looks += 1
        found = self.instance.get_status_by_partition(*args) or {}
        return {key: None if key in self.passed_over else status for key, status in found.items()}

    def report_runless_asset_event(self, event: dg.AssetMaterialization) -> None:
        self.instance.report_runless_asset_event(event)
        self.passed_over.discard(event.partition or "")


def test_what_dagster_shows_as_missing_though_it_is_made_is_recorded_again_and_once() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        forgetful = Forgetful(instance)
        pipeline = Pipeline(cast("dg.DagsterInstance", forgetful))
        pipeline.directus.upload(*"abc")
        instance.add_dynamic_partitions(PARTITIONS, list("abc"))
        materialize(instance, pipeline.directus, CARD)
        forgetful.passed_over = {"b"}

        assert pipeline.run(presets=[CARD]).asked == []
        assert pipeline.run(presets=[CARD]).asked == []

        records = dg.AssetRecordsFilter(asset_key=NAMES.preset("card"))
        made = instance.fetch_materializations(records, limit=9).records
        assert sorted(record.partition_key or "" for record in made) == ["a", "b", "b", "c"]
        assert forgetful.looks == 3  # the second look of the first reconcile is for what was made just now


@pytest.mark.parametrize(
    "fields", [{"height": "tall"}, {"width": [1]}, {"focal_point_x": "left"}, {"filesize": "1e400"}, {"type": None}]
)
def test_a_row_that_makes_no_sense_keeps_no_other_from_being_registered_and_made(fields: dict[str, Any]) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(instance)
        pipeline.directus.upload("a", "b", "c")
        pipeline.directus.files["b"] |= fields
        note_first(pipeline.memory, PARTITIONS, [])

        report = pipeline.run(presets=[CARD])

        assert report.troubles == []
        asked = {key for _, keys in pipeline.webserver.asked for key in keys}
        assert {"a", "c"} <= asked
        assert {"a", "c"} <= set(instance.get_dynamic_partitions(PARTITIONS))
