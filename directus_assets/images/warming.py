"""Makes Directus render derivatives, and detects when it serves something else."""

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File
from directus_assets.directus.storage import Entry, Storage
from directus_assets.errors import Correctable, DirectusAssetsError, PermanentError
from directus_assets.images.delivery import Warm
from directus_assets.images.diagnosis import diagnose
from directus_assets.images.names_on_disk import is_chosen, was_replaced
from directus_assets.images.originals import Originals
from directus_assets.images.outcomes import Made
from directus_assets.images.pace import Pace
from directus_assets.images.previews import are_alike
from directus_assets.images.proof import are_right, is_marked, look_up
from directus_assets.images.render import Source, render
from directus_assets.images.sameness import difference
from directus_assets.images.transforms import Derivative

_LONGEST_RENDERING = dt.timedelta(minutes=1)
"""A derivative that Directus is rendering is empty for less than this."""


@dataclass(frozen=True, kw_only=True)
class Warming:
    """Delivery `warm`; thread-safe.

    Args:
        client: Directus.
        storages: the reachable storage locations of Directus, by name.
        originals: reads pictures to diagnose failures.
        pace: limits concurrent rendering in Directus.
        is_read: as for `Warm`.
    """

    client: DirectusClient
    storages: Mapping[str, Storage]
    originals: Originals
    pace: Pace
    is_read: bool = False

    def make(self, file: File, wanted: Sequence[Derivative]) -> list[Made]:
        """Request these derivatives of a file.

        Raises:
            Correctable: Directus serves a derivative of an earlier picture.
            DirectusAssetsError: Directus does not make them.
        """
        # A row created without an upload refers to an original that nobody has replaced through Directus.
        may_be_stale = is_chosen(file) and bool(file.uploaded_on)
        if may_be_stale:
            self._remove_stale(file, wanted)
        made = [self._ask_past_remains(file, derivative) for derivative in wanted]
        found = self._stored(file, wanted)
        if may_be_stale and not are_right(file, wanted, found) and was_replaced(self.client, file):
            for derivative in wanted:
                self._prove(file, derivative)
        if file.storage not in self.storages:
            return made
        # A name that is not in the storage cannot be found missing later.
        return [each if each.name in found else replace(each, name=_address(file, each)) for each in made]

    def _ask_past_remains(self, file: File, derivative: Derivative) -> Made:
        """Ask, and once more without an empty file, such as a full disk leaves behind, or a marked one: Directus serves
        what exists.
        """
        try:
            made = self._ask(file, derivative)
            if not is_marked(made.bytes) or file.storage not in self.storages:
                return made
        except DirectusAssetsError:
            if not _was_left_empty(self._stored(file, [derivative]).get(derivative.stored_name)):
                raise
        self._remove(file, derivative)
        return self._ask(file, derivative)

    def _ask(self, file: File, derivative: Derivative) -> Made:
        try:
            with self.pace.call():
                return Warm(self.client, self.is_read).deliver(file, derivative)
        except DirectusAssetsError as error:
            raise diagnose(self.originals, file, derivative, error) from error

    def _remove_stale(self, file: File, wanted: Sequence[Derivative]) -> None:
        """Remove derivatives from before the file was replaced, which Directus would continue to serve."""
        found = self._stored(file, wanted)
        for derivative in wanted:
            if derivative.stored_name in found and not are_right(file, [derivative], found):
                self._remove(file, derivative)

    def _remove(self, file: File, derivative: Derivative) -> None:
        # If deletion is not allowed, the check of what Directus serves finds out.
        with contextlib.suppress(PermanentError):
            self.storages[file.storage].delete(derivative.stored_name)

    def _stored(self, file: File, wanted: Sequence[Derivative]) -> Mapping[str, Entry]:
        try:
            return look_up(self.storages[file.storage], wanted) if file.storage in self.storages else {}
        except PermanentError:
            return {}

    def _prove(self, file: File, derivative: Derivative) -> None:
        """Compare what Directus serves with our own rendering: nothing else shows how old a derivative is."""
        served = self.client.download(
            file.id, most=self.originals.max_bytes, accept=derivative.accept, key=derivative.preset_key
        )
        try:
            with self.originals.open(file) as (content, facts):
                ours = render(Source(content), derivative, max_pixels=self.originals.max_pixels).content
            is_right = ours == served or (
                bool(difference(self.client.version, derivative, facts)) and are_alike(ours, served)
            )
            what = "does not match the current picture"
        except PermanentError:
            is_right, what = False, "may belong to the previous picture"
        if not is_right:
            raise Correctable(
                f"The derivative '{derivative.label}' that Directus serves for {file.name} {what}. When a file with a "
                f"custom name on disk ('{file.filename_disk}') is replaced, Directus keeps the old derivatives.",
                remedy=f"Change `filename_disk` of this file in Directus; or delete {derivative.stored_name} from its "
                f"storage '{file.storage}'; or set its STORAGE_* variables here, and we will do this for you.",
            )


def _was_left_empty(entry: Entry | None) -> bool:
    return bool(entry and not entry.size and dt.datetime.now(dt.UTC) - entry.modified > _LONGEST_RENDERING)


def _address(file: File, made: Made) -> str:
    return f"/assets/{file.id} ({made.label})"
