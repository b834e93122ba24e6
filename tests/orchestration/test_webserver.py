import json
import ssl
from collections.abc import Callable
from typing import Any

import dagster as dg
import httpx
import pytest

from directus_assets.directus.client import certificates
from directus_assets.errors import DirectusAssetsError, Forbidden, Overloaded, Rejected, Unreachable
from directus_assets.notify import call_webhook
from directus_assets.orchestration.webserver import AssetProgress, Webserver, execution_params

URL = "http://127.0.0.1:3000"


SENSOR = "directus_settings_sensor"
LOCATIONS = {
    "__typename": "Workspace",
    "locationEntries": [
        {"name": "ours", "locationOrLoadError": {"repositories": [{"sensors": [{"name": "x"}, {"name": SENSOR}]}]}},
        {"name": "another", "locationOrLoadError": {"repositories": [{"sensors": [{"name": f"shop_{SENSOR}"}]}]}},
        {"name": "broken", "locationOrLoadError": {}},
        {"name": "loading", "locationOrLoadError": None},
    ],
}


def webserver(answer: httpx.Response | Exception, seen: list[Any] | None = None) -> Webserver:
    def handler(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(json.loads(request.content)["variables"])
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Webserver(URL, transport=httpx.MockTransport(handler))


def data(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": fields})


@pytest.mark.parametrize(
    "ask", [lambda: Webserver("http://127.0.0.1:1").version(), lambda: call_webhook("http://127.0.0.1:1", {})]
)
def test_a_request_does_not_read_the_certificates_of_the_machine_again(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[], object]
) -> None:
    certificates()
    read: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **options: read.append(options))

    with pytest.raises(Unreachable):
        ask()

    assert not read


def test_a_login_in_its_address_is_sent_and_not_shown() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(502)

    proxied = Webserver("https://ops:s3cr3t-w0rd@dagster.example.com/ui", transport=httpx.MockTransport(handler))
    with pytest.raises(Overloaded) as caught:
        proxied.sick_daemons()

    assert proxied.url == "https://dagster.example.com/ui"
    assert "at https://dagster.example.com/ui refused" in str(caught.value)
    assert seen[0].headers["Authorization"].startswith("Basic ")
    assert seen[0].url.path == "/ui/graphql"


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (httpx.ConnectError("Connection refused"), Unreachable, "does not respond: Connection refused."),
        (httpx.ReadTimeout("timed out"), Unreachable, "does not respond: timed out."),
        (httpx.DecodingError("no gzip"), Unreachable, "does not respond: no gzip."),
        (httpx.ReadError(""), Unreachable, "does not respond: ReadError."),
        (httpx.Response(502), Overloaded, "refused (HTTP 502)"),
        (httpx.Response(403), Forbidden, "refused (HTTP 403)"),
        (httpx.Response(302), Rejected, "is not Dagster's webserver"),
        (httpx.Response(404), Rejected, "is not Dagster's webserver"),
        (httpx.Response(501), Rejected, "is not Dagster's webserver"),
        (httpx.Response(200, text="<html>"), Rejected, "is not Dagster's webserver"),
        (httpx.Response(200, json=["<html>"]), Rejected, "is not Dagster's webserver"),
        (httpx.Response(200, json={"data": None}), Rejected, "is not Dagster's webserver"),
        (httpx.Response(200, json={"errors": [{"message": "Cannot query field"}]}), Rejected, "Cannot query field"),
        (httpx.Response(400, json={"errors": [{"message": "Unknown argument"}]}), Rejected, "Unknown argument"),
        (httpx.Response(500, json={"errors": [{"message": "Too long"}, {"message": "No"}]}), Rejected, "Too long; No"),
        (httpx.Response(503, json={"errors": "busy"}), Overloaded, "refused (HTTP 503)"),
    ],
)
def test_trouble_names_the_address_and_the_variable_to_set(
    answer: httpx.Response | Exception, error: type[DirectusAssetsError], told: str
) -> None:
    with pytest.raises(error) as caught:
        webserver(answer).reload_definitions(SENSOR)

    assert told in str(caught.value)
    assert URL in str(caught.value)
    assert "DAGSTER_WEBSERVER_URL" in caught.value.remedy


@pytest.mark.parametrize(
    ("answer", "is_strange"),
    [
        (httpx.Response(501), True),
        (httpx.Response(404), True),
        (httpx.Response(200, text="<html>"), True),
        (httpx.Response(502), False),
        (httpx.Response(401), False),
    ],
)
def test_another_program_on_the_port_is_not_to_be_started(answer: httpx.Response, *, is_strange: bool) -> None:
    with pytest.raises(DirectusAssetsError) as caught:
        webserver(answer).sick_daemons()

    assert caught.value.remedy.startswith("Another program seems to have that port") == is_strange


@pytest.mark.parametrize(("status", "is_started"), [(502, True), (503, True), (401, False), (403, False)])
def test_a_webserver_that_refuses_is_there_and_need_not_be_started(status: int, *, is_started: bool) -> None:
    with pytest.raises(DirectusAssetsError) as caught:
        webserver(httpx.Response(status)).sick_daemons()

    assert caught.value.remedy.startswith("Start it") == is_started


