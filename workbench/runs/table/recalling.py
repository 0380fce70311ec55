"""Recalling: every attempt of a project, out of a copy that is brought up to date, as far as comparing thousands needs it."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.runs.project import Project
from workbench.runs.run import Run
from workbench.runs.table.copying import read_columns
from workbench.runs.table.sqlalchemy_attempts import build_attempts, list_deleted


@dataclass(frozen=True)
class Recalled:
    """All attempts, the newest run and its latest attempt first, and the latest one of each run that is there.

    Of their records and provenance that is there which comparing asks for.
    """

    attempts: list[Run]
    runs: list[Run]


def recall_attempts(project: Project) -> Recalled:
    """Return the attempts of a project as its store has them now; raises Unavailable where that does not answer."""
    columns = read_columns(project.store.attempts, [], project.settings.home_folder / "tables")
    attempts, deleted = build_attempts(columns), list_deleted(columns)
    latest: dict[str, Run] = {}
    for run in attempts:
        latest.setdefault(run.id, run)
    return Recalled(attempts, [run for run in latest.values() if run.id not in deleted])
