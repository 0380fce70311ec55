"""Kept files: what a notebook wants kept beside what it logs, under names of its own; and what may be one of these names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any

from workbench.errors import UsageError
from workbench.records.names import is_plain_name

# More than this is a data set, and one archive of it.
MOST_KEPT = 2_000
LONGEST_PART_BYTES = 255


@dataclass(frozen=True)
class KeptFile:
    """A file that a notebook kept, by its path below the folder of kept files, its size and its sha256."""

    path: str
    bytes: int
    digest: str


def read_kept_files(record: Mapping[str, Any]) -> list[KeptFile]:
    """Return what the record of a run says of its kept files; nothing of a run of before they were."""
    return [KeptFile(**each) for each in record.get("kept_files", ())]


def choose_name(path: PurePath, name: str | None) -> str:
    """Return under which name a file is kept: the one given, else its path where that leads down, else the last part of that.

    Raises UsageError for what is no path below a folder.
    """
    if name is None:
        leads_down = not path.is_absolute() and ".." not in path.parts
        name = path.as_posix() if leads_down else path.name
    parts = name.split("/")
    reasons = [reason for part in parts if (reason := _find_fault(part))]
    if reasons:
        raise UsageError(
            f"{name!r} cannot name a kept file.",
            why=list(dict.fromkeys(reasons)),
            next_step='Give a path below the run\'s folder, such as wb.log_file(path, name="plots/roc.png").',
        )
    return PurePosixPath(*parts).as_posix()


def _find_fault(part: str) -> str | None:
    if part in ("", ".", ".."):
        return "It begins or ends with /, or has a part that is empty, . or .. in it."
    if not is_plain_name(part):
        return "It has characters that cannot be shown, or a backslash."
    if len(part.encode()) > LONGEST_PART_BYTES:
        return f"A part of it is longer than {LONGEST_PART_BYTES} bytes."
    return None


def mend_name(name: str, taken: Sequence[str]) -> str:
    """Return a name that can be shown for one that cannot: what cannot be shown is _, with a number where that is taken."""
    plain = "".join(each if is_plain_name(each) else "_" for each in name)
    if plain not in taken:
        return plain
    return next(each for number in range(2, len(taken) + 3) if (each := f"{plain}-{number}") not in taken)
