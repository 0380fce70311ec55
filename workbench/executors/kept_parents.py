"""Processes to fork from that outlive who asked for them: reached through a keeper of them, one for each surroundings.

The keeper is started by who first needs it, on a socket in a folder that only its user may enter; what it forks works with the
environment, folder and streams of whoever asks. It goes some minutes after it was last used.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import resource
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.executors.kernel_processes import find_descendants
from workbench.files.python_processes import python_command, python_variables

# Where kernels are started without settings of a project (JupyterLab, the command papermill), minutes; 0 keeps none.
KEPT = "WORKBENCH_KERNELS_KEPT_MIN"
DEFAULT_KEPT_MIN = 10
# Another one where what is asked and answered is.
_PROTOCOL = 2
# What forks kernels; another program may fork something else.
KERNEL_PARENT = "workbench.executors.kernel_parent"
_KEEPER = "workbench.executors.parent_keeper"
_WITHIN_A_RUN = "WORKBENCH_SPOOL"
_LONGEST_ANSWER = 1 << 20
_ANSWER_TIMEOUT_S = 30.0
_TRIES = 3
_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
_PRIVATE = 0o700
# A Unix socket's path may have 107 bytes.
_LONGEST_ROOT = 64
_started: list[int] = []


def find_kept_min(environment: Mapping[str, str]) -> int:
    """Return for how many minutes parents are kept where only the environment says so."""
    given = environment.get(KEPT, "")
    return int(given) if given.isdecimal() else DEFAULT_KEPT_MIN


def is_kept_here() -> bool:
    """True where parents may outlive this process: on Linux, outside of a run, whose processes end with it, and of a sandbox."""
    if sys.platform != "linux" or os.environ.get(KEPT) == "0" or _WITHIN_A_RUN in os.environ:
        return False
    # Not everything a sandbox forbids can be read, and what is forked elsewhere would be outside of it.
    told = _read_status()
    return told.get("NoNewPrivs", "0") == "0" and told.get("Seccomp", "0") == "0"


def ask_keeper(
    request: Mapping[str, Any], environment: Mapping[str, str], *, kept_min: int = 0
) -> tuple[dict[str, Any], socket.socket | None]:
    """Return what the keeper answers, and the socket of a parent that came with it.

    With `kept_min` one is started when there is none, to keep parents for so many minutes. Raises OSError where there is none.
    """
    for _ in range(_TRIES):
        with suppress(ConnectionResetError, BrokenPipeError):  # it just ended, with the last it kept
            return _ask_once(request, environment, kept_min)
    raise ConnectionResetError("The keeper of kernels ended.")


def _ask_once(
    request: Mapping[str, Any], environment: Mapping[str, str], kept_min: int
) -> tuple[dict[str, Any], socket.socket | None]:
    with _connect(kept_min) as connection:
        _send(connection, request, environment, kept_min)
        connection.settimeout(_ANSWER_TIMEOUT_S)
        answer, descriptors, _, _ = socket.recv_fds(connection, _LONGEST_ANSWER, 1, socket.MSG_CMSG_CLOEXEC)
    if not answer:
        raise ConnectionResetError("The keeper of kernels ended.")
    return json.loads(answer), socket.socket(fileno=descriptors[0]) if descriptors else None


def tell_keeper(request: Mapping[str, Any], environment: Mapping[str, str], *, kept_min: int = 0) -> None:
    """Ask the keeper without waiting for what it answers: one that was just started still imports."""
    with _connect(kept_min) as connection:
        _send(connection, request, environment, kept_min)


def _send(connection: socket.socket, request: Mapping[str, Any], environment: Mapping[str, str], kept_min: int) -> None:
    content = os.memfd_create("environment")
    try:
        with os.fdopen(os.dup(content), "wb") as file:
            file.write(json.dumps(dict(environment)).encode())
        told = {**request, "kept_min": kept_min} if kept_min else dict(request)
        socket.send_fds(connection, [json.dumps(told).encode()], [content])
    finally:
        os.close(content)


@dataclass(frozen=True)
class KeptParent:
    """A kept process: what it forks (`program`), what it imported, how many processes are below it, the memory of all in bytes."""

    pid: int
    program: str
    modules: tuple[str, ...]
    kept_min: int
    processes: int
    memory_bytes: int
    is_leaving: bool


def list_kept() -> list[KeptParent]:
    """Return the processes kept for this user; raises PermissionError where others may enter the folder of their sockets."""
    return _ask_all({"do": "status"})


def stop_kept() -> list[KeptParent]:
    """Let all of them go, at once where no process of theirs is in use, else after the last; return those there were."""
    return _ask_all({"do": "stop"})


def _ask_all(request: Mapping[str, Any]) -> list[KeptParent]:
    answers = [found for path in _list_sockets() if (found := _ask_at(path, request)) is not None]
    return [_read_parent(parent) for found in answers for parent in found["parents"]]


def _read_parent(told: Mapping[str, Any]) -> KeptParent:
    below = [pid for pid, _ in find_descendants(told["pid"])]
    memory = sum(map(read_memory, (told["pid"], *below)))
    return KeptParent(
        told["pid"],
        told["program"],
        tuple(told["modules"]),
        told["kept_min"],
        len(below),
        memory,
        told["is_leaving"],
    )


def read_memory(pid: int) -> int:
    """Return the memory of a process in bytes, what it shares counted by its share (PSS); 0 when it is gone."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0


