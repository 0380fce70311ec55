"""Limits: how much of the machine one run may use, and how that is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from workbench.errors import UsageError

# A folder with more entries than this costs the machine more than its bytes say.
MOST_FILES = 100_000

_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([kmgt]?i?b?)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Limits:
    """What one attempt may use; None is no limit.

    `timeout_s` is the wall clock of the whole attempt, `cell_timeout_s` of one cell; `memory_bytes` of the kernel and all it
    started; `output_bytes` of what all cells show; `disk_bytes` of the run's folder.
    """

    timeout_s: float | None = None
    cell_timeout_s: float | None = None
    memory_bytes: int | None = None
    output_bytes: int | None = None
    disk_bytes: int | None = None


@dataclass(frozen=True)
class Breach:
    """One limit that was passed: its name as on the command line, how much was used and allowed, and in which cell (from 1).

    `used` and `allowed` are seconds for the time limits, else bytes; `counts_files` says that they are a number of files.
    """

    limit: str
    used: float
    allowed: float
    cell: int | None = None
    counts_files: bool = False

    def __str__(self) -> str:
        show = self._find_format()
        used, allowed = show(self.used), show(self.allowed)
        # Rounded alike they would read as if nothing had been passed.
        more = "more than " if used == allowed else ""
        where = f" (in cell {self.cell})" if self.cell else ""
        return f"{_SUBJECTS[self.limit]} {more}{used}{where}; --{self.limit} allows {allowed}. The kernel was ended."

    def _find_format(self) -> Callable[[float], str]:
        if self.limit in ("timeout", "cell-timeout"):
            return format_seconds
        return _format_files if self.counts_files else format_size


_SUBJECTS = {
    "timeout": "The run took",
    "cell-timeout": "A cell took",
    "memory": "The kernel and what it started used",
    "output-size": "The cells' output came to",
    "disk": "The run's folder held",
}


def parse_size(text: str) -> int:
    """Return a number of bytes written as `500MB`, `2GiB` or `1048576b`; raises UsageError for anything else, and for nothing."""
    found = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None or not (size := round(float(found[1]) * unit)):
        raise UsageError(
            f"{text!r} is no size.", why="A size is a number with a unit, and above nothing: 500MB, 2GB, 1GiB."
        )
    return size


def is_size(text: str) -> bool:
    """True for a text that `parse_size` takes."""
    try:
        return bool(parse_size(text))
    except UsageError:
        return False


def format_size(count: float) -> str:
    """Return a number of bytes in the largest decimal unit that fits."""
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{_round(count / size)} {unit}"
    return f"{count:.0f} bytes"


def format_seconds(seconds: float) -> str:
    """Return a duration in seconds with at most one digit after the point."""
    return f"{_round(seconds)} s"


def _format_files(count: float) -> str:
    return f"{count:,.0f} files"


def _round(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
