import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
DIGEST = f"    --hash=sha256:{'0' * 64}\n"
FOUND = {"id": "GHSA-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}


def audit(folder: Path, lock: str, answer: list[dict[str, Any]] | None) -> subprocess.CompletedProcess[str]:
    """The script, with a `pip-audit` that answers this; without an answer it fails as it does without a network."""
    (folder / "requirements.lock").write_text(lock)
    program = folder / "pip-audit"
    body = f"open(sys.argv[sys.argv.index('--output') + 1], 'w').write({json.dumps({'dependencies': answer})!r})"
    program.write_text(f"#!{sys.executable}\nimport sys\n{body if answer is not None else 'sys.exit(1)'}\n")
    program.chmod(0o755)
    command = [sys.executable, str(ROOT / ".ci" / "audit.py"), str(program), str(folder / "requirements.lock")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_known_vulnerability_fails_and_says_what_mends_it(tmp_path: Path) -> None:
    row = {"name": "left-pad", "version": "1.0", "vulns": [FOUND]}

    audited = audit(tmp_path, f"left-pad==1.0 \\\n{DIGEST}", [row])

    assert audited.returncode == 1
    assert "left-pad 1.0: GHSA-1, mended by 2.0" in audited.stdout


@pytest.mark.parametrize("answer", [None, [{"name": "left-pad", "version": "1.0", "skip_reason": "not found"}]])
def test_without_data_it_says_so_and_does_not_fail(tmp_path: Path, answer: list[dict[str, Any]] | None) -> None:
    audited = audit(tmp_path, f"left-pad==1.0 \\\n{DIGEST}", answer)

    assert audited.returncode == 0, audited.stderr
    assert "no data on vulnerabilities can be had here; only versions and digests" in audited.stdout


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        ("left-pad==1.0\n", "left-pad has no digest"),
        (f"left-pad>=1.0 \\\n{DIGEST}", "is not one package in one version"),
        (f"pytest==0.1 \\\n{DIGEST}", "is installed, 0.1 is locked"),
    ],
)
def test_a_lock_that_locks_too_little_fails(tmp_path: Path, lock: str, told: str) -> None:
    audited = audit(tmp_path, lock, [])

    assert audited.returncode == 1
    assert told in audited.stdout


def test_nothing_found_is_said_with_how_much_was_looked_up(tmp_path: Path) -> None:
    rows = [{"name": "left-pad", "version": "1.0", "vulns": []}, {"name": "x", "version": "1", "skip_reason": "?"}]

    audited = audit(tmp_path, f"left-pad==1.0 \\\n{DIGEST}", rows)

    assert audited.returncode == 0
    assert "1 of 2 packages were looked up" in audited.stdout
