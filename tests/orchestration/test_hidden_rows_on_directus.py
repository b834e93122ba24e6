"""Rows hidden by a permission rule are not treated as deleted, on a Directus that has such rules without a license."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from directus_assets.commands.doctor.access import check_rights
from directus_assets.commands.doctor.findings import Checkup
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.storage import LocalStorage
from directus_assets.enrichment.questions import source_of
from directus_assets.enrichment.targets import Targets
from directus_assets.enrichment.vocabularies import Vocabularies
from directus_assets.errors import Forbidden
from directus_assets.images.make import Maker
from directus_assets.local.bot import create_bot
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import enriched_items
from directus_assets.orchestration.kinds.enrichments import EnrichedItems
from directus_assets.orchestration.kinds.survey_enrichments import EnrichmentSurveyor
from directus_assets.orchestration.project import Project
from directus_assets.settings import Config, Settings
from directus_assets.snapshot import take_snapshot
from tests.orchestration.test_reconcile_on_directus import FILES, POSTS, PRESETS, Site
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

RULES_FOR_ALL = "11.17.4"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three pictures and three posts, all made."""
    with contextlib.ExitStack() as stack:
        directus = stack.enter_context(LocalDirectus(tmp_path_factory.mktemp("directus"), version=RULES_FOR_ALL))
        headers = {"authorization": f"Bearer {directus.admin_token}"}
        admin = stack.enter_context(httpx.Client(base_url=directus.url, headers=headers, timeout=60, trust_env=False))
        engine = stack.enter_context(ScriptedOpenAI())
        with DirectusClient(directus.url, directus.admin_token, timeout_seconds=120) as client:
            create_collections(client)
            create_bot(client, token=directus.bot_token)
        admin.patch("/settings", json={"storage_asset_presets": PRESETS}).raise_for_status()
        made = Site(directus, admin, engine, tmp_path_factory.mktemp("pipeline"))
        stack.callback(made.project.directus.close)
        stack.callback(made.instance.dispose)
        made.start()
        for number in range(3):
            made.upload(f"{number}.jpg", number)
            made.write(f"Good bread {number}")
        made.reconcile()
        assert len(made.derivatives()) == 3 * 4
        yield made


@contextlib.contextmanager
def hidden(site: Site, collection: str, *keys: str) -> Iterator[None]:
    """Hide these rows from the pipeline by a rule, for the duration of the block."""
    params: dict[str, Any] = {
        "filter[collection][_eq]": collection,
        "filter[action][_eq]": "read",
        "filter[policy][name][_eq]": "directus-assets",
    }
    (right,) = site.admin.get("/permissions", params=params).json()["data"]
    path = f"/permissions/{right['id']}"
    site.admin.patch(path, json={"permissions": {"id": {"_nin": list(keys)}}}).raise_for_status()
    try:
        yield
    finally:
        site.admin.patch(path, json={"permissions": right["permissions"]}).raise_for_status()


