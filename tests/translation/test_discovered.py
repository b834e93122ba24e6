"""The treatment of each field in realistic schemas, and that all of it can be made: on the real Directus.

The schemas have the structure of two public projects. If those are beside the checkout, they are tested themselves.
"""

import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from directus_assets.commands.doctor.dagster import check_definitions
from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.commands.doctor.translations import check_collections
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.validation import Rule
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.build import all_kinds
from directus_assets.orchestration.reconcile.walk import Reconcile
from directus_assets.orchestration.webserver import Webserver
from directus_assets.snapshot import take_snapshot
from directus_assets.translation.discovered import discovered
from directus_assets.translation.engines.pseudo import _KEPT
from directus_assets.translation.scope import Scope
from tests.translation import shapes
from tests.translation.pipeline import NAMES, Pipeline
from tests.translation.scripted_openai import Asked, Reply, ScriptedOpenAI, completion

pytestmark = pytest.mark.integration

CONFIG: dict[str, Any] = {"translations": {"source_language": "en-US", "backfill_on_start": True}}
ROOT = Path(__file__).parents[2]
RULE = {"_and": [{"permalink": {"_regex": "^/(?:[a-z0-9]+(?:-[a-z0-9]+)*(?:/[a-z0-9]+(?:-[a-z0-9]+)*)*)?$"}}]}
KEPT = "; new rows copy the source's value"


def projects() -> Path | None:
    """The folder with real projects, if there is one."""
    found = (ROOT.parent / "shared" / "projects", ROOT.parents[1] / "shared" / "projects")
    return next((folder for folder in found if (folder / "load.py").is_file()), None)


def table(scope: Scope) -> dict[str, str]:
    """Each field with its treatment and the reason."""
    return {each.field: f"{each.fate}: {each.why}" for each in discovered(scope)}


def bookkeeping() -> list[dict[str, Any]]:
    """The bookkeeping fields in a starter's translations collections."""
    status = shapes.text("status", interface="select-dropdown")
    return [
        {**status, "schema": {"default_value": "draft", "is_nullable": False}},
        shapes.text("sort", "integer", hidden=True),
        shapes.text("user_created", "uuid", "select-dropdown-m2o", special=["user-created"], hidden=True),
        shapes.text("date_updated", "timestamp", "datetime", special=["date-updated"], hidden=True),
    ]


@pytest.fixture(scope="module")
def starter(directus: LocalDirectus, studio: DirectusClient) -> DirectusClient:
    """Notes that are originals themselves and name their language, and sites with a path in each language."""
    html = shapes.text("content", "text", "input-rich-text-html")
    texts = [shapes.text(), html, shapes.text("slug", options={"slug": True})]
    shapes.create(studio, "notes", texts)
    shapes.point_to_language(studio, "notes", "written_in")
    shapes.translate(studio, "notes", texts)
    shapes.create(studio, "sites")
    path = shapes.text("permalink", validation=RULE)
    link = {"field": "url", "type": "string", "meta": {"interface": "input"}}
    label = {"field": "label", "type": "string", "meta": {"interface": "input"}}
    links = shapes.text("links", "json", "list", special=["cast-json"], options={"fields": [label, link]})
    secret = shapes.text("internal_note", hidden=True)
    picture = shapes.text("image", "uuid", "file-image", special=["file"])
    colour = shapes.text("accent", interface="select-color")
    shapes.translate(studio, "sites", [*bookkeeping(), shapes.text(), path, links, secret, picture, colour])
    create_bot(studio, token=directus.bot_token)
    return studio


