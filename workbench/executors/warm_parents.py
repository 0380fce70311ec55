"""The processes warm kernels are forked from, as their owner sees them: one for each set of modules and environment."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from workbench.errors import Unavailable
from workbench.executors.forked_kernel import MARK_ROOM, MARK_ROOM_BYTES, NOTEBOOK_BACKEND
from workbench.executors.kernel_processes import ConnectionFolder, kill_tree
from workbench.executors.preloads import installation_folders

_MOST_PARENTS = 3
_START_TIMEOUT_S = 120.0
_END_TIMEOUT_S = 10.0
_LONGEST_ANSWER = 65536
_NO_ANSWER = b'{"late": true}'
# What Python, its libraries and the C library read once, when they are loaded.
_READ_AT_IMPORT = (
    "ARROW_", "BLIS_", "GLIBC_", "GOTO_", "HOME", "IPYTHON", "JE_ARROW_", "JOBLIB_", "KMP_", "LANG", "LC_", "LD_", "LOKY_",
    "MALLOC_", "MATPLOTLIBRC", "MKL_", "MPL", "NPY_", "NUMEXPR_", "OMP_", "OPENBLAS_", "PYTHON", "SCIPY_", "SKLEARN_", "TZ",
    "VECLIB_", "VIRTUAL_ENV", "XDG_",
)  # fmt: skip
# Of one run, though they look like the others.
_OF_A_RUN = ("IPYTHONDIR", "JOBLIB_TEMP_FOLDER", "XDG_STATE_HOME")
_ALSO_GIVEN = ("PATH", "TMPDIR")


class WarmUnavailable(Unavailable):
    """A kernel cannot be forked as wanted; an ordinary one can be started."""


class ParentGone(WarmUnavailable):
    """The process to fork from ended meanwhile; another can be started."""


class WarmKernel:
    """A kernel that was forked for us: not our child, but with what a provisioner asks of one (see `subprocess.Popen`)."""

    stdin = stdout = stderr = None

    def __init__(self, answers: socket.socket) -> None:
        answers.setblocking(False)
        self._answers = answers
        self._lock = threading.Lock()
        self.pid = 0
        self.connection_file = ""
        self.returncode: int | None = None

    async def wait_started(self, timeout_s: float = _START_TIMEOUT_S) -> None:
        """Return once the kernel runs; raises WarmUnavailable when it never will, ParentGone when another might."""
        loop = asyncio.get_running_loop()
        try:
            answer = await asyncio.wait_for(loop.sock_recv(self._answers, _LONGEST_ANSWER), timeout_s)
        except TimeoutError:
            answer = _NO_ANSWER
        except BaseException:
            self._answers.close()
            raise
        self._note_start(answer)

    def wait_started_here(self, timeout_s: float = _START_TIMEOUT_S) -> None:
        """Do the same where no event loop runs."""
        self._await_answer(timeout_s)
        try:
            self._note_start(self._answers.recv(_LONGEST_ANSWER))
        except BlockingIOError:
            self._note_start(_NO_ANSWER)

    def _await_answer(self, timeout_s: float | None) -> None:
        waiting = select.poll()
        waiting.register(self._answers, select.POLLIN)
        waiting.poll(None if timeout_s is None else max(timeout_s, 0) * 1000)

    def _note_start(self, answer: bytes) -> None:
        told = json.loads(answer or b"{}")
        if "pid" in told:
            self.pid, self.connection_file = told["pid"], told["connection"]
            return
        self._answers.close()
        if "refused" in told:
            raise WarmUnavailable("The kernel is not forked.", why=told["refused"])
        if "exit" in told:
            raise WarmUnavailable("The kernel ended while it started.", why=f"Its exit code is {told['exit']}.")
        if "late" in told:
            raise WarmUnavailable("The kernel was not forked in time.")
        raise ParentGone("The process to fork kernels from ended.")

    def poll(self) -> int | None:
        """Return the exit code, None while the kernel runs."""
        with self._lock:
            if self.returncode is None:
                with suppress(BlockingIOError):
                    self._note_end(self._answers.recv(_LONGEST_ANSWER))
            return self.returncode

    def _note_end(self, answer: bytes) -> None:
        if not answer:
            # The parent was killed and its kernels with it; what those started may not have been.
            kill_tree(self.pid)
        self.returncode = json.loads(answer)["exit"] if answer else -signal.SIGKILL
        self._answers.close()

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once the kernel has ended; raises subprocess.TimeoutExpired."""
        if self.poll() is None:
            self._await_answer(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("a kernel", timeout or 0)
        return code

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def kill(self) -> None:
        """Kill the kernel."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)


class WarmParent:
    """A process that has imported `modules` in an environment and forks kernels; may be asked from several threads."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        self._folder = ConnectionFolder()
        folder = self._folder.new_file().parent
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, (folder / "parent.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workbench.executors.kernel_parent",
                 str(theirs.fileno()), str(folder), json.dumps(list(modules))],
                pass_fds=[theirs.fileno()], cwd=folder, env=_parent_environment(environment),
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        # As jupyter_client starts a kernel: its input is a pipe that has ended.
        cast("IO[bytes]", self._process.stdin).close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """True until it has ended."""
        return self._process.poll() is None

    def take(
        self, environment: Mapping[str, str], cwd: str | Path, outputs: tuple[int, int] = (1, 2), **options: Any
    ) -> WarmKernel:
        """Return a kernel that runs, with this environment and working folder; options and errors as in `ask`."""
        kernel = self.ask(environment, cwd, outputs, **options)
        kernel.wait_started_here()
        return kernel

    def ask(
        self,
        environment: Mapping[str, str],
        cwd: str | Path,
        outputs: tuple[int, int] = (1, 2),
        *,
        arguments: Sequence[str] | None = None,
        standby: int = 2,
    ) -> WarmKernel:
        """Ask for a kernel and return it before it runs; wait with `wait_started`.

        `outputs` are descriptors for its own stdout and stderr (-3: none). Without `arguments` (a kernel's command line) one that
        waits already is taken, and `standby` are kept waiting from then on. Raises ParentGone.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # In memory and not in a message: an environment may be long, and nobody but the kernel needs to see it.
        content = os.memfd_create("order")
        nowhere = os.open(os.devnull, os.O_RDWR)
        try:
            with os.fdopen(os.dup(content), "wb") as file:
                file.write(json.dumps({"environment": dict(environment), "cwd": str(cwd)}).encode())
            passed = [theirs.fileno(), content, *(nowhere if number < 0 else number for number in outputs)]
            request = {"do": "take", "arguments": None if arguments is None else list(arguments), "standby": standby}
            self._send(request, passed)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(content)
            os.close(nowhere)
        return WarmKernel(ours)

    def retire(self) -> None:
        """Let it go when its last kernel has ended."""
        with suppress(ParentGone):
            self._send({"do": "retire"})

    def _send(self, request: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        try:
            socket.send_fds(self._requests, [json.dumps(request).encode()], list(descriptors))
        except OSError as exc:
            raise ParentGone("The process to fork kernels from ended.", why=str(exc)) from exc

    def close(self) -> None:
        """End it with all its kernels."""
        self._requests.close()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.remove()

    def forget(self) -> None:
        """Leave it to the process this one was forked from."""
        self._requests.close()
        self._process.returncode = 0


def _parent_environment(environment: Mapping[str, str]) -> dict[str, str]:
    also = {name: environment[name] for name in _ALSO_GIVEN if name in environment}
    # Arrow's second allocator would start a thread when it is imported, and with threads one does not fork.
    also["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
    room = "." * (MARK_ROOM_BYTES - len(MARK_ROOM) - 1)
    return {MARK_ROOM: room, "MPLBACKEND": NOTEBOOK_BACKEND, **also, **find_relevant(environment)}


def find_relevant(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are read when modules are imported, and so cannot differ between kernels of one parent."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith(_READ_AT_IMPORT) and name not in _OF_A_RUN
    }


class _Key(NamedTuple):
    modules: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    installed: tuple[int, ...]


_lock = threading.Lock()
_parents: dict[_Key, WarmParent] = {}  # the one used last is last
_leaving: list[WarmParent] = []
_connections: ConnectionFolder | None = None


def find_parent(modules: Iterable[str], environment: Mapping[str, str]) -> WarmParent:
    """Return the process to fork kernels from for these modules and this environment, started when there is none.

    One whose modules were installed anew since is replaced; at most three are kept. Those replaced go when their last kernel has.
    """
    key = _Key(tuple(sorted(set(modules))), tuple(find_relevant(environment).items()), _read_installed())
    with _lock:
        _remove_ended()
        parent = _parents.pop(key, None) or WarmParent(key.modules, environment)
        _parents[key] = parent
        outdated = [other for other in _parents if other.installed != key.installed]
        surplus = [other for other in _parents if other not in outdated][:-_MOST_PARENTS]
        for other in (*outdated, *surplus):
            _leaving.append(_parents.pop(other))
            _leaving[-1].retire()
        return parent


def _remove_ended() -> None:
    for key in [key for key, parent in _parents.items() if not parent.is_alive()]:
        _parents.pop(key).close()
    for parent in [parent for parent in _leaving if not parent.is_alive()]:
        _leaving.remove(parent)
        parent.close()


def _read_installed() -> tuple[int, ...]:
    """Return when the installed packages, and the files of the workbench, were last changed, as of a second ago at most."""
    return _read_installed_at(int(time.monotonic()))


@lru_cache(maxsize=1)
def _read_installed_at(_second: int) -> tuple[int, ...]:
    folders = [folder for folder in installation_folders() if folder.is_dir()]
    sources = Path(__file__).parents[1].rglob("*.py")
    return (*(folder.stat().st_mtime_ns for folder in folders), max(path.stat().st_mtime_ns for path in sources))


def new_connection_file() -> Path:
    """Return where the connection file of an ordinary kernel may go; its path is short enough for sockets beside it."""
    global _connections  # noqa: PLW0603 - made when it is first needed
    with _lock:
        _connections = _connections or ConnectionFolder()
        return _connections.new_file()


def close_parents() -> None:
    """End every process to fork from, and all kernels."""
    global _connections  # noqa: PLW0603
    with _lock:
        if _connections:
            _connections.remove()
            _connections = None
        for parent in (*_parents.values(), *_leaving):
            parent.close()
        _parents.clear()
        _leaving.clear()


def _forget_parents() -> None:
    """In a fork of this process: the parents and their kernels are not ours."""
    global _lock, _connections
    # Another thread may have held it.
    _lock, _connections = threading.Lock(), None
    for parent in (*_parents.values(), *_leaving):
        parent.forget()
    _parents.clear()
    _leaving.clear()


atexit.register(close_parents)
os.register_at_fork(after_in_child=_forget_parents)
