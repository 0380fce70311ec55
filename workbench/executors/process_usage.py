"""What a kernel and all it started use of the machine, read from /proc as cheaply as the question allows."""

# Many times a second a path is only a text.
# ruff: noqa: PTH115, PTH116, PTH123, PTH208

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from workbench.executors.kernel_processes import kill_tree

_DELETED = " (deleted)"
_BLOCK_BYTES = 512
# When memory runs out all the same, Linux ends the notebook and not who watches it.
_OOM_SCORE = "900"
# A difference this small is not worth the costly reading.
_RESOLUTION = 0.01

Result = TypeVar("Result")


class Paced(Generic[Result]):
    """Something done again and again, as seldom as it must be to cost only a small share of one core, between two intervals."""

    def __init__(self, work: Callable[[], Result], *, least_s: float, most_s: float, share: float = 0.002) -> None:
        self._work, self._least_s, self._most_s, self._share = work, least_s, most_s, share
        self._due = self._spent_s = 0.0

    def is_due(self, now: float) -> bool:
        """True when it is time again; `now` is the monotonic clock in seconds."""
        return now >= self._due

    def run(self, now: float) -> Result:
        """Do it now, or go on with it before it is due, and note by what it cost in all when it is due again."""
        if self.is_due(now):
            self._spent_s = 0.0
        before = time.thread_time()
        try:
            return self._work()
        finally:
            self._spent_s += time.thread_time() - before
            self._due = now + min(max(self._spent_s / self._share, self._least_s), self._most_s)


class ProcessTree:
    """One kernel and every process seen to belong to it, by descent or by the variable it inherited; never forgets one alive."""

    def __init__(self, pid: int, mark: str) -> None:
        self.mark = mark
        self._leader = pid
        self._known: dict[int, str] = {}
        self._growth = Paced(self._grow, least_s=0.25, most_s=2.0)
        self._exact = Paced(self._measure_exactly, least_s=1.0, most_s=4.0)
        self._last = (0, 0)
        self.add([pid])
        _offer_to_oom_killer(pid)

    def add(self, pids: Iterable[int]) -> None:
        """Note processes that belong to it."""
        new = {pid: started for pid in pids if pid not in self._known and (started := read_started(pid))}
        self._known = {**self._known, **new}  # never changed in place: another thread may be killing them

    def grow(self, now: float) -> None:
        """Look for new children, when it is time; `now` is the monotonic clock in seconds."""
        if self._growth.is_due(now):
            self._growth.run(now)

    def _grow(self) -> None:
        self._known = {pid: started for pid, started in self._known.items() if read_started(pid) == started}
        pending = list(self._known)
        for pid in pending:  # grows while it is read
            new = [child for child in find_children(pid) if child not in self._known]
            self.add(new)
            pending += new

    def measure_memory(self, allowed: float, now: float) -> int:
        """Return the bytes of memory all use: at or below `allowed` an upper bound, above it the proportional set size.

        Pages shared copy-on-write count in part for each process that has them, so that a forked kernel is not charged
        for what its parent loaded. That takes milliseconds to read, the upper bound microseconds.
        """
        most = sum(read_most_memory(pid) for pid in self._known)
        if most <= allowed:
            return most
        most_then, exact_then = self._last
        has_grown = most - most_then >= max(allowed - exact_then, allowed * _RESOLUTION)
        if has_grown or self._exact.is_due(now):
            self._last = (most, self._exact.run(now))
        return self._last[1]

    def _measure_exactly(self) -> int:
        return sum(read_memory(pid) for pid in self._known)

    def measure_deleted(self, folders: Collection[Path]) -> int:
        """Return the bytes on disk of files below the folders that are deleted and still held open."""
        held = {key: size for pid in self._known for key, size in _find_deleted(pid, folders)}
        return sum(held.values())

    def kill(self) -> None:
        """Kill all of them, and what can be found of them by now; harmless when they are gone."""
        known = {pid for pid, started in self._known.items() if read_started(pid) == started}
        if self._leader in known:
            kill_tree(self._leader)
        for pid in (known | find_marked([self.mark])[self.mark]) - {os.getpid()}:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def read_started(pid: int) -> str | None:
    """Return when a process started, which with its id names it for good; None when it has ended."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    return None if not fields or fields[0] in b"ZX" else fields[19].decode()


def find_children(pid: int) -> Iterator[int]:
    """Yield the children of all threads of a process."""
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                yield from map(int, _read(f"/proc/{pid}/task/{thread}/children").split())


def find_marked(marks: Collection[str]) -> dict[str, set[int]]:
    """Return for each variable (NAME=VALUE) the processes that were started with it, in one pass over all there are."""
    found: dict[str, set[int]] = {mark: set() for mark in marks}
    wanted = {mark.encode(): mark for mark in marks}
    for name in _list_processes():
        # Not ours to read, or gone while we looked.
        with suppress(OSError):
            for mark in wanted.keys() & set(_read(f"/proc/{name}/environ").split(b"\0")):
                found[wanted[mark]].add(int(name))
    return found


def _list_processes() -> list[str]:
    try:
        return [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def read_most_memory(pid: int) -> int:
    """Return the bytes of memory a process can see, swapped ones too: more than its share where pages are shared."""
    return _sum_lines(f"/proc/{pid}/status", (b"VmRSS:", b"VmSwap:"))


def read_memory(pid: int) -> int:
    """Return a process's share of memory in bytes, swapped pages too; where Linux does not tell, all it can see."""
    return _sum_lines(f"/proc/{pid}/smaps_rollup", (b"Pss:", b"SwapPss:")) or read_most_memory(pid)


def _sum_lines(path: str, names: tuple[bytes, ...]) -> int:
    try:
        lines = _read(path).splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(names))


def _find_deleted(pid: int, folders: Collection[Path]) -> Iterator[tuple[tuple[int, int], int]]:
    below = tuple(f"{folder}/" for folder in folders)
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                path = f"/proc/{pid}/fd/{name}"
                target = os.readlink(path)
                if target.endswith(_DELETED) and target.startswith(below):
                    found = os.stat(path)
                    yield (found.st_dev, found.st_ino), found.st_blocks * _BLOCK_BYTES


def _offer_to_oom_killer(pid: int) -> None:
    with suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
