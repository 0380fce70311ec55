"""The processes warm kernels are forked from, as their owner sees them: one for each set of modules and environment."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
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
from workbench.executors.forked_process import LONGEST_ANSWER, ForkedProcess, ask_process
from workbench.executors.kept_parents import KERNEL_PARENT
from workbench.executors.kernel_processes import ConnectionFolder, kill_tree
from workbench.executors.preloads import installation_folders

_MOST_PARENTS = 3
_START_TIMEOUT_S = 120.0
_END_TIMEOUT_S = 10.0
_NO_ANSWER = b'{"late": true}'
# What Python, its libraries and the C library read once, when they are loaded.
_READ_AT_IMPORT = (
    "ARROW_", "BLIS_", "CUDA_", "DASK_", "GLIBC_", "GOTO_", "HF_", "HOME", "IPYTHON", "JE_ARROW_", "JOBLIB_", "KERAS_", "KMP_",
    "LANG", "LC_", "LD_", "LIGHTGBM_", "LOKY_", "MALLOC_", "MATPLOTLIBRC", "MKL_", "MPL", "NPY_", "NUMBA_", "NUMEXPR_", "NVIDIA_",
    "OMP_", "OPENBLAS_", "OTEL_", "PANDAS_", "POLARS_", "PYTHON", "SCIPY_", "SKLEARN_", "TF_", "TOKENIZERS_",
    "TORCH", "TRANSFORMERS_", "TZ", "VECLIB_", "VIRTUAL_ENV", "XDG_", "XGBOOST_", "XLA_",
)  # fmt: skip
# What a process that is kept need not know: nothing is imported by it.
_CREDENTIAL = re.compile(r"TOKEN|PASSW|SECRET|CREDENTIAL|_KEY(_|$)|USERNAME|HEADERS")
# Of one run, though they look like the others.
_OF_A_RUN = ("IPYTHONDIR", "JOBLIB_TEMP_FOLDER", "XDG_STATE_HOME")
_ALSO_GIVEN = ("PATH", "TMPDIR")


class WarmUnavailable(Unavailable):
    """A kernel cannot be forked as wanted; an ordinary one can be started."""


class ParentGone(WarmUnavailable):
    """The process to fork from ended meanwhile; another can be started."""


class WarmKernel(ForkedProcess):
    """A kernel that was forked for us, with what a provisioner asks of one (see `subprocess.Popen`)."""

    def __init__(self, answers: socket.socket) -> None:
        super().__init__(answers)
        self.connection_file = ""

    async def wait_started(self, timeout_s: float = _START_TIMEOUT_S) -> None:
        """Return once the kernel runs; raises WarmUnavailable when it never will, ParentGone when another might."""
        loop = asyncio.get_running_loop()
        try:
            answer = await asyncio.wait_for(loop.sock_recv(self._answers, LONGEST_ANSWER), timeout_s)
        except TimeoutError:
            answer = _NO_ANSWER
        except BaseException:
            self._answers.close()
            raise
        self._note_start(answer)

    def wait_started_here(self, timeout_s: float = _START_TIMEOUT_S) -> None:
        """Do the same where no event loop runs."""
        self.await_answer(timeout_s)
        try:
            self._note_start(self._answers.recv(LONGEST_ANSWER))
        except BlockingIOError:
            self._note_start(_NO_ANSWER)

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

    def _note_end(self, answer: bytes) -> None:
        if not answer:
            # The parent was killed and its kernels with it; what those started may not have been.
            kill_tree(self.pid)
        super()._note_end(answer)


class KernelSource:
    """Where kernels are asked for: the socket of a process that has imported modules; may be asked from several threads."""

    def __init__(self, requests: socket.socket, pid: int) -> None:
        self.requests = requests
        self.pid = pid

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
        nowhere = os.open(os.devnull, os.O_RDWR)
        request = {"do": "take", "arguments": None if arguments is None else list(arguments), "standby": standby}
        order = {"environment": dict(environment), "cwd": str(cwd)}
        try:
            passed = [nowhere if number < 0 else number for number in outputs]
            return WarmKernel(ask_process(self.requests, request, order, passed))
        except OSError as exc:
            raise ParentGone("The process to fork kernels from ended.", why=str(exc)) from exc
        finally:
            os.close(nowhere)

    def release(self) -> None:
        """Ask no more."""
        self.requests.close()

    def close(self) -> None:
        """Ask no more."""
        self.requests.close()


class WarmParent(KernelSource):
    """A process of ours that has imported `modules` in an environment and forks kernels (or what another `program` forks).

    It goes with us, or with `keep_s` once it was not used for as many seconds.
    """

    def __init__(
        self,
        modules: Sequence[str],
        environment: Mapping[str, str],
        keep_s: float | None = None,
        program: str = KERNEL_PARENT,
        also: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = ConnectionFolder()
        folder = self._folder.new_file().parent
        requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, (folder / "parent.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", program,
                 str(theirs.fileno()), str(folder), json.dumps(keep_s), json.dumps(list(modules))],
                pass_fds=[theirs.fileno()], cwd=folder, env={**_parent_environment(environment), **(also or {})},
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        # As jupyter_client starts a kernel: its input is a pipe that has ended.
        cast("IO[bytes]", self._process.stdin).close()
        super().__init__(requests, self._process.pid)

    def is_alive(self) -> bool:
        """True until it has ended."""
        return self._process.poll() is None

    def retire(self) -> None:
        """Let it go when its last kernel has ended."""
        with suppress(OSError):
            socket.send_fds(self.requests, [json.dumps({"do": "retire"}).encode()], [])

    def release(self) -> None:
        """Leave it for the next."""

    def close(self) -> None:
        """End it with all its kernels."""
        super().close()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.remove()

    def forget(self) -> None:
        """Leave it to the process this one was forked from."""
        self.requests.close()
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
        if name.startswith(_READ_AT_IMPORT) and name not in _OF_A_RUN and not _CREDENTIAL.search(name)
    }


class ParentKey(NamedTuple):
    """What a parent is found by: two that differ in it could not fork the same processes."""

    modules: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    installed: tuple[int, ...]


_lock = threading.Lock()
_parents: dict[ParentKey, WarmParent] = {}  # the one used last is last
_leaving: list[WarmParent] = []
_connections: ConnectionFolder | None = None


def find_key(modules: Iterable[str], environment: Mapping[str, str], variables: Sequence[str] = ()) -> ParentKey:
    """Return what a parent for these modules and this environment is found by; `variables` are more that begin with such texts."""
    begin = tuple(variables)
    also = {
        name: value for name, value in environment.items() if name.startswith(begin) and not _CREDENTIAL.search(name)
    }
    told = {**find_relevant(environment), **also}
    return ParentKey(tuple(sorted(set(modules))), tuple(sorted(told.items())), _read_installed())


def find_parent(modules: Iterable[str], environment: Mapping[str, str]) -> WarmParent:
    """Return the process to fork kernels from for these modules and this environment, started when there is none.

    One whose modules were installed anew since is replaced; at most three are kept. Those replaced go when their last kernel has.
    """
    key = find_key(modules, environment)
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
