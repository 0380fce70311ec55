"""The files of a run on their way to where MLflow shows them: each at its path, linked where that costs nothing."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from workbench.runs.logged_calls import ARTIFACTS, FOLDER, FURTHER, LoggedCalls


def find_artifacts(folder: Path, calls: LoggedCalls) -> dict[str, Path]:
    """Return the files MLflow shows of a run, by their path in it.

    Those of the run's folder come first; what its notebook logged with MLflow comes beside them, and where a name is taken
    (the run's own folders are, as a whole) below `mlflow-spool/`. Links and whatever else is no plain file are passed over.
    """
    found = {path: file for path, file in _walk(folder) if not path.startswith(f"{FOLDER}/")}
    own = {path.partition("/")[0] for path in found}
    for label in ("", *calls.further):
        place = f"{FURTHER}/{label}" if label else ARTIFACTS
        for path, file in _walk(folder / place):
            is_taken = path.partition("/")[0] in own or path in found
            found[f"{place}/{path}" if is_taken else path] = file
    return found


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    if folder.is_symlink():
        return
    for here, _, names in os.walk(folder):
        for name in sorted(names):
            file = Path(here, name)
            if stat.S_ISREG(file.lstat().st_mode):
                yield file.relative_to(folder).as_posix(), file


def link_files(files: Mapping[str, Path], folder: Path) -> None:
    """Put files at their paths below a folder: as second names of the same bytes, or copies on another file system."""
    for path, file in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(file, target, follow_symlinks=False)
        except OSError:
            shutil.copyfile(file, target, follow_symlinks=False)


def write_file(path: Path, content: bytes) -> None:
    """Write a file anew, never through a link to another's bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
    path.write_bytes(content)
