"""The assets `image_presets/<key>`: one multi-asset over all presets, so that each picture is read once for all of
them.

`directus_assets.images` decides what is made and how; this module turns it into Dagster events.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import dagster as dg

from directus_assets.directus.models import File, Preset
from directus_assets.errors import BadInput, DirectusAssetsError
from directus_assets.fast.latest import Latest
from directus_assets.images.handed_out import OriginalsRead
from directus_assets.images.outcomes import Failed, Outcome
from directus_assets.images.plan import code_version, examine_files, fingerprint
from directus_assets.images.purge import Known, Purger, is_changed, is_spoiled
from directus_assets.isolation import planned
from directus_assets.orchestration.kinds.outs import outs_of
from directus_assets.orchestration.kinds.survey_files import find_stored
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.reconcile.export_upkeep import ExportUpkeep
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.runs.history import data_version, failures, fingerprints, latest_records
from directus_assets.orchestration.runs.recorder import Recorder
from directus_assets.orchestration.runs.report import as_markdown, derivative_record
from directus_assets.planning.changes import stale_outputs
from directus_assets.planning.verdicts import Failure
from directus_assets.run_tags import SCAN, TRIGGER_TAG


def build_image_presets(project: Project, presets: Sequence[Preset]) -> dg.AssetsDefinition:
    """The multi-asset over these presets, at least one."""
    by_asset = {project.names.preset(preset.key): preset for preset in presets}
    code_versions = {asset_key: code_version(preset) for asset_key, preset in by_asset.items()}
    specs = [
        project.names.spec(
            project.names.preset_props(preset.key),
            description=_describe(preset),
            kinds=frozenset({"directus", "image"}),
        ).replace_attributes(
            code_version=code_versions[asset_key], partitions_def=project.names.files_partitions, skippable=True
        )
        for asset_key, preset in by_asset.items()
    ]

    @dg.multi_asset(
        name=project.names.images_op,
        description="Makes every picture's derivatives for all Directus image presets.",
        outs=outs_of(specs),
        deps=[project.names.files],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.multi_run(project.settings.config.images.batch_size),
        pool=_pool(project, presets),
    )
    @without_secrets
    def image_presets(context: dg.AssetExecutionContext) -> Iterator[dg.AssetMaterialization]:
        with Recorder(context, project.names.files, code_versions) as recorder:
            found = recorder.read(project.files_by_id, collection="directus_files")
            files = {file_id: file for some in found for file_id, file in some.items()}
            work = dict(_open_work(context, recorder, files, by_asset, project))
            purger = project.purger
            before = _before(context.instance, project, work) if purger else {}
            handed_out = project.handed_out
            originals = OriginalsRead(handed_out=handed_out, originals=project.downloads) if handed_out else None
            made_at = _made_at(before)
            maker = replace(project.maker, on_read=originals.on_read) if originals else project.maker
            for outcome in maker.make(work):
                asset_key = project.names.preset(outcome.preset)
                tried = _tried(project, files[outcome.file_id], [by_asset[asset_key]])
                with recorder.alone(tried, outcome.file_id, name=outcome.file_name):
                    if originals:
                        file = files[outcome.file_id]
                        originals.look(outcome, file, made_at=made_at.get(file.id))
                    known = before.get((outcome.preset, outcome.file_id))
                    if handed_out and _is_news(outcome, tried[asset_key], known):
                        handed_out.note(handed_out.paths_at(outcome.file_id, [outcome.preset]))
                    if isinstance(outcome, Failed):
                        raise outcome.error
                    recorder.record(
                        asset_key, outcome.file_id, derivative_record(outcome, public_url=project.public_url)
                    )
            if purger:
                _flush(purger, context.log.warning)
        # Nothing to yield: the recorder has logged one event per partition, whereas an output would stand for all of
        # them.
        yield from ()

    return image_presets


def _before(
    instance: dg.DagsterInstance, project: Project, work: Mapping[File, Sequence[Preset]]
) -> dict[tuple[str, str], Known]:
    """The recorded derivatives that are about to be made again, by preset and file."""
    assets = {preset.key: project.names.preset(preset.key) for presets in work.values() for preset in presets}
    ids = [file.id for file in work]
    tries = failures(instance, assets, ids, first_wait_seconds=0)
    return {
        output: _known(record, tries.get(output)) for output, record in latest_records(instance, assets, ids).items()
    }


def _made_at(before: Mapping[tuple[str, str], Known]) -> dict[str, dt.datetime]:
    """When derivatives of files were made last, by file."""
    made = sorted((known.at, file_id) for (_, file_id), known in before.items())
    return {file_id: dt.datetime.fromtimestamp(seconds, dt.UTC) for seconds, file_id in made}


def _known(record: Latest, tried: tuple[float, Failure] | None) -> Known:
    return Known(
        fingerprint=data_version(record),
        digests=str(record.metadata.get("digest") or ""),
        failed=tried[1].fingerprint if tried and tried[0] > record.timestamp else "",
        at=record.timestamp,
    )


def _is_news(outcome: Outcome, tried: str, before: Known | None) -> bool:
    if isinstance(outcome, Failed):
        return is_spoiled(outcome.error, tried, before)
    return is_changed(outcome, before)


def _flush(purger: Purger, warn: Callable[[str], None]) -> None:
    """Flush the purger; an error does not affect the pictures, and the purge is repeated later."""
    try:
        purger.flush()
    except DirectusAssetsError as error:
        warn(f"The cache in front of Directus may serve old pictures for a while: {error}")


def _open_work(
    context: dg.AssetExecutionContext,
    recorder: Recorder,
    files: dict[str, File],
    by_asset: dict[dg.AssetKey, Preset],
    project: Project,
) -> Iterator[tuple[File, list[Preset]]]:
    """The open work of this run. A deleted file needs no work; the sensor removes its partition."""
    trigger = context.run.tags.get(TRIGGER_TAG)
    names = {
        preset.key: asset_key for asset_key, preset in by_asset.items() if asset_key in context.selected_asset_keys
    }
    known = fingerprints(context.instance, names, files) if trigger else {}
    gone = ExportUpkeep(project, list(by_asset.values())).missing(known)
    known = {output: own for output, own in known.items() if output not in gone}
    for file_id, file in files.items():
        presets = [by_asset[asset_key] for asset_key in recorder.open_outputs(file_id)]
        stale: frozenset[str] = frozenset()
        with recorder.alone(_tried(project, file, presets), file_id, name=file.name):
            if not file.is_transformable:
                raise BadInput(f"Directus does not make derivatives of {file.type} files.", remedy="Nothing to do.")
            stale = stale_outputs(examine_files([file], presets).wanted, known).get(file_id, frozenset())
            for preset in presets:
                if preset.key not in stale:
                    recorder.unchanged(project.names.preset(preset.key), file_id)
            if trigger == SCAN:
                # No record of the picture: an instance that lost its history may find it rendered already.
                untried = [preset for preset in presets if preset.key in stale and (preset.key, file_id) not in known]
                stale -= _adopted(recorder, project, file, untried)
        if stale:
            yield file, [preset for preset in presets if preset.key in stale]


def _tried(project: Project, file: File, presets: Iterable[Preset]) -> dict[dg.AssetKey, str]:
    """The assets of these presets, with the fingerprints by which the reconcile recognises an attempt on this file."""
    return {project.names.preset(preset.key): planned(partial(fingerprint, file, preset)) for preset in presets}


def _adopted(recorder: Recorder, project: Project, file: File, presets: Sequence[Preset]) -> set[str]:
    """Keys of the presets whose derivatives already are in Directus' storage; they are recorded without rendering."""
    found = set()
    for preset in presets:
        outcome = find_stored(project, file, preset)
        if outcome:
            record = derivative_record(outcome, public_url=project.public_url).as_adopted()
            recorder.record(project.names.preset(preset.key), file.id, record)
            found.add(preset.key)
    return found


def _describe(preset: Preset) -> str:
    size = f"{preset.width or 'auto'} x {preset.height or 'auto'}"
    fit = preset.fit if isinstance(preset.fit, str) else "cover"
    parts = [f"fit {fit}", f"format {preset.format or 'as the original'}", f"quality {preset.quality or 'default'}"]
    if preset.without_enlargement:
        parts.append("never enlarged")
    if preset.transforms:
        parts.append(f"{len(preset.transforms)} further transformations")
    return as_markdown(f"Renders every picture with the Directus preset '{preset.key}': {size}, {', '.join(parts)}.")


def _pool(project: Project, presets: Sequence[Preset]) -> str:
    """The pool of the resource that runs load most: this machine's processors, or Directus."""
    return project.directus_pool if all(project.delivery_of(preset.key) == "warm" for preset in presets) else "render"
