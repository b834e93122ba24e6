"""`directus_files_sensor`: what happens to files becomes runs over ranges of partitions.

The sensor reads, plans and reports; what a change asks for is decided in `directus_assets.images.plan`. A read that
fails fails the tick, and the cursor stays. *Nothing changed* is the only reason to skip.
"""

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from pydantic import BaseModel

from directus_assets.batches import Batch, batches
from directus_assets.directus.feed import FeedPosition, foreign_changes, read_feed
from directus_assets.directus.models import TRANSFORMED_TYPES, Preset
from directus_assets.images.plan import code_version, plan_changes, stale_presets
from directus_assets.orchestration.image_presets import IMAGES_JOB
from directus_assets.orchestration.materialized import fingerprints
from directus_assets.orchestration.partitions import (
    FRESH_PRIORITY,
    PRIORITY_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    SCAN_PRIORITY,
    TRIGGER_TAG,
    files_partitions,
    preset_asset_key,
    range_tags,
)
from directus_assets.orchestration.resources import Project

FILES_COLLECTION = "directus_files"
_PAGE = 1000
_REGISTRATION_SECONDS = 30.0
"""Half of the time that Dagster gives a tick."""
_SCAN_BATCHES = 4
"""Batches that one tick of a scan looks at."""
_QUEUED_SCAN_RUNS = 8
"""A scan waits while so many of its runs are unfinished, so that the queue stays short and fresh work comes through."""
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class Scan(BaseModel):
    """A walk over all partitions that starts what is stale of some presets."""

    id: str
    """Keeps the runs of one scan apart from those of an earlier one."""
    presets: tuple[str, ...]
    position: int = 0


class FilesCursor(BaseModel):
    """Where the sensor stands."""

    feed: FeedPosition
    registered_pages: int | None = None
    """Pages of existing files that have become partitions; None when all have."""
    code_versions: dict[str, str] = {}
    """Preset key to the code version that all files have been looked at for."""
    scan: Scan | None = None
    leaving: tuple[str, ...] = ()
    """Partitions to remove as soon as no unfinished run has them as the end of its range."""


def build_files_sensor(
    presets: Sequence[Preset],
    *,
    poll_seconds: int,
    batch_size: int,
    backfill_on_start: bool,
) -> dg.SensorDefinition:
    """The sensor that keeps these presets up to date.

    Without presets there is no job; the sensor then only registers files, so that a first preset finds them.
    """

    @dg.sensor(
        name="directus_files_sensor",
        job_name=IMAGES_JOB if presets else None,
        minimum_interval_seconds=poll_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Follows uploads, replaced files, focal points and deletions in Directus.",
    )
    def directus_files_sensor(
        context: dg.SensorEvaluationContext, project: dg.ResourceParam[Project]
    ) -> dg.SensorResult | dg.SkipReason:
        tick = _Tick(context, project, presets, batch_size)
        if context.cursor:
            cursor = FilesCursor.model_validate_json(context.cursor)
        else:
            cursor = tick.first_cursor(backfill=backfill_on_start)
        return tick.run(cursor)

    return directus_files_sensor


