"""A process that has imported what runs need, and forks each run from that: `launcher.py` starts it and asks it.

It imports libraries only. Definitions are imported in the fork, so that each run sees them as they are then; and it is
started anew after a change of this package.

It talks to nobody but the process that started it, through a socket that it inherits as its standard input: there is
nothing to be found or left behind by others, and it ends when the other end is closed, however that came about. A
fork in turn talks to the launcher through a socket of its own, and does nothing before it is told to go on.
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
"""What a fork waits for."""


def main(modules: Iterable[str]) -> None:
    """Serves until the launcher is gone; returns in each fork when its run is done."""
    # Ctrl+C in a terminal reaches this process, too. It has nothing to tidy up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The forks that have ended are not kept for us to ask after.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    preload(modules)
    with socket.socket(fileno=os.dup(0)) as control:
        conversation = serve(control)
    if conversation:
        run(conversation)


def preload(modules: Iterable[str]) -> None:
    """Imports what is there to be imported, as modules or as `module:name`; a run imports what is missing itself."""
    for each in modules:
        module, _, name = each.partition(":")
        with suppress(ImportError, AttributeError):
            found = importlib.import_module(module)
            if name:
                getattr(found, name)
    # A thread that holds a lock while its process is forked holds it in the fork for ever.
    if (threads := len([*Path("/proc/self/task").iterdir()])) > 1:
        print(f"The warm process has {threads} threads, although libraries should not start any.", file=sys.stderr)
    # What is there now is never garbage: not to look at it leaves its pages shared between all forks.
    gc.collect()
    gc.freeze()


def serve(control: socket.socket) -> socket.socket | None:
    """Forks for each socket that comes in; gives it in the fork, and None when the launcher is gone."""
    while True:
        _, received, _, _ = socket.recv_fds(control, 1, 1)
        if not received:
            return None
        conversation = socket.socket(fileno=received[0])
        if os.fork() == 0:
            return conversation
        conversation.close()


def run(conversation: socket.socket) -> None:
    """Takes a command, says who carries it out, and carries it out when told to go on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Standard input was the way to the launcher, who is to notice when the warm process alone has ended.
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
