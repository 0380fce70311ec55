"""A project: where its things are, what ran and was decided, and its MLflow; verbs take it, and not the facade."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from workbench.config import Settings
from workbench.notebooks.locating import name_notebook
from workbench.notebooks.notebook import Notebook, parse_notebook
from workbench.policies.policy import Known
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.run import Run
from workbench.runs.sqlalchemy_store import Store


@dataclass(frozen=True)
class Project:
    """The settings, the store of runs with the ledger (`store.ledger`), the tracker, and what policies may name."""

    settings: Settings
    store: Store
    tracker: MlflowTracker
    known: Callable[[], Known]


def read_notebook(project: Project, path: Path) -> Notebook:
    """Read a notebook from anywhere on disk."""
    return parse_notebook(name_notebook(path, project.settings.project), path.read_bytes())


def find_runs(project: Project, texts: Iterable[str]) -> list[Run]:
    """Return the runs that ids, beginnings of ids or names mean, each once; raises NotFound like `Store.find_run`."""
    return list({run.id: run for run in map(project.store.find_run, texts)}.values())
