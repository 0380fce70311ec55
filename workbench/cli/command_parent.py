"""The process commands are forked from that run notebooks: it has imported what they need.

Started as the processes kernels are forked from are; it tells once that it is ready.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from workbench.config import find_template
from workbench.executors.fork_server import Child, ForkServer, Order, receive_order
from workbench.runs.nbconvert_report import prepare_report
from workbench.runs.provenance import read_packages


def main() -> None:
    """Import what was asked for and fork commands; in a forked process, be a command."""
    descriptor, folder, kept, names = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.disable()  # what is imported stays; it is looked through once
    for name in json.loads(names):
        with suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(name)
    read_packages()
    prepare_report(find_template("report"))
    gc.enable()
    gc.collect()
    gc.freeze()
    owner = socket.socket(fileno=int(descriptor))
    owner.set_inheritable(False)
    owner.send(b".")
    CommandParent(owner, Path(folder), json.loads(kept)).serve()


class CommandParent(ForkServer):
    """Forks commands."""

    def become(self, orders: socket.socket, arguments: list[str], *, ahead: bool) -> NoReturn:  # noqa: ARG002
        """Be a command, in the folder, environment and streams of who typed it."""
        from workbench.cli.main import run_command

        order = receive_order(orders)
        orders.close()
        _obey(order)
        if not order.answer(pid=os.getpid()):
            os._exit(0)  # who typed it runs it otherwise by now
        sys.exit(run_command(sys.argv[1:]))

    def abandon(self, child: Child) -> None:
        """Stop a command whose typist is gone, as Ctrl-C does."""
        os.kill(child.pid, signal.SIGTERM)


def _obey(order: Order) -> None:
    for number, descriptor in enumerate(order.descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order.content["environment"])
    time.tzset()
    os.chdir(order.content["cwd"])
    sys.argv[:] = order.content["arguments"]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=stream is sys.stderr or stream.isatty())  # type: ignore[union-attr]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in order.content["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    tempfile.tempdir = None


if __name__ == "__main__":
    main()
