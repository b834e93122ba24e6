"""Compares one page of partitions with Dagster's records: the evidence for each output, and its verdict."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import dagster as dg

from directus_assets.fast.latest import Latest
from directus_assets.isolation import isolate
from directus_assets.orchestration.kinds.subject import Subject, examine_each
from directus_assets.orchestration.kinds.survey import Careful, Page, Surveyor, Unread
from directus_assets.orchestration.reconcile.asked import Repair
from directus_assets.orchestration.runs.history import (
    data_version,
    failures,
    latest_records,
    record_again,
    record_output,
)
from directus_assets.orchestration.runs.report import REVIEW_MARK
from directus_assets.planning.verdicts import Evidence, Failure, Verdict, judge

Output = tuple[str, str]
"""The name of an output, and the key of a partition."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The result of comparing one page of partitions."""

    verdicts: Mapping[Output, Verdict]
    wanted: Mapping[Output, str]
    gone: Sequence[str]
    """Partitions whose row is gone."""

    def outputs(self, verdict: Verdict) -> list[Output]:
        """The outputs with this verdict."""
        return [output for output, given in self.verdicts.items() if given is verdict]


@dataclass(kw_only=True)
class Comparison:
    """Compares one subject. Good for one run of the reconcile.

    Args:
        instance: Dagster's instance.
        surveyor: reads the state in Directus.
        source: the asset that the outputs are derived from.
        waiting: by output, the keys that wait for a backfill until something of them has been tried; None for all.
        under_way: outputs that were requested and are not done.
        repaired: outputs that were lost and recently remade.
        first_wait_seconds: delay after the first failure before a failure that a person may fix is retried.
    """

    instance: dg.DagsterInstance
    surveyor: Surveyor
    source: dg.AssetKey
    waiting: Mapping[str, Set[str] | None]
    under_way: Set[Output]
    repaired: Set[Repair]
    first_wait_seconds: float
    _statuses: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def compare(self, keys: Sequence[str]) -> Compared:
        """Judge all outputs of these partitions, and adopt those to be adopted."""
        # Dagster's records are read first: an output made from now on is then requested once too often at worst.
        subject = self.surveyor.subject
        records = latest_records(self.instance, subject.assets, keys)
        seen = isolate(keys, self.surveyor.look)
        pages: list[Page] = [Careful(page) for page in seen.results]
        if unread := list(seen.culprits):
            pages.append(Unread(examination=examine_each(subject, unread, list(subject.assets))))
        found = [self._compare(page, records) for page in pages]
        return Compared(
            verdicts={output: verdict for each in found for output, verdict in each.verdicts.items()},
            wanted={output: wanted for each in found for output, wanted in each.wanted.items()},
            gone=[key for each in found for key in each.gone],
        )

    def _compare(self, page: Page, records: Mapping[Output, Latest]) -> Compared:
        wanted = page.examination.wanted
        evidence = {output: _of_made(page, output, wanted[output], records.get(output)) for output in wanted}
        doubtful = {output: each for output, each in evidence.items() if each.made != each.wanted or each.is_lost}
        evidence |= self._investigate(page, doubtful, records)
        now = dt.datetime.now(dt.UTC)
        verdicts = {output: judge(each, now=now) for output, each in evidence.items()}
        for output, verdict in verdicts.items():
            if verdict is Verdict.ADOPT and not self._adopt(page, output):
                verdicts[output] = judge(replace(evidence[output], is_there=False), now=now)
            elif verdict is Verdict.RIGHT and self._is_shown_as_not_made(*output):
                record_again(self.instance, self.surveyor.subject.assets[output[0]], output[1])
        return Compared(verdicts=verdicts, wanted=wanted, gone=page.gone)

    def _investigate(
        self, page: Page, doubtful: Mapping[Output, Evidence], records: Mapping[Output, Latest]
    ) -> dict[Output, Evidence]:
        names = {name for name, _ in doubtful}
        assets = {name: key for name, key in self.surveyor.subject.assets.items() if name in names}
        keys = list(dict.fromkeys(key for _, key in doubtful))
        tried = failures(self.instance, assets, keys, first_wait_seconds=self.first_wait_seconds) if doubtful else {}
        return {
            output: self._completed(page, output, each, records.get(output), tried.get(output))
            for output, each in doubtful.items()
        }

    def _completed(
        self,
        page: Page,
        output: Output,
        evidence: Evidence,
        record: Latest | None,
        tried: tuple[float, Failure] | None,
    ) -> Evidence:
        name, key = output
        status = self._status(name, key)
        is_unknown = record is None and tried is None and not status
        return replace(
            evidence,
            failure=tried[1] if tried and (record is None or tried[0] > record.timestamp) else None,
            was_tried=not is_unknown or self._is_remembered(page, output),
            existed_at_first=self._waits(output),
            is_under_way=status == "IN_PROGRESS" or output in self.under_way,
            is_there=is_unknown and page.is_there(name, key),
            was_repaired=self.as_repair(output, evidence.wanted) in self.repaired,
        )

    def _is_remembered(self, page: Page, output: Output) -> bool:
        """Checked only for outputs that would wait, and only if there is nothing to adopt."""
        return self._waits(output) and not page.is_there(*output) and page.is_remembered(*output)

    def _waits(self, output: Output) -> bool:
        waiting = self.waiting[output[0]]
        return waiting is None or output[1] in waiting

    def as_repair(self, output: Output, fingerprint: str) -> Repair:
        """The stored form of a repair."""
        name, key = output
        return Repair(collection=self.surveyor.subject.name, output=name, key=key, fingerprint=fingerprint)

    def _adopt(self, page: Page, output: Output) -> bool:
        name, key = output
        found = page.adopt(name, key)
        if found is None:
            return False
        subject = self.surveyor.subject
        record_output(
            self.instance,
            subject.assets[name],
            key,
            found,
            code_version=subject.code_versions[name],
            source=self.source,
        )
        return True

    def _is_shown_as_not_made(self, name: str, key: str) -> bool:
        """Whether Dagster shows a correct output as failed or missing.

        It shows it as failed if the fault has been fixed and there is nothing left to do. It shows it as missing
        because of a race in its status cache: a materialization committed while another run is being planned is never
        read.
        """
        if not self._status(name, key):  # It may have been made since the statuses were read.
            del self._statuses[name]
        return self._status(name, key) in {"", "FAILED"}

    def _status(self, name: str, key: str) -> str:
        if name not in self._statuses:
            subject = self.surveyor.subject
            definition = dg.DynamicPartitionsDefinition(name=subject.partitions_name)
            keys = self.instance.get_dynamic_partitions(subject.partitions_name)
            found = self.instance.get_status_by_partition(subject.assets[name], keys, definition) or {}
            self._statuses[name] = {key: status.value for key, status in found.items() if status}
        return self._statuses[name].get(key, "")


def waiting_keys(subject: Subject, output: str, at_first: Set[str] | None) -> Set[str] | None:
    """The partitions that wait for a backfill of an output; None for all.

    Args:
        subject: owns the output.
        output: its name.
        at_first: the rows that existed when it first appeared; None if not recorded yet.
    """
    return set() if subject.backfills_on_start(output) and at_first is not None else at_first


def grouped(outputs: Iterable[Output]) -> dict[frozenset[str], list[str]]:
    """Group partition keys by the set of outputs that they need."""
    names: dict[str, set[str]] = {}
    for name, key in outputs:
        names.setdefault(key, set()).add(name)
    groups: dict[frozenset[str], list[str]] = {}
    for key, needed in names.items():
        groups.setdefault(frozenset(needed), []).append(key)
    return groups


def _of_made(page: Page, output: Output, wanted: str, record: Latest | None) -> Evidence:
    if record is None:
        return Evidence(wanted=wanted)
    made = data_version(record).removesuffix(REVIEW_MARK)
    return Evidence(wanted=wanted, made=made, is_lost=made == wanted and page.is_lost(*output, record))
