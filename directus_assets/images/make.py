"""Makes derivatives of several pictures in parallel, each isolated, with memory bounded by pixels in flight."""

import contextlib
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File, Preset
from directus_assets.directus.sight import find_deleted
from directus_assets.directus.storage import Storage
from directus_assets.errors import (
    BadInput,
    ConfigurationError,
    Correctable,
    DirectusAssetsError,
    PermanentError,
    TransientError,
    Unexpected,
    as_error,
)
from directus_assets.images.beside import beside
from directus_assets.images.delivery import Exported, ManifestEntry, Stored, digest
from directus_assets.images.diagnosis import why_no_sizes
from directus_assets.images.inspection import MAX_BYTES, MAX_PIXELS, Facts
from directus_assets.images.manifest import Texts
from directus_assets.images.names_on_disk import is_chosen, require_own, sharers
from directus_assets.images.originals import Originals
from directus_assets.images.outcomes import Delivered, Failed, Made, Outcome
from directus_assets.images.pace import Pace
from directus_assets.images.plan import fingerprint
from directus_assets.images.previews import placeholder, preview
from directus_assets.images.render import NotReproducible, Rendered, Source, render
from directus_assets.images.sameness import difference, why_left
from directus_assets.images.srcset import look_of
from directus_assets.images.transforms import Derivative, SizesUnknown, derivatives
from directus_assets.images.warming import Warming
from directus_assets.isolation import isolate
from directus_assets.redaction import redact

Work = Mapping[File, Sequence[Preset]]

logger = logging.getLogger(__name__)

_ROUNDS = 3
"""How often a file that keeps being replaced while it is processed is made again before that counts as a failure."""


