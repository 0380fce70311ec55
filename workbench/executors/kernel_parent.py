"""The process kernels are forked from: it has imported what they need, runs none of their code and has one thread.

Started with the number of a socket, a folder of its own and the names to import. Its owner asks through the socket; when that
closes or the owner ends, every kernel and the folder go.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import gc
import importlib
import json
import os
import secrets
import selectors
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from workbench.executors.forked_kernel import (
    RUN_ARGUMENTS,
    find_installed_modules,
    name_ipython_folder,
    note_modules,
    run_kernel,
)
from workbench.executors.import_effects import note_process, note_variables, noted_effects
from workbench.executors.kernel_processes import kill_tree
from workbench.executors.kernel_stand_in import as_in_a_kernel
from workbench.executors.preloads import installation_folders

_NAME = "workbench.executors.kernel_parent"
_LONGEST_REQUEST = 65536
_MOST_DESCRIPTORS = 4
# What a kernel imports only while it starts.
_KERNEL_PRELOADS = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "ipykernel.subshell_manager",
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "jedi",
    "ctypes",
    "multiprocessing.process",
)


def main() -> None:
    """Import what was asked for and serve the owner; in a forked process, be a kernel."""
    descriptor, folder, names = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    owner, variables = socket.socket(fileno=int(descriptor)), dict(os.environ)
    with _installed_modules_only(folder):
        for name in _KERNEL_PRELOADS:
            _import(name)
        note_modules()
        wanted = json.loads(names)
        with noted_effects():
            unfit = preload(wanted)
    if unfit:
        # Undoing an import is not possible; starting over without it is.
        fit = json.dumps([name for name in wanted if name not in unfit])
        os.execve(sys.executable, [sys.executable, "-m", _NAME, descriptor, folder, fit], variables)  # noqa: S606
    owner.set_inheritable(False)
    find_installed_modules()
    note_variables(variables)
    note_process()
    gc.collect()
    gc.freeze()
    KernelParent(owner, Path(folder)).serve()


@contextlib.contextmanager
def _installed_modules_only(folder: str) -> Iterator[None]:
    """Keep the folders a run's own modules may be in off the path; those are imported by its kernel, each time."""
    before = [entry for entry in sys.path if entry not in ("", folder)]
    own = {str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry}
    sys.path[:] = [entry for entry in before if entry not in own]
    try:
        yield
    finally:
        sys.path[:] = before


def preload(names: Sequence[str]) -> set[str]:
    """Import modules, and return those that a kernel has to import itself to behave as it always does.

    These are the ones that want something of their kernel, print or warn, start a thread that does not survive a fork, set what a
    kernel's start sets, or bring along what is not installed: its file may be another one for the next kernel.
    """
    with as_in_a_kernel() as count_questions:
        return {name for name in names if _is_unfit(name, count_questions)}


def _is_unfit(name: str, count_questions: Callable[[], int]) -> bool:
    def look() -> tuple[Any, ...]:
        return count_questions(), _said(), count_lasting_threads(), count_local_modules(), _read_hooks()

    before = look()
    _import(name)
    return look() != before


def _read_hooks() -> tuple[Any, ...]:
    """Return what a kernel sets when it starts: what an import sets has to come later."""
    signals = (signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM))
    hooks = (sys.excepthook, sys.displayhook, sys.unraisablehook, sys.breakpointhook, threading.excepthook)
    return (*signals, *hooks, sys.stdin, sys.stdout, sys.stderr, tuple(sys.path), frozenset(vars(builtins)))


def _import(name: str) -> None:
    # Whatever is wrong with it, the kernel will hear when the notebook imports it.
    with suppress(Exception, SystemExit):
        importlib.import_module(name)


def count_local_modules() -> int:
    """Return how many of the modules that were imported lie neither in the installation nor in the workbench."""
    folders = tuple(f"{folder}{os.sep}" for folder in (*installation_folders(), Path(__file__).parents[1]))
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    return sum(not file.startswith(folders) for file in files if isinstance(file, str))


def _said() -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    return sum(os.fstat(number).st_size for number in (1, 2))


def count_lasting_threads() -> int:
    """Return how many threads this process has, without those that libraries end and start again around a fork."""
    if _count_threads() > 1 and threading.active_count() == 1:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    return _count_threads()


def _count_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@dataclass
class _Child:
    """A forked kernel: `answers` is its owner's, None while it waits for its order."""

    pid: int
    ended: int
    orders: socket.socket
    connection: str
    answers: socket.socket | None = None


