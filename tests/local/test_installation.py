"""The installation, and the installer's error messages."""

import json
import os
from pathlib import Path

import pytest

from directus_assets.directus.version import NEWEST, TESTED
from directus_assets.errors import ConfigurationError
from directus_assets.local import installation
from directus_assets.local.node import require_compiler, run_npm, what_npm_does

PROJECTS = Path(installation.__file__).parent / "npm"


def test_each_version_that_is_tested_is_pinned_and_no_other() -> None:
    assert {project.name for project in PROJECTS.iterdir()} == set(TESTED)


@pytest.mark.parametrize("version", TESTED)
def test_the_lock_pins_what_the_project_asks_for(version: str) -> None:
    asked = json.loads((PROJECTS / version / "package.json").read_text("utf-8"))["dependencies"]
    packages = json.loads((PROJECTS / version / "package-lock.json").read_text("utf-8"))["packages"]

    assert asked == {"directus": version, "sqlite3": "6.0.1"}
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked


@pytest.mark.parametrize("version", TESTED)
def test_the_lock_names_no_address_and_has_a_checksum_for_every_package(version: str) -> None:
    text = (PROJECTS / version / "package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]

    assert "://" not in text
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_without_a_compiler_the_installer_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)

    with pytest.raises(ConfigurationError, match=r"a C\+\+ compiler and make.*build-essential"):
        require_compiler()


def test_the_scripts_that_npm_runs_see_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DIRECTUS_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "npm_config__authToken", "PYTHONPATH"):
        monkeypatch.setenv(name, "a-secret-of-this-machine")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("npm_config_audit_level", "none")
    (tmp_path / "package.json").write_text(
        json.dumps({"name": "x", "version": "1.0.0", "scripts": {"install": "env > seen.txt"}})
    )
    (tmp_path / "package-lock.json").write_text(
        json.dumps({"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "x"}}})
    )

    run_npm(tmp_path, lambda _: None, "ci")

    seen = (tmp_path / "seen.txt").read_text("utf-8")
    assert "a-secret-of-this-machine" not in seen
    assert "HTTPS_PROXY=http://proxy.example:3128\n" in seen
    assert "npm_config_audit_level=none\n" in seen
    assert "HOME=" in seen


def test_when_npm_fails_the_end_of_its_log_is_in_the_error(tmp_path: Path) -> None:
    # npm takes the nearest folder above that has one for the project, and there may be one.
    (tmp_path / "package.json").write_text('{"private": true}')

    with pytest.raises(ConfigurationError, match=r"(?s)Last lines of its log.*package-lock.json"):
        run_npm(tmp_path, lambda _: None, "ci")


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
    monkeypatch.delenv(installation.VERSION_VARIABLE, raising=False)
    folders = {version: _cached(tmp_path, version) for version in TESTED}

    assert installation.installed().folder == folders[NEWEST]
    assert {version: installation.installed(version).folder for version in TESTED} == folders


def test_a_variable_names_another_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(installation.VERSION_VARIABLE, "11.14.1")

    folder = _cached(tmp_path, "11.14.1")

    assert installation.installed().folder == folder


def test_a_version_that_is_not_pinned_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match=r"Directus 11\.5\.0 .*10\.13\.4, 11\.14\.1, 11\.17\.4, 12\.4\.1"):
        installation.installed("11.5.0")


def _cached(cache: Path, version: str) -> Path:
    folder = cache / "directus-assets" / f"directus-{version}-{installation._digest(version)}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
