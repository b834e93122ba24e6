"""What is installed, and what an installer says when it cannot."""

import json
import os
from pathlib import Path

import pytest

from directus_assets.errors import ConfigurationError
from directus_assets.local import installation
from directus_assets.local.node import npm_ci, require_compiler, what_npm_does

PROJECT = Path(installation.__file__).parent / "npm"


def test_the_lock_pins_what_the_project_asks_for() -> None:
    asked = json.loads((PROJECT / "package.json").read_text("utf-8"))["dependencies"]
    packages = json.loads((PROJECT / "package-lock.json").read_text("utf-8"))["packages"]

    assert asked == {"directus": "12.4.0", "sqlite3": "6.0.1"}
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked


def test_the_lock_names_no_address_and_has_a_checksum_for_every_package() -> None:
    text = (PROJECT / "package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]

    assert "://" not in text
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_without_a_compiler_the_installer_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)

    with pytest.raises(ConfigurationError, match=r"a C\+\+ compiler and make.*build-essential"):
        require_compiler()


def test_when_npm_fails_the_end_of_its_log_is_in_the_error(tmp_path: Path) -> None:
    # npm takes the nearest folder above that has one for the project, and there may be one.
    (tmp_path / "package.json").write_text('{"private": true}')

    with pytest.raises(ConfigurationError, match=r"(?s)end of its log.*package-lock.json"):
        npm_ci(tmp_path, lambda _: None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "npm http fetch GET 200 https://registry.example/left-pad/-/left-pad-1.3.0.tgz 31ms (cache miss)",
            "fetching left-pad-1.3.0",
        ),
        ("npm http fetch GET 200 https://registry.example/left-pad 31ms (cache miss)", ""),
        ("> isolated-vm@5.0.3 install", "compiling isolated-vm@5.0.3"),
        ("> node-gyp rebuild --release", ""),
        ("npm warn deprecated inflight@1.0.6", ""),
        ("", ""),
    ],
)
def test_the_log_of_npm_is_told_in_a_few_words(line: str, words: str) -> None:
    assert what_npm_does(line) == words


def test_an_installation_that_exists_is_used_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", os.defpath)
    folder = tmp_path / "directus-assets" / f"directus-{installation._digest()}"
    folder.mkdir(parents=True)

    assert installation.installed().folder == folder