class KernelParent:
    """Forks kernels, some ahead, hands them over to those who ask, and says how each ended."""

    def __init__(self, owner: socket.socket, folder: Path) -> None:
        self._owner = owner
        self._folder = folder
        self._waiting: list[_Child] = []
        self._taken: list[_Child] = []
        self._passing: list[int] = []
        self._is_retired = False
        # Not epoll: its state would be shared with every fork.
        self._selector = selectors.PollSelector()
        self._selector.register(owner, selectors.EVENT_READ, self._hear)
        with suppress(OSError):
            self._owner_ended = os.pidfd_open(os.getppid())
            self._selector.register(self._owner_ended, selectors.EVENT_READ, self._end)

    def serve(self) -> NoReturn:
        """Do what the owner asks until it goes."""
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _hear(self) -> None:
        try:
            message, descriptors, _, _ = socket.recv_fds(
                self._owner, _LONGEST_REQUEST, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
            )
        except OSError:
            message, descriptors = b"", []
        if not message:
            self._end()
        request = json.loads(message)
        actions = {"take": self._take, "retire": self._retire}
        actions[request["do"]](request, descriptors)

    def _take(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Hand a kernel over: the one that waits longest, or one with arguments of its own."""
        self._passing = descriptors
        if request["arguments"] is not None:
            child = self._fork(request["arguments"], ahead=False)
        else:
            child = self._waiting.pop(0) if self._waiting else self._fork_ahead()
        child.answers = socket.socket(fileno=os.dup(descriptors[0]))
        self._taken.append(child)
        with suppress(OSError):  # it ended before its time, which its burial will tell
            socket.send_fds(child.orders, [b"."], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        self._passing = []
        self._prepare(request["standby"])

    def _prepare(self, standby: int) -> None:
        """Fork kernels ahead until as many wait as are wanted."""
        while len(self._waiting) < standby and not self._is_retired:
            self._waiting.append(self._fork_ahead())

    def _retire(self, _: dict[str, Any], __: list[int]) -> None:
        """End what waits, and go when the last kernel in use has ended."""
        self._is_retired = True
        for child in self._waiting:
            kill_tree(child.pid)
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self._is_retired and not self._taken:
            self._end()

    def _fork_ahead(self) -> _Child:
        return self._fork(["-f", str(write_connection(self._folder)), *RUN_ARGUMENTS], ahead=True)

    def _fork(self, arguments: list[str], *, ahead: bool) -> _Child:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            ours.close()
            self._leave()
            run_kernel(theirs, arguments, ahead=ahead, parent=parent)
        theirs.close()
        child = _Child(pid, os.pidfd_open(pid), ours, arguments[1])
        self._selector.register(child.ended, selectors.EVENT_READ, functools.partial(self._bury, child))
        return child

    def _leave(self) -> None:
        """Close, in a fork, what belongs to the parent."""
        for child in (*self._waiting, *self._taken):
            child.orders.close()
            if child.answers:
                child.answers.close()
        for descriptor in (*self._passing, *(key.fd for key in self._selector.get_map().values())):
            os.close(descriptor)
        self._owner.detach()

    def _bury(self, child: _Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        self._selector.unregister(child.ended)
        os.close(child.ended)
        child.orders.close()
        shutil.rmtree(name_ipython_folder(child.connection), ignore_errors=True)
        if child.answers:
            self._taken.remove(child)
            with suppress(OSError):
                child.answers.send(json.dumps({"exit": os.waitstatus_to_exitcode(status)}).encode())
            child.answers.close()
        else:
            self._waiting.remove(child)
        self._end_if_idle()

    def _end(self) -> NoReturn:
        for child in (*self._waiting, *self._taken):
            kill_tree(child.pid)
        shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(0)


def write_connection(folder: Path) -> Path:
    """Write a connection file for a kernel that is reached through sockets beside it, and return its path."""
    file = folder / f"{secrets.token_hex(4)}.json"
    ports = {f"{name}_port": number for number, name in enumerate(("shell", "iopub", "stdin", "control", "hb"), 1)}
    connection = {"transport": "ipc", "ip": str(file.with_suffix("")) + "-ipc", "key": secrets.token_hex(32), **ports}
    content = {**connection, "signature_scheme": "hmac-sha256", "kernel_name": ""}
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        json.dump(content, opened)
    return file


if __name__ == "__main__":
    main()
