"""Checks that pictures can be delivered as configured: presets, libvips, and the files that Directus serves."""

import itertools
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok, warning
from directus_assets.directus.models import TRANSFORMED_TYPES, File, Preset
from directus_assets.directus.storage import Storage
from directus_assets.errors import BadInput, ConfigurationError, DirectusAssetsError
from directus_assets.images.delivery import NotServed, served_bytes
from directus_assets.images.sameness import difference
from directus_assets.images.sharp import NotReproducible
from directus_assets.images.sharp.load import libvips
from directus_assets.images.sharp.operations import read_options
from directus_assets.images.transforms import Derivative, derivatives

_ANY_PICTURE = File.parse(
    {
        "id": "00000000-0000-0000-0000-000000000000",
        "storage": "local",
        "filename_disk": "picture.jpg",
        "type": "image/jpeg",
        "width": 4000,
        "height": 3000,
    }
)

_PROBE: dict[str, Any] = {"width": 7, "height": 3, "fit": "cover", "format": "webp", "quality": 3}
"""A derivative that nobody uses, requested without a preset."""

_LATEST_FILES = 20


def check_presets(subject: Checkup) -> Iterator[Finding]:
    """Report the delivery of each preset with its reason, or what is wrong with the preset."""
    settings = subject.directus_settings
    if settings.asset_transform == "none":
        yield failed(
            "presets",
            "Directus' settings forbid all image transformations, even through presets.",
            "In Directus, under Settings > Files & Storage, allow all transformations or those of presets.",
        )
    images = subject.project.settings.config.images
    for preset in settings.presets:
        if images.is_enabled(preset.key):
            yield _examine_preset(subject, preset)
        else:
            yield ok(f"preset {preset.key}", "switched off in the YAML file")
    for fault in settings.faults:
        yield failed("presets", fault, "Correct them in Directus under Settings > Files & Storage > Asset presets.")
    if not settings.presets:
        yield warning(
            "presets",
            "Directus has no image presets, so no derivatives are made.",
            "Add some in Directus under Settings > Files & Storage.",
        )
    for key in images.presets.keys() - {preset.key for preset in settings.presets}:
        yield warning(
            f"preset {key}",
            "The YAML file configures it, but Directus has no preset with that key.",
            "Correct `images.presets`.",
        )


def check_libvips(subject: Checkup) -> Iterator[Finding]:
    """Check that pictures can be rendered here if they have to be."""
    deliveries = {subject.project.delivery_of(preset.key) for preset in subject.directus_settings.presets}
    if deliveries <= {"warm"}:
        return
    try:
        version = ".".join(str(libvips().version(part)) for part in range(3))
    except ConfigurationError as error:
        yield warning("libvips", error.message, error.remedy)
    else:
        yield ok("libvips", version)


def check_bytes(subject: Checkup) -> Iterator[Finding]:
    """Check that pictures rendered for Directus' storage have the same bytes as those from Directus."""
    settings, project = subject.directus_settings, subject.project
    if "storage" not in {project.delivery_of(preset.key) for preset in settings.presets}:
        return
    same = {
        "all": "has the same bytes as Directus' own",
        "some": "has the same bytes as Directus' own for JPEG and WebP, except for CMYK pictures",
        "none": "has different bytes from Directus' own",
    }[settings.directus.same_bytes]
    other = ""
    if settings.directus.same_bytes != "all":
        accepts = project.settings.config.images.accept_similar
        other = f"; the rest is {'stored anyway (`accept_similar`)' if accepts else 'left to Directus (warm)'}"
    yield ok("bytes", f"Directus {settings.directus}: rendering here {same}{other}")


def check_stored_names(subject: Checkup) -> Iterator[Finding]:
    """Check that Directus serves files that we store under the names it looks for."""
    project = subject.project
    if not project.storages:
        return
    files = project.directus.files_page(types=TRANSFORMED_TYPES, page=1, size=_LATEST_FILES)
    for location in project.storages:
        here = [file for file in files if file.storage == location and file.width and file.height]
        if not here:
            yield ok(
                f"served from {location}",
                "not checked: there are no pictures yet; the first derivative of each kind is verified when made",
            )
        elif subject.directus_settings.asset_transform == "all":
            yield _reported(location, _probe, subject, here)
        else:
            yield _reported(location, _compare, subject, here)


