"""The asset checks on `directus/<collection>`, which people can alert on.

They have no partitions: each covers everything derived from a collection. The reconcile evaluates them every hour, and
anyone can execute them at any time.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import dagster as dg

from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.runs.report import as_markdown
from directus_assets.orchestration.statuses import failed_counts, output_statuses
from directus_assets.spending.budget import Purse

NOTHING_FAILED = "nothing_failed"
NO_REVIEW_WAITS = "no_review_waits"
BUDGET_LEFT = "budget_left"

_DESCRIPTIONS: Mapping[str, str] = {
    NOTHING_FAILED: "No partition of any asset generated from this collection has failed permanently.",
    NO_REVIEW_WAITS: "No text or value written by a person needs review because its source has changed.",
    BUDGET_LEFT: "Today's spending is below the limit of the YAML file.",
}


def judge(
    failed: Mapping[str, int], reviews: Mapping[str, int], purse: Purse | None
) -> dict[str, tuple[bool, dict[str, Any]]]:
    """Evaluate the checks; return by name whether each passes, and its metadata.

    Args:
        failed: the number of failed partitions by asset.
        reviews: the number of partitions waiting for review by asset.
        purse: the budget that pays for the collection; without one, or without a limit, the budget check passes.
    """
    limit = purse.limit if purse else None
    spent = purse.spent_today() if purse and limit is not None else Decimal(0)
    return {
        NOTHING_FAILED: _none(failed),
        NO_REVIEW_WAITS: _none(reviews),
        BUDGET_LEFT: (
            limit is None or spent < limit,
            {} if limit is None else {"spent_today": float(spent), "limit_per_day": float(limit)},
        ),
    }


def build_checks(names: Names, source: dg.AssetKey, subjects: Sequence[Subject]) -> dg.AssetChecksDefinition:
    """The checks on one collection.

    Args:
        names: the Dagster names of the project.
        source: the asset that represents the collection.
        subjects: everything derived from it.
    """

    @dg.multi_asset_check(
        name=names.checks_op(subjects[0].collection),
        description=as_markdown(f"Checks all assets generated from '{subjects[0].collection}'."),
        specs=[dg.AssetCheckSpec(name, asset=source, description=text) for name, text in _DESCRIPTIONS.items()],
        can_subset=True,
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        chosen = {key.name for key in context.selected_asset_check_keys}
        for name, (passed, told) in _found(context.instance, subjects).items():
            if name in chosen:
                yield dg.AssetCheckResult(asset_key=source, check_name=name, passed=passed, metadata=told)

    return checks


def evaluate_checks(instance: dg.DagsterInstance, source: dg.AssetKey, subjects: Sequence[Subject]) -> None:
    """Evaluate and record the checks of one collection."""
    for name, (passed, told) in _found(instance, subjects).items():
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=source, check_name=name, passed=passed, metadata=told)
        )


def _found(instance: dg.DagsterInstance, subjects: Sequence[Subject]) -> dict[str, tuple[bool, dict[str, Any]]]:
    failed: dict[str, int] = {}
    reviews: dict[str, int] = {}
    for subject in subjects:
        if subject.purse is None:
            # Pictures need no review, and there may be millions of them.
            failed |= failed_counts(instance, subject)
            continue
        for row in output_statuses(instance, subject):
            failed[row.name], reviews[row.name] = row.failed, row.review
    return judge(failed, reviews, next((subject.purse for subject in subjects if subject.purse), None))


def _none(counts: Mapping[str, int]) -> tuple[bool, dict[str, Any]]:
    some = {name: count for name, count in counts.items() if count}
    return not some, {"partitions": sum(some.values()), **some}
