"""The disk as a part that may not answer."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import Unavailable

_UNWRITABLE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG, errno.EIO, errno.ENOTDIR}
)
# Errors that every file on the disk would get, whatever the notebook did to its own folder.
_DISKS_FAULT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO})
_TRIED_BYTES = 4096


def is_disks_fault(exc: BaseException) -> bool:
    """True when an error, or the one that caused it, is that of a full or broken disk and not of one folder on it."""
    causes = (exc, exc.__cause__)
    return any(isinstance(cause, OSError) and cause.errno in _DISKS_FAULT for cause in causes)


@contextmanager
def disk_answers(folder: Path) -> Iterator[None]:
    """Translate a full or unwritable disk into Unavailable."""
    try:
        yield
    except OSError as exc:
        if exc.errno not in _UNWRITABLE:
            raise
        raise Unavailable(
            f"{folder} could not be written.",
            why=str(exc),
            next_step="Free some space or fix its rights (a `umask` of 022 gives usual ones), then run again.",
        ) from exc


def find_write_fault(folder: Path) -> str:
    """Return why a folder takes no file of a few thousand bytes, empty when it took one; nothing of that stays."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_TRIED_BYTES))
            file.flush()
    except OSError as exc:
        return exc.strerror or str(exc)
    return ""
