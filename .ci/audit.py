"""Looks up known vulnerabilities of all locked packages. Where their data cannot be had, it says so, and holds the
locks against what a lock has to be: one version and its digests for each package; what is installed is what is locked.

Exit status: 0 nothing found, 1 a vulnerability, or a lock that locks too little.
"""
# ruff: noqa: INP001 (a script of CI, which tells people what it did)

import json
import re
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_TIMEOUT_SECONDS = 240


def main(program: str, *locks: str) -> int:
    """Audits these lock files with `pip-audit`; returns the exit status."""
    return max(_audit(program, Path(lock)) for lock in locks)


def _audit(program: str, lock: Path) -> int:
    faults = list(_faults(lock.read_text("utf-8")))
    for fault in faults:
        print(f"{lock}: {fault}")
    found = _look_up(program, lock)
    known = [row for row in found if "vulns" in row]
    for row in known:
        for vulnerability in row["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            print(f"{lock}: {row['name']} {row['version']}: {vulnerability['id']}, mended by {fixed}")
    if known:
        print(f"{lock}: {len(known)} of {len(found)} packages were looked up.")
    else:
        print(f"{lock}: no data on vulnerabilities can be had here; only versions and digests were verified.")
    return 1 if faults or any(row["vulns"] for row in known) else 0


def _look_up(program: str, lock: Path) -> list[dict[str, Any]]:
    """What is known of each package; without `vulns` where nothing can be asked."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--timeout", "5"]
        command = [program, "--requirement", str(lock), *options, "--format", "json", "--output", str(report)]
        try:
            subprocess.run(command, check=False, capture_output=True, timeout=_TIMEOUT_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return []
        if not report.is_file() or not report.stat().st_size:
            return []
        return list(json.loads(report.read_text("utf-8"))["dependencies"])


def _faults(text: str) -> list[str]:
    faults = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        entry = _ENTRY.match(block)
        if entry is None:
            faults.append(f"`{block.splitlines()[0]}` is not one package in one version.")
            continue
        if not re.search(r"--hash=sha256:[0-9a-f]{64}", block):
            faults.append(f"{entry['name']} has no digest.")
        if ";" not in block and (installed := _installed(entry["name"])) not in ("", entry["version"]):
            faults.append(f"{entry['name']} {installed} is installed, {entry['version']} is locked.")
    return faults


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
