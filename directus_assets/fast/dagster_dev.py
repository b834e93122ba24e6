"""`dagster dev` with the guarded webserver: takes the arguments of `dagster`.

    python -m directus_assets.fast.dagster_dev dev -w workspace.yaml

`dagster dev` starts the webserver by its module name, in a process of its own. Beyond Dagster's public interface this
uses `dagster._cli.dev.open_ipc_subprocess`; if that is missing, or starts something unknown, the command ends.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import dagster._cli as commands
from dagster._cli import dev

_STARTS = "open_ipc_subprocess"
# By name: importing it would double the memory of this process, which only waits.
_KNOWN = {"dagster_webserver": "directus_assets.fast.webserver", "dagster._daemon": "dagster._daemon"}


def main() -> None:
    """Run the command."""
    names = vars(dev)
    start = names[_STARTS]

    def start_guarded(parts: Sequence[str], **kwargs: Any) -> Any:
        return start(guarded(parts), **kwargs)

    names[_STARTS] = start_guarded
    # The advice to use `dg dev`, which would start the webserver without the guard.
    warnings.filterwarnings("ignore", message="Function `dev_command` is superseded")
    commands.main()  # type: ignore[no-untyped-call]


def guarded(parts: Sequence[str]) -> list[str]:
    """The command line of a part of `dagster dev`, with our webserver instead of Dagster's.

    Raises:
        RuntimeError: it starts neither the webserver nor the daemon.
    """
    executable, option, module, *rest = parts
    if option != "-m" or module not in _KNOWN:
        raise RuntimeError(f"This Dagster starts its services in a way that is not known here: {option} {module}.")
    return [executable, option, _KNOWN[module], *rest]


if __name__ == "__main__":
    main()
