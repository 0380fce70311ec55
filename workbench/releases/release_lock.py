"""The lock of this machine's releases: one process at a time changes what is released, and the others are told who does."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.config import Settings
from workbench.errors import Unavailable
from workbench.executors.kernel_processes import end_marked_processes
from workbench.files.disk import disk_answers
from workbench.records.clock import utc_now
from workbench.records.digest import strict_json

_LONGEST_NOTE = 4096
_POLLS, _POLL_S = 200, 0.01


@contextmanager
def one_at_a_time(settings: Settings, doing: str) -> Iterator[None]:
    """Let one process at a time change what is released on this machine; raises Unavailable, saying who, while another does.

    The lock ends with the process that holds it, so a killed promotion blocks nobody; what it left is removed, and so is
    what one that is stopped leaves. `doing` is what the others are told ("promotes shop/2").
    """
    home = settings.bento_home
    with disk_answers(home):
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(lock, home)
        _note_holder(lock, {"author": settings.acting_author, "doing": doing})
        _clear_abandoned(home)
        try:
            yield
        except BaseException:
            _clear_abandoned(home)
            raise
        finally:
            _forget_holder(lock)
    finally:
        os.close(lock)


def _take(lock: int, home: Path) -> None:
    """Take the lock; who only just took it, or is about to leave it, is waited for, briefly."""
    who: str | None = None
    for _ in range(_POLLS):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = _read_holder(lock)
        else:
            return
        if who:
            break
        time.sleep(_POLL_S)
    raise Unavailable(
        "Another promotion or rollback is going on.",
        why=[*filter(None, [who]), f"It holds {home / '.lock'}."],
        next_step="Wait for it to end, then run the same command again.",
    )


def _note_holder(lock: int, who: dict[str, str]) -> None:
    note = json.dumps({**who, "pid": os.getpid(), "host": socket.gethostname(), "since": utc_now()})
    # Who holds it is told to the others; that it cannot be written down stops nobody.
    with suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, note.encode(), 0)


def _forget_holder(lock: int) -> None:
    with suppress(OSError):
        os.ftruncate(lock, 0)


def _read_holder(lock: int) -> str | None:
    """Return who holds the lock in words, None when that is not written down yet or not any more."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        note = strict_json(os.pread(lock, _LONGEST_NOTE, 0))
        return "{author} {doing} since {since}, process {pid} on {host}.".format(**note)
    return None


def _clear_abandoned(home: Path) -> None:
    """Remove what a stopped promotion was building.

    The build itself may go on without it, and would make its folder anew where that is gone already: it is ended first.
    """
    end_marked_processes(f"BENTOML_HOME={home.resolve()}/.build-", is_prefix=True)
    for left in home.glob(".build-*"):
        shutil.rmtree(left, ignore_errors=True)