def _list_sockets() -> list[Path]:
    with suppress(FileNotFoundError):
        return sorted(_require_private(_find_folder()).glob(f"{_PROTOCOL}-*.sock"))
    return []


def _ask_at(path: Path, request: Mapping[str, Any]) -> dict[str, Any] | None:
    with suppress(OSError, ValueError), _open_socket() as connection:
        connection.settimeout(_ANSWER_TIMEOUT_S)
        connection.connect(str(path))
        connection.send(json.dumps(dict(request)).encode())
        answer: dict[str, Any] = json.loads(connection.recv(_LONGEST_ANSWER))
        return answer
    return None


def _connect(kept_min: int) -> socket.socket:
    path = _require_folder() / f"{_PROTOCOL}-{_name_surroundings()}.sock"
    with suppress(OSError):
        return _connect_to(path)
    if not kept_min:
        raise ConnectionRefusedError("No process to fork from is kept.")
    with _locked(path.with_suffix(".lock")):
        with suppress(OSError):  # somebody else was faster
            return _connect_to(path)
        _start_keeper(path, kept_min)
    return _connect_to(path)


def _connect_to(path: Path) -> socket.socket:
    connection = _open_socket()
    try:
        connection.connect(str(path))
        if read_user(connection) != os.getuid():
            raise PermissionError(f"{path} is somebody else's.")
    except BaseException:
        connection.close()
        raise
    return connection


def _open_socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def read_user(connection: socket.socket) -> int:
    """Return the user at the other end of a connection."""
    _, user, _ = struct.unpack(
        "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    )
    return int(user)


def _start_keeper(path: Path, kept_min: int) -> None:
    _started[:] = [pid for pid in _started if not _has_ended(pid)]
    # Listening before it runs: whoever asks meanwhile waits for it.
    path.unlink(missing_ok=True)
    with _open_socket() as listener:
        listener.bind(str(path))
        listener.listen(64)
        keeper = subprocess.Popen(
            python_command(_KEEPER, str(listener.fileno()), str(path), str(kept_min)),
            pass_fds=[listener.fileno()], cwd="/", env=_keeper_environment(os.environ),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    keeper.returncode = 0  # it outlives us
    _started.append(keeper.pid)


def _has_ended(pid: int) -> bool:
    """True for a child that ended, which is then no zombie any more."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _keeper_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the keeper itself starts with; what it forks gets the environment of whoever asks."""
    variables = python_variables(environment)
    kept = (
        "HOME",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "PATH",
        "PYTHONPATH",
        "TMPDIR",
        "VIRTUAL_ENV",
        "XDG_RUNTIME_DIR",
    )
    return {name: variables[name] for name in kept if name in variables}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _require_folder() -> Path:
    """Return the folder of the sockets, made where there is none; raises PermissionError where others may enter it."""
    folder = _find_folder()
    with suppress(FileExistsError):
        folder.mkdir(_PRIVATE)
    return _require_private(folder)


def _find_folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    is_own = os.path.isdir(runtime) and len(runtime) <= _LONGEST_ROOT and os.stat(runtime).st_uid == os.getuid()  # noqa: PTH112, PTH116
    return Path(runtime, "workbench") if is_own else Path(f"/tmp/workbench-{os.getuid()}")  # noqa: S108


def _require_private(folder: Path) -> Path:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(f"{folder} is not a folder that only its user may enter.")
    return folder


def _name_surroundings() -> str:
    """Return a name for all that a process takes over from the one it is forked from, and cannot be given otherwise."""
    limits = [resource.getrlimit(number) for number in sorted({getattr(resource, name) for name in _LIMITS})]
    spaces = [str(Path(f"/proc/self/ns/{name}").readlink()) for name in _NAMESPACES]
    status, root = _read_status(), Path("/proc/self/root").stat()
    scheduled = os.getpriority(os.PRIO_PROCESS, 0), sorted(os.sched_getaffinity(0)), os.sched_getscheduler(0)
    users = os.getresuid(), os.getresgid(), sorted(os.getgroups())
    own = (
        [status.get(name) for name in _STATUS],
        [_read_proc(name) for name in ("cgroup", "attr/current", "oom_score_adj")],
    )
    told = (sys.prefix, sys.version, __file__, limits, spaces, scheduled, users, own, root.st_dev, root.st_ino)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


_STATUS = ("Umask", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "SigBlk")
_LIMITS: Sequence[str] = [name for name in dir(resource) if name.startswith("RLIMIT_")]


def _read_status() -> dict[str, str]:
    """Return what the system says of this process; without /proc, nothing."""
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return {}


def _read_proc(name: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/self/{name}").read_text(encoding="utf-8")
    return ""
