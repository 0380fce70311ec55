"""Taking a process's rights away (memory, time, files, network, programs) before it opens what nobody vouches for."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from typing import Any, TextIO

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_FORBIDDEN = (
    *(
        "socket.",
        "subprocess.",
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pty.",
        "ctypes.dlopen",
    ),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
)
# Forbidden too where own code runs, which may mean other processes and files of others.
OF_OTHERS = ("os.kill", "os.utime", "os.setxattr", "os.removexattr", "signal.pthread_kill")


@dataclass(frozen=True)
class Limits:
    """What a confined process may use: address space and file size in bytes, processor and wall time in seconds."""

    memory_bytes: int = 4 * 1024**3
    file_bytes: int = 1024**3
    cpu_s: int = 240
    wall_s: int = 300


def limit_resources(limits: Limits) -> None:
    """Set hard limits on memory, processor time and file size, and leave no core dump; they cannot be raised again."""
    wanted = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (limit, limit))


def die_with_parent(parent: int) -> None:
    """End this process when its parent, by its process id, ends, however that ends; Linux only."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended in between
        os._exit(1)


def leave_network() -> bool:
    """Move this process into an empty network namespace of its own; False where the kernel does not allow it."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    rootless = 0 if os.geteuid() == 0 else _CLONE_NEWUSER
    return libc.unshare(rootless | _CLONE_NEWNET) == 0


def open_answer(parent: int, limits: Limits) -> TextIO:
    """Begin a process that is asked one thing: it ends with its parent, has limits and no network.

    Returns where its answer goes; whatever a library prints goes to standard error and is not taken for it.
    """
    die_with_parent(parent)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    limit_resources(limits)
    leave_network()
    return answer


def forbid_side_effects(writable: str, *, also: tuple[str, ...] = ()) -> None:
    """Refuse, from now on, sockets, other programs and writing files outside of the folder `writable`, and the events in `also`.

    An audit hook (PEP 578): it stops what goes through Python, cannot be removed again, and is the second line behind
    the list of trusted types; code that means to harm may know ways around it. Raises PermissionError in whoever tries.
    """
    inside, forbidden = os.path.realpath(writable) + os.sep, (*_FORBIDDEN, *also)

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(forbidden) or (event == "open" and _writes_outside(arguments, inside)):
            raise PermissionError(f"{event} is not allowed while a model is inspected")

    sys.addaudithook(refuse)


def _writes_outside(arguments: tuple[Any, ...], inside: str) -> bool:
    path, mode, flags = arguments
    writes = (
        any(letter in mode for letter in "wax+")
        if isinstance(mode, str)
        else bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    )
    return writes and not (isinstance(path, str) and os.path.realpath(path).startswith(inside))