class AtTheEnd(httpx.HTTPTransport):
    """Lets others act when the files are read, after all derivatives were made."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.acts = [act]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/files" and self.acts:
            self.acts.pop()()
        return super().handle_request(request)


def test_what_a_rule_hides_keeps_partitions_and_derivatives_and_costs_nothing_when_it_is_back(site: Site) -> None:
    partitions, stored, asked = [*map(site.partitions, (FILES, POSTS))], site.derivatives(), len(site.engine.asked)

    with hidden(site, "directus_files", *partitions[0][1:]), hidden(site, "posts", *partitions[1][1:]):
        report = site.reconcile()

        assert not report.troubles
        assert [*map(site.partitions, (FILES, POSTS))] == partitions
        assert report.removed.total() == 0
    site.reconcile()
    assert (site.derivatives(), len(site.engine.asked)) == (stored, asked)


def test_what_is_deleted_while_a_rule_hides_others_goes_and_the_others_stay(site: Site) -> None:
    picture, post = site.upload("gone.jpg", 9), site.write("Soon gone")
    site.reconcile()
    files, posts = site.partitions(FILES), site.partitions(POSTS)
    assert (files[-1], posts[-1]) == (picture, post)

    with hidden(site, "directus_files", files[0]), hidden(site, "posts", posts[0]):
        site.admin.delete(f"/files/{picture}").raise_for_status()
        site.admin.delete(f"/items/posts/{post}").raise_for_status()
        site.reconcile()

        assert (site.partitions(FILES), site.partitions(POSTS)) == (files[:-1], posts[:-1])


def test_what_is_deleted_without_a_word_goes_when_nothing_is_hidden_any_more(site: Site) -> None:
    post = site.write("Soon gone")
    site.reconcile()
    posts = site.partitions(POSTS)
    assert posts[-1] == post

    site.admin.patch("/collections/posts", json={"meta": {"accountability": None}}).raise_for_status()
    site.admin.delete(f"/items/posts/{post}").raise_for_status()
    site.admin.patch("/collections/posts", json={"meta": {"accountability": "all"}}).raise_for_status()

    with hidden(site, "posts", posts[0]):
        site.reconcile()
        assert site.partitions(POSTS) == posts
    site.reconcile()
    assert site.partitions(POSTS) == posts[:-1]


@pytest.mark.parametrize("delivery", ["storage", "export"])
def test_a_picture_that_a_rule_hides_during_a_run_keeps_what_is_made_and_a_deleted_one_does_not(
    site: Site, tmp_path: Path, delivery: str
) -> None:
    hides, goes = (site.upload(f"{delivery}-{number}.jpg", 20 + number) for number in range(2))
    files = site.project.directus.files_by_id([hides, goes])
    presets = site.project.directus.project_settings().presets
    export = tmp_path / "export"
    export.mkdir()

    with contextlib.ExitStack() as stack:

        def act() -> None:
            site.admin.delete(f"/files/{goes}").raise_for_status()
            stack.enter_context(hidden(site, "directus_files", hides))

        client = DirectusClient(site.directus.url, site.directus.bot_token, transport=AtTheEnd(act))
        maker = Maker(
            client=stack.enter_context(client),
            storages=site.project.storages,
            export=lambda: LocalStorage(export),
            delivery_of=lambda _preset: delivery,
        )
        list(maker.make(dict.fromkeys(files, presets)))

    made = [*site.derivatives()] if delivery == "storage" else [path.name for path in export.rglob("*.*")]
    assert [sum(name.startswith(key) for name in made) for key in (hides, goes)] == [4, 0]
    if delivery == "export":
        assert list(json.loads((export / "manifest.json").read_bytes())["files"]) == [hides]


def test_doctor_names_what_the_token_may_not_see_all_rows_of(site: Site) -> None:
    def warnings() -> list[str]:
        with httpx.Client(timeout=60) as http:
            findings = [*check_rights(Checkup(site.project, http))]
        return [each.text for each in findings if "only some rows" in each.text]

    assert warnings() == []
    with hidden(site, "posts", "1"), hidden(site, "posts_translations", "1"):
        (text,) = warnings()
    assert "of posts, posts_translations." in text


@pytest.fixture
def enriched(site: Site) -> Iterator[EnrichedItems]:
    """Posts, and their summaries in German."""
    config = Config.model_validate({"enrichments": {"posts": {"summary": {"languages": ["de-DE"]}}}})
    project = Project(Settings(environment=site.project.settings.environment, config=config))
    (subject,) = enriched_items(project, take_snapshot(project.directus, project.wanted))
    yield subject
    project.directus.close()


def test_items_with_enrichments_go_by_the_same_proof(site: Site, enriched: EnrichedItems) -> None:
    posts = site.partitions(POSTS)

    with hidden(site, "posts", posts[0]):
        assert EnrichmentSurveyor(enriched).look([*posts, "999999"]).gone == []
    assert EnrichmentSurveyor(enriched).look([*posts, "999999"]).gone == ["999999"]


def test_what_is_found_out_is_put_into_no_second_row_where_a_rule_hides_the_first(
    site: Site, enriched: EnrichedItems
) -> None:
    post = site.write("Good bread in short")
    (declaration,) = enriched.by_output.values()
    reader = enriched.reader
    vocabularies = Vocabularies(reader.client, declaration)
    records = enriched.project.enrichment_records
    targets = Targets(reader=reader, declaration=declaration, records=records, vocabularies=vocabularies)

    def write(text: str) -> None:
        (item,) = reader.read([post])
        assert targets.write(item, source_of(declaration, item), {"de-DE": {"summary": text}})

    write("Kurz.")
    (row,) = rows_of(site, post)

    with (
        hidden(site, "posts_translations", row["id"]),
        pytest.raises(Forbidden, match="we did not create a second one"),
    ):
        write("Noch kürzer.")
    assert rows_of(site, post) == [row]
    write("Noch kürzer.")
    assert [each["summary"] for each in rows_of(site, post)] == ["Noch kürzer."]


def rows_of(site: Site, post: str) -> list[dict[str, Any]]:
    """Its German rows, as an administrator sees them."""
    params = {"filter[posts_id][_eq]": post, "filter[languages_code][_eq]": "de-DE"}
    return list(site.admin.get("/items/posts_translations", params=params).json()["data"])


def edit(site: Site, post: str, title: str) -> None:
    params = {"filter[posts_id][_eq]": post, "filter[languages_code][_eq]": "en-US"}
    (row,) = site.admin.get("/items/posts_translations", params=params).json()["data"]
    site.admin.patch(f"/items/posts_translations/{row['id']}", json={"title": title}).raise_for_status()


def test_a_translation_that_a_rule_hides_is_not_made_a_second_time(site: Site) -> None:
    post = site.write("Good bread is hidden")
    site.reconcile()
    (row,) = rows_of(site, post)

    with hidden(site, "posts_translations", row["id"]):
        assert not site.reconcile().asked
        edit(site, post, "Good bread is hidden still")
        site.reconcile()

        assert rows_of(site, post) == [row]
    edit(site, post, "Good bread is back")
    site.reconcile()
    (again,) = rows_of(site, post)
    assert (again["id"], again["title"] != row["title"]) == (row["id"], True)


def test_where_a_rule_hides_others_a_translation_that_was_deleted_is_made_again(site: Site) -> None:
    other = site.write("Another bread")
    site.reconcile()
    (hides,) = rows_of(site, other)

    with hidden(site, "posts_translations", hides["id"]):
        post = site.write("Good bread comes back")
        site.reconcile()
        (row,) = rows_of(site, post)
        site.admin.delete(f"/items/posts_translations/{row['id']}").raise_for_status()
        site.reconcile()

        (again,) = rows_of(site, post)
        assert (again["id"] != row["id"], again["title"]) == (True, row["title"])
        assert rows_of(site, other) == [hides]


def test_a_row_that_nobody_remembers_and_a_rule_hides_gets_no_second_one_beside_it(site: Site) -> None:
    post = site.write("Good bread by hand", **{"de-DE": "Von Hand"})
    (row,) = rows_of(site, post)

    with hidden(site, "posts_translations", row["id"]):
        site.reconcile()

        assert rows_of(site, post) == [row]
        records = dg.AssetRecordsFilter(
            asset_key=site.project.names.translation("posts", "de-DE"), asset_partitions=[post]
        )
        (failure,) = site.instance.fetch_observations(records, limit=1).records
        assert failure.asset_observation
        assert "we did not create a second one" in str(failure.asset_observation.metadata["failed"].value)
    site.reconcile()
    assert rows_of(site, post) == [row]


def test_nor_is_anything_found_out_written_beside_it(site: Site, enriched: EnrichedItems) -> None:
    post = site.write("Good bread by hand in short", **{"de-DE": "Von Hand"})
    (row,) = rows_of(site, post)
    (declaration,) = enriched.by_output.values()
    reader, records = enriched.reader, enriched.project.enrichment_records
    vocabularies = Vocabularies(reader.client, declaration)
    targets = Targets(reader=reader, declaration=declaration, records=records, vocabularies=vocabularies)

    with hidden(site, "posts_translations", row["id"]):
        (item,) = reader.read([post])
        with pytest.raises(Forbidden, match="we did not create a second one"):
            targets.write(item, source_of(declaration, item), {"de-DE": {"summary": "Kurz."}})

    assert rows_of(site, post) == [row]
