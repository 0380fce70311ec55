"""Local files: the code that ran and the files that were read in a run, beside its notebook, packages and declared tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, count
from typing import Any

from workbench.records.digest import sha256_hex, strict_json

# Larger files are named by their size alone.
LARGEST_DIGESTED_BYTES = 64 * 1024 * 1024


class Standing(StrEnum):
    """How local code stands to the commit of its repository: in it as it ran, not as it ran, not at all; or nobody can tell.

    What was changed or removed between when it ran and the end of the run is replaced.
    """

    COMMITTED = "committed"
    CHANGED = "changed"
    UNTRACKED = "not in git"
    REPLACED = "not there any more as it ran"
    UNKNOWN = "unknown"


# Of these the commit does not hold what ran.
UNCOMMITTED = (Standing.CHANGED, Standing.UNTRACKED, Standing.REPLACED)


class SeenBy(StrEnum):
    """Who told that a file was read: the kernel; or the system, of some program that was there while the notebook ran."""

    KERNEL = "the kernel"
    SYSTEM = "the system"


@dataclass(frozen=True)
class LocalModule:
    """A file code ran from that no package brought: its path, its sha256 as it was when it ran (None: unreadable), its standing."""

    path: str
    digest: str | None
    standing: Standing


@dataclass(frozen=True)
class ReadFile:
    """A file that was read and is no declared table; `digest` is None for a large one, or one that changed or went meanwhile."""

    path: str
    digest: str | None
    bytes: int
    seen_by: SeenBy


@dataclass(frozen=True)
class LocalFilesFact:
    """What a run took from local files, sorted by path; paths are relative to the project, or to the home folder (`~/`).

    `is_complete` is true when the kernel listened from before the first cell to after the last and told of every module;
    `more_read` counts files beyond those listed; `unseen` says what could not be seen.
    """

    modules: tuple[LocalModule, ...]
    reads: tuple[ReadFile, ...]
    more_read: int
    is_complete: bool
    unseen: tuple[str, ...]

    @property
    def uncommitted(self) -> tuple[LocalModule, ...]:
        """The modules that are not in git as they ran."""
        return tuple(module for module in self.modules if module.standing in UNCOMMITTED)


def describe_gap(files: LocalFilesFact | None) -> str | None:
    """Return why nobody can tell which local code ran; None where that is known."""
    if files is None:
        return "The run is from before it was recorded which modules a notebook imports from files of its own."
    if files.is_complete:
        return None
    return (
        "Its kernel did not tell to the end which modules it imported from files, they were more than 10,000, or one of them could "
        "not be read or had, before the first cell, been taken from a `__pycache__` that holds other code than its source: delete "
        "that."
    )


@dataclass(frozen=True)
class Told:
    """What a kernel wrote: by path the digest and text of code (None: not told), and size and time (ns) of what was read.

    `writes` are the paths it wrote to, or tried to, and whether it only added to them.
    A second text that ran from the same path is named `PATH (text 2)`: no file is as that was.
    """

    code: Mapping[str, tuple[str | None, str | None]]
    reads: Mapping[str, tuple[int, int]]
    more_read: int
    is_complete: bool
    writes: Mapping[str, bool] = field(default_factory=dict)


def read_journal(content: bytes) -> Told:
    """Read the lines of a kernel's journal; what is no line of it makes it incomplete, and is passed over."""
    lines = [_read_line(line) for line in content.split(b"\n") if line]
    code: dict[str, tuple[str | None, str | None]] = {}
    reads: dict[str, tuple[int, int]] = {}
    writes: dict[str, bool] = {}
    for line in lines:
        if "code" in line:
            code.setdefault(_name_text(_readable(line["code"]), line["digest"], code), (line["digest"], line["source"]))
        elif "read" in line:
            reads.setdefault(_readable(line["read"]), (line["bytes"], line["mtime_ns"]))
        elif "written" in line:
            writes[_readable(line["written"])] = line["appended"] and writes.get(_readable(line["written"]), True)
    ends = [line for line in lines if "end" in line]
    is_whole = all(lines) and "begin" in (lines or [{}])[0] and len(ends) == 1
    is_whole = is_whole and ends[0]["lost"] == ends[0]["more_code"] == 0
    return Told(code, reads, sum(end["more_read"] for end in ends), is_whole, writes)


def _name_text(path: str, digest: str | None, code: Mapping[str, tuple[str | None, str | None]]) -> str:
    """Return the name of what ran from a path: where other texts ran from there before, the path with a number."""
    names = chain([path], (f"{path} (text {number})" for number in count(2)))
    return next(name for name in names if name not in code or code[name][0] == digest)


def is_as_told(fact: LocalFilesFact, told: Told) -> bool:
    """True where a record has the modules that a kernel told of, by their digests, and is as complete."""
    digests = sorted(digest or "" for digest, _ in told.code.values())
    named = sorted(module.digest or "" for module in fact.modules)
    return named == digests and fact.is_complete == (told.is_complete and all(named))


_KINDS: tuple[Mapping[str, Any], ...] = (
    {"begin": str},
    {"code": str, "digest": str | None, "source": str | None},
    {"read": str, "bytes": int, "mtime_ns": int},
    {"written": str, "appended": bool},
    {"end": bool, "lost": int, "more_code": int, "more_read": int},
)


def _read_line(line: bytes) -> dict[str, Any]:
    """Return what a line says; nothing where it is none of a journal."""
    try:
        found = strict_json(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and any(_has(found, kinds) for kinds in _KINDS) else {}


def _has(line: Mapping[str, Any], kinds: Mapping[str, Any]) -> bool:
    return set(line) == set(kinds) and all(isinstance(line[name], kind) for name, kind in kinds.items())


def _readable(path: str) -> str:
    """A file name is whatever bytes somebody gave it; those that are no text are spelled out."""
    return path.encode(errors="backslashreplace").decode()


def find_sources(content: bytes, modules: Iterable[LocalModule]) -> dict[str, str]:
    """Return the text of each module by its path, as far as it was kept and is the one that ran."""
    texts = {text for _, text in read_journal(content).code.values() if text is not None}
    known = {digest_source(text): text for text in texts}
    return {module.path: known[module.digest] for module in modules if module.digest in known}


def digest_source(text: str) -> str:
    """Return the digest by which the text of a module is known."""
    return sha256_hex(text.encode(errors="replace"))
