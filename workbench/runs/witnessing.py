"""Witnessing: what a kernel and the system told of local files, held against git and against what lies there when the run ended."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from workbench.config import find_template
from workbench.executors.jobs import Opened
from workbench.records.digest import sha256_hex
from workbench.runs.local_files import (
    LARGEST_DIGESTED_BYTES,
    LocalFilesFact,
    LocalModule,
    ReadFile,
    SeenBy,
    Standing,
    Told,
)
from workbench.runs.provenance import name_path, read_changed_paths, read_repository
from workbench.runs.written_files import WrittenFile

MOST_READ = MOST_WRITTEN = 200


def witness_local_files(
    told: Told, opened: Opened, *, project: Path, notebook: Path, commit: str | None, declared: Collection[str]
) -> LocalFilesFact:
    """Return what a run took from local files; `commit` is the one its notebook was at, `declared` are the names of its tables.

    A file whose name or path is that of a declared table is one.
    """
    standings = _judge_standings({path: digest for path, (digest, _) in told.code.items()}, notebook.parent, commit)
    modules = [
        LocalModule(name_path(path, project), told.code[path][0], standing) for path, standing in standings.items()
    ]
    reads = [
        *_list_told(_without(told.reads, told.code), project),
        # What the notebook wrote by itself is nothing it took from there.
        *_list_opened(opened.files, {*told.reads, *told.code, *told.writes}, project),
    ]
    reads = [read for read in reads if not {read.path, read.path.rpartition("/")[2]} & {*declared}]
    return LocalFilesFact(
        modules=tuple(sorted(modules, key=lambda module: module.path)),
        reads=tuple(sorted(reads[:MOST_READ], key=lambda read: read.path)),
        more_read=told.more_read + len(reads[MOST_READ:]),
        is_complete=told.is_complete and all(module.digest for module in modules),
        unseen=opened.unseen,
    )


def list_written(told: Told, opened: Opened, *, project: Path, started: str | None) -> list[WrittenFile]:
    """Return the files that were written beside a run's folder, by path, as they are now; what is gone, or older than it, was not.

    A file that the kernel read and did not tell to have written is what another program writes.
    """
    since_s = datetime.fromisoformat(started).timestamp() if started else 0.0
    by_system = [path for path in opened.written if path not in {*told.writes, *told.reads}]
    paths = [(path, SeenBy.KERNEL) for path in told.writes] + [(path, SeenBy.SYSTEM) for path in by_system]
    found = []
    for path, seen_by in paths:
        with suppress(OSError):
            state = Path(path).stat()
            if stat.S_ISREG(state.st_mode) and state.st_ctime >= since_s:
                is_appended = told.writes.get(path, False)
                found.append(WrittenFile(name_path(path, project), state.st_size, is_appended, seen_by))
    return sorted(found, key=lambda file: file.path)[:MOST_WRITTEN]


# Code


def _judge_standings(code: Mapping[str, str | None], folder: Path, commit: str | None) -> dict[str, Standing]:
    """Return how each file stands to git: to the run's commit where it lies in the notebook's repository, else to its own.

    What git compares is there now; that it is what ran says the digest.
    """
    found = {path: fault for path, digest in code.items() if (fault := _find_fault(path, digest))}
    folders = {path: Path(path).resolve().parent for path in code if path not in found}
    repositories = {each: read_repository(each) for each in ({*folders.values(), folder} if folders else ())}
    grouped: dict[str | None, list[str]] = defaultdict(list)
    for path in folders:
        grouped[repositories[folders[path]]].append(path)
    for repository, paths in grouped.items():
        at = commit if repository == repositories[folder] else "HEAD"
        found |= _judge_repository(repository, at, paths)
    return found


def _find_fault(path: str, digest: str | None) -> Standing | None:
    """Return why git has nothing to say of a file; None where it is there as it ran."""
    if digest is None:
        return Standing.UNKNOWN
    found = _look_at(path)
    return None if found is not None and _digest_state(path, *found) == digest else Standing.REPLACED


def _judge_repository(repository: str | None, commit: str | None, paths: Sequence[str]) -> dict[str, Standing]:
    if repository is None or commit is None:
        return dict.fromkeys(paths, Standing.UNTRACKED)
    told = read_changed_paths(repository, commit, paths)
    if told is None:
        return dict.fromkeys(paths, Standing.UNKNOWN)
    return {path: _judge_file(os.path.realpath(path), *told) for path in paths}


def _judge_file(real: str, tracked: Collection[str], changed: Collection[str]) -> Standing:
    if real not in tracked:
        return Standing.UNTRACKED
    return Standing.CHANGED if real in changed else Standing.COMMITTED


# Files


def _without(reads: Mapping[str, tuple[int, int]], code: Collection[str]) -> dict[str, tuple[int, int]]:
    """Return what was read and did not run: who runs a text reads it first."""
    return {path: state for path, state in reads.items() if path not in code}


def _list_told(reads: Mapping[str, tuple[int, int]], project: Path) -> Iterator[ReadFile]:
    for path, (size, time_ns) in reads.items():
        found = _look_at(path)
        digest = _digest(path) if found == (size, time_ns) else None
        yield ReadFile(name_path(path, project), digest, size, SeenBy.KERNEL)


def _list_opened(files: Iterable[str], told: Collection[str], project: Path) -> Iterator[ReadFile]:
    known, own = (
        {os.path.realpath(path) for path in told},
        [find_template().resolve(), Path(__file__).resolve().parents[1]],
    )
    for path in files:
        found, real = _look_at(path), os.path.realpath(path)
        # What the workbench brings itself is read by it, as when the report of another run is made meanwhile.
        if found is not None and real not in known and not any(map(Path(real).is_relative_to, own)):
            yield ReadFile(name_path(path, project), _digest(path), found[0], SeenBy.SYSTEM)


def _look_at(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _digest(path: str) -> str | None:
    """Return the digest of a file as it is now; None where it is large, or cannot be read."""
    found = _look_at(path)
    return None if found is None or found[0] > LARGEST_DIGESTED_BYTES else _digest_state(path, *found)


@lru_cache(maxsize=1024)
def _digest_state(path: str, _size: int, _time_ns: int) -> str | None:
    """Digest a file in one state: the runs of a sweep read the same ones."""
    try:
        return sha256_hex(Path(path).read_bytes())
    except OSError:
        return None
