"""Watches what running kernels use, and ends the one that passes a limit: one thread for all, none when nothing runs."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.executors.folder_usage import FolderMeter, FolderUse
from workbench.executors.limits import MOST_FILES, Breach, Limits
from workbench.executors.process_usage import Paced, ProcessTree, find_marked

_TICK_S = 0.1
_WALK_BUDGET_S = 0.02
# A message costs who receives it about this much, however little it says.
_LEAST_MESSAGE_BYTES = 256
# What every cell says by itself (busy, its own source, its reply, idle) is not its output, unless it is long.
_BOOKKEEPING = re.compile(rb'"msg_type":\s*"(?:status|execute_input|execute_reply|kernel_info_reply)"')
_MOST_BOOKKEEPING_BYTES = 4096


class LimitWatch:
    """Samples all kernels it is `over` ten times a second, at less than a hundredth of one core."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: set[Watched] = set()
        self._thread: threading.Thread | None = None
        self._search = Paced(self._find_strays, least_s=1.0, most_s=4.0)

    @contextmanager
    def over(
        self,
        pid: int,
        mark: str,
        folder: Path,
        limits: Limits,
        *,
        also: Sequence[Path] = (),
        own_bytes: Callable[[], int] = lambda: 0,
    ) -> Iterator[Watched]:
        """Hold a kernel to its limits until the context ends; whichever is passed first is its `breach`.

        `pid` leads the kernel's process group, `mark` (NAME=VALUE) is in the environment of all it starts; `folder`, and the
        folders in `also`, are what its disk limit is about, but for the `own_bytes` that are not the notebook's.
        """
        watched = Watched(ProcessTree(pid, mark), FolderMeter([folder, *also]), limits, own_bytes)
        self._add(watched)
        try:
            yield watched
        finally:
            self._remove(watched)
            watched.leave()

    def _add(self, watched: Watched) -> None:
        if watched.limits == Limits():
            return
        with self._changed:
            self._watched.add(watched)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="limits", daemon=True)
                self._thread.start()

    def _remove(self, watched: Watched) -> None:
        with self._changed:
            self._watched.discard(watched)
            self._changed.notify()

    def _run(self) -> None:
        while watched := self._wait():
            now = time.monotonic()
            if self._search.is_due(now):
                self._search.run(now)
            for each in watched:
                each.sample(now)

    def _wait(self) -> list[Watched]:
        """Return after a moment what is watched; when nothing is, the thread is over with it."""
        with self._changed:
            if self._watched:
                self._changed.wait(_TICK_S)
            if not self._watched:
                self._thread = None
            return list(self._watched)

    def _find_strays(self) -> None:
        """Find what left its parents: one pass over all processes, for all kernels."""
        with self._changed:
            trees = {each.tree.mark: each.tree for each in self._watched}
        for mark, pids in find_marked(trees).items():
            trees[mark].add(pids)


