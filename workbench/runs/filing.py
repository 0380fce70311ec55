"""Filing: files that are to be kept, copied into the run's folder while the notebook runs, and put in order there when it ended.

Nothing of a kept file is read as anything but bytes. Links lead nowhere else: what they point to is kept where it lies in the same
folder, and left out otherwise.
"""

from __future__ import annotations

import filecmp
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workbench.errors import Refused, UsageError
from workbench.files.trees import digest_tree
from workbench.records.names import is_plain_name
from workbench.runs.folder import KEPT
from workbench.runs.kept_files import MOST_KEPT, KeptFile, choose_name, mend_name

_COPYING = ".copying-"
_CHUNK_BYTES = 1024**2
_MOST_NOTES = 20


# In the kernel


def keep_file(path: Path, kept: Path, name: str | None = None) -> list[str]:
    """Copy a file, or all below a folder, into the folder of kept files and return what is to be known of that.

    Raises UsageError for what is not there, is no plain file, or has no usable name.
    """
    source = Path(os.path.abspath(path))  # noqa: PTH100 - a link is what somebody named
    if name is None and source.is_relative_to(kept):
        return [] if os.path.lexists(source) else _refuse_missing(path)
    # Of `.` and `..` the folder's own name, like of every other.
    chosen = choose_name(path if path.name else source, name)
    target = kept / chosen
    if not source.is_dir():
        return _copy_one(source, target, chosen)
    if kept.is_relative_to(source.resolve()):
        raise UsageError(
            f"{path} cannot be kept.",
            why="It holds the run's own folder, with all that is kept in it.",
            next_step="Log the files that are meant, or a folder that holds nothing else.",
        )
    return _copy_folder(source, target, chosen)


def _refuse_missing(path: Path) -> list[str]:
    raise UsageError(
        f"There is no file {path} to be kept.",
        why=f"It was looked for in {Path.cwd()}.",
        next_step="Write it first, best below wb.folder, where it is kept without a further call.",
    )


def _copy_one(source: Path, target: Path, name: str) -> list[str]:
    try:
        # Opened so that a pipe without a writer is not waited for.
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return _refuse_missing(source)
    except OSError as exc:
        step = "Have it readable for whoever runs the notebook."
        raise UsageError(f"{source} cannot be kept.", why=str(exc), next_step=step) from exc
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise UsageError(
                f"{source} cannot be kept.",
                why="It is a pipe, a socket or a device, and no file.",
                next_step="Write what comes out of it to a file, and log that.",
            )
        _make_room(target, name)
        temporary = target.with_name(f"{_COPYING}{secrets.token_hex(4)}")
        try:
            with temporary.open("xb") as copy:
                shutil.copyfileobj(file, copy, _CHUNK_BYTES)
            after = os.fstat(file.fileno())
            notes = list(_tell(temporary, target, name))
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        notes.append(f"{source.name} changed while it was copied: what is kept may be of neither state.")
    return notes


def _make_room(target: Path, name: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        taken = target.is_dir()
    except (FileExistsError, NotADirectoryError):
        taken = True
    if taken:
        raise UsageError(
            f"{name!r} cannot be kept.",
            why="A folder is kept under this name, or a file under the name of its folder.",
            next_step="Give it another name: wb.log_file(path, name=…).",
        )


def _tell(new: Path, target: Path, name: str) -> Iterator[str]:
    if target.is_file() and not filecmp.cmp(new, target, shallow=False):
        yield f"{name} takes the place of what was kept under this name; name=… keeps both."


def _copy_folder(source: Path, target: Path, name: str) -> list[str]:
    notes: list[str] = []
    for path, _, files in os.walk(source):
        for each in sorted(files):
            file = Path(path, each)
            place = f"{name}/{file.relative_to(source).as_posix()}"
            if fault := _find_fault(file, source):
                notes.append(f"{place} is not kept: it is {fault}.")
            else:
                notes += _copy_one(file, target / file.relative_to(source), place)
        notes += [f"{name}: the link {link.name} to a folder is not followed." for link in _linked_folders(Path(path))]
    return _shorten(notes)


def _linked_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_symlink() and path.is_dir())


