"""The sensors that follow one Directus collection and turn changes into runs over ranges of partitions.

A sensor reads, plans and reports; `directus_assets.planning` decides what a change requires. A failed read fails the
tick, and the cursor stays. *Nothing changed* is the only reason to skip.
"""

import datetime as dt
import secrets
import time
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

import dagster as dg

from directus_assets.directus.feed import FeedPage, FeedPosition, Witness, begin_feed, foreign_changes, read_feed
from directus_assets.directus.models import Activity
from directus_assets.directus.sight import require_sight_of_others
from directus_assets.directus.uploads import FILES, UploadPage, follow_uploads
from directus_assets.door.claims import claimed
from directus_assets.errors import as_error
from directus_assets.fast.kept_open import keep_open
from directus_assets.orchestration.filters import FilterGuard
from directus_assets.orchestration.kinds.enrichments import is_enrichment
from directus_assets.orchestration.kinds.subject import Followed, Subject
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.asked import note_first
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.runs.history import failed_outputs, failures, fingerprints, record_again
from directus_assets.orchestration.runs.report import REVIEW_MARK
from directus_assets.orchestration.runs.unfinished import marks_an_unfinished_run, unfinished_runs
from directus_assets.orchestration.sensors.cursor import Cursor, Scan, read_cursor
from directus_assets.orchestration.sensors.interval import minimum_interval
from directus_assets.orchestration.sensors.outages import through_outages
from directus_assets.orchestration.sensors.pushed import items_at_work
from directus_assets.orchestration.sensors.run_requests import RunRequests
from directus_assets.planning.changes import deleted_items, stale_outputs
from directus_assets.planning.ticks import Read, plan_tick
from directus_assets.run_tags import CHANGE, FRESH_PRIORITY, PUSH, SCAN, SCAN_PRIORITY, SENSOR_TAG, TRIGGER_TAG

_PAGE = 1000
_REGISTRATION_SECONDS = 30.0
"""Half of the time that Dagster allows for a tick."""
_SCAN_BATCHES = 4
"""Batches that one tick of a scan examines."""
_QUEUED_RUNS = 4
"""Changes wait in Directus while this many of their runs are unfinished: a run takes seconds to start, however little
it has to do, so one run handles the accumulated changes better than many.
"""
_QUEUED_SCAN_RUNS = 8
"""A scan waits while this many of its runs are unfinished, which keeps the queue short for fresh work."""

_STARTS_OVER = (
    "Directus' activity log is older than when we last read it, probably because a backup was restored. We "
    "start over from the last known time and compare everything."
)


Job: TypeAlias = Any
"""A job as it is defined; Dagster has no public type for an unresolved job."""


def build_partition_sensor(
    subjects: Sequence[Subject],
    project: Project,
    *,
    name: str,
    description: str,
    jobs: Sequence[Job],
    is_seen: bool = True,
) -> dg.SensorDefinition:
    """Build the sensor that keeps everything derived from one collection up to date.

    Args:
        subjects: what is derived, at least one; all with the same partitions. A subject without outputs only has its
            partitions registered, so that a first output finds them.
        project: owns the collection.
        name: of the sensor.
        description: of the sensor.
        jobs: the jobs of its runs; as the subjects name them.
        is_seen: whether Directus has ever been reached. A sensor that starts earlier would mistake existing items for
            new ones and make all of them.
    """
    followed = Followed(subjects)
    filters = FilterGuard(project.settings.config, followed.collection)

    @dg.sensor(
        name=name,
        jobs=jobs or None,
        minimum_interval_seconds=minimum_interval(project.settings.environment.poll_seconds),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=description,
    )
    @through_outages
    @without_secrets
    def partition_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        if not is_seen and not context.cursor:
            return dg.SensorResult(
                skip_reason="Directus has not responded yet. Existing content will be recorded once it does.",
                cursor=None,
            )
        # Ticks run in the process that lives as long as the pipeline.
        keep_open(project.settings.environment.state_folder)
        tick = _Tick(context, project, followed, name)
        filters.require(project.directus)
        return tick.run(read_cursor(Cursor, context.cursor, context.log) or tick.first_cursor())

    return partition_sensor


