"""The durable steps of what this process does below a folder, seen through Python's audit hooks: to count, to die or to fail at.

No step is named by hand: every file opened for writing, name made, moved or removed, process started and transaction committed
is one. What SQLite does inside of a commit is its own; those moments are met by real kills.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

KILLED = 137
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NAMES = {"os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.truncate"}
_DIR_FD = {"os.mkdir": 2, "os.remove": 1, "os.rmdir": 1}


@dataclass
class Steps:
    """Counts the steps below `root`, and calls `at_step` with the number and name of each before it happens.

    `unsynced` are the files that were opened for writing and not forced to the disk since: what a power cut could tear.
    """

    root: Path
    at_step: Callable[[int, str], None]
    syncs_count: bool = False
    count: int = 0
    unsynced: list[str] = field(default_factory=list)
    _is_on: bool = False

    def watch(self) -> None:
        """Begin; a process is watched until it ends."""
        fsync, commit = os.fsync, DefaultDialect.do_commit

        def watched_fsync(file: Any) -> None:
            path = _path_of(file if isinstance(file, int) else file.fileno())
            if self.syncs_count and path.startswith(str(self.root)):
                self._step(f"fsync {path}")
            fsync(file)
            self.unsynced = [each for each in self.unsynced if each != path]

        def watched_commit(dialect: Any, connection: Any) -> None:
            self._step("commit")
            commit(dialect, connection)

        os.fsync, DefaultDialect.do_commit = watched_fsync, watched_commit  # type: ignore[assignment,method-assign]
        self._is_on = True
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        if event == "subprocess.Popen" and "ssh-keygen" not in str(arguments[0]):
            self._step(f"start {arguments[0]}")
        elif event == "open" and arguments[2] is not None and arguments[2] & _WRITING:
            self._step_below(f"open {arguments[0]}", arguments[0])
        elif event in _NAMES:
            at = _DIR_FD.get(event)
            self._step_below(f"{event} {arguments[0]}", arguments[0], arguments[at] if at else -1)

    def _step_below(self, name: str, path: Any, dir_fd: int = -1) -> None:
        self._is_on = False  # what is looked up here is no step
        try:
            where = _path_of(path) if isinstance(path, int) else os.fsdecode(path)
            if dir_fd not in (-1, None) and not where.startswith("/"):
                where = f"{_path_of(dir_fd)}/{where}"
        finally:
            self._is_on = True
        if where.startswith(str(self.root)):
            if name.startswith("open"):
                self.unsynced.append(where)
            self._step(name)

    def _step(self, name: str) -> None:
        self.count += 1
        self._is_on = False
        try:
            self.at_step(self.count, name)
        finally:
            self._is_on = True


def _path_of(descriptor: int) -> str:
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return ""


def die_at(number: int) -> Callable[[int, str], None]:
    """Return what ends the process, as a kill does, before the step of that number: which is after the step before it."""

    def at_step(count: int, name: str) -> None:
        if count == number:
            os._exit(KILLED)

    return at_step


def fail_at(number: int, code: int = errno.ENOSPC) -> Callable[[int, str], None]:
    """Return what lets the step of that number fail with an error of the disk."""

    def at_step(count: int, name: str) -> None:
        if count != number:
            return
        if name == "commit":
            raise sqlite3.OperationalError("database or disk is full" if code == errno.ENOSPC else "disk I/O error")
        raise OSError(code, os.strerror(code))

    return at_step
