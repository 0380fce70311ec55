"""A folder as bytes and bytes as a folder: what was read is what was hashed; folders appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from workbench.errors import Refused, Unavailable

WHAT_DISKS_NEED = "Free some space or fix the rights of that folder, then run the same command again."
LARGEST_BYTES = 2 * 1024**3
MOST_FILES = 20_000


def read_tree(folder: Path, *, largest_bytes: int = LARGEST_BYTES) -> dict[str, bytes]:
    """Return every file below `folder` by its posix relative path; nothing is ignored and each is opened once.

    Raises Refused, with every reason, for what is not a plain file (links, `folder` itself too, devices, pipes, empty
    folders), for more than `largest_bytes` bytes or `MOST_FILES` files; Unavailable when the folder cannot be read.
    """
    files: dict[str, bytes] = {}
    problems: list[str] = []
    try:
        _walk(folder, files, problems, largest_bytes)
    except OSError as exc:
        raise Unavailable(f"{folder} cannot be read.", why=str(exc), next_step=WHAT_DISKS_NEED) from exc
    if problems:
        raise Refused(
            f"{folder} is not a plain folder of files.",
            why=sorted(problems),
            next_step="Keep only the files that were written by the workbench.",
        )
    return files


def _walk(folder: Path, files: dict[str, bytes], problems: list[str], largest_bytes: int) -> None:
    if not stat.S_ISDIR(folder.lstat().st_mode):
        problems.append("It is a link or a file itself.")
        return
    left = largest_bytes
    for path, names, file_names, descriptor in os.fwalk(folder, onerror=_reraise, follow_symlinks=False):
        here = Path(path).relative_to(folder)
        problems += [f"{here / name} is a symbolic link." for name in names if _is_link(name, descriptor)]
        if not names and not file_names:
            problems.append(f"{here} is an empty folder.")
        for name in file_names:
            relative = (here / name).as_posix()
            content = _read_file(name, descriptor, left)
            if isinstance(content, str):
                problems.append(f"{relative!r} {content}.")
                continue
            files[relative] = content
            left -= len(content)
        if len(files) > MOST_FILES:
            problems.append(f"There are more than {MOST_FILES:,} files.")
            return


def _reraise(error: OSError) -> None:
    raise error


def _is_link(name: str, descriptor: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode)


def _read_file(name: str, descriptor: int, left: int) -> bytes | str:
    """Return a file's bytes, or what is wrong with it in words."""
    if not name.isprintable() or "\\" in name or not _is_unicode(name):
        return "has a name that is not plain text"
    # Looked at before it is opened: opening a device or a pipe can already have an effect.
    if not stat.S_ISREG(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
        return "is not a regular file"
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor), "rb") as file:
        opened = os.fstat(file.fileno())
        if not stat.S_ISREG(opened.st_mode):
            return "is not a regular file"
        if opened.st_size > left:
            return "is more than may be read in total"
        # Room is made for as much as is asked for, whatever there is: the limit itself would be gigabytes for every file.
        content = file.read(opened.st_size + 1)
    return content if len(content) <= opened.st_size else "grew while it was read"


def _is_unicode(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


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
        if (
            not all(parts)
            or {".", ".."} & set(parts)
            or not path.isprintable()
            or "\\" in path
            or not _is_unicode(path)
        ):
            yield f"{path!r} is not a path below the folder."
        yield from (
            f"{path!r} lies below {str(parent)!r}, which is a file."
            for parent in PurePosixPath(path).parents
            if str(parent) in files
        )
