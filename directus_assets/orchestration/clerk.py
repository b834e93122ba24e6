"""Carries out what the door accepts: pushes become the runs that a sensor would request, and clicks start their job."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import dagster as dg

from directus_assets.door import claims
from directus_assets.door.gathering import Changes
from directus_assets.door.requests import Clicked
from directus_assets.errors import ConfigurationError, Rejected, as_error
from directus_assets.orchestration.build import all_kinds, kinds_by_button
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.kinds.subject import Followed, Subject
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import fingerprints
from directus_assets.orchestration.sensors.pushed import items_at_work
from directus_assets.orchestration.sensors.run_requests import RunRequests
from directus_assets.orchestration.webserver import Webserver, execution_params
from directus_assets.planning.changes import plan_changes
from directus_assets.run_tags import CHANGE, FRESH_PRIORITY, PRIORITY_TAG, PUSH
from directus_assets.settings import Settings
from directus_assets.snapshot import Snapshot, load_snapshot, read_snapshot

_FRESH_SECONDS = 15.0
"""How long the derived kinds of a project are cached."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Derived:
    """Everything that a project derives, cached."""

    project: Project
    snapshot: Snapshot

    @cached_property
    def followed(self) -> Mapping[str, Followed]:
        """Everything derived, by collection."""
        found: dict[str, list[Subject]] = {}
        for subject in all_kinds(self.project, self.snapshot):
            if subject.job_name:
                found.setdefault(subject.collection, []).append(subject)
        return {collection: Followed(parts) for collection, parts in found.items()}

    @cached_property
    def buttons(self) -> frozenset[tuple[Button, str]]:
        """The available buttons, each with its collection."""
        return frozenset(kinds_by_button(all_kinds(self.project, self.snapshot)))

    @cached_property
    def webserver(self) -> Webserver:
        """The webserver of the Dagster that starts the runs."""
        return Webserver(self.project.settings.environment.webserver_url)

    @cached_property
    def location(self) -> str:
        """The code location that contains our jobs."""
        return self.webserver.location_of(self.project.names.buttons_sensor)