@dataclass
class _Tick:
    """One tick. Each step takes the cursor and returns it advanced."""

    context: dg.SensorEvaluationContext
    project: Project
    subject: Followed
    sensor_name: str

    def __post_init__(self) -> None:
        self.project.directus.require_supported()
        self.versions = dict(self.subject.code_versions)
        self.asked = RunRequests(self.subject, self.project.names.tags)
        self.news = "Nothing changed."
        self._is_untold = False

    @property
    def instance(self) -> dg.DagsterInstance:
        # Dagster opens its storage anew for each tick that uses it, which would be most of the cost of a quiet tick.
        return self.context.instance

    def first_cursor(self) -> Cursor:
        """The feed from now on, all existing rows as partitions, and a scan of them only if configured."""
        require_sight_of_others(self.project.directus)
        waiting = {
            output: version
            for output, version in self.versions.items()
            if not self.subject.part_of(output).backfills_on_start(output)
        }
        return Cursor(
            feed=begin_feed(self.project.directus),
            registered_pages=0,
            code_versions=waiting,
            revision=self.subject.revision,
        )

    def run(self, cursor: Cursor) -> dg.SensorResult:
        if cursor.registered_pages is not None:
            cursor = self._register_existing(cursor)
        cursor = self._keep_all(cursor)
        cursor = self._follow_feed(cursor)
        cursor = self._follow_outputs(cursor)
        if cursor.scan and cursor.registered_pages is None:
            cursor = self._scan(cursor, cursor.scan)
        cursor = self._remove_leaving(cursor)
        cursor = self._tell_caches(cursor)
        return dg.SensorResult(
            run_requests=self.asked.requests,
            skip_reason=None if self.asked.requests else self.news,
            cursor=cursor.model_dump_json(),
        )

    def _register_existing(self, cursor: Cursor) -> Cursor:
        deadline = time.monotonic() + _REGISTRATION_SECONDS
        page = cursor.registered_pages or 0
        while time.monotonic() < deadline:
            keys = self.subject.existing(page=page + 1, size=_PAGE)
            self._register(keys)
            if len(keys) < _PAGE:
                self._note_first(note for part in self.subject.parts for note in part.notes)
                return cursor.model_copy(update={"registered_pages": None})
            page += 1
        return cursor.model_copy(update={"registered_pages": page})

    def _follow_feed(self, cursor: Cursor) -> Cursor:
        directus = self.project.directus
        # Before the feed: it then contains the entries of all uploads that have any.
        uploads = self._follow_uploads(cursor)
        page = read_feed(directus, cursor.feed, collections=self.subject.feed_collections)
        if page.starts_over or page.position.has_lost_sight_of(cursor.feed):
            # The token may belong to a different user by now.
            require_sight_of_others(directus)
        if page.starts_over:
            self.news = _STARTS_OVER
            self.context.log.warning(_STARTS_OVER)
            return self._look_at_all(cursor, page.position)
        moved = {"feed": page.position, "uploads": uploads.position}
        foreign = foreign_changes(page.entries, own_user_id=directus.own_user_id) if page.entries else []
        entries = [*foreign, *uploads.changes]
        own = self._own_writes(page.entries)
        # Including our own writes: a description that an enrichment has written is shown like any other.
        self._keep(entry.item for entry in (*page.entries, *entries) if entry.collection == FILES)
        if not (entries or own or cursor.unready or cursor.pushed):
            return cursor.model_copy(update=moved)
        # First of all: Directus may have to tell which items are touched, and while changes wait each tick would ask
        # again.
        if unfinished_runs(self.instance, tags={SENSOR_TAG: self.sensor_name, TRIGGER_TAG: CHANGE}) >= _QUEUED_RUNS:
            return cursor
        keys = list(dict.fromkeys([*self.subject.touched(entries), *cursor.unready, *cursor.pushed]))
        followers = self._stale_followers(own)
        if not keys:
            self.asked.add(
                followers,
                self._order() if followers else [],
                trigger=CHANGE,
                priority=FRESH_PRIORITY,
                occasion=f"{_occasion(page, own)}-own",
            )
            return cursor.model_copy(update=moved)
        outputs = list(self.versions)
        # Before the records are read: a run that ends in between is then waited for, and not overlooked.
        pushed = items_at_work(self.instance, self.subject.parts, keys, self._order, triggers=[PUSH])
        examination = self.subject.examine(keys, outputs)
        made = self._fingerprints(outputs, keys)
        known = self.instance.get_existing_dynamic_partitions(self.subject.partitions_name, keys)
        deleted = deleted_items(entries, self.subject.collection)
        plan = plan_tick(
            Read(
                keys=tuple(keys),
                examination=examination,
                materialized=made,
                known=known,
                deleted=deleted,
                tried=self._tried(cursor.pushed),
                followers=followers,
                leaving=cursor.leaving,
                # Last of all: the push of a change arrives a moment after the change itself.
                at_work=pushed | claimed(self.project.memory, self.subject.collection, keys),
            )
        )
        self._show_right(plan.right)
        # A row that came back was something else in between.
        gone = [*deleted, *set(plan.leaving).difference(cursor.leaving), *self._made_before(plan.registered)]
        self._note_gone(dict.fromkeys(gone))
        self._note_files(entries, examination.wanted.keys())
        self._register(plan.registered)
        if plan.stale:
            occasion = f"{_occasion(page, foreign)}{uploads.occasion}"
            self.asked.add(plan.stale, self._order(), trigger=CHANGE, priority=FRESH_PRIORITY, occasion=occasion)
        after = {"leaving": plan.leaving, "unready": plan.unready, "pushed": plan.pushed}
        return cursor.model_copy(update={**moved, **after})

    def _tried(self, pushed: Sequence[str]) -> dict[tuple[str, str], str]:
        """The failed attempts on these partitions: the fingerprint of each output at the time."""
        if not pushed:
            return {}
        found = failures(self.instance, self.subject.assets, pushed, first_wait_seconds=0)
        return {output: failure.fingerprint for output, (_, failure) in found.items()}

    def _show_right(self, right: Set[tuple[str, str]]) -> None:
        """Stop showing as failed what a change has fixed."""
        keys = sorted({key for _, key in right})
        failed = self._failed({output for output, _ in right}, keys) & right if right else set()
        if not failed:
            return
        warn = self.context.log.warning
        desk = self.project.desk(self.subject.collection, [key for _, key in failed], warn=warn, notifies=False)
        for output, key in failed:
            if desk and output in self.subject.titles:
                desk.is_right(key, self.subject.titles[output])
            record_again(self.instance, self.subject.assets[output], key)

    def _keep_all(self, cursor: Cursor) -> Cursor:
        """Check the whole export if its configuration has changed."""
        state = "|".join(upkeep.state for upkeep in self.subject.upkeeps)
        if cursor.kept == state or not self._keep(None):
            return cursor
        return cursor.model_copy(update={"kept": state})

    def _keep(self, ids: Iterable[str] | None) -> bool:
        """Maintain what runs have made of these partitions, or of all.

        An error here does not affect pictures: it passes, or the reconcile reports it.
        """
        asked = None if ids is None else list(dict.fromkeys(ids))
        try:
            for upkeep in self.subject.upkeeps:
                if asked is None or (asked and upkeep.state):
                    upkeep.keep(asked)
        except Exception as error:  # noqa: BLE001 - it hinders no picture
            self.context.log.warning("Could not update the export: %s", as_error(error))
            return False
        return True

    def _note_gone(self, keys: Collection[str]) -> None:
        """Mark these partitions for purging from caches."""
        for cache in self.subject.caches if keys else ():
            cache.without_partitions(keys)
            self._is_untold = True

    def _note_files(self, entries: Sequence[Activity], made: Set[tuple[str, str]]) -> None:
        """Purge changed files that no run reads."""
        for cache in self.subject.caches:
            cache.files_changed(entries, made)
            self._is_untold = True

    def _made_before(self, keys: Sequence[str]) -> list[str]:
        """The partitions among these that existed before."""
        if not (keys and self.subject.caches):
            return []
        return list(dict.fromkeys(key for _, key in fingerprints(self.instance, self.subject.assets, keys)))

    def _note_dropped(self, outputs: Set[str]) -> None:
        """Mark these outputs for purging from caches."""
        for cache in self.subject.caches if outputs else ():
            cache.without_outputs(self.instance, outputs, self._order())
            self._is_untold = True

    def _tell_caches(self, cursor: Cursor) -> Cursor:
        """Purge what is gone from the caches; an error affects nothing else, and the next tick tries again."""
        if not (self._is_untold or cursor.untold):
            return cursor
        try:
            told = [cache.tell() for cache in self.subject.caches]
        except Exception as error:  # noqa: BLE001 - it hinders no picture
            self.context.log.warning("A cache may serve pictures that are gone: %s", as_error(error))
            told = [False]
        return cursor.model_copy(update={"untold": not all(told)})

    def _follow_uploads(self, cursor: Cursor) -> UploadPage:
        if FILES not in self.subject.feed_collections:
            return UploadPage(position=None)
        return follow_uploads(self.project.directus, cursor.uploads, now=dt.datetime.now(dt.UTC))

    def _look_at_all(self, cursor: Cursor, feed: FeedPosition) -> Cursor:
        """Register all rows, and compare everything made before with the current state of Directus."""
        outputs = tuple(sorted(cursor.code_versions.keys() & self.versions.keys()))
        complete = cursor.scan.complete if cursor.scan else ()
        scan = Scan(id=secrets.token_hex(4), outputs=outputs, complete=complete) if outputs else None
        # A partition about to be removed may exist again.
        anew = {"feed": feed, "uploads": None, "registered_pages": 0, "scan": scan, "leaving": ()}
        return cursor.model_copy(update=anew)

    def _own_writes(self, entries: Sequence[Activity]) -> list[Activity]:
        """Our own writes, where a preset or a translation may be made from what an enrichment wrote.

        Never a change for enrichments themselves: two that read each other's output would trigger each other forever.
        """
        if not any(map(is_enrichment, self.versions)) or all(map(is_enrichment, self.versions)) or not entries:
            return []
        foreign = {entry.id for entry in foreign_changes(entries, own_user_id=self.project.directus.own_user_id)}
        return [entry for entry in entries if entry.id not in foreign and entry.action in ("create", "update")]

    def _stale_followers(self, own: Sequence[Activity]) -> dict[str, frozenset[str]]:
        """The presets and languages that our own writes have made stale; outputs never made are already on their
        way.
        """
        keys = self.subject.touched(own) if own else []
        if not keys:
            return {}
        outputs = [output for output in self.versions if not is_enrichment(output)]
        made = self._fingerprints(outputs, keys)
        wanted = self.subject.examine(keys, outputs).wanted
        return stale_outputs({place: own for place, own in wanted.items() if place in made}, made)

    def _follow_outputs(self, cursor: Cursor) -> Cursor:
        """Scan all partitions for stale outputs if an output is new or has a new code version."""
        revised = cursor.revision != self.subject.revision
        if cursor.code_versions == self.versions and not revised:
            return cursor
        changed = {key for key, version in self.versions.items() if cursor.code_versions.get(key) != version}
        complete = {output for output in changed if self._is_for_all(output, cursor)}
        if cursor.registered_pages is None:
            # For an output that is new, existing items wait for a backfill, and new items get it.
            new = sorted(output for output in changed - complete if output not in cursor.code_versions)
            self._note_first(self.subject.part_of(output).note_of(output) for output in new)
            if new and (waiting := len(self._order())):
                self.news = _waits(new, waiting)
                self.context.log.info(self.news)
        self._note_dropped(cursor.code_versions.keys() - self.versions.keys())
        outputs = set(self.versions) if revised else changed
        if cursor.scan:
            outputs |= set(cursor.scan.outputs)
            complete |= set(cursor.scan.complete)
        outputs &= set(self.versions)
        scan = None
        if outputs:
            scan = Scan(
                id=secrets.token_hex(4), outputs=tuple(sorted(outputs)), complete=tuple(sorted(complete & outputs))
            )
        return cursor.model_copy(
            update={"code_versions": self.versions, "revision": self.subject.revision, "scan": scan}
        )

    def _is_for_all(self, output: str, cursor: Cursor) -> bool:
        return self.subject.part_of(output).is_for_all(output, is_new=output not in cursor.code_versions)

    def _note_first(self, notes: Iterable[str]) -> None:
        for note in notes:
            note_first(self.project.memory, note, self._order())

    def _scan(self, cursor: Cursor, scan: Scan) -> Cursor:
        if unfinished_runs(self.instance, tags={TRIGGER_TAG: SCAN, **self.project.names.tags}) >= _QUEUED_SCAN_RUNS:
            return cursor
        order = self._order()
        size = min(part.batch_size for part in self.subject.parts)
        keys = order[scan.position : scan.position + _SCAN_BATCHES * size]
        examination = self.subject.examine(keys, scan.outputs)
        wanted = examination.wanted
        recorded = self._recorded(scan.outputs, keys)
        made = self._existing(recorded)
        partial = set(scan.outputs).difference(scan.complete)
        if partial:
            known = recorded.keys() | self._failed(partial, keys)
            wanted = {
                (name, key): value
                for (name, key), value in wanted.items()
                if (name, key) in known or name not in partial
            }
        made = {output: fingerprint.removesuffix(REVIEW_MARK) for output, fingerprint in made.items()}
        stale = stale_outputs(wanted, made)
        self.asked.add(stale, order, trigger=SCAN, priority=SCAN_PRIORITY, occasion=scan.id)
        position = scan.position + len(keys)
        rest = scan.model_copy(update={"position": position}) if position < len(order) else None
        unready = tuple(dict.fromkeys([*cursor.unready, *examination.unready]))
        return cursor.model_copy(update={"scan": rest, "unready": unready})

    def _remove_leaving(self, cursor: Cursor) -> Cursor:
        """Remove partitions whose row is gone, except the ends of an unfinished run's range."""
        staying = [key for key in cursor.leaving if self._marks_a_run(key)]
        going = set(cursor.leaving) - set(staying)
        if cursor.scan and going:
            # Keys after a removed partition move up, and the scan would skip them.
            behind = len(going.intersection(self._order()[: cursor.scan.position]))
            scan = cursor.scan.model_copy(update={"position": cursor.scan.position - behind})
            cursor = cursor.model_copy(update={"scan": scan})
        for key in going:
            self.instance.delete_dynamic_partition(self.subject.partitions_name, key)
        return cursor.model_copy(update={"leaving": tuple(staying)})

    def _marks_a_run(self, key: str) -> bool:
        return self.asked.marks(key) or marks_an_unfinished_run(self.instance, key)

    def _register(self, keys: Iterable[str]) -> None:
        # Many keys at once are added through the instance: in a sensor result they cost 2.7 ms each.
        new = list(keys)
        if new:
            self.instance.add_dynamic_partitions(self.subject.partitions_name, new)

    def _order(self) -> Sequence[str]:
        return self.instance.get_dynamic_partitions(self.subject.partitions_name)

    def _fingerprints(self, outputs: Iterable[str], keys: Iterable[str]) -> dict[tuple[str, str], str]:
        return self._existing(self._recorded(outputs, keys))

    def _recorded(self, outputs: Iterable[str], keys: Iterable[str]) -> dict[tuple[str, str], str]:
        return fingerprints(self.instance, {output: self.subject.assets[output] for output in outputs}, keys)

    def _existing(self, recorded: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
        gone = {output for upkeep in self.subject.upkeeps for output in upkeep.missing(recorded)}
        return {output: own for output, own in recorded.items() if output not in gone}

    def _failed(self, outputs: Iterable[str], keys: Sequence[str]) -> set[tuple[str, str]]:
        assets = {output: self.subject.assets[output] for output in outputs}
        return failed_outputs(self.instance, assets, keys, partitions_name=self.subject.partitions_name)


def _waits(new: Sequence[str], waiting: int) -> str:
    return (
        f"New: {', '.join(new)}. Items created or changed from now on get it automatically; the {waiting} existing "
        "ones wait. To start them, select the asset in the UI and materialize its missing partitions. "
        "`directus-assets plan --missing-only` shows the cost. To start existing items automatically, set "
        "`backfill_on_start: true` in the YAML file."
    )


def _occasion(page: FeedPage, entries: Sequence[Activity]) -> str:
    """The identity of a run: the last of these entries or, if nothing was logged, the position."""
    if entries:
        return Witness.of(entries[-1]).name
    position = page.position
    return f"{position.witness.name if position.witness else position.last_id}-complete"
