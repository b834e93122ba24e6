"""A process that has imported what runs need, and forks each run: `launcher.py` starts it and sends it requests.

It imports libraries only. Definitions are imported in the fork, so that each run sees the current ones. It is restarted
after a change to this package.

It communicates only with the process that started it, through a socket inherited as its standard input: others cannot
find it, nothing is left behind, and it ends when the other end is closed for whatever reason. Each fork communicates
with the launcher through a socket of its own, and does nothing until told to proceed.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from directus_assets.fast.worker import Worker

GO = b"go\n"
"""The message that a fork waits for."""


def main(modules: Iterable[str]) -> None:
    """Serve until the launcher is gone; in each fork, return when its run is done."""
    # Ctrl+C in a terminal reaches this process, too. It has nothing to clean up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Ended forks are reaped automatically.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    preload(modules)
    with socket.socket(fileno=os.dup(0)) as control:
        conversation = serve(control)
    if conversation:
        run(conversation)


def preload(modules: Iterable[str]) -> None:
    """Import the available modules, given as modules or as `module:name`; a run imports missing ones itself."""
    for each in modules:
        module, _, name = each.partition(":")
        with suppress(ImportError, AttributeError):
            found = importlib.import_module(module)
            if name:
                getattr(found, name)
    # A lock held by another thread during a fork would stay locked in the fork forever.
    if (threads := len([*Path("/proc/self/task").iterdir()])) > 1:
        print(f"The warm process has {threads} threads, although libraries should not start any.", file=sys.stderr)
    # Existing objects are never garbage: excluding them from collection keeps their pages shared between all forks.
    gc.collect()
    gc.freeze()


def serve(control: socket.socket) -> socket.socket | None:
    """Fork for each incoming socket; return it in the fork, and None when the launcher is gone."""
    while True:
        _, received, _, _ = socket.recv_fds(control, 1, 1)
        if not received:
            return None
        conversation = socket.socket(fileno=received[0])
        if os.fork() == 0:
            return conversation
        conversation.close()


def run(conversation: socket.socket) -> None:
    """Receive a command, report the process that will execute it, and execute it when told to proceed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Standard input was the connection to the launcher, which has to notice when the warm process itself has ended.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    with conversation, conversation.makefile("rwb") as lines:
        order = json.loads(lines.readline() or "null")
        if order is None:
            return
        lines.write(f"{Worker.this_process(order['run_id'])}\n".encode())
        lines.flush()
        if lines.readline() != GO:
            return
    sys.argv = [order["module"], *order["arguments"]]
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
