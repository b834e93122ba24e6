import os
import subprocess
import sys
import time

from bench.processes import cpu_seconds, memory_bytes, peak_bytes, tree, watched_peaks, written_bytes

GONE = 2**30
"""No process has such an id: Linux stops at 2 to the 22."""


def test_a_tree_holds_a_process_and_what_it_started():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in tree(os.getpid())
        assert tree(child.pid) == [child.pid]
        assert child.stdin
        child.stdin.close()


def test_work_is_counted_while_it_lasts_and_after_its_process_has_ended():
    before = cpu_seconds(os.getpid())

    subprocess.run([sys.executable, "-c", "sum(range(5_000_000))"], check=True)

    assert cpu_seconds(os.getpid()) > before


def test_memory_has_a_peak_that_is_not_below_what_is_held_now():
    assert peak_bytes(os.getpid()) > 1_000_000
    assert memory_bytes(os.getpid()) > 1_000_000


def test_a_process_that_is_gone_has_used_nothing():
    assert (cpu_seconds(GONE), memory_bytes(GONE), peak_bytes(GONE), written_bytes(GONE)) == (0, 0, 0, 0)


def test_peaks_are_those_of_processes_with_that_command_alone():
    with (
        watched_peaks(os.getpid(), command="marked_one") as peaks,
        subprocess.Popen([sys.executable, "-c", "'marked_one'; input()"], stdin=subprocess.PIPE) as marked,
        subprocess.Popen([sys.executable, "-c", "'other'; input()"], stdin=subprocess.PIPE) as other,
    ):
        deadline = time.monotonic() + 60
        while marked.pid not in peaks and time.monotonic() < deadline:
            time.sleep(0.05)
        for each in (marked, other):
            assert each.stdin
            each.stdin.close()

    assert set(peaks) == {marked.pid}
    assert peaks[marked.pid] > 0
