"""The first day as in the README: typed into a fresh checkout, with an empty home and nothing else configured."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from directus_assets.directus.client import DirectusClient
from directus_assets.local.schema import create_collections
from directus_assets.local.server import LocalDirectus, free_port

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]
_COMMAND = re.compile(r"(?:make|cp|\.venv/bin/\S+) [^#`]*?(?=\s*(?:#|`|$))", re.MULTILINE)


def printed(page: str) -> list[str]:
    """The commands of a page: in its blocks of shell, and between backticks."""
    text = (ROOT / page).read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    found = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()] + spans
    return list(dict.fromkeys(each for each in found if _COMMAND.fullmatch(each)))


class Typed:
    """A command that runs in a terminal of its own. What it prints is read on and on, or it would stand still."""

    def __init__(self, command: str, machine: "Machine") -> None:
        self.output = ""
        self._terminal, theirs = pty.openpty()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=machine.folder,
            env={"HOME": str(machine.home), "PATH": "/usr/local/bin:/usr/bin:/bin", "COLUMNS": "200"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # what Linux says where nobody holds the other end any more
            while more := os.read(self._terminal, 65536):
                self.output += more.decode("utf-8", "replace")

    def wait(self, answers: Mapping[str, str], *, seconds: float) -> int:
        """Answer prompts until the command has ended; return its exit status."""
        asked, end = dict(answers), time.monotonic() + seconds
        while self._process.poll() is None:
            assert time.monotonic() < end, self.output
            for question in [each for each in asked if each in self.output]:
                os.write(self._terminal, f"{asked.pop(question)}\n".encode())
            time.sleep(0.1)
        self._reader.join(timeout=10)
        assert asked == {}, self.output
        return self._process.returncode

    def end(self) -> None:
        """End the command as by Ctrl+C, if it is still running."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)
            self._process.wait(timeout=120)
        os.close(self._terminal)


@dataclass(frozen=True)
class Machine:
    """A fresh checkout and an empty home directory."""

    folder: Path
    home: Path

    def type(self, command: str, answers: Mapping[str, str] | None = None) -> str:
        """Type a command, answer its prompts, and return its output; it has to succeed."""
        with self.typed(command) as typed:
            status = typed.wait(answers or {}, seconds=240)
        assert status == 0, f"{command}\n{typed.output}"
        return typed.output

    @contextmanager
    def typed(self, command: str) -> Iterator[Typed]:
        """Yield the running command; Ctrl+C ends it."""
        typed = Typed(command, self)
        try:
            yield typed
        finally:
            typed.end()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    folder, home = tmp_path / "directus-assets", tmp_path / "home"
    home.mkdir()
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    # Installing takes two minutes; that `make` does it is seen wherever this runs.
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / ".venv" / ".ready").touch()
    return Machine(folder, home)


@pytest.fixture
def cms(empty_directus: LocalDirectus) -> LocalDirectus:
    with DirectusClient(empty_directus.url, empty_directus.admin_token) as studio:
        create_collections(studio)
        studio.patch("/settings", {"storage_asset_presets": [{"key": "card", "width": 60, "format": "webp"}]})
        studio.post("/items/posts", {"translations": [{"languages_code": "en-US", "title": "Bread"}]})
    return empty_directus


def test_every_command_of_the_first_day_works_as_printed(machine: Machine, cms: LocalDirectus) -> None:
    commands = printed("README.md")
    port, rest = free_port(), [each for each in commands if each not in _ELSEWHERE]
    yes = {"Administrator token": cms.admin_token, "[y/N]": "y"}

    for command in _taken(rest, "cp .env.example .env", "make setup", "make doctor"):
        if command == "make setup":
            _fill_in(machine.folder / ".env", DIRECTUS_URL=cms.url, TRANSLATION_ENGINE="pseudo")
        machine.type(command, yes if command == "make setup" else None)
    _fill_in(machine.folder / ".env", DAGSTER_WEBSERVER_URL=f"http://127.0.0.1:{port}")
    assert {each for each in rest if each.startswith("make dev")} >= {"make dev"}
    with machine.typed("make dev") as dev:
        _wait_for(f"http://127.0.0.1:{port}/server_info", dev)
        for command in [each for each in rest if each.startswith(".venv/bin/")]:
            assert machine.type(command, yes if " setup " in command else None)
        assert machine.type("make status")

    assert list(machine.home.iterdir()) == []
    assert not {"cp .env.example .env", "make setup", "make doctor"} - set(commands)


_ELSEWHERE = {"make demo", "make demo ARGS=--once", "make test"}
"""What takes minutes, and is tried by tests of its own and whenever this test is."""


def _taken(commands: Sequence[str], *wanted: str) -> list[str]:
    """The wanted commands, in the order of the page."""
    return [each for each in commands if each in wanted]


def _fill_in(path: Path, **values: str) -> None:
    text = path.read_text("utf-8")
    for name, value in values.items():
        text, count = re.subn(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        assert count == 1, name
    path.write_text(text, "utf-8")


def _wait_for(url: str, running: Typed) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        with suppress(httpx.HTTPError):
            if httpx.get(url, timeout=5, trust_env=False).is_success:
                return
        time.sleep(0.5)
    raise AssertionError(f"No response from {url}.\n{running.output}")