def default_workers() -> int:
    """One more than there are processors: each worker waits for the disk or for Directus at times."""
    return (os.cpu_count() or 1) + 1


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Makes derivatives and delivers them.

    Args:
        client: Directus.
        storages: Directus' storage locations, by name; empty if delivery `storage` is unavailable.
        export: the storage for delivery `export`.
        delivery_of: returns `warm`, `storage` or `export` for a preset's key.
        workers: the number of pictures processed in parallel.
        warm_concurrency: the maximum number of concurrent requests that make Directus render.
        max_pixels: larger pictures are refused before decoding.
        max_bytes: larger files are refused before reading.
        accept_similar: whether to render derivatives for delivery `storage` that Directus would encode to different
            bytes.
        texts: returns the texts of pictures by id, without pictures that have none.
        warm_is_read: whether to download what Directus renders to determine its digest.
        on_read: receives each original that was read; called from several threads.
    """

    client: DirectusClient
    storages: Mapping[str, Storage]
    export: Callable[[], Storage]
    delivery_of: Callable[[str], str]
    workers: int = field(default_factory=default_workers)
    warm_concurrency: int = 4
    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_BYTES
    accept_similar: bool = False
    texts: Callable[[Iterable[str]], Mapping[str, Texts]] = lambda _: {}
    warm_is_read: bool = False
    on_read: Callable[[File, bytes], None] = lambda _file, _content: None

    def make(self, work: Work) -> Iterator[Outcome]:
        """The outcome for every file and preset, as they are finished, in no particular order.

        A file that was replaced while it was processed is made again, and yields a second outcome.
        """
        for _ in range(_ROUNDS):
            yield from self._make_round(work)
            replaced = dict(self._replaced_meanwhile(work))
            if not replaced:
                return
            work = replaced
        busy = TransientError("The file kept being replaced while we made its derivatives.")
        for file, presets in work.items():
            yield from (_failed(file, preset, busy) for preset in presets)

    def _make_round(self, work: Work) -> Iterator[Outcome]:
        exported: list[Delivered] = []
        with ThreadPoolExecutor(self.workers, thread_name_prefix="picture") as pool:
            bench = _Bench(self, pool, waiting={file.id for file in work})
            futures = [pool.submit(bench.make_file, file, presets) for file, presets in work.items()]
            try:
                for future in as_completed(futures):
                    for outcome in future.result():
                        if isinstance(outcome, Delivered) and outcome.delivery == "export":
                            exported.append(outcome)
                        else:
                            yield outcome
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        yield from bench.publish(exported)

    def _replaced_meanwhile(self, work: Work) -> Iterator[tuple[File, list[Preset]]]:
        found = isolate([file.id for file in work], self.client.files_by_id)
        rows = {row.id: row for some in found.results for row in some}
        unseen = [file.id for file in work if file.id not in rows]
        deleted = find_deleted(self.client, "directus_files", unseen, self.client.existing_files)
        for file, presets in work.items():
            row = rows.get(file.id)
            if file.id in deleted:
                self._withdraw(file, presets)
            elif row and (changed := [p for p in presets if fingerprint(row, p) != fingerprint(file, p)]):
                yield row, changed

    def _withdraw(self, file: File, presets: Sequence[Preset]) -> None:
        """Remove our derivatives of a file that was deleted in the meantime."""
        deliveries = {preset.key: self.delivery_of(preset.key) for preset in presets}
        for preset in presets:
            if deliveries[preset.key] == "storage" and file.storage in self.storages:
                with contextlib.suppress(PermanentError):
                    Stored(self.client, self.storages).withdraw(file, derivatives(preset, file))
        if "export" in deliveries.values():
            with contextlib.suppress(PermanentError, ConfigurationError):
                Exported(self.export()).withdraw(file.id)


@dataclass
class _Bench:
    """One round of one `Maker`: its limits, its workers, and the export to publish at the end."""

    maker: Maker
    pool: ThreadPoolExecutor
    waiting: set[str]
    """The ids of the files that no worker has begun."""
    manifest: dict[str, ManifestEntry] = field(default_factory=dict)
    unexported: dict[str, set[str]] = field(default_factory=dict)
    """Keys of presets that a file can no longer export, by file id."""

    def __post_init__(self) -> None:
        self.originals = Originals(
            client=self.maker.client,
            storages=self.maker.storages,
            max_pixels=self.maker.max_pixels,
            max_bytes=self.maker.max_bytes,
            on_read=self.maker.on_read,
        )
        self.warming = Warming(
            client=self.maker.client,
            storages=self.maker.storages,
            originals=self.originals,
            pace=Pace(self.maker.warm_concurrency),
            is_read=self.maker.warm_is_read,
        )
        self.stored = Stored(self.maker.client, self.maker.storages)

    def publish(self, exported: Sequence[Delivered]) -> Iterator[Outcome]:
        """Publish the export's manifest last; an exported picture counts as delivered once the manifest lists it."""
        ids = list({**self.manifest, **self.unexported})
        try:
            faults = dict(isolate(ids, self._publish).culprits)
        except DirectusAssetsError as error:
            faults = dict.fromkeys(ids, error)
        for each in exported:
            if fault := faults.get(each.file_id):
                yield Failed(file_id=each.file_id, file_name=each.file_name, preset=each.preset, error=fault)
            else:
                yield each

    def _publish(self, ids: Sequence[str]) -> None:
        made = {id_: self.manifest[id_] for id_ in ids if id_ in self.manifest}
        texts = self.maker.texts(made) if made else {}
        entries = {id_: replace(entry, texts=texts.get(id_, {})) for id_, entry in made.items()}
        dropped = {id_: self.unexported[id_] for id_ in ids if id_ in self.unexported}
        Exported(self.maker.export()).publish(entries, dropped=dropped)

    def make_file(self, file: File, presets: Sequence[Preset]) -> list[Outcome]:
        """Make all presets of one file. Never raises: each preset has its own outcome."""
        self.waiting.discard(file.id)
        try:
            return self._make_file(file, presets)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with a picture, the others are made
            fault = _noted(error, file)
            return [_failed(file, preset, fault) for preset in presets]

    def _make_file(self, file: File, presets: Sequence[Preset]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        here: list[Preset] = []
        no_sizes: BadInput | None = None
        others: Sequence[File] | None = None
        for preset in presets:
            if self.maker.delivery_of(preset.key) == "export":
                here.append(preset)
                continue
            try:
                wanted = derivatives(preset, file)
                if is_chosen(file):
                    others = sharers(self.maker.client, file) if others is None else others
                    require_own(file, preset, wanted, others)
            except SizesUnknown as error:
                no_sizes = no_sizes or why_no_sizes(self.originals, file, error)
                outcomes.append(_failed(file, preset, no_sizes))
                continue
            except DirectusAssetsError as error:
                outcomes.append(_failed(file, preset, error))
                continue
            if self.maker.delivery_of(preset.key) == "warm" or not wanted:
                outcomes.append(self._warm(file, preset, wanted))
            elif reason := self._why_left(preset, wanted):
                outcomes.append(self._warm(file, preset, wanted, reason=reason))
            else:
                here.append(preset)
        return [*outcomes, *self._render_here(file, here)]

    def _why_left(self, preset: Preset, wanted: Sequence[Derivative], facts: Facts | None = None) -> str:
        """Why these are left to Directus; empty if they are rendered here for its storage."""
        reasons = (
            why_left(preset.directus, derivative, facts, accept_similar=self.maker.accept_similar)
            for derivative in wanted
        )
        return next(filter(None, reasons), "")

    def _warm(
        self,
        file: File,
        preset: Preset,
        wanted: Sequence[Derivative],
        *,
        reason: str = "",
        started: float | None = None,
    ) -> Outcome:
        started = started or time.monotonic()
        try:
            made = self.warming.make(file, wanted)
        except DirectusAssetsError as error:
            return _failed(file, preset, error)
        return _delivered(file, preset, "warm", made, started, reason=reason)

    def _render_here(self, file: File, presets: Sequence[Preset]) -> Iterator[Outcome]:
        if not presets:
            return
        started = time.monotonic()
        outcomes: list[Outcome] = []
        try:
            if "storage" in {self.maker.delivery_of(preset.key) for preset in presets}:
                self._require_reached(file)
            with self.originals.open(file) as (content, facts):
                source = Source(content)
                # The largest first, which takes longest.
                ahead = sorted(presets, key=lambda preset: max(preset.width or 0, preset.height or 0), reverse=True)
                calls: list[Callable[[], _Rendering]]
                calls = [partial(self._rendered, file, facts, source, preset) for preset in ahead]
                # While other files wait, nobody is idle, and these calls would keep the file in memory behind them.
                if not self.waiting and self.originals.fits(facts, times=self.maker.workers):
                    calls = beside(self.pool, calls)
                outcomes += [
                    self._deliver_preset(file, facts, content, preset, rendered)
                    for preset, rendered in zip(ahead, calls, strict=True)
                ]
        except DirectusAssetsError as error:
            outcomes = [self._instead(file, preset, error, started) for preset in presets]
        yield from outcomes

    def _require_reached(self, file: File) -> None:
        if file.storage not in self.maker.storages:
            known = ", ".join(self.maker.storages) or "none"
            raise PermanentError(
                f"{file.name} is in Directus' storage '{file.storage}', which is not accessible from here ({known})."
            )

    def _rendered(self, file: File, facts: Facts, source: Source, preset: Preset) -> "_Rendering":
        started = time.monotonic()
        pictures = [
            (derivative, render(source, derivative, max_pixels=self.maker.max_pixels))
            for derivative in self._wanted(file, facts, preset)
        ]
        return _Rendering(pictures=list(_previewed(pictures)), seconds=time.monotonic() - started)

    def _deliver_preset(
        self, file: File, facts: Facts, content: bytes, preset: Preset, rendered: Callable[[], "_Rendering"]
    ) -> Outcome:
        started = time.monotonic()
        delivery = self.maker.delivery_of(preset.key)
        try:
            rendering = rendered()
            started = time.monotonic() - rendering.seconds
            if not rendering.pictures:
                self._drop(file, preset)
                return _delivered(file, preset, delivery, (), started)
            if delivery == "export":
                made = self._export(file, facts, preset, content, rendering.pictures)
            else:
                made = [self.stored.deliver(file, *picture) for picture in rendering.pictures]
        except Exception as error:  # noqa: BLE001 - each preset is isolated
            return self._instead(file, preset, _noted(error, file), started)
        # Derivatives with different bytes get here only if similar bytes are accepted.
        wanted = [derivative for derivative, _, _ in rendering.pictures] if delivery == "storage" else []
        reasons = (difference(preset.directus, derivative, facts) for derivative in wanted)
        return _delivered(file, preset, delivery, made, started, reason=next(filter(None, reasons), ""))

    def _wanted(self, file: File, facts: Facts, preset: Preset) -> tuple[Derivative, ...]:
        """The derivatives to render. An export needs no name from Directus, so the picture's own size counts.

        Raises:
            BadInput: the preset cannot be applied to this picture, or Directus has a different size for it.
            NotReproducible: this Directus would produce different bytes for this picture.
        """
        right = derivatives(preset, facts.sized(file))
        if self.maker.delivery_of(preset.key) == "export":
            return right
        wanted = derivatives(preset, file)
        if wanted != right:
            width, height = facts.upright
            raise BadInput(
                f"Directus has recorded {file.width} x {file.height} pixels for this picture, which has {width} x "
                f"{height}, and preset '{preset.key}' depends on the recorded size.",
                remedy=(
                    "Directus keeps the previous picture's size if the new picture is too large for it. Replace "
                    "the picture with a smaller one."
                ),
            )
        if reason := self._why_left(preset, wanted, facts):
            raise NotReproducible(reason)
        return wanted

    def _instead(self, file: File, preset: Preset, error: DirectusAssetsError, started: float) -> Outcome:
        """Let Directus make the derivative if delivery `storage` cannot, and keep the reason.

        Not if Directus could not either, or if a retry of this delivery may succeed.
        """
        if isinstance(error, BadInput) and not isinstance(error, Correctable):
            self._drop(file, preset)
        if isinstance(error, (BadInput, TransientError)) or self.maker.delivery_of(preset.key) == "export":
            return _failed(file, preset, error)
        outcome = self._warm(file, preset, derivatives(preset, file), reason=str(error), started=started)
        if isinstance(outcome, Failed) and isinstance(outcome.error, PermanentError):
            both = f"{error.message} Directus could not make it either: {outcome.error.message}"
            return _failed(file, preset, BadInput(both, remedy=error.remedy or outcome.error.remedy))
        return outcome

    def _drop(self, file: File, preset: Preset) -> None:
        """Drop the exported picture, which shows an earlier picture or preset."""
        if self.maker.delivery_of(preset.key) == "export":
            self.unexported.setdefault(file.id, set()).add(preset.key)

    def _export(
        self, file: File, facts: Facts, preset: Preset, original: bytes, pictures: Sequence["_Picture"]
    ) -> list[Made]:
        target = Exported(self.maker.export())
        made = [
            target.deliver(d, picture, preview, look=look_of(preset, d, facts.sized(file)))
            for d, picture, preview in pictures
        ]
        outputs = tuple(
            (preset.key, m, digest(picture.content)) for m, (_, picture, _) in zip(made, pictures, strict=True)
        )
        earlier = self.manifest.get(file.id)
        self.manifest[file.id] = ManifestEntry(
            file=file,
            placeholder=earlier.placeholder if earlier else placeholder(original),
            outputs=(*(earlier.outputs if earlier else ()), *outputs),
        )
        return made


_Picture: TypeAlias = tuple[Derivative, Rendered, str | None]
"""One derivative, with its preview if it is the first of its preset."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rendering:
    """The rendered derivatives of one preset, and how long they took."""

    pictures: Sequence[_Picture]
    seconds: float


def _previewed(pictures: Sequence[tuple[Derivative, Rendered]]) -> Iterator[_Picture]:
    """Add a preview to the first picture of a preset; one is enough to show what was made."""
    for index, (derivative, picture) in enumerate(pictures):
        yield derivative, picture, preview(picture.content, picture.pixels) if index == 0 else None


def _delivered(
    file: File, preset: Preset, delivery: str, made: Sequence[Made], started: float, *, reason: str = ""
) -> Delivered:
    return Delivered(
        file_id=file.id,
        file_name=file.name,
        preset=preset.key,
        fingerprint=fingerprint(file, preset),
        delivery=delivery,
        made=tuple(made),
        original_bytes=file.filesize,
        seconds=time.monotonic() - started,
        reason=reason,
    )


def _noted(error: Exception, file: File) -> DirectusAssetsError:
    """The error as one of ours; the traceback of an unforeseen one is logged, since what fails may be anything."""
    fault = as_error(error)
    if isinstance(fault, Unexpected):
        logger.warning("%s (%s):\n%s", file.name, file.id, redact("".join(traceback.format_exception(error))))
    return fault


def _failed(file: File, preset: Preset, error: DirectusAssetsError) -> Failed:
    return Failed(file_id=file.id, file_name=file.name, preset=preset.key, error=error)
