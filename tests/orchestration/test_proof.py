from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from directus_assets.errors import Rejected
from directus_assets.orchestration.proof import doubts, identity, require_ours
from directus_assets.orchestration.webserver import Webserver
from directus_assets.settings import Config, Environment, Settings

ENVIRONMENT = Environment(directus_url="http://cms.example.com", state_folder=Path("/srv/dagster"))
OURS = Settings(environment=ENVIRONMENT, is_from_file=True)


def dagster(*sensors: Mapping[str, Any], name: str = "directus_assets") -> Webserver:
    entry = {"name": name, "locationOrLoadError": {"repositories": [{"sensors": list(sensors)}]}}
    answer = {"data": {"workspaceOrError": {"locationEntries": [entry]}}}
    return Webserver("http://127.0.0.1:3000", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)))


def settings_sensor(settings: Settings) -> dict[str, Any]:
    tags = [{"key": key, "value": value} for key, value in identity(settings).items()]
    return {"name": "directus_settings_sensor", "tags": tags}


def test_ours_with_the_file_as_it_is_raises_no_doubt() -> None:
    assert not list(doubts(dagster(settings_sensor(OURS)), OURS))


def test_definitions_of_an_earlier_version_are_believed() -> None:
    assert not list(doubts(dagster({"name": "directus_settings_sensor", "tags": []}), OURS))


def test_another_project_of_dagster_is_named_with_the_variable() -> None:
    (doubt,) = doubts(dagster({"name": "theirs", "tags": []}, name="warehouse"), OURS)

    assert doubt.text.endswith("Its code locations: 'warehouse'.")
    assert "DAGSTER_WEBSERVER_URL" in doubt.remedy


@pytest.mark.parametrize("change", [{"directus_url": "http://other.example.com"}, {"state_folder": Path("/srv/other")}])
def test_ours_for_another_directus_or_home_is_a_stranger_and_told_nothing(change: dict[str, Any]) -> None:
    other = replace(OURS, environment=replace(ENVIRONMENT, **change))
    webserver = dagster(settings_sensor(other))

    (doubt,) = doubts(webserver, OURS)

    assert doubt.is_stranger
    with pytest.raises(Rejected, match="works for another Directus or uses another DAGSTER_HOME"):
        require_ours(webserver, OURS)


def test_an_earlier_edition_of_the_file_is_told_and_is_no_stranger() -> None:
    earlier = replace(OURS, config=Config.model_validate({"images": {"workers": 7}}))
    webserver = dagster(settings_sensor(earlier))

    (doubt,) = doubts(webserver, OURS)

    assert "older version of the YAML file" in doubt.text
    require_ours(webserver, OURS)


def test_a_component_in_another_project_is_not_held_to_our_file() -> None:
    component = replace(OURS, config=Config.model_validate({"images": {"workers": 7}}), is_from_file=False)

    assert not list(doubts(dagster(settings_sensor(component)), OURS))


def test_a_changed_webhook_is_another_edition_and_is_shown_nowhere() -> None:
    one, other = (
        replace(OURS, config=Config.model_validate({"notify": {"webhook": f"https://chat.example.com/{key}"}}))
        for key in ("first-s3cret", "second-s3cret")
    )

    assert one.edition != other.edition
    assert "s3cret" not in str(identity(one))
