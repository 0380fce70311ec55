"""Folders for the moment, beside what is kept: each is known to be in use, or to have been left by a process that was killed."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IN_USE = ".in-use"


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder below `parent` and remove it at the end; a lock in it says for so long that it is in use."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name, (Path(name) / _IN_USE).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name)


def find_left_over(parent: Path, prefix: str) -> list[Path]:
    """Return the folders of this prefix directly below a folder that nobody uses any more, sorted."""
    return sorted(path for path in parent.glob(f"{prefix}*") if path.is_dir() and not _is_in_use(path))


def _is_in_use(folder: Path) -> bool:
    try:
        with (folder / _IN_USE).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        # One that is being made is empty yet, and one that is gone since is nobody's.
        return not folder.is_dir() or not any(folder.iterdir())
    return False
