import os
import signal
import socket
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner
from dotenv import dotenv_values

from directus_assets.cli import main
from directus_assets.commands.dev import dagster_dev, dev_variables, refuse_taken, ui_port
from directus_assets.commands.home import held, make_home, name_home, running_ui
from directus_assets.errors import ConfigurationError

DEFAULT = "http://127.0.0.1:3000"


@pytest.mark.parametrize(
    ("url", "asked", "port"),
    [
        (DEFAULT, None, 3000),
        ("http://localhost:3001", None, 3001),
        ("http://127.0.0.1:3001", 3001, 3001),
        ("https://dagster.example.com", None, 3000),
        ("https://dagster.example.com", 3001, 3001),
        ("https://dagster.example.com:8443", None, 3000),
    ],
)
def test_the_ui_answers_where_all_commands_look_for_it(url: str, asked: int | None, port: int) -> None:
    assert ui_port(url, asked) == port


def test_a_port_that_no_command_would_look_at_is_refused_with_the_variable() -> None:
    with pytest.raises(ConfigurationError, match=r"Set DAGSTER_WEBSERVER_URL=http://127\.0\.0\.1:3001 in \.env"):
        ui_port(DEFAULT, 3001)


def test_an_asked_for_port_becomes_the_address_where_none_is_set(tmp_path: Path) -> None:
    asked = dev_variables({}, 3001)
    named = dev_variables({"DAGSTER_WEBSERVER_URL": DEFAULT, "DAGSTER_HOME": str(tmp_path)}, 3001)

    assert asked["DAGSTER_WEBSERVER_URL"] == "http://127.0.0.1:3001"
    assert asked["DAGSTER_HOME"] == str(Path(".dagster").resolve())
    assert "DAGSTER_WEBSERVER_URL" not in named
    assert named["DAGSTER_HOME"] == str(tmp_path)


def test_a_home_is_made_once_and_then_left_as_it_is(tmp_path: Path) -> None:
    home = make_home(tmp_path / "deep" / "home")
    assert "run_monitoring" in (home / "dagster.yaml").read_text()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    make_home(home)

    assert (home / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_a_home_is_held_once_and_is_free_afterwards(tmp_path: Path) -> None:
    with (
        held(tmp_path, DEFAULT),
        pytest.raises(ConfigurationError, match=rf"already running in .* \(process {os.getpid()}\)"),
        held(tmp_path, DEFAULT),
    ):
        pass

    with held(tmp_path, DEFAULT):
        pass


def test_the_address_of_the_ui_is_known_while_it_runs_and_no_longer(tmp_path: Path) -> None:
    with held(tmp_path, "http://127.0.0.1:3001"):
        assert running_ui(tmp_path) == "http://127.0.0.1:3001"
    assert running_ui(tmp_path) == ""


@pytest.mark.parametrize("note", ["{dead} http://127.0.0.1:3001", "{alive}", "", "?\n"])
def test_a_note_of_a_killed_process_or_of_an_earlier_version_names_no_ui(tmp_path: Path, note: str) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (tmp_path / "dev.lock").write_text(note.format(dead=ended.pid, alive=os.getpid()))

    assert running_ui(tmp_path) == ""


def test_dagster_logs_warnings_unless_somebody_asks_for_more() -> None:
    command = dagster_dev(3001, ["--log-level", "info"])

    assert command[-6:] == ["--port", "3001", "--log-level", "warning", "--log-level", "info"]


def test_a_port_that_is_taken_is_refused_with_the_next_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(ConfigurationError, match=f"make dev PORT={port + 1}"):
            refuse_taken(port)

    refuse_taken(port)


def test_a_home_is_named_in_the_file_that_dagster_reads_unless_it_names_one(tmp_path: Path) -> None:
    fresh = tmp_path / "a" / ".env"
    fresh.parent.mkdir()
    fresh.write_text("DIRECTUS_URL=http://cms\n# kept\nDAGSTER_HOME=\n")
    own = tmp_path / "b.env"
    own.write_text("DAGSTER_HOME=/srv/dagster\n")
    exported = tmp_path / "c.env"
    exported.touch()

    name_home(fresh, {})
    name_home(exported, {"DAGSTER_HOME": str(tmp_path / "set")})
    name_home(own, {"DAGSTER_HOME": str(tmp_path / "set")})

    assert dotenv_values(fresh) == {"DIRECTUS_URL": "http://cms", "DAGSTER_HOME": str(fresh.parent / ".dagster")}
    assert dotenv_values(exported) == {"DAGSTER_HOME": str(tmp_path / "set")}
    assert "# kept" in fresh.read_text()
    assert (fresh.parent / ".dagster" / "dagster.yaml").is_file()
    assert own.read_text() == "DAGSTER_HOME=/srv/dagster\n"


def directus_assets(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "DIRECTUS_"))}
    program = str(Path(sys.executable).parent / "directus-assets")
    return subprocess.run(
        [program, *arguments],
        check=False,
        cwd=folder,
        env={**known, **variables},
        capture_output=True,
        text=True,
        timeout=400,
    )


def test_a_second_start_in_one_folder_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    home = make_home(tmp_path / ".dagster")
    with held(home, DEFAULT):
        second = directus_assets(tmp_path, "dev")

    assert second.returncode == 1
    assert f"A pipeline is already running in {home}" in second.stderr
    assert {path.name for path in home.iterdir()} == {"dagster.yaml", "dev.lock"}


@pytest.mark.parametrize(("named", "port"), [("", 9), ("http://127.0.0.1:7", 7)])
def test_all_commands_look_at_the_port_that_dev_was_started_with(tmp_path: Path, named: str, port: int) -> None:
    home = make_home(tmp_path / ".dagster")
    variables = {"COLUMNS": "200", "DIRECTUS_URL": "", "DAGSTER_HOME": str(home), "DAGSTER_WEBSERVER_URL": named}

    with chdir(tmp_path), held(home, "http://127.0.0.1:9"):
        doctor = CliRunner(env=variables).invoke(main, ["doctor"])

    assert f"webserver at http://127.0.0.1:{port} " in doctor.output


_IGNORES_ALL = """
import signal, subprocess, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
process = subprocess.Popen(sys.argv[1:], start_new_session=True)
print(process.pid, flush=True)
process.wait()
print("ended", process.returncode, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_pipeline_ends_when_told_to_although_its_parent_ignores_that(tmp_path: Path, number: int) -> None:
    """As a shell does for what it runs in the background; what is started would ignore it as well."""
    waiting = "import time; print('ready', flush=True); time.sleep(100)"
    command = [str(Path(sys.executable).parent / "directus-assets"), "watch", "--", sys.executable, "-c", waiting]
    with subprocess.Popen(
        [sys.executable, "-c", _IGNORES_ALL, *command], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "ready\n"

        os.killpg(pid, number)

        # What Python does with SIGINT is an exception, which ends it in another way.
        assert parent.stdout.readline() in {f"ended {128 + number}\n", "ended 1\n"}
