"""The progress of outputs: done, behind, waiting, failed and in review. Read-only."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.orchestration.runs.history import CODE_VERSION_TAG, data_version, latest_records
from directus_assets.orchestration.runs.report import LEFT_OUT, REVIEW_MARK

_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class OutputStatus:
    """The progress of one preset, language or enrichment, in partitions."""

    name: str
    partitions: int
    done: int
    """Made with the current code version, as far as the preset or the fields determine it."""
    behind: int
    """Made with an earlier code version."""
    failed: int
    review: int
    """Among those done: a human text was kept although its source has changed."""
    running: int
    left_out: int = 0
    """Among those done: a filter excludes them, and nothing is made."""
    oldest_review: float = 0.0
    """When the longest-waiting review began, in seconds since 1970; 0 if there is none."""

    @property
    def waiting(self) -> int:
        """Never made, and not failed: existing items that wait for a backfill, or for their turn."""
        return max(0, self.partitions - self.done - self.behind - self.failed)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do or to wait for."""
        return self.done == self.partitions and not (self.failed or self.review or self.running)


def output_statuses(instance: dg.DagsterInstance, subject: Subject) -> Iterator[OutputStatus]:
    """The progress of one subject's outputs."""
    keys = instance.get_dynamic_partitions(subject.partitions_name)
    definition = dg.DynamicPartitionsDefinition(name=subject.partitions_name)
    for name, asset_key in subject.assets.items():
        counts: Counter[str] = Counter()
        reviews: list[float] = []
        for start in range(0, len(keys), _PAGE):
            for record in latest_records(instance, {name: asset_key}, keys[start : start + _PAGE]).values():
                is_current = record.tags.get(CODE_VERSION_TAG) == subject.code_versions[name]
                counts["done" if is_current else "behind"] += 1
                counts["left out"] += is_current and data_version(record) == LEFT_OUT
                if is_current and data_version(record).endswith(REVIEW_MARK):
                    reviews.append(record.timestamp)
        states = _states(instance, asset_key, keys, definition)
        yield OutputStatus(
            name=asset_key.to_user_string(),
            partitions=len(keys),
            done=counts["done"],
            behind=counts["behind"],
            failed=states["FAILED"],
            review=len(reviews),
            running=states["IN_PROGRESS"],
            left_out=counts["left out"],
            oldest_review=min(reviews, default=0.0),
        )


def failed_counts(instance: dg.DagsterInstance, subject: Subject) -> dict[str, int]:
    """The number of failed partitions of each asset, determined without reading individual records."""
    keys = instance.get_dynamic_partitions(subject.partitions_name)
    definition = dg.DynamicPartitionsDefinition(name=subject.partitions_name)
    return {
        asset_key.to_user_string(): _states(instance, asset_key, keys, definition)["FAILED"]
        for asset_key in subject.assets.values()
    }


def _states(
    instance: dg.DagsterInstance,
    asset_key: dg.AssetKey,
    keys: Sequence[str],
    definition: dg.DynamicPartitionsDefinition,
) -> Counter[str]:
    found = instance.get_status_by_partition(asset_key, keys, definition) or {}
    return Counter(status.value for status in found.values() if status)
