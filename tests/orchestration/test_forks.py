import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from dagster._cli import dev
from dagster._grpc import server
from dagster_shared import ipc

from bench.processes import tree
from directus_assets.fast import forks, webserver
from directus_assets.local.server import free_port
from tests.chaos.services import command_of, parent_of, processes_of
from tests.orchestration.running_dagster import is_running, wait_until

_SECONDS = 120

_PREPARED = """
import os, signal, sys, time
from directus_assets.fast import forks

forks.prepare_forks(["json", "there_is_no_such_module"])

def ended(*command, **kwargs):
    process = forks.start([sys.executable, "-m", *command], **kwargs)
    status = process.wait(100)
    assert status == process.poll() == process.returncode
    return type(process).__name__, status

"""


def prepared(folder: Path, code: str, *start: str) -> list[str]:
    """The lines that a process prints which has prepared forks; they cannot print into what we capture here."""
    (folder / "says.py").write_text("import os, sys; print(os.getcwd(), sys.argv, os.environ.get('WORD'), flush=True)")
    (folder / "ends.py").write_text("import os, sys; exec(sys.argv[1])")
    (folder / "script.py").write_text(_PREPARED + code)
    done = subprocess.run(
        [sys.executable, *(start or ("script.py",))],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


def test_a_command_is_forked_with_its_folder_variables_and_arguments(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "says.py").write_text("print('another')")

    lines = prepared(
        tmp_path,
        """
print(ended("says", "one", "two", env={"WORD": "word"}), flush=True)
os.environ["WORD"] = "ours"
print(ended("says"), flush=True)
print(ended("says", cwd="there"), flush=True)
""",
    )

    assert lines[0].endswith("says.py', 'one', 'two'] word")
    assert lines[2].startswith(f"{tmp_path} ")
    assert lines[2].endswith("says.py'] ours")
    assert lines[4] == "another"
    assert lines[1::2] == ["('Forked', 0)"] * 3


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("sys.exit(7)", 7),
        ("os.kill(os.getpid(), 9)", -9),
        ("os.kill(os.getpid(), 15)", -15),
        ("os._exit(3)", 3),
        ("", 0),
    ],
)
def test_the_status_of_a_fork_is_that_of_a_process(tmp_path: Path, ending: str, status: int) -> None:
    assert prepared(tmp_path, f"print(ended('ends', {ending!r}))") == [f"('Forked', {status})"]


def test_an_error_in_a_fork_is_shown_and_goes_no_further(tmp_path: Path) -> None:
    lines = prepared(tmp_path, "try:\n    print(ended('ends', '1 / 0'))\nexcept ZeroDivisionError:\n    print('here')")

    assert lines[0] == "('Forked', 1)"
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_descriptors_are_passed_under_their_numbers(tmp_path: Path) -> None:
    lines = prepared(
        tmp_path,
        """
pipes = [os.pipe() for _ in range(4)]
for number, (_, sends) in enumerate(pipes):
    os.write(sends, b"%d" % number)
reads = [reads for reads, _ in pipes]
print(ended("ends", f"print([os.read(number, 9) for number in {reads}], flush=True)", pass_fds=reads))
print(ended("ends", f"os.fstat({reads[0]})"))
""",
    )

    assert lines[0] == "[b'0', b'1', b'2', b'3']"
    assert lines[1:3] == ["('Forked', 0)", "('Forked', 1)"]


def test_a_fork_can_be_waited_for_and_ended_and_has_its_own_name(tmp_path: Path) -> None:
    lines = prepared(
        tmp_path,
        """
import subprocess
process = forks.start([sys.executable, "-m", "ends", "import time; time.sleep(99)"])
try:
    process.wait(0.1)
except subprocess.TimeoutExpired:
    print(process.poll())
while "ends" not in (shown := open(f"/proc/{process.pid}/cmdline").read()):
    time.sleep(0.01)
print(shown.split("\\0")[:3])
process.terminate()
print(process.wait())
process.kill()
print(process.poll())
""",
    )

    assert lines == ["None", "['python', '-m', 'ends']", "-15", "-15"]


def test_forks_fork_and_everything_ends_with_the_last_one(tmp_path: Path) -> None:
    """The one that forks cannot be ended by signals: it has to report how the others have ended."""
    lines = prepared(
        tmp_path,
        """
inner = "from directus_assets.fast import forks; p = forks.start([sys.executable, '-m', 'ends', 'print(os.getppid())'])"
process = forks.start([sys.executable, "-m", "ends", inner + "; p.wait(); print(os.getppid(), type(p).__name__)"])
process.wait()
source = int(open(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read())
print(source)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    os.kill(source, number)
print(ended("ends", ""))
""",
    )

    assert lines[1] == f"{lines[0]} Forked"
    assert lines[2] == lines[0]
    assert lines[3] == "('Forked', 0)"
    wait_until(lambda: not is_running(int(lines[0])))


@pytest.mark.parametrize("setting", ["SIG_DFL", "SIG_IGN"])
def test_a_fork_ignores_what_nohup_has_it_ignore(tmp_path: Path, setting: str) -> None:
    code = "import signal; print(signal.getsignal(signal.SIGHUP).name, flush=True)"
    starting = f"import runpy, signal; signal.signal(signal.SIGHUP, signal.{setting}); runpy.run_path('script.py')"

    lines = prepared(tmp_path, f"print(ended('ends', {code!r}))", "-c", starting)

    assert lines == [setting, "('Forked', 0)"]


