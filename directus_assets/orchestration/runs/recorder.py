"""Records each output of a run over many partitions on its own, so that 3 failures of 50 leave 47 materialized.

Dagster shows a partition as failed if a failed run planned it and no materialization followed the plan. So successes
are recorded at once, and a retry of the step does only the remaining work. Outputs that an automatic run found to be
current are recorded again if that run is about to fail because of others.
"""

import random
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

import dagster as dg

from directus_assets.desk import Desk
from directus_assets.errors import DirectusAssetsError, TransientError, as_error
from directus_assets.fast.planned import plan_partitions
from directus_assets.isolation import isolate, stand_in
from directus_assets.orchestration.runs.alive import signs_of_life
from directus_assets.orchestration.runs.history import (
    failures_of_run,
    latest_materialization,
    recorded_in_run,
    try_metadata,
    version_tags,
)
from directus_assets.orchestration.runs.report import LEFT_OUT, OutputRecord, as_markdown
from directus_assets.orchestration.runs.storable import storable
from directus_assets.orchestration.runs.unfinished import UNFINISHED
from directus_assets.redaction import redact
from directus_assets.run_tags import CHANGE, PUSH, TRIGGER_TAG, keys_of_run, keys_of_tags
from directus_assets.waiting import Notice

_BACKOFF_SECONDS = (5, 20, 60, 180)
"""Delays between the attempts of one run. The reconcile makes up for longer outages."""

_JITTER = 0.25
"""The largest fraction by which a delay is extended, so that runs stopped by an outage do not all resume at once."""

_LONGEST_WAIT_SECONDS = 600

_CONTINUES = ("dagster/retry_number", "dagster/is_resume_retry", "dagster/is_asset_resume_retry")
"""Tags of a run that resumes a failed one. A run that a person re-executes from the start has none of them."""

_FAILURES_SHOWN = 50

Output = tuple[dg.AssetKey, str]
R = TypeVar("R")


