"""Findings at an address without a healthy Directus."""

import datetime as dt
from collections.abc import Callable, Iterator
from email.utils import format_datetime

import httpx
import pytest

from directus_assets.commands.doctor.access import check_rights
from directus_assets.commands.doctor.connection import (
    check_address,
    check_limits,
    check_long_queries,
    check_token,
    check_version,
)
from directus_assets.commands.doctor.doctor import examine
from directus_assets.commands.doctor.findings import Checkup, Finding, Status
from directus_assets.orchestration.project import Project
from directus_assets.settings import Environment, Settings
from tests.operations.conftest import TOKEN

Imaginary = Callable[..., Checkup]


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_a_redirect_is_told_with_its_target(imaginary: Imaginary) -> None:
    answer = httpx.Response(301, headers={"location": "https://www.example.com/cms/server/ping"})

    finding = only(check_address(imaginary(lambda _: answer)))

    assert finding.status is Status.FAILED
    assert "redirects to https://www.example.com/cms." in finding.text


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>Log in</html>"), httpx.Response(404)])
def test_another_site_is_no_directus(answer: httpx.Response, imaginary: Imaginary) -> None:
    finding = only(check_address(imaginary(lambda _: answer)))

    assert finding.status is Status.FAILED
    assert "is not a Directus server" in finding.text


def test_a_directus_in_trouble_is_not_taken_for_another_site(imaginary: Imaginary) -> None:
    finding = only(check_address(imaginary(lambda _: httpx.Response(503))))

    assert finding.text == "https://cms.example.com returned HTTP 503."


def test_nobody_at_the_address_ends_what_is_asked_of_directus_and_nothing_else(imaginary: Imaginary) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)

    findings = list(examine(imaginary(refuse)))

    assert findings[0].text == "No response from https://cms.example.com: Connection refused."
    assert {finding.what for finding in findings} >= {"address", "engine", "DAGSTER_HOME", "webserver"}
    assert "rights" not in {finding.what for finding in findings}


def test_a_connection_that_breaks_without_a_word_has_a_reason_all_the_same(imaginary: Imaginary) -> None:
    def reset(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("", request=request)

    assert only(check_address(imaginary(reset))).text == "No response from https://cms.example.com: ReadError."


def test_https_to_a_port_that_speaks_http_is_told_as_that(imaginary: Imaginary) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", request=request)

    finding = only(check_address(imaginary(refuse)))

    assert finding.remedy.startswith("That port does not use HTTPS: start DIRECTUS_URL with http://")


@pytest.mark.parametrize(
    "data", [None, [], {}, "x", 7, [None], [[]], [7], {"id": []}, [{"id": None, "collection": []}]]
)
def test_whatever_is_answered_every_check_is_made(data: object, imaginary: Imaginary) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/server/ping":
                return httpx.Response(200, text="pong")
            case "/server/info":
                return httpx.Response(200, json={"data": {"version": "12.4.0"}})
            case "/users/me":
                return httpx.Response(200, json={"data": {"id": "u", "role": None, "policies": []}})
        return httpx.Response(200, json={"data": data})

    findings = list(examine(imaginary(answer)))

    assert {finding.what for finding in findings} >= {"address", "engine", "DAGSTER_HOME", "webserver"}
    assert TOKEN not in str(findings)


def test_the_token_is_not_shown_to_whoever_is_at_the_address(imaginary: Imaginary) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, text="another user")

    list(examine(imaginary(answer)))

    assert asked
    assert all(TOKEN not in str(request.headers) + str(request.url) for request in asked)


@pytest.mark.parametrize(("seconds", "status"), [(0, Status.OK), (-3600, Status.WARNING), (3600, Status.WARNING)])
def test_a_clock_that_is_far_off_is_told(seconds: int, status: Status, imaginary: Imaginary) -> None:
    there = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    answer = httpx.Response(200, text="pong", headers={"date": format_datetime(there, usegmt=True)})

    _, clock = check_address(imaginary(lambda _: answer))

    assert clock.status is status


def test_variables_that_are_not_set_are_named() -> None:
    findings = list(examine(Checkup(Project(Settings(environment=Environment.read({}))))))

    assert findings[0].text == "DIRECTUS_URL and DIRECTUS_TOKEN not set."


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({"version": "12.4.0"}, [("version", Status.OK)]),
        ({"version": "11.17.4", "queryLimit": {"max": -1}}, [("version", Status.OK)]),
        ({"version": "10.13.1"}, [("version", Status.OK)]),
        ({"version": "10.12.1"}, [("version", Status.FAILED)]),
        ({"version": "11.0.1"}, [("version", Status.FAILED)]),
        ({"version": "13.0.0"}, [("version", Status.WARNING)]),
        ({}, [("version", Status.WARNING)]),
        ({"version": "12.4.0", "queryLimit": {"max": 0}}, [("version", Status.OK), ("limits", Status.FAILED)]),
        ({"version": "12.4.0", "queryLimit": {"max": 100}}, [("version", Status.OK), ("limits", Status.WARNING)]),
        ({"version": "12.4.0", "queryLimit": {"max": 1000}}, [("version", Status.OK)]),
        (
            {"version": "12.4.0", "rateLimit": {"points": 50, "duration": 1}, "rateLimitGlobal": False},
            [("version", Status.OK), ("limits", Status.WARNING)],
        ),
    ],
)
def test_version_and_limits(
    server: dict[str, object], expected: list[tuple[str, Status]], imaginary: Imaginary
) -> None:
    subject = imaginary(lambda _: httpx.Response(200, json={"data": server}))

    findings = [*check_version(subject), *(check_limits(subject) if expected[0][1] is not Status.FAILED else ())]

    assert [(finding.what, finding.status) for finding in findings] == expected


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (httpx.Response(200, json={"data": []}), Status.OK),
        (httpx.Response(405, text="<h1>Not allowed</h1>"), Status.WARNING),
        (httpx.Response(403), Status.WARNING),
    ],
)
def test_a_proxy_that_refuses_long_queries_is_told(
    answer: httpx.Response, status: Status, imaginary: Imaginary
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return answer if request.method == "SEARCH" else httpx.Response(200, json={"data": []})

    finding = only(check_long_queries(imaginary(handler)))

    assert finding.status is status
    assert "allow the SEARCH method" in finding.remedy or status is Status.OK


@pytest.mark.parametrize(
    ("access", "status"),
    [
        ({"admin_access": False, "app_access": False}, Status.OK),
        ({"admin_access": True, "app_access": True}, Status.WARNING),
        ({"admin_access": False, "app_access": True}, Status.WARNING),
    ],
)
def test_a_token_that_may_do_too_much(access: dict[str, bool], status: Status, imaginary: Imaginary) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": {"id": "me"} if request.url.path == "/users/me" else access})

    assert only(check_token(imaginary(answer))).status is status


def test_a_token_of_somebody_else_is_no_reason_to_give_them_rights(imaginary: Imaginary) -> None:
    answers: dict[str, dict[str, object]] = {
        "/server/info": {"version": "12.4.1"},
        "/permissions/me": {},
        "/users/me": {"id": "1", "email": "anna@example.com", "first_name": "Anna", "last_name": "Berg"},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path)
        return httpx.Response(403) if found is None else httpx.Response(200, json={"data": found})

    token, *rights = check_rights(imaginary(answer))

    assert "Anna Berg (anna@example.com) lacks" in token.text
    assert {(each.status, each.remedy) for each in rights if each.text.startswith("Missing: ")} == {
        (Status.FAILED, "Change the token, as said above, rather than the rights of its user.")
    }