def test_a_process_whose_standard_input_is_closed_forks_as_well(tmp_path: Path) -> None:
    code = "print(os.readlink('/proc/self/fd/0'), os.get_inheritable(0), flush=True)"
    starting = "import os, runpy; os.close(0); runpy.run_path('script.py')"

    lines = prepared(tmp_path, f"print(ended('ends', {code!r}))", "-c", starting)

    assert lines == ["/dev/null True", "('Forked', 0)"]


def test_what_cannot_be_forked_is_started_as_ever(tmp_path: Path) -> None:
    lines = prepared(
        tmp_path,
        """
import pathlib, subprocess
import directus_assets
print(type(forks.start(["true"])).__name__)
print(type(forks.start([sys.executable, "-m", "ends", ""], stdin=subprocess.DEVNULL)).__name__)
os.kill(int(open(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read().split()[0]), 9)
print(ended("ends", "sys.exit(7)"))
""",
    )

    assert lines == ["Popen", "Popen", "('Popen', 7)"]


def test_the_end_of_a_fork_is_seen_after_that_of_the_process_that_forks(tmp_path: Path) -> None:
    lines = prepared(
        tmp_path,
        """
process = forks.start([sys.executable, "-m", "ends", "import time; time.sleep(99)"])
os.kill(int(open(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read()), 9)
time.sleep(0.2)
print(process.poll())
process.kill()
print(process.wait(100))
""",
    )

    assert lines == ["None", "1"]


def test_after_a_change_to_this_package_nothing_is_forked_from_its_earlier_state(tmp_path: Path) -> None:
    lines = prepared(tmp_path, "forks._Source.code += 1\nprint(ended('ends', ''))")

    assert lines == ["('Popen', 0)"]


def test_a_process_with_threads_is_not_forked(tmp_path: Path) -> None:
    (tmp_path / "thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
    )

    lines = prepared(
        tmp_path, "forks._Source.control = None\nforks.prepare_forks(['thread'])\nprint(ended('ends', ''))"
    )

    assert lines[0] == "('Popen', 0)"


def test_dagster_starts_its_services_as_it_is_known_to() -> None:
    for module in (dev, server):
        assert vars(module)["open_ipc_subprocess"] in (ipc.open_ipc_subprocess, forks.start)
    assert list(inspect.signature(ipc.open_ipc_subprocess).parameters) == ["parts", "kwargs"]
    assert "open_ipc_subprocess(subprocess_args, cwd=cwd, env=env)" in inspect.getsource(server)


@contextmanager
def _dev(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`directus-assets dev` without a Directus, once its code location has loaded."""
    (folder / ".env").touch()
    (folder / "workspace.yaml").write_text(
        "load_from: [{python_module: {module_name: directus_assets.definitions, location_name: directus_assets}}]"
    )
    url = f"http://127.0.0.1:{free_port(0)}"
    names = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "DIRECTUS_"))}
    names |= {"DAGSTER_WEBSERVER_URL": url, "DOOR_URL": f"http://127.0.0.1:{free_port(0)}"}
    program = str(Path(sys.executable).parent / "directus-assets")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [program, "dev", "-w", "workspace.yaml"],
            cwd=folder,
            env=names,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        query = {"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"}
        with suppress(httpx.TransportError, ValueError, KeyError):
            answer = httpx.post(f"{url}/graphql", json=query, timeout=60, trust_env=False).json()
            return bool(answer["data"]["repositoriesOrError"]["nodes"])
        return False

    try:
        wait_until(answers)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


_SERVICES = [f"-m {webserver.__name__}", "-m dagster._daemon", "-m dagster code-server", "-m dagster api grpc"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_services_are_forks_of_one_process_and_end_with_the_pipeline(tmp_path: Path, number: int) -> None:
    with _dev(tmp_path) as process:
        services = _services(process)
        assert len(services) == len(_SERVICES)
        (source,) = {parent_of(pid) for pid in services}
        assert parent_of(source) == process.pid
        assert set(processes_of(process.pid)) == set(tree(process.pid))

        # As Ctrl+C in a terminal does, and `kill`.
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)

        assert process.wait(_SECONDS) == 0
        wait_until(lambda: not processes_of(process.pid))


def test_a_code_server_that_is_killed_is_forked_again(tmp_path: Path) -> None:
    with _dev(tmp_path) as process:
        (killed,) = _services(process, "code-server")
        source = parent_of(killed)

        os.kill(killed, signal.SIGKILL)

        wait_until(lambda: bool({*_services(process, "code-server")} - {killed}))
        assert {parent_of(pid) for pid in _services(process, "code-server")} == {source}


def test_a_daemon_that_is_killed_ends_the_pipeline_with_its_status(tmp_path: Path) -> None:
    with _dev(tmp_path) as process:
        (daemon,) = _services(process, "_daemon")

        os.kill(daemon, signal.SIGKILL)

        process.wait(_SECONDS)
        assert "dagster-daemon process shut down unexpectedly with return code -9" in (tmp_path / "log").read_text()
        wait_until(lambda: not processes_of(process.pid))


def _services(process: "subprocess.Popen[bytes]", name: str = "") -> list[int]:
    commands = {pid: command_of(pid) for pid in processes_of(process.pid)}
    return [pid for pid, command in commands.items() if name in command and any(each in command for each in _SERVICES)]
