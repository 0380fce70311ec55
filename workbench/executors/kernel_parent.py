"""The process kernels are forked from: it has imported what they need.

Started with the number of its owner's socket, a folder of its own, for how many seconds it is kept when it is not used (null: as
long as its owner is there), and the names to import.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from workbench.executors.fork_server import Child, ForkServer
from workbench.executors.forked_kernel import (
    RUN_ARGUMENTS,
    find_installed_modules,
    name_ipython_folder,
    note_modules,
    run_kernel,
)
from workbench.executors.import_effects import note_process, note_variables, noted_effects
from workbench.executors.kernel_stand_in import as_in_a_kernel
from workbench.executors.preloads import installation_folders

_NAME = "workbench.executors.kernel_parent"
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

# As a power of two; by itself OpenBLAS takes 2^26.
_SPINNING, _SPINNING_CYCLES = "OPENBLAS_THREAD_TIMEOUT", "20"


def main() -> None:
    """Import what was asked for and serve the owner; in a forked process, be a kernel."""
    descriptor, folder, kept, names = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    owner, variables = socket.socket(fileno=int(descriptor)), dict(os.environ)
    with _installed_modules_only(folder), brief_spinning(), collecting_later():
        for name in _KERNEL_PRELOADS:
            _import(name)
        note_modules()
        wanted = json.loads(names)
        with noted_effects():
            unfit = preload(wanted)
    if unfit:
        # Undoing an import is not possible; starting over without it is.
        fit = json.dumps([name for name in wanted if name not in unfit])
        os.execve(sys.executable, [sys.executable, "-m", _NAME, descriptor, folder, kept, fit], variables)  # noqa: S606
    owner.set_inheritable(False)
    find_installed_modules()
    note_variables(variables)
    note_process()
    gc.collect()
    gc.freeze()
    KernelParent(owner, Path(folder), json.loads(kept)).serve()


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


@contextlib.contextmanager
def brief_spinning() -> Iterator[None]:
    """Have OpenBLAS, which reads a variable when it is loaded, wait for its next task half a millisecond awake, not thirty.

    It computes the same. Until then its threads keep busy the processor on which the run before is written down.
    """
    is_given = _SPINNING in os.environ
    os.environ.setdefault(_SPINNING, _SPINNING_CYCLES)
    try:
        yield
    finally:
        if not is_given:
            os.environ.pop(_SPINNING, None)


@contextlib.contextmanager
def collecting_later() -> Iterator[None]:
    """Look for no garbage among what is imported, for it stays; a package that sets when to look has its way."""
    before, never = gc.get_threshold(), (0, 0, 0)
    gc.set_threshold(*never)
    try:
        yield
    finally:
        if gc.get_threshold() == never:
            gc.set_threshold(*before)


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


class KernelParent(ForkServer):
    """Forks kernels."""

    def become(self, orders: socket.socket, arguments: list[str], *, ahead: bool) -> NoReturn:
        """Be a kernel with these arguments until it ends."""
        run_kernel(orders, arguments, ahead=ahead)

    def name_next(self) -> list[str]:
        """Return the arguments of a kernel whose connection is its own."""
        return ["-f", str(write_connection(self._folder)), *RUN_ARGUMENTS]

    def clean(self, child: Child) -> None:
        """Remove the folder of IPython that a kernel started in before its order came."""
        shutil.rmtree(name_ipython_folder(child.arguments[1]), ignore_errors=True)


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
