"""Everything that can be killed is killed while people work; in the end everything is there exactly once.

`make chaos` runs the full form. The short form has the same faults, and fewer items.
"""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.bed import NAMES, Bed, made_bed
from tests.chaos.editors import Editors
from tests.chaos.faults import Faults
from tests.chaos.surroundings import Surroundings, may_hide_folders, nothing_shared
from tests.chaos.verdict import Verdict
from tests.machine import lacking

pytestmark = [pytest.mark.integration, pytest.mark.timeout(5400)]


@dataclass(frozen=True, kw_only=True)
class Form:
    """The extent of a test."""

    name: str
    uploads: int
    edits: int
    seconds: float
    """Over which people spread their work."""
    rounds: int
    """How often each fault happens."""
    fault_seconds: float
    cut_seconds: float
    pause_seconds: float
    patience_seconds: float
    """What is not right by then, after the last fault, is wrong."""
    dagster: Mapping[str, Any]
    only: tuple[str, ...] = ()
    """The faults; all where there are none."""


SHORT = Form(
    name="short",
    uploads=40,
    edits=16,
    seconds=60,
    rounds=1,
    fault_seconds=6,
    cut_seconds=12,
    pause_seconds=2,
    patience_seconds=900,
    # Minutes of waiting for workers that never started would be most of it.
    dagster={"run_monitoring": {"start_timeout_seconds": 60}},
)
FULL = Form(
    name="full",
    uploads=500,
    edits=100,
    seconds=600,
    rounds=3,
    fault_seconds=10,
    cut_seconds=60,
    pause_seconds=10,
    patience_seconds=2400,
    dagster={},
)
# What differs where runs share no disk: who works, and who knows of it.
SHORT_APART = replace(
    SHORT,
    uploads=24,
    edits=8,
    seconds=40,
    only=(
        "run worker killed",
        "code server and its workers killed",
        "daemon killed",
        "definitions killed",
        "Directus killed",
        "network cut",
        "two daemons",
    ),
)
IS_FULL = os.environ.get("CHAOS") == "full"
RESULTS = Path(__file__).parents[2] / "bench-results"


@pytest.fixture(scope="module")
def seed() -> int:
    return int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))


def test_on_files_everything_is_there_in_the_end_each_exactly_once(tmp_path: Path, seed: int) -> None:
    chance, form = random.Random(seed), FULL if IS_FULL else SHORT
    with made_bed(tmp_path, chance, Surroundings(dagster=form.dagster)) as bed:
        suffer(bed, form, seed, "on files")


def test_on_postgresql_and_a_bucket_runs_that_share_no_disk_do_the_same(tmp_path: Path, seed: int) -> None:
    if not may_hide_folders():
        lacking("the right to make mount namespaces (`unshare --mount`)")
    chance, form = random.Random(seed), FULL if IS_FULL else SHORT_APART
    with (
        nothing_shared(tmp_path, chance, dagster=form.dagster) as surroundings,
        made_bed(tmp_path, chance, surroundings) as bed,
    ):
        suffer(bed, form, seed, "with nothing shared")


def suffer(bed: Bed, form: Form, seed: int, where: str) -> None:
    """Let people work while everything fails; in the end, everything has to be correct."""
    say(f"The seed is {seed} (CHAOS_SEED={seed} repeats it).")
    wait(bed, form, "The sensors did not tick", lambda: ["no cursor"] * (3 - cursors(bed)))
    editors = Editors(bed, uploads=form.uploads, edits=form.edits, seconds=form.seconds)
    faults = Faults(
        bed,
        rounds=form.rounds,
        longest_seconds=form.fault_seconds,
        longest_cut_seconds=form.cut_seconds,
        pause_seconds=form.pause_seconds,
        only=form.only,
    )
    began = time.monotonic()
    editors.start()
    faults.start()
    editors.join()
    faults.finish()
    over = time.monotonic()
    verdict = Verdict(bed, editors.truth)
    wait(bed, form, "Not everything is right", verdict.outstanding)
    drained = time.monotonic()
    wrong = verdict.wrong_bytes()

    figures = {
        "seed": seed,
        "form": f"{form.name}, {where}",
        "uploads": len(editors.truth.pictures),
        "edits": editors.truth.edits,
        "actions tried again by editors": editors.truth.tried_again,
        "seconds of faults": round(over - began),
        "seconds to drain": round(drained - over),
        "faults injected": dict(faults.injected),
        # All is right in the end, so that nothing is left of any of them.
        "faults recovered from": faults.injected.total(),
        "faults that found nothing to happen to": dict(faults.missed),
        "connections broken": sum(proxy.broken for proxy in bed.proxies),
        "restarts": {service.name: service.restarts for service in bed.services},
        **run_figures(bed),
        **output_figures(bed, verdict),
        "wrong bytes": wrong,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"chaos {figures['form']}.json").write_text(json.dumps(figures, indent=1))
    say(json.dumps(figures, indent=1))
    assert wrong == []
    assert faults.injected.keys() == faults.kinds.keys() or form is not FULL
    assert faults.injected.total() >= 0.85 * len(faults.kinds) * form.rounds
    logs = [path.read_text("utf-8", errors="replace") for path in bed.pipeline.folder.parent.rglob("*.log")]
    for secret in (bed.directus.bot_token, bed.directus.admin_token, "s3cr3t"):
        assert not any(secret in log for log in logs)


def cursors(bed: Bed) -> int:
    """The sensors that have a cursor."""
    states = bed.instance.all_instigator_state()
    return sum(bool(getattr(state.instigator_data, "cursor", None)) for state in states)


def wait(bed: Bed, form: Form, otherwise: str, outstanding: Callable[[], list[str]]) -> None:
    deadline = time.monotonic() + form.patience_seconds
    told = 0.0
    while left := outstanding():
        assert time.monotonic() < deadline, f"{otherwise}: {left}; the log is {bed.pipeline.log}"
        if time.monotonic() > told + 20:
            told = time.monotonic()
            say(f"{otherwise} yet: {'; '.join(left)[:600]}")
        time.sleep(2)


def run_figures(bed: Bed) -> dict[str, object]:
    runs = bed.instance.get_runs()
    jobs = Counter(f"{run.job_name} {run.status.value}" for run in runs if run.job_name != NAMES.reconcile)
    return {
        "runs": dict(sorted(jobs.items())),
        "runs of the reconcile": sum(run.job_name == NAMES.reconcile for run in runs),
        "runs that went on after a crash": sum("dagster/retry_number" in run.tags for run in runs),
        "backfills asked for by the reconcile": len(bed.instance.get_backfills()),
    }


def output_figures(bed: Bed, verdict: Verdict) -> dict[str, object]:
    recorded, distinct = verdict.materializations()
    paid = Counter(
        (asked.target.code, segment["text"]) for asked in bed.engine.asked for segment in asked.segments.values()
    )
    return {
        "outputs recorded": recorded,
        "outputs recorded more than once for the same state": recorded - distinct,
        "segments paid": paid.total(),
        "segments paid more than once": paid.total() - len(paid),
        "files left behind": verdict.strays(),
    }


def say(text: str) -> None:
    """Print now with `-s`, otherwise only if the test fails."""
    print(text, flush=True)
