"""Has Directus make derivatives, and notices where what it then serves is not what it should be."""

import contextlib
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
from directus_assets.images.proof import are_right, look_up
from directus_assets.images.render import Source, render
from directus_assets.images.sameness import difference
from directus_assets.images.transforms import Derivative


@dataclass(frozen=True, kw_only=True)
class Warming:
    """Delivery `warm`, for any number of threads.

    Args:
        client: Directus.
        storages: Directus' storage locations, by name, that are reached.
        originals: reads pictures that something is wrong with.
        pace: limits what Directus renders at the same time.
        is_read: as of `Warm`.
    """

    client: DirectusClient
    storages: Mapping[str, Storage]
    originals: Originals
    pace: Pace
    is_read: bool = False

    def make(self, file: File, wanted: Sequence[Derivative]) -> list[Made]:
        """Asks for these derivatives of a file.

        Raises:
            Correctable: Directus serves what it made of an earlier picture.
            DirectusAssetsError: Directus does not make them.
        """
        # A row that was made without an upload names an original that nobody has replaced through Directus.
        may_be_stale = is_chosen(file) and bool(file.uploaded_on)
        if may_be_stale:
            self._remove_stale(file, wanted)
        made = [self._ask(file, derivative) for derivative in wanted]
        found = self._stored(file, wanted)
        if may_be_stale and not are_right(file, wanted, found) and was_replaced(self.client, file):
            for derivative in wanted:
                self._prove(file, derivative)
        if file.storage not in self.storages:
            return made
        # Under a name that is not in the storage nothing can be missed later.
        return [each if each.name in found else replace(each, name=_address(file, each)) for each in made]

    def _ask(self, file: File, derivative: Derivative) -> Made:
        try:
            with self.pace.call():
                return Warm(self.client, self.is_read).deliver(file, derivative)
        except DirectusAssetsError as error:
            raise diagnose(self.originals, file, derivative, error) from error

    def _remove_stale(self, file: File, wanted: Sequence[Derivative]) -> None:
        """Takes away what Directus made before the file was replaced, and would go on serving."""
        found = self._stored(file, wanted)
        for derivative in wanted:
            if derivative.stored_name in found and not are_right(file, [derivative], found):
                # What may not be deleted is found out by what Directus serves.
                with contextlib.suppress(PermanentError):
                    self.storages[file.storage].delete(derivative.stored_name)

    def _stored(self, file: File, wanted: Sequence[Derivative]) -> Mapping[str, Entry]:
        try:
            return look_up(self.storages[file.storage], wanted) if file.storage in self.storages else {}
        except PermanentError:
            return {}

    def _prove(self, file: File, derivative: Derivative) -> None:
        """Compares what Directus serves with what is rendered here: nothing else tells how old a derivative is."""
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


def _address(file: File, made: Made) -> str:
    return f"/assets/{file.id} ({made.label})"
