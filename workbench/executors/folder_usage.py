"""What folders hold on disk, counted in slices so that nobody has to wait for a million files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BLOCK_BYTES = 512


@dataclass(frozen=True)
class FolderUse:
    """How many bytes on disk and entries were counted, and whether that was all of them."""

    bytes: int = 0
    entries: int = 0
    is_complete: bool = False


class FolderMeter:
    """Walks folders again and again, a slice at a time; what counts are the blocks on disk, so a hole in a file is free."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        self._walk: Iterator[int] | None = None
        self._bytes = self._entries = 0

    @property
    def is_walking(self) -> bool:
        """True in the middle of a walk."""
        return self._walk is not None

    def count(self, budget_s: float) -> FolderUse:
        """Walk on for at most about `budget_s`, and return what this walk has counted so far."""
        if self._walk is None:
            self._walk, self._bytes, self._entries = _find_sizes(self.folders), 0, 0
        deadline = time.monotonic() + budget_s
        for size in self._walk:
            self._bytes += size
            self._entries += 1
            if time.monotonic() >= deadline:
                return FolderUse(self._bytes, self._entries)
        self._walk = None
        return FolderUse(self._bytes, self._entries, is_complete=True)


def _find_sizes(folders: Sequence[Path]) -> Iterator[int]:
    """Yield the bytes on disk of every entry below the folders; a file with several names counts once."""
    pending = [os.fspath(folder) for folder in folders]
    linked: set[tuple[int, int]] = set()
    while pending:
        # What went away, or was closed to us, while we walked holds nothing we could count.
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    yield _measure(entry.stat(follow_symlinks=False), linked)


def _measure(found: os.stat_result, linked: set[tuple[int, int]]) -> int:
    key = found.st_dev, found.st_ino
    if key in linked:
        return 0
    if found.st_nlink > 1:
        linked.add(key)
    return found.st_blocks * _BLOCK_BYTES
