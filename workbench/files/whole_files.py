"""A file that others read while it is written anew: whole as it was, or whole as it is."""

from __future__ import annotations

import os
from contextlib import suppress


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


def open_folder(path: str | os.PathLike[str]) -> int:
    """Return the descriptor of a folder that is no link; close it. Raises OSError."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
