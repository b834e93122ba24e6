"""The outcome of a click, read from realistic run records."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
import pytest

from directus_assets.orchestration.buttons.clicks import Click, Outcome
from directus_assets.orchestration.buttons.outcome import find_outcome
from directus_assets.orchestration.runs.history import DATA_VERSION_TAG
from directus_assets.orchestration.runs.report import REVIEW_MARK
from directus_assets.run_tags import CLICK_TAG

CARD = dg.AssetKey(["image_presets", "card"])


@dataclass
class Runs:
    """The consecutive runs of one click."""

    instance: dg.DagsterInstance
    click: Click

    def take(self, *keys: str) -> "Runs":
        """Add the run that accepts the click."""
        self.click = self.click.model_copy(update={"id": self.run({}), "keys": keys})
        return self

    def run(
        self, made: Mapping[str, str], failed: Mapping[str, str] | None = None, *, crash: bool = False, **tags: str
    ) -> str:
        """Add a run that makes some items (with these data versions) and fails on others; return its id."""

        @dg.op
        def work(context: dg.OpExecutionContext) -> None:
            for key, version in made.items():
                event = dg.AssetMaterialization(CARD, partition=key, tags={DATA_VERSION_TAG: version})
                context.log_event(event)
            for key, reason in (failed or {}).items():
                context.log_event(dg.AssetObservation(CARD, partition=key, metadata={"failed": reason}))
            if failed or crash:
                raise dg.Failure("Some were not made.")

        @dg.job
        def job() -> None:
            work()

        tags = {CLICK_TAG: self.click.id, **{name.replace("__", "/"): value for name, value in tags.items()}}
        return job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False).run_id

    def under_way(self, status: dg.DagsterRunStatus, **tags: str) -> None:
        all_tags = {CLICK_TAG: self.click.id, **{name.replace("__", "/"): value for name, value in tags.items()}}
        self.instance.add_run(dg.DagsterRun(job_name="image_presets", status=status, tags=all_tags))

    @property
    def outcome(self) -> Outcome | None:
        return find_outcome(self.instance, self.click)


@pytest.fixture
def runs() -> Iterator[Runs]:
    click = Click.model_validate(
        {"id": "none", "button": "render", "collection": "directus_files", "keys": (), "user": "anna"}
    )
    with dg.DagsterInstance.ephemeral() as instance:
        yield Runs(instance, click)


def test_it_is_done_when_all_runs_have_ended(runs: Runs) -> None:
    runs.take("a", "b")
    runs.run({"a": "1"})
    runs.run({"b": "1"})

    assert runs.outcome == Outcome(failed={}, reviewed=set(), unmade=0, endings=[])


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_nobody_is_told_while_a_run_is_at_work(runs: Runs, status: dg.DagsterRunStatus) -> None:
    runs.take("a", "b")
    runs.run({"a": "1"})
    runs.under_way(status)

    assert runs.outcome is None


def test_what_failed_is_told_with_its_reason_and_what_needs_review_by_its_item(runs: Runs) -> None:
    runs.take("a", "b", "c")
    runs.run({"a": "1", "b": f"1{REVIEW_MARK}"}, {"c": "c.jpg: broken"})

    assert runs.outcome == Outcome(failed={"c": ["c.jpg: broken"]}, reviewed={"b"}, unmade=0, endings=[])


def test_a_run_that_died_leaves_its_items_unmade(runs: Runs) -> None:
    runs.take("a", "b", "c")
    died = runs.run({"a": "1"}, crash=True)

    outcome = runs.outcome

    assert outcome
    assert (outcome.unmade, len(outcome.endings)) == (2, 1)
    assert f"(failure): {died}" in outcome.endings[0]


def test_a_run_that_is_tried_again_is_waited_for_and_then_counts_for_nothing(runs: Runs) -> None:
    runs.take("a", "b")
    died = runs.run({"a": "1"}, crash=True, dagster__will_retry="true")
    assert runs.outcome is None

    again = runs.run({"b": "1"})
    runs.instance.add_run_tags(died, {"dagster/auto_retry_run_id": again})

    assert runs.outcome == Outcome(failed={}, reviewed=set(), unmade=0, endings=[])


@pytest.mark.parametrize(("last", "endings"), [(dg.DagsterRunStatus.SUCCESS, 0), (dg.DagsterRunStatus.FAILURE, 1)])
def test_of_several_tries_to_take_a_click_the_last_one_counts(
    runs: Runs, last: dg.DagsterRunStatus, endings: int
) -> None:
    runs.take("a")
    for status in (dg.DagsterRunStatus.FAILURE, last):
        runs.under_way(status, dagster__root_run_id=runs.click.id, directus_assets__click="")

    outcome = runs.outcome

    assert outcome
    assert len(outcome.endings) == endings


def test_a_click_that_was_not_taken_says_so(runs: Runs) -> None:
    runs.click = runs.click.model_copy(update={"keys": ("a",), "id": runs.run({}, crash=True)})

    outcome = runs.outcome

    assert outcome
    assert outcome.unmade == 1
    assert outcome.endings
