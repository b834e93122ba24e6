"""Predicts what will happen to outdated outputs: they wait for someone, are retried automatically, or are given up.

The reconcile decides in the same way. Nothing is started or recorded here.
"""

import datetime as dt
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from directus_assets.directus.storage import Storage
from directus_assets.fast.latest import Latest
from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.asked import keys_at_first, noted_as
from directus_assets.orchestration.reconcile.compare import Output, waiting_keys
from directus_assets.orchestration.runs.history import data_version, failed_outputs, failures, latest_records
from directus_assets.orchestration.runs.report import REVIEW_MARK
from directus_assets.planning.changes import Fingerprints
from directus_assets.planning.verdicts import Evidence, Failure, Verdict, judge

HOW_TO_START = (
    "They cost nothing until you start them: with `directus-assets backfill --collection … --missing-only`, or "
    "in the UI (select the assets, then Materialize, Missing partitions); or set `backfill_on_start: true` in the YAML "
    "file."
)
"""How to start outputs that wait."""


def failed_note(failed: int, again: int, cost: str = "") -> str:
    """A note about failed outputs and their retries.

    Args:
        failed: the number of failed outputs.
        again: how many of them will be retried.
        cost: the cost of the retries, if known.
    """
    given_up = failed - again
    sentences = []
    if again:
        sentences.append(
            f"the reconcile retries {again:,} automatically{f', at an estimated cost of {cost}' if cost else ''}"
        )
    if given_up:
        sentences.append(
            f"{given_up:,} would fail again in their present state, and are retried when their content changes or "
            "when you materialize them"
        )
    return f"Failed: {failed:,}; {'; '.join(sentences)}. Their partition pages in the UI say why."


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """The predicted handling of one output."""

    verdict: Verdict
    has_failed: bool = False

    @property
    def is_right(self) -> bool:
        """Whether the stored output has the current fingerprint."""
        return self.verdict is Verdict.RIGHT

    @property
    def waits(self) -> bool:
        """Whether it is made only when someone starts it."""
        return self.verdict is Verdict.WAITS

    @property
    def is_tried_again(self) -> bool:
        """Whether it failed and will be retried automatically."""
        return self.has_failed and self.verdict is not Verdict.GIVEN_UP


@dataclass(frozen=True)
class Prospects:
    """Predicts the handling of one subject's outputs.

    Args:
        instance: Dagster's instance.
        memory: records what existed at first.
        subject: owns the outputs.
        first_wait_seconds: delay after the first failure before a failure that a person may fix is retried.
    """

    instance: dg.DagsterInstance
    memory: Storage
    subject: Subject
    first_wait_seconds: float

    def of(self, wanted: Fingerprints) -> dict[Output, Prospect]:
        """The prediction for each of these outputs.

        Args:
            wanted: their current fingerprints.
        """
        names = {name for name, _ in wanted}
        assets = {name: key for name, key in self.subject.assets.items() if name in names}
        keys = list(dict.fromkeys(key for _, key in wanted))
        records = latest_records(self.instance, assets, keys)
        tried = failures(self.instance, assets, keys, first_wait_seconds=self.first_wait_seconds)
        now, found = dt.datetime.now(dt.UTC), {}
        for output, fingerprint in wanted.items():
            record = records.get(output)
            failure = _later(tried.get(output), record)
            evidence = Evidence(
                wanted=fingerprint,
                made=data_version(record).removesuffix(REVIEW_MARK) if record else None,
                failure=failure,
                was_tried=output in tried or output in self._failed,
                existed_at_first=self._waits(output),
            )
            verdict = judge(evidence, now=now)
            has_failed = verdict is not Verdict.RIGHT and (failure is not None or output in self._failed)
            found[output] = Prospect(verdict=verdict, has_failed=has_failed)
        return found

    def _waits(self, output: Output) -> bool:
        waiting = self._waiting[output[0]]
        return waiting is None or output[1] in waiting

    @cached_property
    def _failed(self) -> Set[Output]:
        # All partitions at once: Dagster reads all of them anyway.
        keys = self.instance.get_dynamic_partitions(self.subject.partitions_name)
        name = self.subject.partitions_name
        return failed_outputs(self.instance, self.subject.assets, keys, partitions_name=name)

    @cached_property
    def _waiting(self) -> Mapping[str, Set[str] | None]:
        notes = {output: noted_as(self.memory, self.subject.note_of(output)) for output in self.subject.assets}
        at_first = {note: keys_at_first(self.memory, note) for note in notes.values()}
        return {output: waiting_keys(self.subject, output, at_first[note]) for output, note in notes.items()}


def _later(tried: tuple[float, Failure] | None, record: Latest | None) -> Failure | None:
    """The last attempt, if it came after the last materialization."""
    return tried[1] if tried and (record is None or tried[0] > record.timestamp) else None


def prospects_of(project: Project, instance: dg.DagsterInstance, subject: Subject) -> Prospects:
    """The predictions for one subject of this project."""
    minutes = project.settings.config.reconcile.look_again_after_minutes
    return Prospects(instance, project.memory, subject, first_wait_seconds=minutes * 60)
