"""What a forked process does to become the kernel of one run: nothing of the process it was forked from shows in it."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import logging
import os
import re
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from workbench.executors.import_effects import find_modules, find_variables, repeat_effects, tell_process

# Room in the environment a process was started with: what it says of itself in /proc can be as long as this, not longer.
MARK_ROOM = "KERNEL_MARK_ROOM"
MARK_ROOM_BYTES = 4096
NOTEBOOK_BACKEND = "module://matplotlib_inline.backend_inline"
MARKS = "WORKBENCH_"
# As nbclient starts the kernel of a run: what it remembers of its cells stays in memory.
RUN_ARGUMENTS = ("--HistoryManager.hist_file=:memory:",)
_ORDER_PARTS = 4
_END_TIMEOUT_S = 10.0
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
# Generators with a state of their own, by the module that can seed it anew; an ordinary kernel has each from the system.
_SEEDED = ("random", "numpy.random", "torch")
_PACKAGES = re.compile(r"[/\\](?:site|dist)-packages[/\\]")
_STATEMENTS = (".dist-info", ".egg-info")
_modules_at_start: dict[str, Any] = {}
_LAUNCHER = importlib.util.find_spec("ipykernel_launcher")


@dataclass(frozen=True)
class _Order:
    """What one run wants of its kernel, and where to answer."""

    answers: socket.socket
    environment: Mapping[str, str]
    cwd: str
    outputs: tuple[int, int]

    def answer(self, **answer: Any) -> None:
        with suppress(OSError):
            self.answers.send(json.dumps(answer).encode())
        self.answers.close()


def run_kernel(orders: socket.socket, arguments: Sequence[str], *, ahead: bool, parent: int) -> NoReturn:
    """Be a kernel with these arguments until it ends; `ahead` starts it before its order comes, on which it then waits."""
    os.setsid()
    _end_with(parent)
    order = None if ahead else _receive_order(orders)
    if order is not None:
        _obey(order)
    else:
        _leave_user(arguments[1])
    app = _initialize(arguments)
    if order is None:
        order = _receive_order(orders)
        _obey(order)
        _tell_shell(app, order)
    orders.close()
    order.answer(pid=os.getpid(), connection=arguments[1])
    app.start()
    _end_control(app.control_thread)
    sys.exit(0)


def _leave_user(connection: str) -> None:
    """Start in a folder of IPython of its own: what runs there belongs to no run, and whose this kernel will be is not known."""
    os.environ.pop("PYTHONSTARTUP", None)
    os.environ["IPYTHONDIR"] = name_ipython_folder(connection)


def name_ipython_folder(connection: str) -> str:
    """Return where a kernel that was started ahead keeps what IPython writes."""
    return f"{connection}.ipython"


def _end_control(thread: Any) -> None:
    """End the thread that was told to shut down, before those it writes through.

    ipykernel 7.4 ends them in the other order: on a busy machine it then waits for an answer that nobody gives any more.
    """
    if thread is not None:
        thread.stop()
        thread.join(_END_TIMEOUT_S)


def _end_with(parent: int) -> None:
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # What loses its parent stays below the kernel, and is found and ended with it.
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        os._exit(1)


def _initialize(arguments: Sequence[str]) -> Any:
    from ipykernel import ipkernel
    from ipykernel.kernelapp import IPKernelApp

    # As an ordinary kernel is started; 1 means that it need not look after its parent itself.
    sys.argv = [str(_LAUNCHER.origin) if _LAUNCHER else "ipykernel_launcher", *arguments]
    sys.orig_argv = [sys.orig_argv[0], "-m", "ipykernel_launcher", *arguments]
    app = IPKernelApp.instance(parent_handle=1)
    # The one by which an ordinary kernel watches its parent has a number; the names of later ones go on from there.
    threading.Thread()
    streams, handlers = (sys.stdout, sys.stderr), list(_find_log_handlers())
    ipkernel.sys = _SysAtStart()
    app.initialize(list(arguments))
    ipkernel.sys = sys
    repeat_effects()
    # What `%reset -f aggressive` leaves alone.
    app.shell._sys_modules_keys -= find_modules()
    _move_handlers(handlers, streams)
    return app


class _SysAtStart:
    """`sys` with the modules an ordinary kernel has when it starts."""

    modules = _modules_at_start

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


def note_modules() -> None:
    """Note what is imported: the debugger of a kernel takes that for the kernel's own, and what comes later for the user's.

    Copies that lie together: a fork that looks at thousands of modules gets a copy of the memory of each.
    """
    for name, module in sys.modules.items():
        if file := getattr(module, "__file__", None):
            _modules_at_start[name] = SimpleNamespace(__file__=file[:1] + file[1:])


def _find_log_handlers() -> Iterator[Any]:
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    return (handler for logger in loggers for handler in getattr(logger, "handlers", ()))


def _move_handlers(handlers: Iterable[Any], streams: Sequence[Any]) -> None:
    """Show in the notebook what libraries log that took hold of the streams when they were imported."""
    for handler in handlers:
        for before, after in zip(streams, (sys.stdout, sys.stderr), strict=True):
            if isinstance(handler, logging.StreamHandler) and handler.stream is before:
                handler.setStream(after)


def _receive_order(orders: socket.socket) -> _Order:
    message, descriptors, _, _ = socket.recv_fds(orders, 1, _ORDER_PARTS, socket.MSG_CMSG_CLOEXEC)
    if not message or len(descriptors) != _ORDER_PARTS:
        os._exit(0)  # nobody needs this kernel any more
    answers, content, *outputs = descriptors
    with os.fdopen(content, "rb") as file:
        file.seek(0)
        wanted = json.loads(file.read())
    return _Order(socket.socket(fileno=answers), wanted["environment"], wanted["cwd"], (outputs[0], outputs[1]))


def _obey(order: _Order) -> None:
    """Take over what the run wants; where an ordinary kernel would import other files, say so and end."""
    _redirect(order.outputs)
    _replace_environment(order.environment)
    try:
        os.chdir(order.cwd)
    except OSError as exc:
        _refuse(order, str(exc))
    folders = _own_folders(order)
    if hidden := sorted(_find_hidden_modules(folders)):
        _refuse(order, f"files of the run come before the installed {', '.join(hidden)}")
    if "narwhals.plugins" in sys.modules and any(map(_has_plugins, folders)):
        _refuse(order, "narwhals has looked for its plugins, and a folder of the run has more")
    if "matplotlib" in sys.modules and Path("matplotlibrc").is_file():
        _refuse(order, "matplotlib was imported, and the folder of the run has settings for it")
    _forget_parent()


def _refuse(order: _Order, why: str) -> NoReturn:
    order.answer(refused=why)
    os._exit(0)


def _redirect(outputs: tuple[int, int]) -> None:
    for stream, number, output in zip((sys.stdout, sys.stderr), (1, 2), outputs, strict=True):
        # A kernel that is initialised has put a pipe there, and kept what was there before.
        os.dup2(output, getattr(stream, "_original_stdstream_copy", number))
        os.close(output)


def _replace_environment(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update({**find_variables(), **environment})
    if not environment.get("MPLBACKEND"):
        os.environ["MPLBACKEND"] = NOTEBOOK_BACKEND
    time.tzset()
    show_marks(environment)


def show_marks(environment: Mapping[str, str]) -> None:
    """Write the marks of a run where /proc shows them: into the room this process was started with."""
    with suppress(OSError, ValueError, IndexError):
        start = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[47])
        place = Path("/proc/self/environ").read_bytes().index(MARK_ROOM.encode() + b"=")
        marks = [f"{name}={value}" for name, value in environment.items() if name.startswith(MARKS)]
        text = os.fsencode("\0".join([*marks, "_="]))
        if len(text) <= MARK_ROOM_BYTES and start:
            ctypes.memmove(start + place, text.ljust(MARK_ROOM_BYTES, b"."), MARK_ROOM_BYTES)


def _own_folders(order: _Order) -> list[str]:
    paths = order.environment.get("PYTHONPATH", "").split(os.pathsep)
    return [folder for folder in (str(Path.cwd()), *paths) if folder]


def _find_hidden_modules(folders: Iterable[str]) -> Iterator[str]:
    """Yield what was imported from an installation though a file in one of these folders would have come first."""
    for folder in folders:
        for name in find_installed_modules():
            # Text and not paths: every run waits for this.
            if os.path.isfile(f"{folder}/{name}.py") or os.path.isfile(f"{folder}/{name}/__init__.py"):  # noqa: PTH113
                yield name


def _has_plugins(folder: str) -> bool:
    """True when packages that stand in a folder, and not in the installation, name plugins for narwhals."""
    with suppress(OSError), os.scandir(folder) as entries:
        stated = [Path(entry.path, "entry_points.txt") for entry in entries if entry.name.endswith(_STATEMENTS)]
        return any(b"narwhals.plugins" in file.read_bytes() for file in stated if file.is_file())
    return False


@cache
def find_installed_modules() -> tuple[str, ...]:
    """Return the top-level names loaded from installed packages; the standard library comes first for everybody."""
    files = [(name, getattr(module, "__file__", None)) for name, module in sys.modules.items() if "." not in name]
    return tuple(name for name, file in files if file and _PACKAGES.search(file))


def _forget_parent() -> None:
    """Draw anew, or forget, what one process should have for itself alone."""
    tell_process()
    thread: Any = threading.main_thread()
    thread._set_native_id()
    logging._startTime = time.time()  # type: ignore[attr-defined]
    for name in _SEEDED:
        if name in sys.modules:
            sys.modules[name].seed()
    tempfile.tempdir = None
    processes: Any = sys.modules.get("multiprocessing.process")
    if processes:
        processes.current_process().authkey = secrets.token_bytes(32)


def _tell_shell(app: Any, order: _Order) -> None:
    """Tell a shell that was made before its order what it read of its process then."""
    shell = app.shell
    shell.init_environment()
    shell.starting_dir = str(Path.cwd())
    shell.history_manager.dir_hist[:] = [Path.cwd()]
    if session := order.environment.get("JPY_SESSION_NAME"):
        shell.user_ns["__session__"] = session