class Watched:
    """One kernel under its limits; `breach` is the first that was passed."""

    def __init__(
        self, tree: ProcessTree, meter: FolderMeter, limits: Limits, own_bytes: Callable[[], int] = lambda: 0
    ) -> None:
        self.tree, self.limits, self._own_bytes = tree, limits, own_bytes
        self.breach: Breach | None = None
        self._meter = meter
        self._walk = Paced(lambda: meter.count(_WALK_BUDGET_S), least_s=0.5, most_s=4.0)
        self._started = time.monotonic()
        self._cell: tuple[int, float] | None = None
        self._output_bytes = 0
        self._lock = threading.Lock()
        self._has_left = False

    # What the client says, from its own thread

    def start_cell(self, index: int) -> None:
        """Note that a cell starts (the first is 1)."""
        self._cell = index, time.monotonic()

    def end_cell(self) -> None:
        """Note that no cell runs any more."""
        self._cell = None

    def count_output(self, count: int) -> None:
        """Count bytes that the kernel sent to be shown; when they pass the limit the kernel is dead on return."""
        self._output_bytes += count
        allowed = self.limits.output_bytes
        if self.breach is None and allowed is not None and self._output_bytes > allowed:
            self._end("output-size", self._output_bytes, allowed)

    def weigh(self, deserialize: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        """Return a session's `deserialize` that counts each message before it is parsed, and parses none once it was too much.

        So a message of 500 MB is never unpacked, and one that no cell waits for counts too.
        """

        def weighed(frames: Sequence[bytes], *arguments: Any, **options: Any) -> dict[str, Any]:
            self.count_output(_weigh_message(frames))
            if self.breach and self.breach.limit == "output-size":
                return _say_nothing()
            return deserialize(frames, *arguments, **options)

        return weighed

    # What the watch does, from its thread

    def sample(self, now: float) -> None:
        """Measure what is due at `now` (the monotonic clock in seconds), and end the kernel that passed a limit."""
        if self.breach:
            # Something may have been started while the others were killed.
            self._kill()
            return
        self.tree.grow(now)
        self._check_time(now)
        self._check_memory(now)
        self._check_disk(now)

    def leave(self) -> None:
        """Count the disk a last time, and from then on harm nobody: the process id may soon be another's."""
        if self.breach is None and self.limits.disk_bytes is not None:
            self._count_disk_to_the_end()
        with self._lock:
            self._has_left = True

    def _count_disk_to_the_end(self) -> None:
        meter, is_complete = FolderMeter(self._meter.folders), False
        while self.breach is None and not is_complete:
            use = meter.count(_WALK_BUDGET_S)
            self._judge_disk(use, 0)
            is_complete = use.is_complete

    def _check_time(self, now: float) -> None:
        allowed, cell = self.limits.timeout_s, self._cell
        if allowed is not None and now - self._started > allowed:
            self._end("timeout", now - self._started, allowed)
        allowed = self.limits.cell_timeout_s
        if allowed is not None and cell is not None and now - cell[1] > allowed:
            self._end("cell-timeout", now - cell[1], allowed)

    def _check_memory(self, now: float) -> None:
        allowed = self.limits.memory_bytes
        if allowed is not None and (used := self.tree.measure_memory(allowed, now)) > allowed:
            self._end("memory", used, allowed)

    def _check_disk(self, now: float) -> None:
        if self.limits.disk_bytes is not None and (self._meter.is_walking or self._walk.is_due(now)):
            use = self._walk.run(now)
            self._judge_disk(use, self.tree.measure_deleted(self._meter.folders) if use.is_complete else 0)

    def _judge_disk(self, use: FolderUse, deleted_bytes: int) -> None:
        allowed, used = self.limits.disk_bytes, use.bytes + deleted_bytes - self._own_bytes()
        if allowed is not None and used > allowed:
            self._end("disk", used, allowed)
        elif use.entries > MOST_FILES:
            self._end("disk", use.entries, MOST_FILES, counts_files=True)

    def _end(self, limit: str, used: float, allowed: float, *, counts_files: bool = False) -> None:
        with self._lock:
            if self.breach is None and not self._has_left:
                cell = self._cell[0] if self._cell else None
                self.breach = Breach(limit, used, allowed, cell, counts_files)
                self.tree.kill()

    def _kill(self) -> None:
        with self._lock:
            if not self._has_left:
                self.tree.kill()


def _weigh_message(frames: Sequence[bytes]) -> int:
    """Return the bytes that count of a message: [signature, header, parent, metadata, content, buffer, ...]."""
    size = sum(len(frame) for frame in frames[3:])
    if size <= _MOST_BOOKKEEPING_BYTES and _BOOKKEEPING.search(b"".join(frames[1:2])):
        return 0
    return max(size, _LEAST_MESSAGE_BYTES)


def _say_nothing() -> dict[str, Any]:
    """Return a message that answers nobody."""
    names = ("header", "parent_header", "metadata", "content")
    return {**{name: {} for name in names}, "msg_id": "", "msg_type": "", "buffers": []}