@dataclass
class Clerk:
    """The carrier for one project (`directus_assets.door.room.Carrier`).

    Args:
        read_settings: reads the project's current settings.
        instance: opens Dagster's instance.
    """

    read_settings: Callable[[], Settings]
    instance: Callable[[], dg.DagsterInstance] = dg.DagsterInstance.get
    make_project: Callable[[Settings], Project] = Project
    _desk: Derived | None = None
    _looked_at: float = float("-inf")
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self) -> None:
        """Warm up, so that the first push does not wait.

        An error is only reported, since Directus or Dagster's storage may be back by the first push.
        """
        try:
            desk = self.desk()
            self._opened.get_runs(limit=1)
            _ = desk.followed, desk.buttons
        except Exception as error:  # noqa: BLE001 - Dagster's storage raises errors of any kind
            logger.warning("The door could not prepare for the first push: %s", as_error(error))

    def knows(self, collection: str) -> bool:
        """Whether anything is derived from this collection."""
        return collection in self.desk().followed

    def has_button(self, click: Clicked) -> bool:
        """Whether this button applies to this collection, or to the files that its items reference."""
        try:
            button = Button(click.button)
        except ValueError:
            return False
        collection = "directus_files" if click.files is not None and button is Button.RENDER else click.collection
        return (button.made_by, collection) in self.desk().buttons

    def claim(self, changes: Changes) -> None:
        """Make the sensors leave these items to us for a moment."""
        claims.claim(self.desk().project.memory, changes)

    def plan(self, changes: Changes) -> Callable[[], None] | None:
        """Plan the runs for these changes; return what starts them, for all collections in one request, or None."""
        desk = self.desk()
        runs = [
            execution_params(
                str(request.job_name),
                location=desk.location,
                tags=request.tags,
                run_config=request.run_config,
                assets=_selected(desk.followed[collection], request),
            )
            for collection, keys in changes.items()
            if collection in desk.followed
            for request in self._requests(desk, desk.followed[collection], keys)
        ]
        return partial(self._launch, desk, runs) if runs else None

    def click(self, click: Clicked) -> None:
        """Start the job that handles a click: it outlives this process, and notifies the editor at the end."""
        desk = self.desk()
        names = desk.project.names
        config = click.model_dump(exclude_none=True)
        run = execution_params(
            names.buttons_job,
            location=desk.location,
            tags={PRIORITY_TAG: FRESH_PRIORITY, **names.tags},
            run_config={"ops": {names.buttons_op: {"config": config}}},
        )
        self._launch(desk, [run])

    def check(self) -> Mapping[str, Any]:
        """Report to `setup --flows` and `doctor` whether the door can start runs.

        Raises:
            DirectusAssetsError: Dagster does not answer.
        """
        desk = self.desk()
        tags = desk.webserver.sensor_tags(desk.project.names.buttons_sensor)
        return {"dagster": desk.webserver.version(), "loaded": bool(tags), "sick": desk.webserver.sick_daemons()}

    def desk(self) -> Derived:
        """The project's derived kinds, at most some seconds old."""
        with self._turn:
            if time.monotonic() - self._looked_at > _FRESH_SECONDS:
                self._desk = self._looked(self._desk)
                self._looked_at = time.monotonic()
            assert self._desk is not None  # noqa: S101 - set above at the latest
            return self._desk

    def _looked(self, known: Derived | None) -> Derived:
        try:
            settings = self.read_settings()
        except ConfigurationError as error:
            if known is None:
                raise
            logger.warning("Could not read the settings; the ones already loaded stay in effect: %s", error)
            return known
        environment = settings.environment
        snapshot = read_snapshot(environment.state_folder, url=environment.directus_url)
        project = known.project if known and known.project.settings == settings else self.make_project(settings)
        if not snapshot.is_taken:
            snapshot = load_snapshot(environment, project.wanted, shared=project.shared_memory)
        if known and known.project is project and known.snapshot.digest == snapshot.digest:
            return known
        return Derived(project, snapshot)

    def _launch(self, desk: Derived, runs: Sequence[Mapping[str, Any]]) -> None:
        try:
            desk.webserver.launch_runs(runs)
        except Rejected:
            # Whatever Dagster refused may have been renamed.
            with self._turn:
                self._desk, self._looked_at = None, float("-inf")
            raise

    @cached_property
    def _opened(self) -> dg.DagsterInstance:
        """Kept, since opening it costs more than all that a push reads there."""
        return self.instance()

    def _requests(self, desk: Derived, followed: Followed, keys: Sequence[str]) -> Sequence[dg.RunRequest]:
        """The runs over the stale outputs of these items; new items become partitions."""
        instance = self._opened

        def order() -> Sequence[str]:
            return instance.get_dynamic_partitions(followed.partitions_name)

        # Read before the recorded outputs: a run that ends in between then counts as made.
        at_work = items_at_work(instance, followed.parts, keys, order, triggers=[CHANGE, PUSH])
        examination = followed.examine(keys, list(followed.assets))
        plan = plan_changes(
            examination,
            deleted=(),
            known=instance.get_existing_dynamic_partitions(followed.partitions_name, list(keys)),
            materialized=fingerprints(instance, followed.assets, keys),
        )
        if plan.registered:
            instance.add_dynamic_partitions(followed.partitions_name, list(plan.registered))
        stale = {key: outputs for key, outputs in plan.stale.items() if key not in at_work}
        asked = RunRequests(followed, desk.project.names.tags)
        if stale:
            asked.add(stale, order(), trigger=PUSH, priority=FRESH_PRIORITY, occasion="")
        return asked.requests


def _selected(followed: Followed, request: dg.RunRequest) -> Sequence[dg.AssetKey]:
    """The assets of a run; empty if they are all assets of its job, which Dagster then need not subset."""
    selected = request.asset_selection or ()
    whole = next(part for part in followed.parts if part.job_name == request.job_name)
    return [] if len(selected) == len(whole.assets) else selected