@dataclass
class _Tick:
    """One look at Directus. Each step takes the cursor and returns it moved on."""

    context: dg.SensorEvaluationContext
    project: Project
    presets: Sequence[Preset]
    batch_size: int

    def __post_init__(self) -> None:
        self.instance = self.context.instance
        self.partitions_name = str(files_partitions.name)
        self.versions = {preset.key: code_version(preset) for preset in self.presets}
        self.requests: list[dg.RunRequest] = []

    def first_cursor(self, *, backfill: bool) -> FilesCursor:
        """The feed from now on, all existing pictures as partitions, and a scan of them only where it is wished."""
        latest = self.project.directus.latest_activity_id()
        return FilesCursor(
            feed=FeedPosition(last_id=latest, first_id=latest),
            registered_pages=0,
            code_versions={} if backfill else self.versions,
        )

    def run(self, cursor: FilesCursor) -> dg.SensorResult:
        if cursor.registered_pages is not None:
            cursor = self._register_existing(cursor)
        cursor = self._follow_feed(cursor)
        cursor = self._follow_presets(cursor)
        if cursor.scan and cursor.registered_pages is None:
            cursor = self._scan(cursor, cursor.scan)
        cursor = self._remove_leaving(cursor)
        return dg.SensorResult(
            run_requests=self.requests,
            skip_reason=None if self.requests else "Nothing changed.",
            cursor=cursor.model_dump_json(),
        )

    def _register_existing(self, cursor: FilesCursor) -> FilesCursor:
        deadline = time.monotonic() + _REGISTRATION_SECONDS
        page = cursor.registered_pages or 0
        while time.monotonic() < deadline:
            files = self.project.directus.files_page(types=TRANSFORMED_TYPES, page=page + 1, size=_PAGE)
            self._register(file.id for file in files)
            if len(files) < _PAGE:
                return cursor.model_copy(update={"registered_pages": None})
            page += 1
        return cursor.model_copy(update={"registered_pages": page})

    def _follow_feed(self, cursor: FilesCursor) -> FilesCursor:
        directus = self.project.directus
        page = read_feed(directus, cursor.feed, collections=[FILES_COLLECTION])
        entries = foreign_changes(page.entries, own_user_id=directus.own_user_id) if page.entries else []
        if not entries:
            return cursor.model_copy(update={"feed": page.position})
        ids = list(dict.fromkeys(entry.item for entry in entries))
        plan = plan_changes(
            entries,
            files=directus.files_by_id(ids),
            known=self.instance.get_existing_dynamic_partitions(self.partitions_name, ids),
            presets=self.presets,
            materialized=self._fingerprints(self.presets, ids),
        )
        self._register(plan.registered)
        for batch in batches(plan.stale, self._order(), size=self.batch_size):
            self._request(batch, trigger="change", priority=FRESH_PRIORITY, key=f"{batch.first}:{entries[-1].id}")
        return cursor.model_copy(update={"feed": page.position, "leaving": (*cursor.leaving, *plan.removed)})

    def _follow_presets(self, cursor: FilesCursor) -> FilesCursor:
        """A preset that is new or has other parameters is made for all files; a scan finds out for which."""
        if cursor.code_versions == self.versions:
            return cursor
        changed = {key for key, version in self.versions.items() if cursor.code_versions.get(key) != version}
        waiting = {*(cursor.scan.presets if cursor.scan else ()), *changed} & set(self.versions)
        scan = Scan(id=secrets.token_hex(4), presets=tuple(sorted(waiting))) if waiting else None
        return cursor.model_copy(update={"code_versions": self.versions, "scan": scan})

    def _scan(self, cursor: FilesCursor, scan: Scan) -> FilesCursor:
        if self._unfinished({TRIGGER_TAG: "scan"}) >= _QUEUED_SCAN_RUNS:
            return cursor
        order = self._order()
        keys = order[scan.position : scan.position + _SCAN_BATCHES * self.batch_size]
        presets = [preset for preset in self.presets if preset.key in scan.presets]
        files = [file for file in self.project.directus.files_by_id(keys) if file.is_transformable]
        stale = stale_presets(files, presets, self._fingerprints(presets, keys))
        for batch in batches(stale, order, size=self.batch_size):
            self._request(batch, trigger="scan", priority=SCAN_PRIORITY, key=f"{scan.id}:{batch.first}")
        position = scan.position + len(keys)
        rest = scan.model_copy(update={"position": position}) if position < len(order) else None
        return cursor.model_copy(update={"scan": rest})

    def _remove_leaving(self, cursor: FilesCursor) -> FilesCursor:
        """Removes partitions whose file is gone, but not under a run whose range they mark."""
        busy = {
            key
            for key in cursor.leaving
            if self._unfinished({RANGE_START_TAG: key}) or self._unfinished({RANGE_END_TAG: key})
        }
        for key in cursor.leaving:
            if key not in busy and not self._marks_a_request(key):
                self.instance.delete_dynamic_partition(self.partitions_name, key)
            else:
                busy.add(key)
        return cursor.model_copy(update={"leaving": tuple(key for key in cursor.leaving if key in busy)})

    def _marks_a_request(self, key: str) -> bool:
        return any(key in (request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]) for request in self.requests)

    def _unfinished(self, tags: Mapping[str, str]) -> int:
        return self.instance.get_runs_count(dg.RunsFilter(tags=dict(tags), statuses=_UNFINISHED))

    def _register(self, keys: Iterable[str]) -> None:
        # Many keys at once go in through the instance: as part of a sensor's result they cost 2.7 ms each.
        new = list(keys)
        if new:
            self.instance.add_dynamic_partitions(self.partitions_name, new)

    def _order(self) -> Sequence[str]:
        return self.instance.get_dynamic_partitions(self.partitions_name)

    def _fingerprints(self, presets: Sequence[Preset], keys: Iterable[str]) -> dict[tuple[str, str], str]:
        return fingerprints(self.instance, {preset.key: preset_asset_key(preset.key) for preset in presets}, keys)

    def _request(self, batch: Batch, *, trigger: str, priority: str, key: str) -> None:
        outputs = ",".join(sorted(batch.outputs))
        self.requests.append(
            dg.RunRequest(
                run_key=f"{trigger}:{key}:{batch.last}:{outputs}",
                asset_selection=[preset_asset_key(output) for output in sorted(batch.outputs)],
                tags={**range_tags(batch.first, batch.last), TRIGGER_TAG: trigger, PRIORITY_TAG: priority},
            )
        )
