"""A file that others read while it is written anew: whole as it was, or whole as it is."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def replace_file(folder: int, name: str, content: bytes) -> None:
    """Put content in the place of a file of an open folder (its descriptor), whatever has the folder's name by now.

    Readers get the file of before or the new one. It is not forced to the disk. Raises OSError.
    """
    temporary = f".{name}"
    with suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    opened = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder)
    with os.fdopen(opened, "wb") as file:
        file.write(content)
    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and to the disk; where it is a link, the file it leads to, with the rights that has.

    It is written under a name that nobody can guess, through no link. Raises OSError that names the file that was asked for.
    """
    temporary = None
    try:
        real = path.resolve()
        opened, temporary = tempfile.mkstemp(prefix=".", suffix=".new", dir=real.parent)
        with os.fdopen(opened, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), _find_mode(real))
            os.fsync(file.fileno())
        Path(temporary).replace(real)
        temporary = None
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, str(path)) from exc
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()


def _find_mode(path: Path) -> int:
    """Return the rights of a file, or those that a new one gets."""
    with suppress(FileNotFoundError):
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def open_folder(path: str | os.PathLike[str]) -> int:
    """Return the descriptor of a folder that is no link; close it. Raises OSError."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