def _examine_preset(subject: Checkup, preset: Preset) -> Finding:
    what = f"preset {preset.key}"
    delivery = subject.project.delivery_of(preset.key)
    try:
        wanted = derivatives(preset, _ANY_PICTURE)
        obstacle = "" if delivery == "warm" else _obstacle(wanted) or _other_bytes(subject, preset, delivery, wanted)
    except BadInput as error:
        return failed(what, error.message, error.remedy)
    if not wanted:
        return warning(
            what, "It sets neither size nor format, so Directus serves the original.", "Give it a size or a format."
        )
    formats = ", ".join(dict.fromkeys(derivative.format for derivative in wanted))
    if delivery == "export" and obstacle:
        return failed(what, f"Cannot be exported: {obstacle}", "Change the preset or its delivery.")
    if delivery == "warm" or obstacle:
        return ok(what, f"warm ({formats}): {obstacle or _why_warm(subject, preset.key)}")
    where = "into Directus' own storage" if delivery == "storage" else f"to {subject.project.export.describe()}"
    return ok(what, f"{delivery} ({formats}): rendered here, {where}")


def _obstacle(wanted: Sequence[Derivative]) -> str:
    """Why Directus has to render these itself; empty if they can be rendered here."""
    try:
        for derivative in wanted:
            read_options(derivative.transforms)
    except NotReproducible as error:
        return error.message
    return ""


def _other_bytes(subject: Checkup, preset: Preset, delivery: str, wanted: Sequence[Derivative]) -> str:
    """Why this Directus would produce different bytes; empty if our derivatives may be stored for it."""
    if delivery == "export" or subject.project.settings.config.images.accept_similar:
        return ""
    return next(filter(None, (difference(preset.directus, derivative) for derivative in wanted)), "")


def _why_warm(subject: Checkup, preset_key: str) -> str:
    images = subject.project.settings.config.images
    chosen = preset_key in images.presets and images.presets[preset_key].delivery
    if chosen or images.delivery == "warm":
        return "rendered by Directus, as set in the YAML file"
    return "rendered by Directus, because STORAGE_LOCATIONS is not set"


def _reported(
    location: str, prove: Callable[[Checkup, Sequence[File]], str], subject: Checkup, files: Sequence[File]
) -> Finding:
    what = f"served from {location}"
    try:
        return ok(what, prove(subject, files))
    except DirectusAssetsError as error:
        return failed(what, error.message, error.remedy)


def _probe(subject: Checkup, files: Sequence[File]) -> str:
    """Store test derivatives that nobody uses, check that Directus returns them, and remove them.

    One derivative per kind of name: within the picture's size, and limited to it.
    """
    file = files[0]
    storage = subject.project.storages[file.storage]
    limited: dict[str, str | int] = {**_PROBE, "width": (file.width or 0) + 7, "withoutEnlargement": "true"}
    for probe in (_PROBE, limited):
        row = {"key": "", **probe, "withoutEnlargement": probe is limited}
        (derivative,) = derivatives(Preset.parse(row, subject.directus_settings.directus), file)
        if derivative.other_name:
            continue
        mark = secrets.token_bytes(32)
        storage.write(derivative.stored_name, mark, content_type="image/webp")
        try:
            served = subject.project.directus.download(file.id, **probe)
        finally:
            storage.delete(derivative.stored_name)
        if served != mark:
            raise _not_served(storage)
    return f"Directus serves the derivatives stored in {storage.describe()}"


def _compare(subject: Checkup, files: Sequence[File]) -> str:
    """Only presets may be requested, so an existing derivative has to serve: it is marked for a moment."""
    storage = subject.project.storages[files[0].storage]
    presets = [p for p in subject.directus_settings.presets if subject.project.delivery_of(p.key) == "storage"]
    for file, preset in itertools.product(files, presets):
        for derivative in derivatives(preset, file):
            if storage.size(derivative.stored_name):
                content = storage.read(derivative.stored_name)
                try:
                    served = served_bytes(subject.project.directus, storage, file, derivative, content)
                finally:
                    storage.write(derivative.stored_name, content, content_type=derivative.mime_type)
                if served is not None:
                    raise _not_served(storage)
                return f"Directus serves the derivatives stored in {storage.describe()}"
    return "not checked: there are no derivatives yet; the first of each kind is verified when made"


def _not_served(storage: Storage) -> NotServed:
    return NotServed(
        f"Directus does not serve the derivatives stored in {storage.describe()}.",
        remedy=(
            "Give this project exactly the same STORAGE_* variables as Directus, with access to the same folder or "
            "bucket."
        ),
    )
