"""Which files of a project are read and written while a notebook runs, by whatever opens them: libraries of C++ too."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from workbench.executors.jobs import Opened
from workbench.executors.kernel_witness import OWN_NAMES

# Linux tells a watcher when a file in a folder was closed that had been opened to be written, or for reading alone; with a mapped
# one, when it ended.
_CLOSED_WRITTEN, _CLOSED_UNWRITTEN, _OVERFLOW, _IS_FOLDER = 0x8, 0x10, 0x4000, 0x4000_0000
_EVENT = struct.Struct("iIII")
_BUFFER_BYTES = 65_536
# Looking through a project must cost next to nothing beside a run.
MOST_FOLDERS, MOST_ENTRIES = 2_000, 20_000
_LEFT_OUT = ("__pycache__", "node_modules", "site-packages")
_ENVIRONMENT = "pyvenv.cfg"
# What other programs and our own commands open all the time, and no native reader does.
_NO_DATA = (".ipynb", ".py", ".pyc", *OWN_NAMES)
MOST_FILES = 1_000
_NOT_OURS = (errno.EACCES, errno.ENOENT, errno.ENOTDIR)


class OpenedFiles:
    """Watches the folders below `roots`, but for hidden ones, environments and `home`, until it is closed."""

    def __init__(self, roots: Iterable[Path], home: Path | None) -> None:
        self._folders: dict[int, str] = {}
        self._found: dict[str, None] = {}
        self._written: dict[str, None] = {}
        self._unseen: dict[str, None] = {}
        self._home = home
        self._watcher = -1
        try:
            self._watcher = _open_watcher()
            self._watch_all(roots)
        except (OSError, AttributeError) as exc:
            self._unseen[f"what native readers open ({exc})"] = None

    def _watch_all(self, roots: Iterable[Path]) -> None:
        entries = 0
        home = self._home.resolve() if self._home else None
        waiting = list(dict.fromkeys(str(root.resolve()) for root in roots))
        for folder in waiting:  # grows while it is read
            if len(self._folders) >= MOST_FOLDERS or entries >= MOST_ENTRIES:
                self._unseen["what native readers open in all folders: the project has too many"] = None
                return
            if self._watch(folder):
                below, count = _list_folders(folder)
                entries += count
                waiting += [each for each in below if each != str(home)]

    def _watch(self, folder: str) -> bool:
        """Watch a folder; False when it is watched already, or is an environment of Python."""
        if Path(folder, _ENVIRONMENT).is_file():
            return False
        number = _LIBC.inotify_add_watch(self._watcher, os.fsencode(folder), _CLOSED_WRITTEN | _CLOSED_UNWRITTEN)
        if number < 0 and ctypes.get_errno() in _NOT_OURS:
            return False
        _require(number)
        is_new = number not in self._folders  # the same folder by another name has the same number
        self._folders[number] = folder
        return is_new

    def drain(self) -> None:
        """Take in what was told since."""
        with suppress(BlockingIOError):
            while self._watcher >= 0:
                self._take(os.read(self._watcher, _BUFFER_BYTES))

    def _take(self, content: bytes) -> None:
        for number, mask, name in _read_events(content):
            if mask & _OVERFLOW:
                self._unseen["all that native readers opened: it was too much at once"] = None
            elif name and not mask & _IS_FOLDER and not name.startswith(".") and not name.endswith(_NO_DATA):
                self._add(f"{self._folders[number]}/{name}", is_written=bool(mask & _CLOSED_WRITTEN))

    def _add(self, path: str, *, is_written: bool) -> None:
        if is_written:
            if len(self._written) < MOST_FILES:
                self._written[path] = None
        elif len(self._found) < MOST_FILES:
            self._found[path] = None
        elif path not in self._found:
            self._unseen[f"more than {MOST_FILES:,} files that native readers opened"] = None

    def close(self) -> Opened:
        """Return what was opened, and stop watching."""
        self.drain()
        if self._watcher >= 0:
            os.close(self._watcher)
            self._watcher = -1
        return Opened(tuple(self._found), tuple(self._unseen), tuple(self._written))


_LIBC = ctypes.CDLL(None, use_errno=True)


def _open_watcher() -> int:
    watcher = int(_LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    _require(watcher)
    return watcher


def _require(answer: int) -> None:
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _list_folders(folder: str) -> tuple[list[str], int]:
    """Return the folders to watch in one, and how many entries were looked at."""
    found, count = [], 0
    with suppress(OSError), os.scandir(folder) as entries:
        for count, entry in enumerate(entries, 1):
            if not entry.name.startswith(".") and entry.name not in _LEFT_OUT and entry.is_dir():
                found.append(entry.path)
            if count >= MOST_ENTRIES:
                break
    return sorted(found), count


def _read_events(content: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield the number of the folder, what happened, and the name of the file of each event."""
    place = 0
    while place < len(content):
        number, mask, _, length = _EVENT.unpack_from(content, place)
        place += _EVENT.size + length
        yield number, mask, os.fsdecode(content[place - length : place].rstrip(b"\0"))
