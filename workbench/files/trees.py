"""A folder as bytes and bytes as a folder: what was read is what was hashed; folders appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

from workbench.errors import Refused, Unavailable
from workbench.records.names import is_plain_name

WHAT_DISKS_NEED = "Free some space or fix the rights of that folder, then run the same command again."
LARGEST_BYTES = 2 * 1024**3
MOST_FILES = 20_000
_CHUNK_BYTES = 1024**2
_Read = TypeVar("_Read")
# What is made of an opened file of a number of bytes; a text says what is wrong with it.
_Reader = Callable[[BinaryIO, int], "_Read | str"]


@dataclass(frozen=True)
class FileDigest:
    """A file by its size in bytes and its sha256; `content` is what is in it where that was held, else None."""

    size: int
    digest: str
    content: bytes | None = field(default=None, repr=False)


def read_tree(folder: Path, *, largest_bytes: int = LARGEST_BYTES, left_out: str = "") -> dict[str, bytes]:
    """Return every file below `folder` by its posix relative path; nothing is ignored and each is opened once.

    Only the folder `left_out` directly in it is, when one is named. Raises Refused, with every reason, for what is not a plain
    file (links, `folder` itself too, devices, pipes, empty folders), for more than `largest_bytes` bytes or `MOST_FILES` files;
    Unavailable when the folder cannot be read.
    """
    return _read_all(folder, _Holding(largest_bytes).read, MOST_FILES, left_out)


def digest_tree(folder: Path, *, held_bytes: int = 0, most_files: int = MOST_FILES) -> dict[str, FileDigest]:
    """Return every file below `folder` by size and digest, however large; nothing where there is no folder.

    The bytes of files are held as long as all that are held have room in `held_bytes`. Raises as `read_tree` does.
    """
    return _read_all(folder, _Digesting(held_bytes).read, most_files) if os.path.lexists(folder) else {}


class _Holding:
    """Reads files whole, as long as they have room in a number of bytes."""

    def __init__(self, left: int) -> None:
        self._left = left

    def read(self, file: BinaryIO, size: int) -> bytes | str:
        if size > self._left:
            return "is more than may be read in total"
        # Room is made for as much as is asked for, whatever there is: the limit itself would be gigabytes for every file.
        content = file.read(size + 1)
        self._left -= len(content)
        return content if len(content) <= size else "grew while it was read"


class _Digesting:
    """Digests files, and holds the bytes of those that have room."""

    def __init__(self, left: int) -> None:
        self._left = left

    def read(self, file: BinaryIO, size: int) -> FileDigest | str:
        is_held = 0 < size <= self._left
        self._left -= size if is_held else 0
        digest, parts, count = hashlib.sha256(), [], 0
        while count <= size and (part := file.read(_CHUNK_BYTES)):
            digest.update(part)
            count += len(part)
            if is_held:
                parts.append(part)
        if count > size:
            return "grew while it was read"
        return FileDigest(count, digest.hexdigest(), b"".join(parts) if is_held or not count else None)


def _read_all(folder: Path, read: _Reader[_Read], most_files: int, left_out: str = "") -> dict[str, _Read]:
    files: dict[str, _Read] = {}
    problems: list[str] = []
    try:
        _walk(folder, files, problems, read, most_files, left_out)
    except OSError as exc:
        raise Unavailable(f"{folder} cannot be read.", why=str(exc), next_step=WHAT_DISKS_NEED) from exc
    if problems:
        raise Refused(
            f"{folder} is not a plain folder of files.",
            why=sorted(problems),
            next_step="Keep only the files that were written by the workbench.",
        )
    return files


def _walk(
    folder: Path, files: dict[str, _Read], problems: list[str], read: _Reader[_Read], most_files: int, left_out: str
) -> None:
    if not stat.S_ISDIR(folder.lstat().st_mode):
        problems.append("It is a link or a file itself.")
        return
    for path, names, file_names, descriptor in os.fwalk(folder, onerror=_reraise, follow_symlinks=False):
        here = Path(path).relative_to(folder)
        if left_out in names and here == Path():
            names.remove(left_out)
        problems += [f"{here / name} is a symbolic link." for name in names if _is_link(name, descriptor)]
        if not names and not file_names:
            problems.append(f"{here} is an empty folder.")
        for name in file_names:
            relative = (here / name).as_posix()
            found = _read_file(name, descriptor, read)
            if isinstance(found, str):
                problems.append(f"{relative!r} {found}.")
                continue
            files[relative] = found
        if len(files) > most_files:
            problems.append(f"There are more than {most_files:,} files.")
            return


def _reraise(error: OSError) -> None:
    raise error


def _is_link(name: str, descriptor: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode)


def _read_file(name: str, descriptor: int, read: _Reader[_Read]) -> _Read | str:
    """Return what a reader makes of a file, or what is wrong with it in words."""
    if not is_plain_name(name):
        return "has a name that is not plain text"
    # Looked at before it is opened: opening a device or a pipe can already have an effect.
    if not stat.S_ISREG(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
        return "is not a regular file"
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor), "rb") as file:
        opened = os.fstat(file.fileno())
        return read(file, opened.st_size) if stat.S_ISREG(opened.st_mode) else "is not a regular file"


def write_tree(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files as a new folder: into a temporary sibling, to the disk, then renamed.

    Raises Refused when a path would leave the folder or the folder exists, Unavailable when the disk does not take
    it; either way nothing is left behind.
    """
    problems = sorted(_path_problems(files))
    if problems:
        raise Refused(f"{folder} was not written.", why=problems)
    if os.path.lexists(folder):
        raise Refused(f"{folder} exists already.", next_step="Nothing is overwritten: move it away, and try again.")
    replace_folder(folder, lambda staging: _write_files(files, staging))


def replace_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write a temporary sibling of `folder`, then rename it to `folder`; on any failure nothing is left.

    Raises Unavailable when the disk does not take it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as exc:
        raise Unavailable(f"{folder} was not written.", why=str(exc), next_step=WHAT_DISKS_NEED) from exc
    try:
        fill(staging)
        # rename() replaces an empty folder only, so a folder somebody else wrote meanwhile is kept.
        staging.rename(folder)
        sync_folder(folder.parent)
    except OSError as exc:
        raise Unavailable(f"{folder} was not written.", why=str(exc), next_step=WHAT_DISKS_NEED) from exc
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_files(files: Mapping[str, bytes], staging: Path) -> None:
    staging.chmod(0o755)
    folders = {staging}
    for path, content in files.items():
        target = staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        folders.update(parent for parent in target.parents if staging in parent.parents)
        with target.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    for each in folders:
        sync_folder(each)


def sync_tree(folder: Path) -> None:
    """Force every file and folder below `folder` to the disk, so that no rename can outlive its content."""
    for path, _, names, descriptor in os.fwalk(folder):
        for name in names:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=descriptor)
            try:
                os.fsync(file)
            finally:
                os.close(file)
        sync_folder(Path(path))


def sync_folder(folder: Path) -> None:
    """Force a folder's list of names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _path_problems(files: Mapping[str, bytes]) -> Iterator[str]:
    for path in files:
        parts = path.split("/")
        if not all(parts) or {".", ".."} & set(parts) or not is_plain_name(path):
            yield f"{path!r} is not a path below the folder."
        yield from (
            f"{path!r} lies below {str(parent)!r}, which is a file."
            for parent in PurePosixPath(path).parents
            if str(parent) in files
        )
