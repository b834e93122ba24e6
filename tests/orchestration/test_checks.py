"""The asset checks on Directus' collections."""

from collections.abc import Iterator
from decimal import Decimal

import dagster as dg
import pytest

from directus_assets.directus.models import Preset
from directus_assets.orchestration.build import build_defs
from directus_assets.orchestration.checks import BUDGET_LEFT, NO_REVIEW_WAITS, NOTHING_FAILED, evaluate_checks, judge
from directus_assets.orchestration.kinds.files import Files
from directus_assets.snapshot import Snapshot
from directus_assets.spending.budget import Purse
from directus_assets.spending.prices import parse_prices
from directus_assets.spending.usage import Usage
from tests.orchestration.scripted_project import NAMES, Memory, ScriptedDirectus, ScriptedProject, materialize

CARD = Preset.parse({"key": "card", "width": 10})


class Checked:
    """A project with three pictures, two of which are made."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        directus = ScriptedDirectus()
        directus.settings["storage_asset_presets"] = [{"key": "card", "width": 10}]
        directus.upload("a", "b", "c")
        self.project = ScriptedProject(directus)
        self.instance = instance
        self.instance.add_dynamic_partitions(str(NAMES.files_partitions.name), ["a", "b", "c"])
        materialize(self.instance, directus, CARD, but=("c",))
        snapshot = Snapshot(url=directus.client().url, rows=directus.settings_row)
        self.defs = build_defs(self.project.settings, snapshot=snapshot, project=self.project)

    def fail(self, key: str) -> None:
        """Record a failure as a run does for a picture that cannot be rendered."""
        job = dg.define_asset_job("fails", dg.AssetSelection.assets(_broken))
        defs = dg.Definitions(assets=[_broken], jobs=[job])
        defs.resolve_job_def("fails").execute_in_process(
            instance=self.instance, partition_key=key, raise_on_error=False
        )

    def check(self) -> dict[str, bool]:
        """Evaluate the checks as from the UI."""
        job = dg.define_asset_job("check", dg.AssetSelection.all_asset_checks())
        defs = dg.Definitions.merge(self.defs, dg.Definitions(jobs=[job]))
        done = defs.resolve_job_def("check").execute_in_process(instance=self.instance)
        return {each.check_name: each.passed for each in done.get_asset_check_evaluations()}


@dg.asset(key=NAMES.preset("card"), partitions_def=NAMES.files_partitions)
def _broken() -> None:
    raise dg.Failure("broken", allow_retries=False)


@pytest.fixture
def checked() -> Iterator[Checked]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Checked(instance)


def test_all_checks_pass_where_nothing_has_failed(checked: Checked) -> None:
    assert checked.check() == {NOTHING_FAILED: True, NO_REVIEW_WAITS: True, BUDGET_LEFT: True}


def test_a_failed_partition_fails_its_check_and_no_other(checked: Checked) -> None:
    checked.fail("c")

    assert checked.check() == {NOTHING_FAILED: False, NO_REVIEW_WAITS: True, BUDGET_LEFT: True}


def test_the_reconcile_records_how_they_come_out(checked: Checked) -> None:
    checked.fail("c")

    evaluate_checks(checked.instance, NAMES.files, [Files(checked.project, [CARD])])

    (record,) = checked.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(NAMES.files, NOTHING_FAILED), limit=5
    )
    evaluation = record.evaluation
    assert evaluation
    assert not evaluation.passed
    assert {name: value.value for name, value in evaluation.metadata.items()} == {
        "partitions": 1,
        "image_presets/card": 1,
    }


def test_runs_of_the_outputs_do_not_evaluate_checks(checked: Checked) -> None:
    assert not checked.defs.resolve_job_def("image_presets").asset_layer.asset_graph.asset_check_keys


def test_what_waits_for_review_is_told_by_asset() -> None:
    passed, told = judge({}, {"translations/posts/de-DE": 2, "translations/posts/fr-FR": 0}, None)[NO_REVIEW_WAITS]

    assert (passed, told) == (False, {"partitions": 2, "translations/posts/de-DE": 2})


@pytest.mark.parametrize(("spent", "is_left"), [(1, True), (2, False), (3, False)])
def test_the_budget_check_fails_once_the_limit_is_spent(spent: int, is_left: bool) -> None:
    purse = Purse(
        storage=Memory(),  # type: ignore[arg-type]
        model="m",
        prices=parse_prices({"m": {"characters": 1_000_000}}),
        limit=Decimal(2),
    )
    nothing, used = Usage(), Usage(characters=spent)
    purse.admit(nothing)
    purse.settle(used, nothing)

    assert judge({}, {}, purse)[BUDGET_LEFT][0] is is_left
    assert judge({}, {}, None)[BUDGET_LEFT][0]
