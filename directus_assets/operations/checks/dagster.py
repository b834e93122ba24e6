"""Whether there is a Dagster to work in. Asked from outside: no part of it is loaded."""

import tempfile
from collections.abc import Iterator

import httpx

from directus_assets.operations.findings import Finding, Subject, failed, ok, warning


def check_home(subject: Subject) -> Iterator[Finding]:
    """The folder that Dagster keeps its history in."""
    home = subject.project.settings.environment.state_folder
    if not home.is_dir():
        yield warning("DAGSTER_HOME", f"{home} is no folder yet.", "`make dev` makes it at the first start.")
        return
    try:
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        yield failed(
            "DAGSTER_HOME",
            f"{home} cannot be written to: {error.strerror}.",
            "Run as the user that it belongs to, or name another folder.",
        )
    else:
        yield ok("DAGSTER_HOME", str(home))


def check_webserver(subject: Subject) -> Iterator[Finding]:
    """Dagster's webserver, which has to answer while the pipeline runs."""
    url = subject.project.settings.environment.webserver_url
    remedy = "Start the pipeline (`make dev`), or correct DAGSTER_WEBSERVER_URL."
    try:
        answer = subject.http.get(f"{url}/server_info")
        version = answer.json()["dagster_webserver_version"]
    except httpx.HTTPError as error:
        yield warning("webserver", f"Nothing answers at {url}: {error or type(error).__name__}.", remedy)
    except (ValueError, KeyError, TypeError):
        yield warning("webserver", f"What answers at {url} is no Dagster.", remedy)
    else:
        yield ok("webserver", f"Dagster {version} at {url}")
