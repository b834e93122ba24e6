"""Dagster's webserver behind our guard: takes the arguments of `dagster-webserver`.

    python -m directus_assets.fast.webserver -h 127.0.0.1 -p 3000 -w workspace.yaml

Dagster offers no hook for third-party middleware. Beyond its public interface this relies on its command creating the
application by `create_app_from_workspace_process_context`; `tests/orchestration/test_studio.py` verifies that on
the installed Dagster. If the name is missing, the command does not start: it never runs unguarded.
"""

import os
from typing import Any
from urllib.parse import urlsplit

from dagster_webserver import cli

from directus_assets.door.guard import Guard

_MAKES_APP = "create_app_from_workspace_process_context"


def main() -> None:
    """Run the command."""
    names = vars(cli)
    make = names[_MAKES_APP]
    name = urlsplit(os.environ.get("DAGSTER_WEBSERVER_URL", "")).hostname

    def make_guarded(*args: Any, **kwargs: Any) -> Guard:
        return Guard(make(*args, **kwargs), hosts=[name] if name else [])

    names[_MAKES_APP] = make_guarded
    cli.main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