@dataclass
class Recorder:
    """Records the outcomes of one run.

    >>> with Recorder(context, source_key, code_versions) as recorder:  # doctest: +SKIP
    ...     for key in recorder.partitions:
    ...         for asset_key in recorder.open_outputs(key):
    ...             recorder.record(asset_key, key, OutputRecord(data_version="…", metadata={}))

    Leaving the block raises `RetryRequested` if a retry may help, and `Failure` if outputs failed for good.
    """

    context: dg.AssetExecutionContext
    source: dg.AssetKey
    """The asset that the outputs are derived from."""
    code_versions: Mapping[dg.AssetKey, str]
    backoff_seconds: Sequence[float] = _BACKOFF_SECONDS
    chance: Callable[[], float] = random.random  # noqa: S311 - spreads waits, keeps no secret
    """Returns a number from 0 to 1; for tests."""
    desk: Desk | None = None
    """Adds Studio comments about what waits for people."""
    titles: Mapping[dg.AssetKey, str] = field(default_factory=dict)
    """The names of an item's outputs for editors."""
    _alive: ExitStack = field(default_factory=ExitStack)
    _left: Set[str] = frozenset()
    _done: set[Output] = field(default_factory=set)
    _unchanged: set[Output] = field(default_factory=set)
    _failed: dict[Output, str] = field(default_factory=dict)
    _transient: dict[Output, TransientError] = field(default_factory=dict)

    def __enter__(self) -> Self:
        run = self.context.run
        instance = self.context.instance
        if any(tag in run.tags for tag in _CONTINUES):
            for ancestor in {run.tags[tag] for tag in ("dagster/root_run_id", "dagster/parent_run_id")}:
                self._unchanged |= recorded_in_run(instance, ancestor)
        if self.context.retry_number:
            self._done = recorded_in_run(instance, run.run_id)
            self._failed = failures_of_run(instance, run.run_id)
        if run.tags.get(TRIGGER_TAG) == PUSH:
            self._left = _seen_to_by_a_sensor(self.context)
        self._alive.enter_context(signs_of_life(self.context.log))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._alive.close()
        if self.desk:
            self.desk.notify()
        if error is None:
            self._finish()
            return
        if isinstance(error, TransientError):
            self._retry([error], reason=str(error))
        if isinstance(error, Exception):
            self._record_unchanged_again()
        if isinstance(error, TransientError):
            raise dg.Failure(
                f"Gave up after {self.context.retry_number} retries: {error}", allow_retries=False
            ) from None
        if isinstance(error, DirectusAssetsError):
            raise dg.Failure(str(error), allow_retries=False) from None

    @property
    def partitions(self) -> Sequence[str]:
        """The partitions of this run, without those that it leaves to another run."""
        return [key for key in partitions_of(self.context) if key not in self._left]

    def open_outputs(self, partition: str) -> list[dg.AssetKey]:
        """The selected assets that this run still has to make for a partition."""
        selected = sorted(self.context.selected_asset_keys)
        return [
            key
            for key in selected
            if (key, partition) not in self._done
            and (key, partition) not in self._failed
            and (key, partition) not in self._unchanged
        ]

    def read(self, read: Callable[[Sequence[str]], R], *, collection: str) -> list[R]:
        """Read the partitions of this run; record those that cannot be read as failed.

        Raises:
            DirectusAssetsError: an error that concerns all of them.
        """
        found = isolate(self.partitions, read)
        for partition, fault in found.culprits.items():
            for asset_key in self.open_outputs(partition):
                name = f"{collection} {partition}"
                self.failed(asset_key, partition, fault, name=name, fingerprint=stand_in(fault))
        return list(found.results)

    @contextmanager
    def alone(self, tried: Mapping[dg.AssetKey, str], partition: str, *, name: str) -> Iterator[None]:
        """Record any error in this block as the failure of these outputs, except those recorded already.

        Args:
            tried: the assets, each with the fingerprint of the attempt.
            partition: the partition.
            name: the item's name for editors.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with an item, the batch continues
            fault = as_error(error)
            if fault is not error:
                self.context.log.warning("%s:\n%s", name, redact("".join(traceback.format_exception(error))))
            for asset_key in self.open_outputs(partition):
                if asset_key in tried:
                    self.failed(asset_key, partition, fault, name=name, fingerprint=tried[asset_key])

    def unchanged(self, asset_key: dg.AssetKey, partition: str) -> None:
        """Record that this output is current."""
        self._unchanged.add((asset_key, partition))

    def record(self, asset_key: dg.AssetKey, partition: str, made: OutputRecord) -> None:
        """Record this output as made, as far as Dagster can store and show it.

        The editors' notice is delivered first, so that it is not lost if Directus is down.
        """
        if self.desk and made.notice:
            self.desk.waits(partition, made.notice)
        elif self.desk:
            self.desk.is_right(partition, self.titles[asset_key])
        tags = version_tags(
            data_version=made.data_version, code_version=self.code_versions[asset_key], source=self.source
        )
        self.context.log_event(
            dg.AssetMaterialization(
                asset_key,
                description=made.note or None,
                partition=partition,
                metadata=storable(made.metadata),
                tags=tags,
            )
        )
        self._done.add((asset_key, partition))

    def left_out(self, asset_key: dg.AssetKey, partition: str, *, reason: str) -> None:
        """Record that a filter excludes this output: a backfill over it succeeds."""
        self.record(
            asset_key, partition, OutputRecord(data_version=LEFT_OUT, metadata={"left_out": reason}, note=reason)
        )

    def failed(
        self, asset_key: dg.AssetKey, partition: str, error: DirectusAssetsError, *, name: str, fingerprint: str = ""
    ) -> None:
        """Record that this output failed, without affecting the rest of the batch.

        Args:
            asset_key: the asset.
            partition: the partition.
            error: the reason; decides whether to retry.
            name: the item's name for editors.
            fingerprint: what was tried, if known: the reconcile does not retry what failed for good.
        """
        output = (asset_key, partition)
        if isinstance(error, TransientError) and self._retries_left and not _asks_for_too_much(error):
            self._transient[output] = error
            self.context.log.warning(
                "%s of %s (%s), will be retried: %s", asset_key.to_user_string(), name, partition, error
            )
            return
        self._failed[output] = f"{name}: {error}"
        self.context.log.error("%s of %s (%s): %s", asset_key.to_user_string(), name, partition, error)
        self._tell(asset_key, partition, error)
        self.context.log_event(
            dg.AssetObservation(
                asset_key,
                description=as_markdown(f"{name}: {error.message}"),
                partition=partition,
                metadata={
                    "failed": f"{name}: {error}",
                    "error": error.message,
                    "remedy": error.remedy or "–",
                    **try_metadata(error, fingerprint=fingerprint),
                },
            )
        )

    def _tell(self, asset_key: dg.AssetKey, partition: str, error: DirectusAssetsError) -> None:
        if self.desk and error.is_for_editors:
            notice = Notice(title=self.titles[asset_key], fault=error.message, remedy=error.remedy)
            try:
                self.desk.waits(partition, notice)
            except TransientError as trouble:
                self.context.log.warning("Could not report the failures in the Studio: %s", trouble)

    @property
    def _retries_left(self) -> bool:
        return int(self.context.retry_number) < len(self.backoff_seconds)

    def _finish(self) -> None:
        self._retry(list(self._transient.values()), reason=f"{len(self._transient)} outputs will be retried")
        if not self._failed:
            return
        self._record_unchanged_again()
        rows = [
            dg.TableRecord({"asset": key.to_user_string(), "partition": partition, "reason": reason})
            for (key, partition), reason in list(self._failed.items())[:_FAILURES_SHOWN]
        ]
        partitions = {partition for _, partition in self._failed}
        raise dg.Failure(
            f"{len(self._failed)} outputs of {len(partitions)} items failed; {len(self._done)} were made. "
            + "; ".join(sorted(set(self._failed.values()))[:3]),
            metadata={"failures": dg.MetadataValue.table(rows)},
            allow_retries=False,
        )

    def _retry(self, errors: Sequence[TransientError], *, reason: str) -> None:
        if not errors or not self._retries_left or any(_asks_for_too_much(error) for error in errors):
            return
        asked = max((error.retry_after_seconds or 0 for error in errors), default=0)
        # Never shorter than the server requested.
        wait = max(self.backoff_seconds[self.context.retry_number], asked) * (1 + _JITTER * self.chance())
        self.context.log.warning("%s, in %.0f s.", reason, wait)
        raise dg.RetryRequested(max_retries=len(self.backoff_seconds), seconds_to_wait=wait)

    def _record_unchanged_again(self) -> None:
        """Make Dagster show only failed outputs as failed."""
        if keys_of_tags(self.context.run.tags):
            # Nothing was planned automatically: plan only what failed or was not tried.
            settled = self._unchanged | self._done
            for asset_key in sorted(self.context.selected_asset_keys):
                plan_partitions(
                    self.context, asset_key, [key for key in self.partitions if (asset_key, key) not in settled]
                )
            return
        for asset_key, partition in sorted(self._unchanged - self._done):
            if previous := latest_materialization(self.context.instance, asset_key, partition):
                self.context.log_event(
                    dg.AssetMaterialization(
                        asset_key,
                        description=previous.description,
                        partition=partition,
                        metadata=previous.metadata,
                        tags=previous.tags,
                    )
                )


def _seen_to_by_a_sensor(context: dg.AssetExecutionContext) -> Set[str]:
    """The partitions that another run of the same job, started by a sensor in the meantime, is processing.

    There is a moment between the door's check and the sensor's run. The sensor checks later changes again, so the
    pushed run can always give way.
    """
    chosen = dg.RunsFilter(job_name=context.run.job_name, tags={TRIGGER_TAG: CHANGE}, statuses=UNFINISHED)
    runs = context.instance.get_runs(chosen)
    if not runs:
        return frozenset()
    definition = context.assets_def.partitions_def
    name = definition.name if isinstance(definition, dg.DynamicPartitionsDefinition) else None
    order = context.instance.get_dynamic_partitions(name) if name else []
    return {key for run in runs for key in keys_of_run(run.tags, lambda: order)}


def partitions_of(context: dg.AssetExecutionContext) -> Sequence[str]:
    """The partitions of a run: a range, or those listed in its tags."""
    return keys_of_tags(context.run.tags) or context.partition_keys


def _asks_for_too_much(error: TransientError) -> bool:
    """Whether the wait takes hours (a spending limit, a quota): it then does not hold the run, which ends and is
    resumed later.
    """
    return (error.retry_after_seconds or 0) > _LONGEST_WAIT_SECONDS
