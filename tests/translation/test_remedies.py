"""Common setup mistakes, as `doctor` and the sensors report them, on the real Directus."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from directus_assets.commands.doctor.connection import check_token
from directus_assets.commands.doctor.feed import check_feed
from directus_assets.commands.doctor.filters import check_filters
from directus_assets.commands.doctor.findings import Checkup, Status
from directus_assets.directus.client import DirectusClient
from directus_assets.errors import ConfigurationError, Forbidden
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from directus_assets.settings import Config
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

WHERE = "`translations.collections.posts.filter` in the YAML file"


@pytest.fixture
def pipeline(
    directus: LocalDirectus, studio: DirectusClient, server: ScriptedOpenAI, tmp_path: Path
) -> Iterator[Pipeline]:
    condition = {"status": {"_nnull": True}, "date_updated": {"_nnull": True}}
    config = Config.model_validate({"translations": {"collections": {"posts": {"filter": condition}}}})
    # With the right to read both fields.
    create_bot(studio, token=directus.bot_token, config=config)
    with Pipeline(directus, server, tmp_path) as pipeline:
        yield pipeline


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (
            {"stauts": {"_eq": "published"}},
            "The token cannot see a field 'stauts' in 'posts'. Did you mean 'status'?",
        ),
        ({"status": {"_eqq": "published"}}, "'_eqq' on 'status' is not a Directus operator. Did you mean '_eq'?"),
        ({"date_updated": {"_gt": "yesterday"}}, "'date_updated' is compared with 'yesterday'. It holds moments"),
        ({"translations": {"titel": {"_eq": "x"}}}, "a field 'titel' in 'posts_translations'"),
        ({"status": {"_gt": "a"}}, "was rejected: "),
    ],
)
def test_a_filter_that_cannot_work_is_told_by_doctor_and_the_sensor(
    pipeline: Pipeline, condition: dict[str, Any], text: str
) -> None:
    pipeline.configure({"translations": {"collections": {"posts": {"filter": condition}}}})

    (finding,) = check_filters(Checkup(pipeline.project))
    with pytest.raises(ConfigurationError) as raised:
        pipeline.tick()

    assert finding.status is Status.FAILED
    for told in (f"{finding.text} {finding.remedy}", str(raised.value)):
        assert told.startswith(WHERE)
        assert text in told


def test_a_filter_that_works_is_told_as_well_and_asked_for_once(pipeline: Pipeline) -> None:
    pipeline.configure({"translations": {"collections": {"posts": {"filter": {"status": {"_eq": "published"}}}}}})

    (finding,) = check_filters(Checkup(pipeline.project))
    pipeline.tick()

    assert finding.text == "Directus accepts translations.collections.posts.filter"


def test_the_token_of_an_editor_is_noticed_at_the_start_and_later(
    pipeline: Pipeline, studio: DirectusClient, directus: LocalDirectus
) -> None:
    token = _editor(studio)
    client = DirectusClient(directus.url, token)
    told = "DIRECTUS_TOKEN belongs to Anna Berg (anna@example.com), "
    with client:
        later = pipeline.project.directus
        pipeline.project.__dict__["directus"] = client
        with pytest.raises(Forbidden, match="Anna Berg") as at_first:
            pipeline.tick()
        (finding,) = check_token(Checkup(pipeline.project))
        with pytest.raises(Forbidden, match="go unnoticed"):
            list(check_feed(Checkup(pipeline.project)))
        pipeline.project.__dict__["directus"] = later
        pipeline.tick()
        pipeline.project.__dict__["directus"] = client
        with pytest.raises(Forbidden, match="Anna Berg"):
            pipeline.tick()
        pipeline.project.__dict__["directus"] = later
        pipeline.tick()

    assert str(at_first.value).startswith(told)
    assert "directus-assets setup --new-token --write-env" in str(at_first.value)
    assert finding.status is Status.WARNING
    assert finding.text.startswith(told)


def _editor(studio: DirectusClient) -> str:
    """The token of a Studio user who may read posts."""
    right = {"collection": "posts", "action": "read", "fields": ["*"], "permissions": {}, "validation": {}}
    if studio.version.has_policies:
        role = studio.post("/roles", {"name": "Editors"})["id"]
        policy = studio.post("/policies", {"name": "Editors", "app_access": True, "admin_access": False})["id"]
        studio.post("/access", {"role": role, "policy": policy})
        studio.post("/permissions", {**right, "policy": policy})
    else:
        role = studio.post("/roles", {"name": "Editors", "app_access": True, "admin_access": False})["id"]
        studio.post("/permissions", {**right, "role": role})
    names = {"first_name": "Anna", "last_name": "Berg", "email": "anna@example.com"}
    studio.post("/users", {**names, "role": role, "token": "the-token-of-an-editor", "status": "active"})
    return "the-token-of-an-editor"
