"""A process that has imported what others need, and forks it: runs, and the services of `directus-assets dev`.

It imports libraries only. Definitions are imported in the fork, so that each run sees the current ones. It is not used
after a change to this package.

It communicates only with processes that have inherited a socket to it: others cannot find it, nothing is left behind,
and it ends when they have. Each fork communicates with whoever ordered it through a socket of its own, and does nothing
until told to proceed.
"""

import ctypes
import fcntl
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from directus_assets.fast.worker import Worker

GO = b"go\n"
"""The message that a fork waits for."""

_MOST_DESCRIPTORS = 16
_OUT_OF_THE_WAY = 200
"""The lowest number of a received descriptor: a fork may have to pass them on under smaller ones."""


def main(modules: Iterable[str]) -> None:
    """Serve until the launcher is gone; in each fork, return when its run is done."""
    # Ctrl+C in a terminal reaches this process, too. It has nothing to clean up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    preload(modules)
    with socket.socket(fileno=os.dup(0)) as control:
        received = serve(control)
    if received:
        run(received)


def preload(modules: Iterable[str]) -> bool:
    """Import the available modules, given as modules or as `module:name`; a run imports missing ones itself.

    Returns:
        Whether this process has one thread only. A lock held by another one during a fork would stay locked in the fork
        forever.
    """
    for each in modules:
        module, _, name = each.partition(":")
        with suppress(ImportError, AttributeError):
            found = importlib.import_module(module)
            if name:
                getattr(found, name)
    if (threads := len([*Path("/proc/self/task").iterdir()])) > 1:
        print(f"The warm process has {threads} threads, although libraries should not start any.", file=sys.stderr)
    # Existing objects are never garbage: excluding them from collection keeps their pages shared between all forks.
    gc.collect()
    gc.freeze()
    return threads == 1


def serve(control: socket.socket) -> Sequence[int] | None:
    """Fork for each message; return its descriptors in the fork, and None when nobody can send one any more.

    The first descriptor is the fork's conversation. If the fork has ended, its exit status is the last line there.
    """
    conversations: dict[int, int] = {}

    def tell_ends(_number: int, _frame: FrameType | None) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                conversation = conversations.pop(ended[0])
                # Whoever ordered a run does not wait for its end.
                with suppress(OSError):
                    os.write(conversation, b"%d\n" % os.waitstatus_to_exitcode(ended[1]))
                os.close(conversation)

    signal.signal(signal.SIGCHLD, tell_ends)
    while True:
        _, received, _, _ = socket.recv_fds(control, 1, _MOST_DESCRIPTORS)
        if not received:
            return None
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        if (pid := os.fork()) == 0:
            for other in conversations.values():
                os.close(other)
            return received
        conversations[pid] = received[0]
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        for descriptor in received[1:]:
            os.close(descriptor)


def run(received: Sequence[int]) -> None:
    """Receive a command, report the process that will execute it, and execute it when told to proceed.

    The command is JSON: `run_id`, if it is a run; `module` and its `arguments`; optionally its environment `variables`,
    its `folder`, a `path` to import from, and the `numbers` under which it expects the descriptors that came with the
    conversation.
    """
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    # First of all: where standard input is closed, one of them has its number.
    conversation, *passed = (out_of_the_way(descriptor) for descriptor in received)
    # Standard input may be the connection to the launcher, which has to notice when the warm process has ended.
    nothing = out_of_the_way(os.open(os.devnull, os.O_RDONLY))
    os.dup2(nothing, 0)
    os.close(nothing)
    with socket.socket(fileno=conversation) as talk, talk.makefile("rwb") as lines:
        order = json.loads(lines.readline() or "null")
        if order is None:
            return
        lines.write(f"{Worker.this_process(order.get('run_id', ''))}\n".encode())
        lines.flush()
        if lines.readline() != GO:
            return
    for descriptor, number in zip(passed, order.get("numbers", ()), strict=True):
        os.dup2(descriptor, number, inheritable=False)
        os.close(descriptor)
    if "variables" in order:
        os.environ.clear()
        os.environ.update(order["variables"])
    if "folder" in order:
        os.chdir(order["folder"])
    if "path" in order:
        sys.path.insert(0, order["path"])
    sys.argv = [order["module"], *order["arguments"]]
    _show(["python", "-m", *sys.argv])
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


def out_of_the_way(descriptor: int) -> int:
    """Move a descriptor to a number that no process has to pass on; return that."""
    found = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
    os.close(descriptor)
    return found


def _show(command: Sequence[str]) -> None:
    """Have tools such as `ps` show this command, as much of it as fits in place of the first process' own."""
    # arg_start and arg_end are the fields 48 and 49 of proc_pid_stat(5); the list begins with field 3.
    fields = Path("/proc/self/stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    start, size = int(fields[45]), int(fields[46]) - int(fields[45])
    if start and size:
        ctypes.memmove(start, b"\0".join(map(os.fsencode, command))[: size - 1].ljust(size, b"\0"), size)


if __name__ == "__main__":
    main(sys.argv[1:])
