"""Requests the reconcile's backfills from Dagster."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from directus_assets.errors import PermanentError, Rejected
from directus_assets.orchestration.kinds.subject import Subject
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.reconcile.asked import Asked
from directus_assets.orchestration.reconcile.compare import Output, grouped
from directus_assets.orchestration.reconcile.report import Trouble
from directus_assets.orchestration.webserver import Webserver
from directus_assets.planning.verdicts import Verdict
from directus_assets.run_tags import backfill_tags

_TITLES = {Verdict.START: "Reconcile: missing or stale", Verdict.REPAIR: "Reconcile: lost"}
"""Dagster limits a title to 100 characters of certain kinds; the collection and outputs are in tags instead."""


@dataclass(frozen=True)
class BackfillRequests:
    """Requests and tracks backfills.

    Args:
        instance: Dagster's instance.
        webserver: starts them.
        names: the Dagster names of the project.
    """

    instance: dg.DagsterInstance
    webserver: Webserver
    names: Names

    def ask(self, subject: Subject, verdict: Verdict, outputs: Iterable[Output]) -> Iterator[Asked | Trouble]:
        """Request backfills for outputs with this verdict: one for all partitions that need the same outputs.

        Raises:
            TransientError: the webserver does not answer.
        """
        for needed, keys in grouped(outputs).items():
            # The sensor may have removed some in the meantime.
            there = set(self.instance.get_existing_dynamic_partitions(subject.partitions_name, keys))
            if there:
                yield self._launch(subject, verdict, sorted(needed), [key for key in keys if key in there])

    def is_under_way(self, asked: Asked) -> bool:
        """Whether a requested backfill is still in progress."""
        try:
            return not self.webserver.backfill(asked.backfill).is_over
        except Rejected:
            # Dagster has lost its history, and this backfill with it.
            return False

    def _launch(self, subject: Subject, verdict: Verdict, names: Sequence[str], keys: Sequence[str]) -> Asked | Trouble:
        # A lost output has the current fingerprint.
        tags = backfill_tags(subject.name, names, skips_current=verdict is Verdict.START)
        try:
            backfill = self.webserver.launch_backfill(
                [subject.assets[name] for name in names],
                keys,
                title=_TITLES[verdict],
                tags=tags | self.names.tags,
            )
        except PermanentError as error:
            what = f"Could not start a backfill of {len(keys)} partitions of '{subject.name}' ({', '.join(names)})"
            return Trouble(collection=subject.name, what=what, error=error)
        return Asked(backfill=backfill, collection=subject.name, outputs=tuple(names), keys=tuple(keys))
