"""Checks that everything is there exactly once, and that nothing is marked wrongly."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import dagster as dg
import httpx

from directus_assets.directus.client import DirectusClient
from directus_assets.directus.models import File, Preset
from directus_assets.images.delivery import Exported
from directus_assets.images.plan import fingerprint
from directus_assets.images.transforms import Derivative, derivatives
from directus_assets.local.pictures import upload
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.runs.history import fingerprints
from directus_assets.translation.engines.pseudo import pseudo
from directus_assets.translation.languages import language
from tests.chaos.bed import NAMES, PRESETS, Bed, admin_of
from tests.chaos.editors import Truth, body
from tests.chaos.surroundings import LANGUAGES

_PARSED = [Preset.parse(row) for row in PRESETS]
_OVER = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


@dataclass
class Verdict:
    """Examines a test bed after all faults have ended."""

    bed: Bed
    truth: Truth

    def outstanding(self) -> list[str]:
        """Everything that is not as it should be, in words; empty in the end."""
        with (
            DirectusClient(self.bed.directus.url, self.bed.directus.admin_token) as directus,
            admin_of(self.bed.directus) as admin,
        ):
            return [*self._runs(), *self._pictures(directus), *self._translations(admin)]

    def _runs(self) -> Iterator[str]:
        unfinished = [run for run in self.bed.instance.get_runs() if run.status not in _OVER]
        # The reconcile goes on for ever.
        if busy := [run.run_id for run in unfinished if run.job_name != NAMES.reconcile]:
            yield f"{len(busy)} runs have not ended, such as {busy[-1]}"

    def _pictures(self, directus: DirectusClient) -> Iterator[str]:
        ids = set(self.truth.pictures)
        rows = {file.id: file for file in directus.files_by_id(ids)}
        if ids - set(rows):
            yield f"{len(ids - set(rows))} uploads are not in Directus"
        partitions = str(NAMES.files_partitions.name)
        yield from _difference("partitions of files", ids, self.bed.instance.get_dynamic_partitions(partitions))
        sizes = dict(self.bed.storage().names())
        names = self.stored_names(rows.values())
        if missing := [name for name in names if not sizes.get(name)]:
            yield f"{len(missing)} derivatives are not in the storage, such as {missing[0]}"
        for preset in _PARSED:
            key = NAMES.preset(preset.key)
            wanted = {file.id: fingerprint(file, preset) for file in rows.values()}
            yield from self._assets(key, NAMES.files_partitions, wanted)

    def stored_names(self, files: Iterable[File]) -> list[str]:
        """The names that Directus' storage has to contain for these files, besides the originals and exports."""
        presets = [preset for preset in _PARSED if preset.key not in self.bed.around.exported]
        return [each.stored_name for file in files for preset in presets for each in derivatives(preset, file)]

    def strays(self) -> list[str]:
        """Entries in Directus' storage that belong to no file in Directus."""
        with DirectusClient(self.bed.directus.url, self.bed.directus.admin_token) as directus:
            files = directus.files_by_id(self.truth.pictures)
        known = {*(file.filename_disk for file in files), *self.stored_names(files)}
        # What Directus has made itself, when it was asked for a preset that is exported, is right as well.
        own = {file.id for file in files}
        folders = ("exports/", "translations/")
        return [
            name
            for name, _ in self.bed.storage().names()
            if name not in known and not name.startswith(folders) and (name.endswith(".tmp") or name[:36] not in own)
        ]

    def _translations(self, admin: httpx.Client) -> Iterator[str]:
        partitions = NAMES.items_partitions("posts")
        keys = self.bed.instance.get_dynamic_partitions(str(partitions.name))
        yield from _difference("partitions of posts", set(self.truth.posts), keys)
        for code in LANGUAGES:
            yield from self._assets(NAMES.translation("posts", code), partitions, dict.fromkeys(self.truth.posts))
        answer = admin.get("/items/posts_translations", params={"limit": -1}).raise_for_status()
        # A row that two made at once is unlinked by the one that gives way, who has no right to delete it.
        linked = [row for row in answer.json()["data"] if row["posts_id"] is not None]
        rows = Counter((str(row["posts_id"]), row["languages_code"]) for row in linked)
        if twice := [key for key, count in rows.items() if count > 1]:
            yield f"rows twice: {twice[:5]}"
        texts = {(str(row["posts_id"]), row["languages_code"]): row["body"] for row in linked}
        for code in LANGUAGES:
            wrong = [
                item
                for item, paragraphs in self.truth.posts.items()
                if texts.get((item, code)) != body([pseudo(text, target=language(code)) for text in paragraphs])
            ]
            if wrong:
                yield f"{len(wrong)} posts are not right in {code}: {wrong[:5]}"

    def _assets(
        self, key: dg.AssetKey, partitions: dg.DynamicPartitionsDefinition, wanted: dict[str, str | None]
    ) -> Iterator[str]:
        """Check that every partition is materialized, with the fingerprint of Directus' current content."""
        found = self.bed.instance.get_status_by_partition(key, list(wanted), partitions) or {}
        marks = Counter(status.value if (status := found.get(each)) else "nothing" for each in wanted)
        if set(marks) - {"MATERIALIZED"}:
            yield f"{key.to_user_string()}: {dict(marks)}"
        made = fingerprints(self.bed.instance, {"": key}, wanted)
        stale = [each for each, value in wanted.items() if value and made.get(("", each)) != value]
        if stale:
            yield f"{key.to_user_string()}: {len(stale)} are of an earlier state"

    def wrong_bytes(self) -> list[str]:
        """Derivatives that differ from those that another Directus makes of the same picture."""
        with (
            LocalDirectus() as reference,
            admin_of(reference) as admin,
            DirectusClient(self.bed.directus.url, self.bed.directus.admin_token) as client,
            ThreadPoolExecutor(4) as pool,
        ):
            admin.patch("/settings", json={"storage_asset_presets": PRESETS}).raise_for_status()
            files = {file.id: file for file in client.files_by_id(self.truth.pictures)}
            exported = self._exported()

            def made(derivative: Derivative, file_id: str) -> bytes:
                if derivative.preset_key in self.bed.around.exported:
                    return exported[file_id, derivative.preset_key]
                return _served(self.bed.directus, derivative, file_id, self.bed.directus.admin_token)

            def compare(file_id: str) -> list[str]:
                twin = upload(admin, self.truth.pictures[file_id], filename="twin.jpg", type="image/jpeg")
                return [
                    f"{derivative.label} of {file_id}: {len(found)} bytes instead of {len(right)}"
                    for preset in _PARSED
                    for derivative in derivatives(preset, files[file_id])
                    for found in [made(derivative, file_id)]
                    for right in [_served(reference, derivative, twin, reference.admin_token)]
                    if found != right
                ]

            return [wrong for some in pool.map(compare, files) for wrong in some]

    def _exported(self) -> dict[tuple[str, str], bytes]:
        """The entries of the export's manifest, by file and preset."""
        if not self.bed.around.exported:
            return {}
        storage = self.bed.storage().inside("exports")
        return {
            (file_id, preset): storage.read(output["path"])
            for file_id, row in (Exported(storage).files() or {}).items()
            for preset, outputs in row["presets"].items()
            for output in outputs
        }

    def materializations(self) -> tuple[int, int]:
        """The number of recorded outputs, and of distinct (output, partition, fingerprint) among them."""
        total, distinct = 0, set()
        keys = [*(NAMES.preset(preset.key) for preset in _PARSED)]
        keys += [NAMES.translation("posts", code) for code in LANGUAGES]
        for key in keys:
            cursor = None
            while True:
                page = self.bed.instance.fetch_materializations(key, limit=1000, cursor=cursor)
                for record in page.records:
                    event = record.asset_materialization
                    total += 1
                    distinct.add((key, record.partition_key, (event.tags or {}).get("dagster/data_version")))
                if not page.has_more:
                    break
                cursor = page.cursor
        return total, len(distinct)


def _difference(what: str, wanted: set[str], found: Iterable[str]) -> Iterator[str]:
    there = list(found)
    if missing := wanted - set(there):
        yield f"{what}: {len(missing)} are missing"
    if too_many := set(there) - wanted:
        yield f"{what}: {len(too_many)} too many: {sorted(too_many)[:5]}"
    if len(there) != len(set(there)):
        yield f"{what}: some are there twice"


def _served(directus: LocalDirectus, derivative: Derivative, file_id: str, token: str) -> bytes:
    answer = httpx.get(
        f"{directus.url}/assets/{file_id}",
        params={"key": derivative.preset_key},
        headers={"accept": derivative.accept, "authorization": f"Bearer {token}"},
        timeout=60,
        trust_env=False,
    )
    return answer.raise_for_status().content