@pytest.fixture
def pipeline(
    directus: LocalDirectus, starter: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    with Pipeline(directus, server, tmp_path, CONFIG) as pipeline:
        yield pipeline


def test_every_field_is_translated_copied_or_left_for_a_reason(pipeline: Pipeline) -> None:
    found = {scope.name: table(scope) for scope in Checkup(pipeline.project).scopes}

    assert found["notes"] == {
        "id": "left: the primary key",
        "title": "translated: text, recognized by its interface",
        "content": "translated: text, recognized by its interface",
        "slug": "translated: a slug",
    }
    assert found["sites"] == {
        "id": "left: the primary key",
        "status": "left: a choice",
        "sort": f"left: not text, but of the type integer{KEPT}",
        "user_created": "left: filled in by Directus (user-created)",
        "date_updated": "left: not text, but of the type timestamp",
        "title": "translated: text, recognized by its interface",
        "permalink": "copied: an address: its validation rule accepts no sentence",
        "links": "translated: text, recognized by its interface",
        "internal_note": "left: hidden in the Studio; never sent unless the YAML file names it",
        "image": f"left: a reference to another item{KEPT}",
        "accent": f"left: a colour{KEPT}",
    }


def test_what_the_yaml_file_says_of_a_field_is_its_reason(pipeline: Pipeline) -> None:
    sites = {"exclude": ["links"], "kinds": {"permalink": "translate", "internal_note": "plain"}, "status": "published"}
    pipeline.configure({"translations": {**CONFIG["translations"], "collections": {"sites": sites}}})

    (found,) = [table(scope) for scope in Checkup(pipeline.project).scopes if scope.name == "sites"]

    assert found["links"] == "left: as set in the YAML file"
    assert found["permalink"] == "translated: as set in the YAML file"
    assert found["internal_note"] == "translated: as set in the YAML file"
    assert found["status"] == "left: a choice; new rows get 'published'"


def test_both_shapes_are_made_and_ask_for_nothing_more(
    pipeline: Pipeline, starter: DirectusClient, server: ScriptedOpenAI
) -> None:
    starter.post("/items/notes", [{"title": "Bread", "content": "<p>Rye</p>", "slug": "bread", "written_in": "de-DE"}])
    links = [{"label": "Our team", "url": "/about-us/team"}]
    original = {"language": "en-US", "title": "About us", "permalink": "/about-us", "links": links, "sort": 3}
    starter.post("/items/sites", {"translations": [{**original, "internal_note": "Do not tell", "accent": "#ff0000"}]})

    make_all(pipeline)

    rows = starter.get("/items/sites_translations", filter={"language": {"_neq": "en-US"}}, limit=-1)
    assert rows
    for row in rows:
        assert (row["permalink"], row["links"][0]["url"]) == ("/about-us", "/about-us/team")
        assert (row["sort"], row["accent"], row["internal_note"], row["status"]) == (3, "#ff0000", None, "draft")
        assert row["title"] != "About us"
    assert "Do not tell" not in " ".join(server.texts_sent)


WORDS = {
    "ar": "في هذا البيت الكبير يعيش رجل مع زوجته وأطفاله منذ سنوات طويلة",
    "de": "in diesem großen Haus wohnt ein Mann mit seiner Frau und den Kindern seit vielen Jahren",
    "en": "in this large house a man has lived with his wife and the children for many years",
    "es": "en esta casa grande vive un hombre con su mujer y los niños desde hace muchos años",
    "fr": "dans cette grande maison vit un homme avec sa femme et les enfants depuis longtemps",
    "it": "in questa grande casa vive un uomo con sua moglie e i bambini da molti anni",
    "pt": "nesta grande casa mora um homem com a sua mulher e as crianças há muitos anos",
    "ru": "в этом большом доме живёт мужчина со своей женой и детьми уже много лет",
}
"""What is no translation, but of the language: accents alone pass for Yoruba where a text is long."""


def fluent(asked: Asked) -> Reply:
    """Answer like the server, but with words of the language instead of accented ones."""

    def worded(text: str) -> str:
        words = itertools.cycle(WORDS[asked.target.base].split())
        return re.sub(rf"({_KEPT.pattern})|[^\W\d_]+", lambda found: found[0] if found[1] else next(words), text)

    texts = {name: worded(segment["text"]) for name, segment in asked.segments.items()}
    return completion(asked, json.dumps(texts, ensure_ascii=False))


class Quiet(Webserver):
    """Records requested backfills without starting them."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.asked: list[str] = []

    def launch_backfill(self, assets: Any, partitions: Any, *, title: str, tags: Any) -> str:
        self.asked.append(f"{[key.to_user_string() for key in assets]}: {list(partitions)}")
        return title


def make_all(pipeline: Pipeline) -> None:
    """Make everything without a failure; afterwards, neither sensors nor two reconciles request anything."""
    snapshot = take_snapshot(pipeline.project.directus, pipeline.project.wanted)
    targets = [each for each in all_kinds(pipeline.project, snapshot) if (each.job_name or "").startswith("translate")]
    for target in targets:
        collection = target.collection
        pipeline.settle(collection)
        keys = pipeline.partitions(collection)
        for asset_key in target.assets.values():
            statuses = pipeline.instance.get_status_by_partition(asset_key, keys, NAMES.items_partitions(collection))
            made = {key for key, status in (statuses or {}).items() if status and status.value == "MATERIALIZED"}
            left = {key: pipeline.reason(key, asset_key.path[-1], collection) for key in keys if key not in made}
            assert left == {}, asset_key
    webserver = Quiet()
    for _ in range(2):
        reconcile = Reconcile(
            instance=pipeline.instance,
            memory=pipeline.project.memory,
            webserver=webserver,
            names=NAMES,
            kinds=targets,
            seconds=600,
        )
        report = reconcile.run()
        assert report.is_complete
        assert report.troubles == []
        assert webserver.asked == []


@pytest.fixture(scope="module", params=["inngest", "cms-i18n"])
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, LocalDirectus]]:
    folder = projects()
    if folder is None:
        pytest.skip("There are no real projects beside the checkout.")
    with LocalDirectus(tmp_path_factory.mktemp("project")) as server:
        with DirectusClient(server.url, server.admin_token, timeout_seconds=120) as client:
            load_project(folder, request.param, client, server.admin_token, tmp_path_factory.mktemp("copy"))
            create_bot(client, token=server.bot_token)
        yield request.param, server


def load_project(folder: Path, name: str, client: DirectusClient, token: str, copy: Path) -> None:
    """Load a project as far as this Directus version accepts it."""
    shutil.copy(folder / "load.py", copy)
    shutil.copytree(folder / name, copy / name)
    is_newest = client.version.major >= 12
    if not is_newest:
        # Indexes of Directus' own tables, which older ones know nothing of.
        path = copy / name / "src" / "schema" / "snapshot.json"
        snapshot = {key: part for key, part in json.loads(path.read_text()).items() if key != "systemFields"}
        path.write_text(json.dumps(snapshot))
    # Without a license, Directus 12 takes 25 collections.
    fit = ["--fit-free-tier"] if is_newest and name == "cms-i18n" else []
    subprocess.run([sys.executable, copy / "load.py", name, client.url, token, *fit], check=True, timeout=600)


TRANSLATED: Mapping[str, Mapping[str, str]] = {
    "inngest": {"posts": "content slug title"},
    "cms-i18n": {
        "block_button": "label",
        "block_gallery": "headline tagline",
        "block_hero": "description headline tagline",
        "block_posts": "headline tagline",
        "block_richtext": "content headline tagline",
        "globals": "description tagline title",
        "navigation_items": "title",
        "pages": "title",
        "posts": "content description slug title",
    },
}
"""All others are left: no two pages may have the same permalink, so that it is not copied either."""

UNFIT: Mapping[str, str] = {
    "block_form": "headline tagline",
    "block_pricing": "headline tagline",
    "block_pricing_cards": "badge description price title",
    "form_fields": "help label placeholder",
    "forms": "submit_label success_message title",
}
"""What `cms-i18n` has besides, where Directus accepts more than 25 collections."""


def fields_of(scope: Scope, fate: str) -> str:
    return " ".join(sorted(each.field for each in discovered(scope) if each.fate == fate))


def test_a_real_project_comes_out_right_without_any_configuration(
    project: tuple[str, LocalDirectus], server: ScriptedOpenAI, tmp_path: Path
) -> None:
    name, directus = project
    with (
        DirectusClient(directus.url, directus.admin_token, timeout_seconds=120) as studio,
        Pipeline(directus, server, tmp_path, {"translations": {"backfill_on_start": True}}) as pipeline,
    ):
        server.always(fluent)
        subject = Checkup(pipeline.project)
        scopes = {scope.name: scope for scope in subject.scopes}
        for scope in scopes.values():
            for each in discovered(scope):
                print(f"{scope.name:20} {each.field:15} {each.fate:11} {each.why}")
        found = {key: fields_of(scope, "translated") for key, scope in scopes.items()}
        is_whole = name == "cms-i18n" and studio.version.major < 12
        assert found == {**TRANSLATED[name], **(UNFIT if is_whole else {})}
        assert not any(fields_of(scope, "copied") for scope in scopes.values())
        findings = [*check_collections(subject), *check_definitions(subject)]
        assert {finding.status for finding in findings} == {Status.OK}
        before = texts_of(studio, scopes.values())

        make_all(pipeline)

        after = texts_of(studio, scopes.values())
        # What was there, addresses and people's translations alike, is as it was.
        assert {place: after.get(place) for place in before} == before
        permalinks = {str(value) for (_, _, field), value in before.items() if field == "permalink"}
        assert {str(value) for (_, _, field), value in after.items() if field == "permalink"} <= permalinks
        assert not any(text.startswith(("/", "#", "http")) for text in server.texts_sent)
        assert [
            place for place, value in after.items() if place not in before and not is_valid(scopes, place, value)
        ] == []


def is_valid(scopes: Mapping[str, Scope], place: tuple[str, str, str], value: Any) -> bool:
    """Whether a value satisfies its field's rule, and is ASCII if it is a slug."""
    collection, _, name = place
    (field,) = (
        field
        for scope in scopes.values()
        if scope.schema.translations == collection
        for field in scope.schema.fields
        if field.name == name
    )
    follows = not field.rule or Rule(name, field.rule).accepts(value)
    return follows and (field.kind != "slug" or str(value).isascii())


def texts_of(studio: DirectusClient, scopes: Any) -> dict[tuple[str, str, str], Any]:
    """All non-empty values of translations, by collection, row and field."""
    found = {}
    for scope in scopes:
        rows = studio.get(f"/items/{scope.schema.translations}", limit=-1)
        for row in rows:
            for field in scope.schema.fields:
                if row[field.name]:
                    found[scope.schema.translations, str(row["id"]), field.name] = row[field.name]
    return found
