import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import dagster as dg
import pytest

from directus_assets.errors import BadInput, DirectusAssetsError, Forbidden, Overloaded, Unreachable, from_status
from directus_assets.orchestration.runs.history import failures, fingerprints
from directus_assets.orchestration.runs.recorder import Recorder
from directus_assets.orchestration.runs.report import OutputRecord
from directus_assets.orchestration.runs.tasks import Task, do_all
from directus_assets.run_tags import range_tags

FILES = dg.DynamicPartitionsDefinition(name="files")
CARD, HERO = dg.AssetKey(["presets", "card"]), dg.AssetKey(["presets", "hero"])
SOURCE = dg.AssetKey(["directus", "files"])
KEYS = [f"f{number:02}" for number in range(10)]

Trouble = Callable[[dg.AssetKey, str, int], DirectusAssetsError | None]
"""What goes wrong with an output at the given try of the run, from 0."""


def no_trouble(asset_key: dg.AssetKey, key: str, retry: int) -> None:
    """No failures."""


def trouble_with(key: str, error: DirectusAssetsError, *, tries: int = 99) -> Trouble:
    """One picture fails this many times."""
    return lambda _, found, retry: error if found == key and retry < tries else None


class Scripted:
    """A multi-asset that makes two outputs for each key, and notes what it made at which try.

    Args:
        trouble: what goes wrong with outputs.
        right: keys that are found to be right already.
        outage: a key, and the error that breaks everything off before it, at the first try.
        backoff: seconds before each retry.
        chance: what is drawn for jitter.
    """

    def __init__(
        self,
        trouble: Trouble = no_trouble,
        *,
        right: frozenset[str] = frozenset(),
        outage: tuple[str, Exception] | None = None,
        backoff: tuple[float, ...] = (0, 0),
        chance: float = 0,
    ) -> None:
        self.trouble = trouble
        self.right = right
        self.outage = outage
        self.backoff = backoff
        self.chance = chance
        self.made: list[tuple[int, str, str]] = []

    def definition(self) -> dg.AssetsDefinition:
        specs = [dg.AssetSpec(key, partitions_def=FILES, skippable=True) for key in (CARD, HERO)]

        @dg.multi_asset(name="make", specs=specs, can_subset=True)
        def make(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization]:
            versions = {CARD: "code", HERO: "code"}
            with Recorder(
                context, SOURCE, versions, backoff_seconds=self.backoff, chance=lambda: self.chance
            ) as recorder:
                for key in recorder.partitions:
                    if self.outage and self.outage[0] == key and not context.retry_number:
                        raise self.outage[1]
                    self._make(context, recorder, key)
            yield from ()

        return make

    def _make(self, context: dg.AssetExecutionContext, recorder: Recorder, key: str) -> None:
        for asset_key in recorder.open_outputs(key):
            if key in self.right:
                recorder.unchanged(asset_key, key)
                continue
            self.made.append((context.retry_number, asset_key.path[-1], key))
            if error := self.trouble(asset_key, key, context.retry_number):
                recorder.failed(asset_key, key, error, name=f"Picture {key}")
            else:
                recorder.record(asset_key, key, OutputRecord(data_version=f"v-{key}", metadata={"seconds": 1.0}))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        ephemeral.add_dynamic_partitions("files", KEYS)
        yield ephemeral


