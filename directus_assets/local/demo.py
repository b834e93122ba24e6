"""The demo: a real Directus with content, the pipeline and its UI; everything is rendered, translated and enriched."""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from directus_assets.commands.status import last_errors
from directus_assets.local.content import seed
from directus_assets.local.instance import PRIVATE_UMASK, private_folder
from directus_assets.local.pipeline import LocalPipeline
from directus_assets.local.samples import samples
from directus_assets.local.server import LocalDirectus
from directus_assets.orchestration.instance import open_instance
from directus_assets.orchestration.webserver import AssetStatus, Webserver
from directus_assets.settings import parse_config

_CONFIG = """\
# The demo's settings. What exists when it starts is rendered, translated and enriched at once.
images:
  backfill_on_start: true
translations:
  backfill_on_start: true
# The engine `local` is made of simple statistics. Without `engine`, the model of OPENAI_MODEL is asked.
enrichments:
  directus_files:
    alt_text: {{engine: {engine}, backfill_on_start: true}}
  posts:
    tags: {{engine: {engine}, targets: {{tags: labels}}, backfill_on_start: true}}
    related:
      engine: {embedder}
      rows:
        collection: posts_related
        item_field: posts_id
        each: related
        fields: {{item: related_posts_id, rank: sort, score: score}}
      options: {{count: 3, least: 0.02}}
      backfill_on_start: true
"""

_KEPT = Path(".demo")
_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 900.0


def run_demo(console: Console, *, once: bool, data: Path | None, port: int) -> int:
    """Run the demo; return its exit status.

    Args:
        console: where to write.
        once: wait until everything is made, print a table and stop; otherwise run until Ctrl+C.
        data: the folder of Directus and Dagster. By default `.demo`, kept for the next time; with `once` a new one,
            removed at the end unless something failed.
        port: of the Dagster UI; another one if it is taken.
    """
    # When a signal ends the demo, it stops what it started, as with Ctrl+C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as removal, ExitStack() as stack:
        if data is None and once:
            data = Path(tempfile.mkdtemp(prefix="directus-assets-demo-"))
            removal.callback(shutil.rmtree, data, ignore_errors=True)
        folder = data or _KEPT
        # The database contains logins, the rest drafts and pictures.
        os.umask(PRIVATE_UMASK)
        if not folder.exists() or (folder / "directus" / "secrets.json").exists():
            private_folder(folder)
        directus = stack.enter_context(LocalDirectus(folder / "directus"))
        config = demo_config(os.environ)
        content = seed(directus, config=parse_config(config))
        pipeline = stack.enter_context(
            LocalPipeline(directus, folder, config=config, port=port, environment=_engine(os.environ))
        )
        console.print(_addresses(directus, pipeline))
        started = time.monotonic()
        webserver = Webserver(pipeline.url)
        finished = _wait_until_made(console, webserver, files=len(content.files))
        statuses = webserver.asset_statuses()
        console.print(_table(statuses, time.monotonic() - started))
        console.print(samples(directus))
        failed = [name for name, status in statuses.items() if status.failed]
        if failed:
            tell_why(console, pipeline.home, failed)
        if not finished:
            console.print(f"[red]Not everything was finished within {_PATIENCE_SECONDS:.0f} s.[/]")
        is_well = finished and not failed
        if not is_well:
            removal.pop_all()
            console.print(f"The log is {pipeline.log}.", soft_wrap=True)
        if not once:
            _stay(console)
        return 0 if is_well else 1


def tell_why(console: Console, home: Path, failed: Sequence[str]) -> None:
    """Print why partitions of these assets failed, from the records in this Dagster home."""
    with open_instance(home) as instance:
        for _, reason in last_errors(instance, map(dg.AssetKey.from_user_string, failed)):
            console.print(f"[red]Failed:[/] {escape(reason)}")


def _addresses(directus: LocalDirectus, pipeline: LocalPipeline) -> Panel:
    return Panel(
        f"Directus    {directus.url}\n"
        f"            login {directus.admin_email}, password {directus.admin_password}\n"
        f"Dagster UI  {pipeline.url}\n"
        "            no login; assets, their partitions, runs and backfills\n"
        f"Engine      {_describe_engine(pipeline)}\n"
        f"Enrichment  {_describe_enrichment(os.environ)}",
        title="Running",
        expand=False,
    )


def demo_config(environ: Mapping[str, str]) -> str:
    """The demo's YAML file: a real engine for enrichments if its key is set, else `local`."""
    engine = "auto" if environ.get("OPENAI_API_KEY") else "local"
    # Endpoints other than OpenAI's have differently named embedding models, if any.
    embedder = "local" if environ.get("OPENAI_BASE_URL") else engine
    return _CONFIG.format(engine=engine, embedder=embedder)


def _engine(environ: Mapping[str, str]) -> dict[str, str]:
    """A real engine if a key is set, else `pseudo`, which only makes texts look translated."""
    has_engine = any(environ.get(name) for name in ("TRANSLATION_ENGINE", "OPENAI_API_KEY", "DEEPL_API_KEY"))
    return {} if has_engine else {"TRANSLATION_ENGINE": "pseudo"}


def _describe_engine(pipeline: LocalPipeline) -> str:
    if pipeline.environment.get("TRANSLATION_ENGINE") != "pseudo":
        return "the one whose key is set"
    return (
        "pseudo: accented letters, not translations\n"
        "            set OPENAI_API_KEY or DEEPL_API_KEY and start again for real ones"
    )


def _describe_enrichment(environ: Mapping[str, str]) -> str:
    if environ.get("OPENAI_API_KEY"):
        return "the model of OPENAI_MODEL"
    return (
        "local: alt text, labels and related posts from statistics, no model\n"
        "            set OPENAI_API_KEY and start again for a real one"
    )


def _wait_until_made(console: Console, webserver: Webserver, *, files: int) -> bool:
    """Wait until every output of every partition is made or has failed; return False on a time-out."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Rendering, translating, enriching", total=None)
        while time.monotonic() < deadline:
            statuses = webserver.asset_statuses()
            wanted = sum(_wanted(name, status, files) for name, status in statuses.items())
            progress.update(
                bar, total=wanted or None, completed=sum(s.materialized + s.failed for s in statuses.values())
            )
            if statuses and all(_is_made(s, _wanted(name, s, files)) for name, s in statuses.items()):
                return True
            time.sleep(_POLL_SECONDS)
    return False


def _wanted(name: str, status: AssetStatus, files: int) -> int:
    """The expected number of partitions; at first the sensors have not registered any."""
    return files if name.startswith("image_presets/") else max(1, status.partitions)


def _is_made(status: AssetStatus, wanted: int) -> bool:
    return status.materialized + status.failed >= wanted and not status.running


def _table(statuses: dict[str, AssetStatus], seconds: float) -> Table:
    made = sum(status.materialized for status in statuses.values())
    table = Table(title=f"{made} outputs in {seconds:.0f} s, {made / max(seconds, 0.1):.1f} a second")
    table.add_column("asset")
    table.add_column("partitions", justify="right")
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
