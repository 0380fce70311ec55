"""A project with something beside it to lose, compared before and after."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import AUTHOR, NOTEBOOKS
from tests.soak.hostile_input import CANARY, OUTSIDE
from workbench.config import Settings
from workbench.workflow import Workbench

KEEPS = NOTEBOOKS / "keeps_what_it_was_given.ipynb"
SECRET = "what lies outside is nobody's business"


@dataclass(frozen=True)
class Surroundings:
    """A project with files beside it that nobody may touch, and the canary that any executed payload would make."""

    folder: Path
    bench: Workbench

    @property
    def project(self) -> Path:
        return self.bench.settings.project

    @property
    def canary(self) -> Path:
        return self.folder / CANARY

    def snapshot(self) -> dict[str, tuple[int, ...]]:
        """Return every file and folder here with what would change, without what the workbench itself keeps at home."""
        home = self.bench.settings.home_folder
        names = ("by-id", "workbench.db", "mlflow.db", "mlflow-artifacts", ".gitignore")
        own = [str(home / name) for name in names]
        found = (path for path in self.folder.rglob("*") if not str(path).startswith(tuple(own)))
        return {str(path): _describe(path) for path in found}

    @contextlib.contextmanager
    def untouched(self, faults: list[str], what: str, *, may_change: Sequence[Path] = ()) -> Iterator[None]:
        """Add to the faults when a file appears, goes or changes meanwhile, or the canary sings."""
        before = self.snapshot()
        yield
        after = self.snapshot()
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        faults += [f"{what} touched {path}" for path in sorted(changed - {str(path) for path in may_change})]


def _describe(path: Path) -> tuple[int, ...]:
    found = path.lstat()
    return (found.st_mode, 0, 0) if path.is_dir() else (found.st_mode, found.st_size, found.st_mtime_ns)


def make_surroundings(folder: Path, make_project: Callable[[Path], Path]) -> Surroundings:
    """Make a project in a folder that has something to lose."""
    project = make_project(folder / "project")
    for name in (OUTSIDE + ".txt", OUTSIDE + ".yaml", OUTSIDE + ".ipynb", f"{OUTSIDE}/1/review.json"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(json.dumps(SECRET), encoding="utf-8")
    shutil.copy(KEEPS, project)
    return Surroundings(folder, Workbench.open(Settings(project, author=AUTHOR)))
