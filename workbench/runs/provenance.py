"""Provenance: what code, environment and machine a run used, read once before it starts."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from workbench.files.git import ask_git, ask_git_for_bytes
from workbench.records.digest import canonical_json, sha256_hex

_LOCK_FILES = ("requirements.lock", "uv.lock", "poetry.lock", "pdm.lock", "conda-lock.yml", "requirements.txt")
_NAMED_PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy", "skops", "mlflow", "papermill", "ipykernel", "workbench")


def read_provenance(notebook: Path, project: Path) -> dict[str, Any]:
    """Return git commit and state, lock file, installed packages and machine, as plain JSON values.

    A fact that cannot be read is None: no git, no lock file. `git_dirty` is true for a notebook that git does not track, too.
    """
    packages = read_packages()
    lock = next((project / name for name in _LOCK_FILES if (project / name).is_file()), None)
    return {
        "notebook_path": _relative(notebook, project),
        "git_commit": ask_git(notebook.parent, "rev-parse", "HEAD"),
        "git_dirty": _is_dirty(notebook),
        "lock_file": lock.name if lock else None,
        "lock_digest": sha256_hex(lock.read_bytes()) if lock else None,
        "packages": {name: packages[name] for name in _NAMED_PACKAGES if name in packages},
        "packages_digest": sha256_hex(canonical_json(packages)),
        "python": sys.version.split()[0],
        "machine": {"system": platform.platform(), "architecture": platform.machine(), "processors": os.cpu_count()},
    }


def read_packages() -> dict[str, str]:
    """Return the versions of the installed packages by their names; asked again, they are as long as nothing was installed."""
    return _read_packages(_folder_times())


def _folder_times() -> tuple[tuple[str, int], ...]:
    """Return where packages are installed and when each place last changed: as long as it is the same, so are they."""
    places = {place: Path(place) for place in sys.path if place}
    return tuple((name, path.stat().st_mtime_ns) for name, path in places.items() if path.is_dir())


@lru_cache(maxsize=1)
def _read_packages(_: tuple[tuple[str, int], ...]) -> dict[str, str]:
    found = ((dist.metadata["Name"], dist.version) for dist in distributions())
    return {name.lower(): version for name, version in found if name}


def _relative(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _is_dirty(notebook: Path) -> bool | None:
    """A commit that does not hold the notebook says nothing about it, however clean its folder is."""
    changes = ask_git(notebook.parent, "status", "--porcelain", "--untracked-files=no")
    return None if changes is None else bool(changes) or not _is_held(notebook)


def _is_held(notebook: Path) -> bool:
    repository = read_repository(notebook.parent)
    told = read_changed_paths(repository, "HEAD", [str(notebook)]) if repository else None
    return told is not None and bool(told[0]) and not told[1]


def name_path(path: str, project: Path) -> str:
    """Return how a file is called in a record: from the project, from the home folder (`~/`), or by its whole path."""
    real = Path(path).resolve()
    for folder, before in ((project.resolve(), ""), (Path.home().resolve(), "~/")):
        if real.is_relative_to(folder):
            return _readable(f"{before}{real.relative_to(folder)}")
    return _readable(path)


def _readable(path: str) -> str:
    """A file name is whatever bytes somebody gave it; those that are no text are spelled out."""
    return path.encode(errors="backslashreplace").decode()


def read_repository(folder: Path) -> str | None:
    """Return the top folder of the git repository a folder lies in; None where there is none, or no git."""
    return ask_git(folder, "rev-parse", "--show-toplevel")


def read_changed_paths(repository: str, commit: str, files: Sequence[str]) -> tuple[set[str], set[str]] | None:
    """Return which of these files a commit holds, and which of those are there as others now; None where git does not say."""
    names = [os.path.relpath(os.path.realpath(file), repository) for file in files]
    said = ask_git_for_bytes(Path(repository), "ls-tree", "-r", "-z", commit, "--", *names)
    if said is None:
        return None
    rows = (os.fsdecode(row).partition("\t") for row in said.split(b"\0") if row)
    held = {name: told.split()[2] for told, _, name in rows}
    changed = _find_others(Path(repository), held)
    if changed is None:
        return None
    of_held, of_changed = ({f"{repository}/{name}" for name in found} for found in (held, changed))
    return of_held, of_changed


def _find_others(repository: Path, blobs: Mapping[str, str]) -> set[str] | None:
    """Return which files are not the blobs the commit has of them, neither as git would take them in nor as they lie there.

    They are read: what the index says of a file may be that it was told to look away.
    """
    others = dict(blobs)
    for how in ((), ("--no-filters",)):
        said = ask_git(repository, "hash-object", *how, "--", *others) if others else ""
        if said is None:
            return None
        others = {name: others[name] for name, now in zip(others, said.split(), strict=True) if others[name] != now}
    return {*others}