@pytest.mark.parametrize(
    "answer",
    [
        {"__typename": "ReloadNotSupported", "message": "Not supported."},
        {"__typename": "RepositoryLocationNotFound", "message": "Not found."},
        {"__typename": "WorkspaceLocationEntry", "locationOrLoadError": {"message": "line 2: wrong"}},
    ],
)
def test_a_reload_that_fails_says_why(answer: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match=r"could not reload the definitions: (Not|line 2)"):
        webserver(data(workspaceOrError=LOCATIONS, reloadRepositoryLocation=answer)).reload_definitions(SENSOR)


def test_a_reload_names_the_code_location_that_has_the_sensor() -> None:
    seen: list[Any] = []
    entry = {"__typename": "WorkspaceLocationEntry", "locationOrLoadError": {"__typename": "RepositoryLocation"}}

    webserver(data(workspaceOrError=LOCATIONS, reloadRepositoryLocation=entry), seen).reload_definitions(SENSOR)

    assert seen == [{}, {"name": "ours"}]


def test_definitions_that_no_code_location_has_loaded_cannot_be_built_anew() -> None:
    with pytest.raises(Rejected, match="no code location currently has 'web_directus_settings_sensor'"):
        webserver(data(workspaceOrError=LOCATIONS)).reload_definitions("web_directus_settings_sensor")


def test_a_backfill_is_asked_for_with_assets_and_partitions() -> None:
    seen: list[Any] = []
    answer = data(launchPartitionBackfill={"__typename": "LaunchBackfillSuccess", "backfillId": "b1"})

    backfill_id = webserver(answer, seen).launch_backfill(
        [dg.AssetKey(["image_presets", "card"])], ["f1", "f2"], title="All", tags={"dagster/priority": "-10"}
    )

    assert backfill_id == "b1"
    assert seen[0]["parameters"] == {
        "assetSelection": [{"path": ["image_presets", "card"]}],
        "partitionNames": ["f1", "f2"],
        "title": "All",
        "tags": [{"key": "dagster/priority", "value": "-10"}],
    }


def test_a_backfill_that_is_not_started_says_why() -> None:
    answer = data(launchPartitionBackfill={"__typename": "PartitionKeysNotFoundError", "message": "No f9."})

    with pytest.raises(Rejected, match="did not start the backfill: No f9"):
        webserver(answer).launch_backfill([], ["f9"], title="", tags={})


@pytest.mark.parametrize(
    ("status", "is_over"), [("REQUESTED", False), ("CANCELING", False), ("COMPLETED_SUCCESS", True), ("FAILED", True)]
)
def test_the_progress_of_a_backfill_is_counted_by_asset(status: str, is_over: bool) -> None:
    row = {
        "assetKey": {"path": ["image_presets", "card"]},
        "numPartitionsTargeted": 10,
        "numPartitionsInProgress": 1,
        "numPartitionsMaterialized": 6,
        "numPartitionsFailed": 3,
    }
    backfill = {"status": status, "error": None, "assetBackfillData": {"assetBackfillStatuses": [row, {}]}}

    progress = webserver(data(partitionBackfillOrError=backfill)).backfill("b1")

    assert progress.is_over == is_over
    assert progress.assets == {
        dg.AssetKey(["image_presets", "card"]): AssetProgress(targeted=10, materialized=6, failed=3)
    }


def test_a_backfill_that_has_not_begun_has_no_numbers() -> None:
    backfill = {"status": "REQUESTED", "error": None, "assetBackfillData": None}

    assert webserver(data(partitionBackfillOrError=backfill)).backfill("b1").assets == {}


def test_a_reason_of_dagsters_own_shows_no_secret() -> None:
    answer = httpx.Response(500, json={"errors": [{"message": "postgresql://dagster:s3cr3t-w0rd@db/dagster is gone"}]})

    with pytest.raises(Rejected, match=r"postgresql://\*\*\*@db/dagster is gone"):
        webserver(answer).sick_daemons()


def test_runs_that_are_refused_stop_no_others() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        runs = json.loads(request.content)["variables"]["runs"]
        asked.extend(run["selector"]["jobName"] for run in runs)
        if "job 3" in asked and len(asked) == 10:
            return httpx.Response(500, json={"errors": [{"message": "Tag refused."}]})
        results = [{"__typename": "LaunchRunSuccess"}, {"__typename": "PythonError", "message": "Odd."}]
        return data(launchMultipleRuns={"launchMultipleRunsResult": [results[run is runs[-1]] for run in runs]})

    runs = [execution_params(f"job {number}", location="ours", tags={}) for number in range(25)]
    with pytest.raises(Rejected, match=r"did not start the run: .*refused: Tag refused\.; Odd\.$"):
        Webserver(URL, transport=httpx.MockTransport(handler)).launch_runs(runs)

    assert asked == [f"job {number}" for number in range(25)]
