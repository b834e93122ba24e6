"""Public projects that nobody here wrote, where they lie beside the checkout: translated without any configuration."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from directus_assets.commands.doctor.findings import Status, Subject
from directus_assets.commands.doctor.translations import check_collections
from directus_assets.directus.client import DirectusClient
from directus_assets.directus.validation import Rule
from directus_assets.local.bot import create_bot
from directus_assets.local.server import LocalDirectus
from tests.translation.pipeline import Pipeline
from tests.translation.scripted_openai import ScriptedOpenAI

pytestmark = pytest.mark.integration

_CHECKOUT = Path(__file__).parents[2]
_PLACES = (_CHECKOUT.parent / "shared/projects", _CHECKOUT.parents[1] / "shared/projects")
PROJECTS = next((place for place in _PLACES if (place / "load.py").is_file()), None)
LANGUAGES = {"inngest": ["en-US", "ru-RU"], "cms-i18n": ["ar-SA", "ru-RU"]}


@pytest.fixture(params=sorted(LANGUAGES))
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, LocalDirectus, DirectusClient]]:
    if PROJECTS is None:
        pytest.skip("The projects do not lie beside this checkout.")
    with LocalDirectus(tmp_path / "directus") as server, DirectusClient(server.url, server.admin_token) as studio:
        fit = ["--fit-free-tier"] if request.param == "cms-i18n" else []
        load = [sys.executable, str(PROJECTS / "load.py"), request.param, server.url, server.admin_token, *fit]
        subprocess.run(load, check=True, capture_output=True, timeout=300)
        create_bot(studio, token=server.bot_token)
        yield request.param, server, studio


def test_a_public_project_is_translated_without_a_failure_and_no_address_changes(
    project: tuple[str, LocalDirectus, DirectusClient], server: ScriptedOpenAI, tmp_path: Path
) -> None:
    name, directus, studio = project
    config: dict[str, Any] = {"translations": {"languages": LANGUAGES[name], "backfill_on_start": True}}
    with Pipeline(directus, server, tmp_path / "home", config) as pipeline:
        subject = Subject(pipeline.project)
        findings = list(check_collections(subject))
        assert {finding.status for finding in findings} == {Status.OK}
        before = {scope.name: studio.get(f"/items/{scope.schema.translations}", limit=-1) for scope in subject.scopes}

        runs = [run for scope in subject.scopes for run in pipeline.tick(scope.name)]

        assert runs
        assert all(run.success for run in runs)
        assert not any(text.startswith(("/", "#", "http")) for text in server.texts_sent)
        for scope in subject.scopes:
            key = scope.schema.translations_key_field
            after = {row[key]: row for row in studio.get(f"/items/{scope.schema.translations}", limit=-1)}
            assert all(after[row[key]] == row for row in before[scope.name])
            rules = [Rule(field.name, field.rule) for field in scope.schema.fields if field.rule]
            for row in after.values():
                assert all(rule.accepts(row[rule.field]) for rule in rules if row[rule.field])
                assert row.get("slug") is None or row["slug"].isascii()
            assert pipeline.tick(scope.name) == []
