"""The local Directus: started, stopped, crashed and started again."""

import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from directus_assets.errors import ConfigurationError
from directus_assets.local.server import LocalDirectus, free_port
from tests.machine import open_to_others
from tests.orchestration.running_dagster import is_running

pytestmark = pytest.mark.integration


def test_it_answers_and_its_administrator_can_log_in(directus: LocalDirectus) -> None:
    ping = httpx.get(f"{directus.url}/server/ping", timeout=60)
    credentials = {"email": directus.admin_email, "password": directus.admin_password}
    login = httpx.post(f"{directus.url}/auth/login", json=credentials, timeout=60)

    assert ping.text == "pong"
    assert login.status_code == 200


def test_emptied_it_holds_nothing_but_its_administrator(empty_directus: LocalDirectus, admin: httpx.Client) -> None:
    collections = {row["collection"] for row in admin.get("/collections").json()["data"]}

    assert [user["email"] for user in admin.get("/users").json()["data"]] == [empty_directus.admin_email]
    assert {name for name in collections if not name.startswith("directus_")} == set()
    assert admin.get("/files").json()["data"] == []
    assert admin.get("/settings").json()["data"]["storage_asset_presets"] is None


def test_it_starts_without_a_word_of_warning_about_its_folder(directus: LocalDirectus) -> None:
    assert "package.json" not in directus.log.read_text("utf-8")
    assert "doesn't exist" not in directus.log.read_text("utf-8")


def test_only_the_owner_can_read_anything_of_it(directus: LocalDirectus, admin: httpx.Client) -> None:
    admin.post("/files", files={"file": ("a.txt", b"a draft")}).raise_for_status()

    assert {"secrets.json", "data.db", "directus.log"} <= {path.name for path in directus.folder.iterdir()}
    assert list(directus.uploads.iterdir())
    assert open_to_others(directus.folder) <= {"package.json", "running.lock"}


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    folder = LocalDirectus(tmp_path / "project").folder
    folder.chmod(0o755)
    (folder / "data.db").chmod(0o644)

    LocalDirectus(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "data.db").stat().st_mode) == 0o600


def test_its_storage_variables_name_the_folder_of_the_uploads(directus: LocalDirectus, admin: httpx.Client) -> None:
    answer = admin.post("/files", files={"file": ("dot.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")})

    name = answer.json()["data"]["filename_disk"]
    root = Path(directus.storage_environment["STORAGE_LOCAL_ROOT"])
    assert (root / name).is_file()
    assert root == directus.uploads
    assert set(directus.storage_environment) == {"STORAGE_LOCATIONS", "STORAGE_LOCAL_DRIVER", "STORAGE_LOCAL_ROOT"}


def test_a_folder_is_never_used_by_two_servers(directus: LocalDirectus) -> None:
    second = LocalDirectus(directus.folder)

    with pytest.raises(ConfigurationError, match="already running"):
        second.start()

    assert httpx.get(f"{directus.url}/server/ping", timeout=60).text == "pong"


def test_after_a_crash_it_comes_back_with_address_secrets_and_data_and_leaves_no_process_in_the_end(
    tmp_path: Path,
) -> None:
    with LocalDirectus(tmp_path / "project") as server:
        first, authorization = server.pid, {"authorization": f"Bearer {server.admin_token}"}
        before = server.url
        httpx.patch(
            f"{server.url}/settings", json={"project_name": "Kept"}, headers=authorization, timeout=60
        ).raise_for_status()

        server.kill()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/server/ping", timeout=60)
        server.stop()
        server.start()

        settings = httpx.get(f"{server.url}/settings", headers=authorization, timeout=60).json()["data"]
        second = server.pid
    again = LocalDirectus(tmp_path / "project")

    assert settings["project_name"] == "Kept"
    assert server.url == before
    assert again.admin_token == server.admin_token
    assert not _is_alive(first)
    assert not _is_alive(second)


def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time; from directus_assets.local.server import LocalDirectus\n"
        "server = LocalDirectus(pathlib.Path(sys.argv[1])); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "p")], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        assert _is_alive(server)

        parent.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 60
    while _is_alive(server) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _is_alive(server)


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_behind(directus: LocalDirectus) -> None:
    server = LocalDirectus(port=directus.port)

    with pytest.raises(ConfigurationError, match="already in use"), server:
        pass

    assert not server.folder.exists()
    assert server.pid is None


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(ConfigurationError, match="something other than"):
        LocalDirectus(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_port_that_is_taken_is_not_free(directus: LocalDirectus) -> None:
    assert free_port(preferred=directus.port) != directus.port


def test_a_free_port_is_given_to_nobody_else_before_its_server_has_started() -> None:
    found = {free_port() for _ in range(50)}

    others = set()
    for _ in range(20_000):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            others.add(other.getsockname()[1])

    assert len(found) == 50
    assert not found & others
    for port in found:
        socket.create_server(("127.0.0.1", port)).close()


def _is_alive(pid: int | None) -> bool:
    assert pid is not None
    return is_running(pid)