def run(
    instance: dg.DagsterInstance,
    scripted: Scripted,
    *,
    keys: tuple[str, str] = (KEYS[0], KEYS[-1]),
    tags: Mapping[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [scripted.definition()],
        instance=instance,
        tags={**range_tags(*keys), **(tags or {})},
        raise_on_error=False,
    )


def statuses(instance: dg.DagsterInstance, asset_key: dg.AssetKey = CARD) -> dict[str, str]:
    found = instance.get_status_by_partition(asset_key, KEYS, FILES) or {}
    return {key: status.value for key, status in found.items() if status}


def with_status(instance: dg.DagsterInstance, status: str, asset_key: dg.AssetKey = CARD) -> list[str]:
    return [key for key, value in statuses(instance, asset_key).items() if value == status]


def reasons(instance: dg.DagsterInstance, asset_key: dg.AssetKey = CARD) -> dict[str, Any]:
    """The reasons shown on the pages of failed partitions."""
    records = instance.fetch_observations(asset_key, limit=100).records
    observed = [record.asset_observation for record in records if record.asset_observation]
    return {str(each.partition): each.metadata["failed"].value for each in observed}


def test_what_was_made_is_recorded_with_its_fingerprint(instance: dg.DagsterInstance) -> None:
    result = run(instance, Scripted())

    assert result.success
    assert set(statuses(instance).values()) == {"MATERIALIZED"}
    assert fingerprints(instance, {"card": CARD}, ["f07"]) == {("card", "f07"): "v-f07"}


def test_three_bad_ones_of_ten_fail_with_their_own_reasons_and_the_others_are_made(
    instance: dg.DagsterInstance,
) -> None:
    bad = {"f03": "is cut off", "f05": "is no picture", "f08": "is empty"}
    scripted = Scripted(
        lambda _, key, __: BadInput(f"It {bad[key]}.", remedy="Upload it again.") if key in bad else None
    )

    result = run(instance, scripted)

    assert not result.success
    for asset_key in (CARD, HERO):
        assert with_status(instance, "FAILED", asset_key) == list(bad)
        assert len(with_status(instance, "MATERIALIZED", asset_key)) == 7
        assert reasons(instance, asset_key) == {
            key: f"Picture {key}: It {told}. Upload it again." for key, told in bad.items()
        }


def test_the_run_says_what_failed(instance: dg.DagsterInstance) -> None:
    result = run(instance, Scripted(card_only(trouble_with("f03", BadInput("Corrupt.")))))

    (event,) = result.get_step_failure_events()
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    assert failure.description == "1 outputs of 1 items failed; 19 were made. Picture f03: Corrupt."
    rows = failure.metadata["failures"]
    assert isinstance(rows, dg.TableMetadataValue)
    assert [row.data for row in rows.records] == [
        {"asset": "presets/card", "partition": "f03", "reason": "Picture f03: Corrupt."}
    ]


def test_a_failure_of_one_output_leaves_the_others_of_the_same_item(instance: dg.DagsterInstance) -> None:
    run(instance, Scripted(card_only(trouble_with("f03", BadInput("Corrupt.")))))

    assert with_status(instance, "FAILED", CARD) == ["f03"]
    assert with_status(instance, "FAILED", HERO) == []


def test_what_failed_for_now_is_tried_again_and_nothing_else(instance: dg.DagsterInstance) -> None:
    scripted = Scripted(trouble_with("f03", Unreachable("Down."), tries=1))

    result = run(instance, scripted)

    assert result.success
    assert [made for made in scripted.made if made[0] > 0] == [(1, "card", "f03"), (1, "hero", "f03")]
    assert len(scripted.made) == 22
    assert set(statuses(instance).values()) == {"MATERIALIZED"}


def test_what_failed_for_good_is_not_tried_again(instance: dg.DagsterInstance) -> None:
    corrupt, down = trouble_with("f03", BadInput("Corrupt.")), trouble_with("f04", Unreachable("Down."), tries=1)
    scripted = Scripted(lambda *output: corrupt(*output) or down(*output))

    run(instance, scripted)

    assert [made for made in scripted.made if made[0] > 0] == [(1, "card", "f04"), (1, "hero", "f04")]
    assert with_status(instance, "FAILED") == ["f03"]
    assert reasons(instance) == {"f03": "Picture f03: Corrupt."}


def test_what_keeps_failing_for_now_ends_as_a_failure_with_its_reason(instance: dg.DagsterInstance) -> None:
    scripted = Scripted(card_only(trouble_with("f03", Overloaded("Too busy."))))

    run(instance, scripted)

    assert [made[0] for made in scripted.made if made[1:] == ("card", "f03")] == [0, 1, 2]
    assert with_status(instance, "FAILED") == ["f03"]
    assert reasons(instance) == {"f03": "Picture f03: Too busy."}


def test_a_wait_for_hours_ends_the_run_instead_of_holding_it(instance: dg.DagsterInstance) -> None:
    scripted = Scripted(trouble_with("f03", Overloaded("The quota is used up.", retry_after_seconds=7200)))

    run(instance, scripted)

    assert {made[0] for made in scripted.made} == {0}
    assert with_status(instance, "FAILED") == ["f03"]


def test_an_outage_of_everything_is_tried_again_from_where_it_stopped(instance: dg.DagsterInstance) -> None:
    scripted = Scripted(outage=("f06", Unreachable("Down.")))

    result = run(instance, scripted)

    assert result.success
    assert next(made for made in scripted.made if made[0] > 0) == (1, "card", "f06")
    assert len(scripted.made) == 20


@pytest.mark.parametrize(("chance", "waits"), [(0.0, [0.01, 0.02]), (1.0, [0.0125, 0.025])])
def test_waits_grow_and_are_spread_by_chance(instance: dg.DagsterInstance, chance: float, waits: list[float]) -> None:
    trouble = trouble_with("f03", Unreachable("Down."))

    result = run(instance, Scripted(trouble, backoff=(0.01, 0.02), chance=chance))

    events = [event for event in result.all_events if event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]
    assert [event.step_retry_data.seconds_to_wait for event in events] == pytest.approx(waits)


def test_a_missing_right_fails_the_run_at_once_and_keeps_what_was_made(instance: dg.DagsterInstance) -> None:
    scripted = Scripted(outage=("f06", Forbidden("The token lacks a right.", remedy="Give it.")))

    result = run(instance, scripted)

    (event,) = result.get_step_failure_events()
    assert event.step_failure_data.user_failure_data is not None
    assert event.step_failure_data.user_failure_data.description == "The token lacks a right. Give it."
    assert {made[0] for made in scripted.made} == {0}
    assert with_status(instance, "MATERIALIZED") == KEYS[:6]


def test_what_is_right_already_stays_right_when_others_fail(instance: dg.DagsterInstance) -> None:
    run(instance, Scripted())

    run(instance, Scripted(trouble_with("f03", BadInput("Corrupt.")), right=frozenset(KEYS) - {"f03", "f04"}))

    assert with_status(instance, "FAILED") == ["f03"]
    assert len(with_status(instance, "MATERIALIZED")) == 9
    assert fingerprints(instance, {"card": CARD}, ["f09"]) == {("card", "f09"): "v-f09"}


@pytest.mark.parametrize("error", [Forbidden("No right."), ZeroDivisionError("A fault of ours.")])
def test_what_is_right_already_stays_right_when_the_run_breaks_off(
    instance: dg.DagsterInstance, error: Exception
) -> None:
    run(instance, Scripted())

    run(instance, Scripted(right=frozenset(KEYS[:6]), outage=("f06", error)))

    assert with_status(instance, "MATERIALIZED") == KEYS[:6]
    assert with_status(instance, "FAILED") == KEYS[6:]


def test_a_run_that_goes_on_after_a_crash_makes_what_was_left_and_marks_nothing_wrongly(
    instance: dg.DagsterInstance,
) -> None:
    crashed = run(instance, Scripted(outage=("f06", ZeroDivisionError("As if killed."))))
    scripted = Scripted(trouble_with("f08", BadInput("Corrupt.")))

    run(instance, scripted, tags=descent(crashed, {"dagster/retry_number": "1"}))

    assert {key for _, _, key in scripted.made} == set(KEYS[6:])
    assert with_status(instance, "FAILED") == ["f08"]
    assert len(with_status(instance, "MATERIALIZED")) == 9


def test_a_run_that_a_person_executes_again_makes_everything_again(instance: dg.DagsterInstance) -> None:
    first = run(instance, Scripted())
    scripted = Scripted()

    run(instance, scripted, tags=descent(first))

    assert len(scripted.made) == 20


def test_a_run_that_a_person_resumes_makes_what_failed(instance: dg.DagsterInstance) -> None:
    first = run(instance, Scripted(trouble_with("f03", BadInput("Corrupt."))))
    scripted = Scripted()

    run(instance, scripted, tags=descent(first, {"dagster/is_resume_retry": "true"}))

    assert scripted.made == [(0, "card", "f03"), (0, "hero", "f03")]
    assert set(statuses(instance).values()) == {"MATERIALIZED"}


def card_only(trouble: Trouble) -> Trouble:
    """The failures concern one output only."""
    return lambda asset_key, key, retry: trouble(asset_key, key, retry) if asset_key == CARD else None


def descent(parent: dg.ExecuteInProcessResult, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tags of a run created from another one."""
    return {"dagster/root_run_id": parent.run_id, "dagster/parent_run_id": parent.run_id, **(more or {})}


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (KeyError("choices"), "KeyError: 'choices'"),
        (RecursionError("maximum recursion depth exceeded"), "A value is nested too deeply."),
        (BadInput("Corrupt."), "Corrupt."),
    ],
)
def test_whatever_happens_to_one_item_is_its_own_failure(
    instance: dg.DagsterInstance, trouble: Exception, told: str
) -> None:
    def work(key: str) -> str:
        if key == "f03":
            raise trouble
        return key

    done = run_tasks(instance, work)

    assert not done.success
    assert with_status(instance, "FAILED") == ["f03"]
    assert len(with_status(instance, "MATERIALIZED")) == 9
    assert reasons(instance)["f03"].startswith(f"posts f03: {told}")
    found = failures(instance, {"card": CARD}, ["f03"], first_wait_seconds=0)
    assert found["card", "f03"][1].fingerprint == "v-f03"


def test_a_record_that_dagster_refuses_is_the_failure_of_that_output(instance: dg.DagsterInstance) -> None:
    odd = {"f03": {"result": object()}, "f04": {"note": "half of \ud83d", "cost": float("nan")}}

    run_tasks(instance, lambda key: key, metadata=lambda key: odd.get(key, {}))

    assert with_status(instance, "FAILED") == ["f03"]
    assert len(with_status(instance, "MATERIALIZED")) == 9


def test_a_right_that_is_lost_for_one_item_is_told_of_that_item(instance: dg.DagsterInstance) -> None:
    def work(key: str) -> str:
        if key == "f03":
            raise Forbidden("The row may not be written.")
        return key

    run_tasks(instance, work)

    assert reasons(instance) == {"f03": "posts f03: The row may not be written."}


def test_partitions_that_cannot_be_read_fail_and_the_others_are_made(instance: dg.DagsterInstance) -> None:
    def read(keys: Sequence[str]) -> list[str]:
        return [key for key in keys if key not in ("f02", "f07") or {}[key]]

    run_tasks(instance, lambda key: key, read=read)

    assert with_status(instance, "FAILED") == ["f02", "f07"]
    assert with_status(instance, "FAILED", HERO) == ["f02", "f07"]
    assert reasons(instance)["f07"].startswith("posts f07: KeyError: 'f07'")
    found = failures(instance, {"card": CARD}, ["f02"], first_wait_seconds=0)
    assert found["card", "f02"][1].fingerprint == "unplannable:Unexpected"


def run_tasks(
    instance: dg.DagsterInstance,
    work: Callable[[str], str],
    *,
    read: Callable[[Sequence[str]], list[str]] = list,
    metadata: Callable[[str], Mapping[str, Any]] = lambda _: {},
) -> dg.ExecuteInProcessResult:
    """A run that does `work` on all items in threads."""
    specs = [dg.AssetSpec(key, partitions_def=FILES, skippable=True) for key in (CARD, HERO)]

    @dg.multi_asset(name="make", specs=specs, can_subset=True)
    def make(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization]:
        with Recorder(context, SOURCE, {CARD: "code", HERO: "code"}) as recorder:
            tasks = [
                Task(asset_key=asset_key, partition=key, do=partial(work, key), fingerprint=f"v-{key}")
                for some in recorder.read(read, collection="posts")
                for key in some
                for asset_key in recorder.open_outputs(key)
            ]

            def record(asset_key: dg.AssetKey, key: str) -> None:
                recorder.record(asset_key, key, OutputRecord(data_version=f"v-{key}", metadata=metadata(key)))

            do_all(tasks, recorder, record, collection="posts", threads=3)
        yield from ()

    return dg.materialize([make], instance=instance, tags=range_tags(KEYS[0], KEYS[-1]), raise_on_error=False)


@pytest.mark.parametrize(
    ("recorded", "waits"), [(math.inf, 86_400), (1e300, 86_400), (99_999_999_999, 86_400), (30, 30), (math.nan, None)]
)
def test_a_wait_that_an_earlier_version_recorded_can_be_read_whatever_it_was(
    instance: dg.DagsterInstance, recorded: float, waits: float | None
) -> None:
    metadata = {"failed": "busy", "tried": "f", "transient": True, "retry_after_seconds": recorded}
    instance.report_runless_asset_event(dg.AssetObservation(CARD, partition="f01", metadata=metadata))

    moment, failure = failures(instance, {"card": CARD}, ["f01"], first_wait_seconds=0)["card", "f01"]

    assert failure.is_transient
    waited = failure.not_before and (failure.not_before - dt.datetime.fromtimestamp(moment, dt.UTC)).total_seconds()
    assert waited == waits


@pytest.mark.parametrize("asked", ["inf", "1e300", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_server_that_asks_for_for_ever_is_asked_again_tomorrow(instance: dg.DagsterInstance, asked: str) -> None:
    overloaded = from_status(429, "Busy", headers={"retry-after": asked})
    run(instance, Scripted(trouble_with("f03", overloaded)))

    moment, failure = failures(instance, {"card": CARD}, ["f03"], first_wait_seconds=0)["card", "f03"]

    assert failure.not_before == dt.datetime.fromtimestamp(moment, dt.UTC) + dt.timedelta(days=1)
