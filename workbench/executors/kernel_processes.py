"""The processes a notebook leaves behind, and the sockets its kernel is reached by: found by name, ended, removed."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from workbench.files.processes import Process, is_living, list_processes, read_file, read_parent

_PREFIX = "workbench-kernels-"
_GONE_TIMEOUT_S = 5.0
_POLL_S = 0.02
# A Unix socket's path may have 107 bytes, and some are needed below the folder.
_LONGEST_ROOT = 48


def find_descendants(pid: int) -> frozenset[Process]:
    """Return every process below a living one, whatever session or environment it gave itself; without /proc, none."""
    children: dict[int, list[Process]] = {}
    for child in list_processes():
        if found := read_parent(child):
            parent, started = found
            children.setdefault(parent, []).append((child, started))
    below = list(children.get(pid, []))
    for child, _ in below:  # grows while it is read
        below += children.get(child, [])
    return frozenset(below)


def kill_tree(pid: int) -> None:
    """Kill a process, the others of its group and all below it; harmless when they are gone."""
    below = find_descendants(pid)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    # One that was forked just now has no group of its own yet.
    for child in (pid, *(child for child, _ in below)):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)


def end_marked_processes(mark: str, *, is_prefix: bool = False, also: Iterable[Process] = ()) -> int:
    """Kill every process that was started with the variable `mark` (NAME=VALUE), and return how many there were.

    Children inherit it, so those are found too that made a session of their own; `also` are processes known to belong to
    them that did not inherit it. With `is_prefix` the value has to begin so. Returns when they are gone, after seconds at
    most. Where there is no /proc nothing is found.
    """
    ended: set[int] = set()
    deadline = time.monotonic() + _GONE_TIMEOUT_S
    while (found := {*_find_marked_processes(mark, is_prefix), *_find_living(also)}) and time.monotonic() < deadline:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        ended |= found
        time.sleep(_POLL_S)
    return len(ended)


def _find_marked_processes(mark: str, is_prefix: bool) -> Iterator[int]:
    wanted = mark.encode()
    for pid in list_processes():
        # Not ours to read, or gone while we looked; a zombie has no environment any more.
        with suppress(OSError):
            variables = read_file(f"/proc/{pid}/environ").split(b"\0")
            if any(each.startswith(wanted) for each in variables) if is_prefix else wanted in variables:
                yield pid


def _find_living(processes: Iterable[Process]) -> Iterator[int]:
    return (process[0] for process in processes if is_living(process))


class ConnectionFolder:
    """A private folder for kernels' connection files and sockets; those of processes that were killed are removed first."""

    def __init__(self) -> None:
        root = _choose_root()
        _remove_abandoned(root)
        # The name is not guessable and only we may enter: whoever reaches the sockets can run code as us.
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=root))

    def new_file(self) -> Path:
        """Return where the next kernel's connection file goes; its sockets lie beside it."""
        return self._folder / f"{secrets.token_hex(4)}.json"

    def new_folder(self) -> Path:
        """Make a folder for what one kernel writes for the moment; its path is short, so sockets fit into it."""
        return Path(tempfile.mkdtemp(prefix="t-", dir=self._folder))

    def remove_folder(self, folder: Path) -> None:
        """Remove what `new_folder` made, whatever a kernel did to it."""
        if folder.parent == self._folder:
            shutil.rmtree(folder, ignore_errors=True)

    def remove(self) -> None:
        """Remove the folder with what is left in it."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _choose_root() -> Path:
    root = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()).absolute()
    fits = len(os.fsencode(root)) <= _LONGEST_ROOT and root.is_dir() and os.access(root, os.W_OK)
    return root if fits else Path("/tmp")  # noqa: S108 - mkdtemp makes a private folder in it


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            if pid.isdigit() and not _is_alive(int(pid)) and folder.lstat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
