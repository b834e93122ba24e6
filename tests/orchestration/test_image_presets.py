import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg
import httpx
import pytest

from directus_assets.directus.models import File, Preset
from directus_assets.directus.storage import LocalStorage
from directus_assets.images.plan import code_version, fingerprint
from directus_assets.images.purge import Purger
from directus_assets.orchestration.kinds.pictures import build_image_presets
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.runs.history import latest_materialization
from directus_assets.run_tags import TRIGGER_TAG, range_tags
from directus_assets.settings import Config, Environment, Settings
from directus_assets.settings.sections import PurgeOptions
from tests.images.scripted_directus import URL, ScriptedDirectus, picture

NAMES = Names()

CARD = Preset(key="card", fit="cover", width=20, height=20, format="webp")
AUTO = Preset(key="auto", fit="cover", width=16, height=16, format="auto")
CARD_KEY, AUTO_KEY = NAMES.preset("card"), NAMES.preset("auto")


class Pipeline:
    """The assets on an instance, with a scripted Directus."""

    def __init__(self, instance: dg.DagsterInstance, folder: Path, **variables: str) -> None:
        self.instance = instance
        self.directus = ScriptedDirectus(folder, [CARD, AUTO])
        storage = {"STORAGE_LOCATIONS": "local", "STORAGE_LOCAL_DRIVER": "local", "STORAGE_LOCAL_ROOT": str(folder)}
        own = {"DIRECTUS_URL": URL, "DIRECTUS_TOKEN": "t", "DAGSTER_HOME": str(folder.with_name("home"))}
        environment = Environment.read({**own, **storage, **variables})
        self.project = Project(Settings(environment=environment, config=Config()))
        self.project.__dict__["directus"] = self.directus.client

    def add(self, *ids: str, content: bytes | None = None, **fields: object) -> list[File]:
        """Add files as partitions."""
        self.instance.add_dynamic_partitions(str(NAMES.files_partitions.name), ids)
        return [self.directus.add(file_id, picture() if content is None else content, **fields) for file_id in ids]

    def run(
        self,
        *keys: str,
        tags: Mapping[str, str] | None = None,
        only: Sequence[dg.AssetKey] | None = None,
        presets: Sequence[Preset] = (CARD, AUTO),
    ) -> bool:
        """Run from the first key to the last; return whether it succeeded."""
        result = dg.materialize(
            [build_image_presets(self.project, presets)],
            instance=self.instance,
            tags={**range_tags(keys[0], keys[-1]), **(tags or {})},
            selection=list(only) if only else None,
            raise_on_error=False,
        )
        return bool(result.success)

    def statuses(self, asset_key: dg.AssetKey = CARD_KEY) -> dict[str, str]:
        keys = self.instance.get_dynamic_partitions(str(NAMES.files_partitions.name))
        found = self.instance.get_status_by_partition(asset_key, list(keys), NAMES.files_partitions) or {}
        return {key: status.value for key, status in found.items() if status}

    def reason(self, asset_key: dg.AssetKey, file_id: str) -> str:
        """The reason shown on the page of a failed partition."""
        records = dg.AssetRecordsFilter(asset_key=asset_key, asset_partitions=[file_id])
        observation = self.instance.fetch_observations(records, limit=1).records[0].asset_observation
        assert observation
        return str(observation.metadata["failed"].value)

    def materialized(self, asset_key: dg.AssetKey, file_id: str) -> dg.AssetMaterialization:
        event = latest_materialization(self.instance, asset_key, file_id)
        assert event is not None
        return event


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Pipeline(instance, tmp_path)


def test_a_derivative_is_materialized_with_its_versions_and_what_people_want_to_know(pipeline: Pipeline) -> None:
    (file,) = pipeline.add("f1")

    assert pipeline.run("f1")

    event = pipeline.materialized(CARD_KEY, "f1")
    assert event.tags is not None
    assert event.tags["dagster/data_version"] == fingerprint(file, CARD)
    assert event.tags["dagster/code_version"] == code_version(CARD)
    values = {name: value.value for name, value in event.metadata.items()}
    assert values["delivery"] == "storage"
    assert (values["width"], values["height"], values["format"]) == (20, 20, "webp")
    assert values["link"] == f"{URL}/assets/f1?key=card"
    assert values["ratio_to_original"] == round(int(str(values["bytes"])) / (file.filesize or 1), 4)
    assert str(values["preview"]).startswith("![preview](data:image/")
    assert pipeline.directus.rendered == []


