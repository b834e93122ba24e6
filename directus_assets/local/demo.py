"""The demo: a real Directus with content, the pipeline, its UI; every picture through every preset."""

import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from directus_assets.local.content import seed
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.webserver import AssetStatus, Webserver

_CONFIG = """\
# The demo's settings. Pictures that exist when it starts are rendered at once.
images:
  backfill_on_start: true
"""

_KEPT = Path(".demo")
_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 900.0


def run_demo(console: Console, *, once: bool, data: Path | None, port: int) -> int:
    """Runs the demo; returns its exit status.

    Args:
        console: where to write.
        once: wait until everything is made, print a table and stop; otherwise run until Ctrl+C.
        data: the folder of Directus and Dagster. By default `.demo`, kept for the next time; with `once` a new one
            that is removed at the end.
        port: of the Dagster UI; another one where it is taken.
    """
    with ExitStack() as stack:
        if data is None and once:
            data = Path(tempfile.mkdtemp(prefix="directus-assets-demo-"))
            stack.callback(shutil.rmtree, data, ignore_errors=True)
        folder = data or _KEPT
        directus = stack.enter_context(LocalDirectus(folder / "directus"))
        content = seed(directus)
        pipeline = stack.enter_context(LocalPipeline(directus, folder, config=_CONFIG, port=port))
        console.print(_addresses(directus, pipeline))
        started = time.monotonic()
        webserver = Webserver(pipeline.url)
        finished = _wait_until_made(console, webserver, files=len(content.files))
        statuses = webserver.asset_statuses("image_presets")
        console.print(_table(statuses, time.monotonic() - started))
        if not finished:
            console.print(f"[red]Not everything was made in {_PATIENCE_SECONDS:.0f} s.[/] The log is {pipeline.log}.")
        if not once:
            _stay(console)
        return 0 if finished and not any(status.failed for status in statuses.values()) else 1


def _addresses(directus: LocalDirectus, pipeline: LocalPipeline) -> Panel:
    return Panel(
        f"Directus    {directus.url}\n"
        f"            login {directus.admin_email}, password {directus.admin_password}\n"
        f"Dagster UI  {pipeline.url}\n"
        "            no login; assets, runs and backfills of image_presets",
        title="Running",
        expand=False,
    )


def _wait_until_made(console: Console, webserver: Webserver, *, files: int) -> bool:
    """Waits until every preset is made, or has failed, for all files; False where that takes too long."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Making derivatives", total=None)
        while time.monotonic() < deadline:
            statuses = webserver.asset_statuses("image_presets").values()
            wanted = files * len(statuses)
            progress.update(bar, total=wanted or None, completed=sum(s.materialized + s.failed for s in statuses))
            if wanted and all(s.materialized + s.failed >= files and not s.running for s in statuses):
                return True
            time.sleep(_POLL_SECONDS)
    return False


def _table(statuses: dict[str, AssetStatus], seconds: float) -> Table:
    made = sum(status.materialized for status in statuses.values())
    table = Table(title=f"{made} derivatives in {seconds:.0f} s, {made / max(seconds, 0.1):.1f} a second")
    table.add_column("preset")
    table.add_column("files", justify="right")
    table.add_column("made", justify="right")
    table.add_column("failed", justify="right")
    for name, status in sorted(statuses.items()):
        failed = f"[red]{status.failed}[/]" if status.failed else "0"
        table.add_row(name, str(status.partitions), str(status.materialized), failed)
    return table


def _stay(console: Console) -> None:
    console.print("Upload a picture in Directus, or change a preset, and watch Dagster. Ctrl+C stops everything.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopping ...")