def _find_fault(file: Path, inside: Path) -> str | None:
    """Say why a file of a folder cannot be kept; a link to a file of the same folder can."""
    try:
        kind = file.stat().st_mode
    except OSError:
        return "a link to nothing"
    if file.is_symlink() and not file.resolve().is_relative_to(inside.resolve()):
        return "a link to what lies elsewhere"
    if stat.S_ISDIR(kind):
        return "a link to a folder"
    return None if stat.S_ISREG(kind) else "a pipe, a socket or a device"


# When the notebook ended


def settle_kept(folder: Path) -> list[str]:
    """Make what a notebook left among its kept files plain files with names that can be shown, and say what was changed.

    A link within them becomes the file it names; one that leads elsewhere, pipes, sockets, devices and what was only half copied
    are removed, and an odd name is mended. Raises OSError when the disk does not let that be done.
    """
    kept = folder / KEPT
    if kept.is_symlink() or (os.path.lexists(kept) and not kept.is_dir()):
        kept.unlink()
        return [f"{KEPT} was no folder, and is not kept."]
    notes = [note for path in _list_entries(kept) if (note := _settle(path, kept))]
    _remove_empty(kept)
    return _shorten(notes)


def _shorten(notes: list[str]) -> list[str]:
    more = len(notes) - _MOST_NOTES
    return [*notes[:_MOST_NOTES], *([f"The same is true of {more:,} more of the files."] if more > 0 else [])]


def _list_entries(kept: Path) -> list[Path]:
    """Return all that lies below a folder, what is in a folder before the folder; each is opened up to be looked into."""
    found: list[Path] = []
    for path, folders, files in os.walk(kept):
        Path(path).chmod(0o755)
        for name in folders:
            if not Path(path, name).is_symlink():
                Path(path, name).chmod(0o755)
        found += [Path(path, name) for name in (*sorted(files), *sorted(folders))]
    return sorted(found, key=lambda path: -len(path.parts))


def _settle(path: Path, kept: Path) -> str | None:
    """Make one entry plain; return what was done to it, None where nothing is to be told."""
    name = os.fsencode(path.relative_to(kept)).decode(errors="replace")
    if path.name.startswith(_COPYING):
        path.unlink()
        return f"{name.rpartition('/')[0] or KEPT}: a file was only half copied, and is not kept."
    if path.is_dir() and not path.is_symlink():
        return _mend(path, name)
    if fault := _find_fault(path, kept):
        path.unlink()
        return f"{name} is not kept: it was {fault}."
    if path.is_symlink() or path.stat().st_nlink > 1:
        _replace_by_copy(path)
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IRUSR)
    return _mend(path, name)


def _replace_by_copy(path: Path) -> None:
    """Put bytes of its own where a file has other names as well: what is written under these is not the run's."""
    copy = path.with_name(f"{_COPYING}{secrets.token_hex(4)}")
    shutil.copyfile(path, copy)
    copy.replace(path)


def _mend(path: Path, name: str) -> str | None:
    if is_plain_name(path.name):
        return None
    mended = path.with_name(mend_name(path.name, [each.name for each in path.parent.iterdir()]))
    path.rename(mended)
    return f"{name!r} is kept as {mended.name}: its name could not be shown."


def _remove_empty(kept: Path) -> None:
    for path, _, _ in os.walk(kept, topdown=False):
        with suppress(OSError):
            Path(path).rmdir()


def digest_kept(folder: Path) -> list[KeptFile]:
    """Return the kept files of a run; raises Refused, with what to do, for more than 2,000."""
    try:
        found = digest_tree(folder / KEPT, most_files=MOST_KEPT)
    except Refused as exc:
        raise Refused(
            f"What {folder.name} keeps cannot be recorded.",
            why=[f"{KEPT}: {reason} Pack them into an archive, and keep that." for reason in exc.reasons],
        ) from exc
    return [KeptFile(path, found[path].size, found[path].digest) for path in sorted(found)]


def digest_abandoned(folder: Path) -> list[KeptFile]:
    """Return the same of a run that did not come to its end, put in order first; nothing where that cannot be done."""
    with suppress(OSError, Refused):
        settle_kept(folder)
        return digest_kept(folder)
    return []