def test_a_cache_is_told_of_what_has_other_bytes_and_of_nothing_else(pipeline: Pipeline, tmp_path: Path) -> None:
    told: list[list[str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        told.append(json.loads(request.content)["urls"])
        return httpx.Response(204)

    options = PurgeOptions.model_validate({"form": "generic", "url": "https://hook.example.com"})
    memory = LocalStorage(tmp_path / "memory")
    memory.root.mkdir()
    purger = Purger(options, memory, httpx.MockTransport(answer))
    pipeline.project.__dict__["purger"] = purger
    pipeline.add("f1", "f2")
    pipeline.run("f1", "f2", presets=[CARD])
    pipeline.run("f1", "f2", presets=[CARD])
    first = list(told)

    pipeline.add("f2", content=picture((200, 30)))
    pipeline.run("f1", "f2", presets=[CARD])

    assert first == []
    paths = [f"{URL}/assets/f2", f"{URL}/assets/f2/f2.jpg"]
    assert told == [[*paths, *(f"{path}?key=card" for path in paths)]]
    assert pipeline.materialized(CARD_KEY, "f2").metadata["digest"].value


def test_links_lead_to_where_browsers_reach_directus(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(instance, tmp_path, DIRECTUS_PUBLIC_URL="https://cms.example.com/")
        pipeline.add("f1")

        assert pipeline.run("f1")

        link = pipeline.materialized(CARD_KEY, "f1").metadata["link"]
    assert link.value == "https://cms.example.com/assets/f1?key=card"


def test_a_preset_with_the_format_auto_lists_its_three_derivatives(pipeline: Pipeline) -> None:
    pipeline.add("f1")

    pipeline.run("f1")

    table = pipeline.materialized(AUTO_KEY, "f1").metadata["derivatives"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [row.data["derivative"] for row in table.records] == ["auto [avif]", "auto [webp]", "auto [jpeg]"]


def test_three_bad_pictures_fail_with_their_own_reasons_and_the_others_are_made(pipeline: Pipeline) -> None:
    pipeline.add("f1", "f2")
    pipeline.add("garbage", content=b"no picture")
    pipeline.add("f3")
    pipeline.add("empty", content=b"")
    pipeline.add("cut", content=picture((600, 400))[:3000])

    assert not pipeline.run("f1", "cut")

    bad = {"garbage": "is not a JPEG", "empty": "is empty", "cut": "damaged or incomplete"}
    for asset_key in (CARD_KEY, AUTO_KEY):
        assert pipeline.statuses(asset_key) == {
            key: "FAILED" if key in bad else "MATERIALIZED" for key in ("f1", "f2", "garbage", "f3", "empty", "cut")
        }
    observed = [r.asset_observation for r in pipeline.instance.fetch_observations(CARD_KEY, limit=10).records]
    reasons = {o.partition: str(o.metadata["error"].value) for o in observed if o}
    assert set(reasons) == set(bad)
    assert all(told in reasons[key] for key, told in bad.items())


def test_an_automatic_run_leaves_alone_what_is_right_and_a_persons_run_does_not(pipeline: Pipeline) -> None:
    pipeline.add("f1")
    pipeline.run("f1")
    before = {path: path.stat().st_mtime_ns for path in pipeline.directus.folder.glob("*__*")}

    assert pipeline.run("f1", tags={TRIGGER_TAG: "change"})
    automatic = {path: path.stat().st_mtime_ns for path in pipeline.directus.folder.glob("*__*")}
    assert pipeline.run("f1")
    by_hand = {path: path.stat().st_mtime_ns for path in pipeline.directus.folder.glob("*__*")}

    assert automatic == before
    assert all(by_hand[path] != before[path] for path in before)
    assert pipeline.statuses() == {"f1": "MATERIALIZED"}


def test_a_selected_preset_is_made_alone(pipeline: Pipeline) -> None:
    pipeline.add("f1")

    assert pipeline.run("f1", only=[CARD_KEY])

    assert pipeline.statuses(CARD_KEY) == {"f1": "MATERIALIZED"}
    assert pipeline.statuses(AUTO_KEY) == {}
    assert len(pipeline.directus.stored()) == 1


def test_a_file_that_is_gone_asks_for_nothing(pipeline: Pipeline) -> None:
    pipeline.add("f1", "f2")
    del pipeline.directus.rows["f1"]

    assert pipeline.run("f1", "f2")

    assert pipeline.statuses() == {"f2": "MATERIALIZED"}


def test_a_file_that_became_a_document_says_so(pipeline: Pipeline) -> None:
    pipeline.add("f1", type="application/pdf")

    assert not pipeline.run("f1")

    (record,) = pipeline.instance.fetch_observations(CARD_KEY, limit=10).records
    assert record.asset_observation is not None
    assert ("Directus does not make derivatives of application/pdf") in str(
        record.asset_observation.metadata["error"].value
    )


def test_preset_keys_that_dagster_refuses_are_mapped_to_some_that_it_takes(pipeline: Pipeline) -> None:
    presets = [Preset(key=key, width=20) for key in ("plain", "my card", "größe/1", "v1.2-new", "100%")]

    assets = build_image_presets(pipeline.project, presets)

    assert len(list(assets.keys)) == 5
    assert NAMES.preset("plain") in assets.keys
    assert NAMES.preset("v1.2-new").path == ["image_presets", "v1.2-new"]


def test_preset_keys_that_differ_stay_apart() -> None:
    assert len({NAMES.preset(key) for key in ("a b", "a_b", "a/b", "a  b")}) == 4


def test_a_file_whose_row_makes_no_sense_fails_alone(pipeline: Pipeline) -> None:
    pipeline.add("f1", "f2", "f3")
    pipeline.directus.rows["f2"]["width"] = "wide"

    assert not pipeline.run("f1", "f3")

    assert pipeline.statuses() == {"f1": "MATERIALIZED", "f2": "FAILED", "f3": "MATERIALIZED"}
    assert "`width` of directus_files that is not a whole number" in pipeline.reason(CARD_KEY, "f2")


def test_a_title_that_postgresql_would_refuse_is_no_obstacle(pipeline: Pipeline) -> None:
    pipeline.add("f1", title="bicycle \x00")

    assert pipeline.run("f1")

    assert pipeline.materialized(CARD_KEY, "f1").metadata["file"].value == "bicycle \ufffd"


def test_a_malformed_preset_fails_with_its_reason_and_the_others_are_made(pipeline: Pipeline) -> None:
    pipeline.add("f1", "f2")
    odd = Preset(key="odd", fault="Preset 'odd': `transforms` is not a list.")

    assert not pipeline.run("f1", "f2", presets=[CARD, odd])

    assert pipeline.statuses() == {"f1": "MATERIALIZED", "f2": "MATERIALIZED"}
    assert pipeline.statuses(NAMES.preset("odd")) == {"f1": "FAILED", "f2": "FAILED"}
    assert "`transforms` is not a list" in pipeline.reason(NAMES.preset("odd"), "f1")
