"""Everything that can be killed is killed, while people work; in the end everything is there, each exactly once.

`make chaos` runs the full form. The short form has the same faults, and fewer items.
"""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.bed import NAMES, Bed, made_bed
from tests.chaos.editors import Editors
from tests.chaos.faults import Faults
from tests.chaos.surroundings import Surroundings, may_hide_folders, nothing_shared
from tests.chaos.verdict import Verdict

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

FULL = os.environ.get("CHAOS") == "full"
UPLOADS, EDITS, SECONDS, ROUNDS, CUT_SECONDS = (500, 100, 600, 3, 60) if FULL else (40, 16, 90, 1, 12)
PATIENCE_SECONDS = 1200
RESULTS = Path(__file__).parents[2] / "bench-results"


@pytest.fixture(scope="module")
def seed() -> int:
    return int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))


def test_on_files_everything_is_there_in_the_end_each_exactly_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with made_bed(tmp_path, chance, Surroundings()) as bed:
        suffer(bed, seed, "on files")


@pytest.mark.skipif(not may_hide_folders(), reason="This user may not make mount namespaces.")
def test_on_postgresql_and_a_bucket_runs_that_share_no_disk_do_the_same(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with nothing_shared(tmp_path, chance) as surroundings, made_bed(tmp_path, chance, surroundings) as bed:
        suffer(bed, seed, "with nothing shared")


def suffer(bed: Bed, seed: int, where: str) -> None:
    """People work while everything goes wrong; then all has to be right."""
    say(f"The seed is {seed} (CHAOS_SEED={seed} repeats it).")
    wait(bed, "The sensors did not tick", lambda: ["no cursor"] * (3 - cursors(bed)))
    editors = Editors(bed, uploads=UPLOADS, edits=EDITS, seconds=SECONDS)
    faults = Faults(bed, rounds=ROUNDS, longest_cut_seconds=CUT_SECONDS, pause_seconds=10 if FULL else 3)
    began = time.monotonic()
    editors.start()
    faults.start()
    editors.join()
    faults.finish()
    over = time.monotonic()
    verdict = Verdict(bed, editors.truth)
    wait(bed, "Not everything is right", verdict.outstanding)
    drained = time.monotonic()
    wrong = verdict.wrong_bytes()

    figures = {
        "seed": seed,
        "form": f"{'full' if FULL else 'short'}, {where}",
        "uploads": len(editors.truth.pictures),
        "edits": editors.truth.edits,
        "actions tried again by editors": editors.truth.tried_again,
        "seconds of faults": round(over - began),
        "seconds to drain": round(drained - over),
        "faults injected": dict(faults.injected),
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
    assert faults.injected.total() >= len(faults.kinds) * ROUNDS - 2
    logs = [path.read_text("utf-8", errors="replace") for path in bed.pipeline.folder.parent.rglob("*.log")]
    for secret in (bed.directus.bot_token, bed.directus.admin_token, "s3cr3t"):
        assert not any(secret in log for log in logs)


def cursors(bed: Bed) -> int:
    """Sensors that know where to follow from."""
    states = bed.instance.all_instigator_state()
    return sum(bool(getattr(state.instigator_data, "cursor", None)) for state in states)


def wait(bed: Bed, otherwise: str, outstanding: Callable[[], list[str]]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
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
    names = [name for name, _ in bed.storage().names()]
    return {
        "outputs recorded": recorded,
        "outputs recorded more than once for the same state": recorded - distinct,
        "segments paid": paid.total(),
        "segments paid more than once": paid.total() - len(paid),
        "temporary files left behind": sum(name.endswith(".tmp") for name in names),
    }


def say(text: str) -> None:
    """With `-s` at once, else where the test fails."""
    print(text, flush=True)
