"""The run requests of a tick: stale outputs become runs over ranges of partitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from directus_assets.orchestration.kinds.subject import Followed, Subject
from directus_assets.planning.changes import Batch, batches
from directus_assets.run_tags import (
    PRIORITY_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    TRIGGER_TAG,
    batch_tags,
    fitting,
)


@dataclass
class RunRequests:
    """The run requests of one tick.

    Args:
        subject: the followed collection.
        tags: added to all runs of the project.
        requests: the requests so far.
    """

    subject: Followed
    tags: Mapping[str, str]
    requests: list[dg.RunRequest] = field(default_factory=list)

    def add(
        self, stale: Mapping[str, frozenset[str]], order: Sequence[str], *, trigger: str, priority: str, occasion: str
    ) -> None:
        """Request runs over stale outputs, each part in its own job.

        Args:
            stale: outputs by partition.
            order: all partitions, in Dagster's order.
            trigger: the reason.
            priority: in the queue.
            occasion: identifies the event: the same batch is requested once per occasion, however often the tick is
                repeated.
        """
        for part in self.subject.parts:
            own = {key: outputs & part.assets.keys() for key, outputs in stale.items()}
            for batch in batches(own, order, size=part.batch_size):
                self.requests.append(self._request(batch, part, trigger, priority, occasion))

    def marks(self, key: str) -> bool:
        """Whether a partition is one end of the range of a requested run."""
        return any(key in (each.tags.get(RANGE_START_TAG), each.tags.get(RANGE_END_TAG)) for each in self.requests)

    def _request(self, batch: Batch, part: Subject, trigger: str, priority: str, occasion: str) -> dg.RunRequest:
        outputs = sorted(batch.outputs)
        return dg.RunRequest(
            run_key=fitting(":".join([trigger, occasion, *_named(batch), *outputs])),
            job_name=part.job_name,
            asset_selection=[part.assets[output] for output in outputs],
            tags={
                **batch_tags(batch),
                TRIGGER_TAG: trigger,
                PRIORITY_TAG: priority,
                **self.tags,
            },
        )


def _named(batch: Batch) -> Sequence[str]:
    return (batch.keys[0], batch.keys[-1]) if batch.is_range else batch.keys
