import subprocess
import threading
from pathlib import Path

import pytest
from dagster._core.execution import compute_logs

from directus_assets.fast.shown_output import show_by_thread


@pytest.fixture
def ours() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute_logs, "execute_posix_tail", compute_logs.execute_posix_tail)
        show_by_thread()
        yield


@pytest.mark.usefixtures("ours")
def test_what_a_step_prints_is_kept_and_shown_without_a_process_of_its_own(tmp_path: Path) -> None:
    started: list[object] = []
    with (tmp_path / "console").open("a") as console, pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", lambda *args, **_: started.append(args))
        print("before", file=console, flush=True)
        with compute_logs.mirror_stream_to_file(console, str(tmp_path / "logs" / "step.err")):
            print("é from Python", file=console, flush=True)
            print("x" * 200_000, file=console, flush=True)
        print("after", file=console, flush=True)

    kept = (tmp_path / "logs" / "step.err").read_text("utf-8")
    assert kept == f"é from Python\n{'x' * 200_000}\n"
    assert (tmp_path / "console").read_text("utf-8") == f"before\n{kept}after\n"
    assert not started
    assert not [thread for thread in threading.enumerate() if thread.name == "shown-output"]
