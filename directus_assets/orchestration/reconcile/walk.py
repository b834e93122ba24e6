"""`directus_reconcile`: compares everything in Directus with everything materialized, and requests the difference.

It finds what the change feed cannot: rows that never became partitions, partitions whose row is gone, and outputs that
are stale, given up or lost. It also adopts correct outputs that Dagster has forgotten.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import dagster as dg

from directus_assets.directus.storage import Storage
from directus_assets.errors import DirectusAssetsError, as_error
from directus_assets.orchestration.kinds.kind import Kind
from directus_assets.orchestration.kinds.subject import Subject, examine_each
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.reconcile.asked import (
    Asked,
    Position,
    Progress,
    Repair,
    forget_first,
    keep_place,
    keys_at_first,
    noted_as,
    read_place,
)
from directus_assets.orchestration.reconcile.backfill_requests import BackfillRequests
from directus_assets.orchestration.reconcile.compare import Compared, Comparison, Output, waiting_keys
from directus_assets.orchestration.reconcile.report import Report, Trouble
from directus_assets.orchestration.runs.unfinished import marks_an_unfinished_run, unfinished_runs
from directus_assets.orchestration.webserver import Webserver
from directus_assets.planning.verdicts import Verdict
from directus_assets.run_tags import SCAN, TRIGGER_TAG


@dataclass(kw_only=True)
class Reconcile:
    """One run of the reconcile.

    Args:
        instance: Dagster's instance.
        memory: stores its position.
        webserver: starts backfills; used only if there is something to start or to track.
        names: the Dagster names of the project.
        kinds: the kinds to compare, in this order.
        seconds: the time limit. The current page is still completed.
        first_wait_seconds: delay after the first failure before a failure that a person may fix is retried.
        page_size: rows or partitions per page.
        clock: seconds; for tests.
    """

    instance: dg.DagsterInstance
    memory: Storage
    webserver: Webserver
    names: Names
    kinds: Sequence[Kind]
    seconds: float
    first_wait_seconds: float = 600
    page_size: int = 500
    clock: Callable[[], float] = time.monotonic
    _deadline: float = 0.0
    _place: Progress = field(default_factory=Progress)
    _report: Report = field(default_factory=Report)
    _wanted: dict[tuple[str, Verdict], list[Output]] = field(default_factory=lambda: defaultdict(list))
    _repairs: set[Repair] = field(default_factory=set)
    """Lost outputs to be remade, as far as this run has found them."""

    def run(self) -> Report:
        """Resume where the last run stopped.

        A collection that cannot be compared, or a backfill that Dagster refuses, is reported and does not stop the
        rest.

        Raises:
            DirectusAssetsError: nothing can be read, or the webserver does not answer; the next run resumes at the same
                position.
        """
        self._deadline = self.clock() + self.seconds
        self._place = read_place(self.memory)
        requests = BackfillRequests(self.instance, self.webserver, self.names)
        self._place.asked = tuple(asked for asked in self._place.asked if requests.is_under_way(asked))
        if self._place.position is None:
            self._keep()
        position = self._walk(self._place.position)
        self._tell_caches()
        try:
            self._ask(requests)
            self._place.position = position
            if position is None:
                self._place.repaired, self._place.repairing = self._remembered_repairs(), frozenset()
        finally:
            # Requests are stored even if the rest failed; otherwise they would be repeated.
            keep_place(self.memory, self._place)
        self._report.is_complete = position is None
        return self._report

    def _keep(self) -> None:
        """Maintain what runs have made, such as an export: remove what no longer belongs there."""
        for kind in self.kinds:
            upkeep = kind.upkeep
            try:
                if upkeep and upkeep.state:
                    upkeep.keep()
            except Exception as error:  # noqa: BLE001 - it hinders no comparison
                name, what = kind.name, f"Could not maintain '{kind.name}'"
                self._report.troubles.append(Trouble(collection=name, what=what, error=as_error(error)))

    def _tell_caches(self) -> None:
        """Send pending purges to caches."""
        for kind in self.kinds:
            try:
                if kind.cache:
                    kind.cache.tell()
            except Exception as error:  # noqa: BLE001 - it hinders no comparison
                name, what = kind.name, f"'{kind.name}' is cached"
                self._report.troubles.append(Trouble(collection=name, what=what, error=as_error(error)))

    def _walk(self, position: Position | None) -> Position | None:
        """Compare until the end or until time is up; return where to resume."""
        names = [kind.name for kind in self.kinds]
        start = names.index(position.collection) if position and position.collection in names else 0
        unread: dict[str, DirectusAssetsError] = {}
        for kind in self.kinds[start:]:
            name = kind.name
            if position is None or position.collection != name:
                position = Position(collection=name)
            try:
                position, is_over = self._reconcile_one(kind, position)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong in one collection, the others are compared
                unread[name] = as_error(error)
                continue
            if not is_over:
                break
        else:
            position = None
        if unread and len(unread) == len(self.kinds):
            raise next(iter(unread.values()))
        self._report.troubles += [
            Trouble(collection=name, what=f"'{name}' could not be compared", error=error)
            for name, error in unread.items()
        ]
        return position

    def _reconcile_one(self, kind: Kind, position: Position) -> tuple[Position, bool]:
        is_over = True
        if position.step == "register":
            position, is_over = self._register(kind, position)
        if is_over and not self._is_scanned(kind):
            return self._compare(kind, position)
        if is_over:
            self._report.passed_over.append(position.collection)
        return position, is_over

    def _register(self, subject: Subject, position: Position) -> tuple[Position, bool]:
        """Register rows that are not partitions yet."""
        while True:
            keys = subject.existing(page=position.at + 1, size=self.page_size)
            known = set(self.instance.get_existing_dynamic_partitions(subject.partitions_name, keys) if keys else [])
            new = [key for key in keys if key not in known]
            # A file that is still being uploaded becomes a partition through its sensor.
            new = list(examine_each(subject, new, []).present)
            if new:
                self.instance.add_dynamic_partitions(subject.partitions_name, new)
                self._report.registered[subject.name] += len(new)
            sees_rows = position.sees_rows or bool(keys)
            if len(keys) < self.page_size:
                return Position(collection=position.collection, step="compare", sees_rows=sees_rows), True
            position = position.model_copy(update={"at": position.at + 1, "sees_rows": sees_rows})
            if self.clock() >= self._deadline:
                return position, False

    def _is_scanned(self, kind: Kind) -> bool:
        """Whether the sensor is scanning all partitions: it then requests the same outputs itself, step by step."""
        name = kind.job_name
        return bool(name and unfinished_runs(self.instance, tags={TRIGGER_TAG: SCAN}, job_name=name))

    def _compare(self, kind: Kind, position: Position) -> tuple[Position, bool]:
        notes = {output: noted_as(self.memory, kind.note_of(output)) for output in kind.assets}
        at_first = {note: keys_at_first(self.memory, note) for note in notes.values()}
        comparison = Comparison(
            instance=self.instance,
            surveyor=kind.survey(),
            source=kind.source,
            waiting={output: waiting_keys(kind, output, at_first[notes[output]]) for output in kind.assets},
            under_way=self._under_way(kind.name),
            repaired=self._place.repaired | self._place.repairing,
            first_wait_seconds=self.first_wait_seconds,
        )
        made: dict[str, set[str]] = defaultdict(set)
        # Read once: all keys of a large project take megabytes. Keys added since then are left to the sensor.
        rest = self.instance.get_dynamic_partitions(kind.partitions_name)[position.at :]
        is_over = False
        while not is_over:
            keys, rest = rest[: self.page_size], rest[self.page_size :]
            compared = comparison.compare(keys) if keys else Compared(verdicts={}, wanted={}, gone=())
            self._note(comparison, compared)
            # A key that waits in one language only keeps waiting in that one.
            for note in at_first:
                waits = {key for output, key in compared.outputs(Verdict.WAITS) if notes[output] == note}
                made[note] |= {key for output, key in compared.wanted if notes[output] == note} - waits
            removed = self._remove(kind, compared.gone) if position.sees_rows else 0
            self._report.removed[kind.name] += removed
            position = position.model_copy(update={"at": position.at + len(keys) - removed})
            is_over = not rest
            if self.clock() >= self._deadline:
                break
        for note, noted in at_first.items():
            forget_first(self.memory, note, made[note] & (noted or set()))
        return position, is_over

    def _note(self, comparison: Comparison, compared: Compared) -> None:
        collection = comparison.surveyor.subject.name
        self._report.verdicts.update((collection, verdict) for verdict in compared.verdicts.values())
        for verdict in (Verdict.START, Verdict.REPAIR):
            self._wanted[collection, verdict] += compared.outputs(verdict)
        self._repairs |= {
            comparison.as_repair(output, compared.wanted[output]) for output in compared.outputs(Verdict.REPAIR)
        }

    def _remembered_repairs(self) -> frozenset[Repair]:
        """The repairs of this comparison, and the earlier repairs of subjects that it could not compare."""
        unread = {trouble.collection for trouble in self._report.troubles}
        return self._place.repairing | {each for each in self._place.repaired if each.collection in unread}

    def _remove(self, kind: Kind, gone: Sequence[str]) -> int:
        """Remove partitions, except the ends of an unfinished run's range; the next comparison meets those again."""
        going = [key for key in gone if not marks_an_unfinished_run(self.instance, key)]
        if kind.cache:
            kind.cache.without_partitions(going)
        for key in going:
            self.instance.delete_dynamic_partition(kind.partitions_name, key)
        return len(going)

    def _ask(self, requests: BackfillRequests) -> None:
        kinds = {kind.name: kind for kind in self.kinds}
        for (collection, verdict), outputs in self._wanted.items():
            for answer in requests.ask(kinds[collection], verdict, outputs):
                if isinstance(answer, Trouble):
                    self._report.troubles.append(answer)
                    continue
                self._place.asked = (*self._place.asked, answer)
                self._report.asked.append(answer)
                if verdict is Verdict.REPAIR:
                    self._place.repairing |= self._repairs_of(answer)

    def _repairs_of(self, asked: Asked) -> set[Repair]:
        outputs, keys = set(asked.outputs), set(asked.keys)
        own = (each for each in self._repairs if each.collection == asked.collection)
        return {each for each in own if each.output in outputs and each.key in keys}

    def _under_way(self, collection: str) -> set[Output]:
        return {
            (name, key)
            for asked in self._place.asked
            if asked.collection == collection
            for name in asked.outputs
            for key in asked.keys
        }
