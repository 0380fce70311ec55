"""Executing: which executor the settings ask for."""

from __future__ import annotations

from workbench.config import Settings
from workbench.errors import UsageError
from workbench.executors.jobs import Executor


def open_executor(settings: Settings) -> Executor:
    """Return the executor a project's notebooks run with; close it. Raises UsageError when there is none of that name."""
    if settings.executor == "local":
        from workbench.executors.papermill_executor import PapermillExecutor

        return PapermillExecutor(settings.jobs)
    if settings.executor == "dask":
        from workbench.executors.dask_executor import DaskExecutor

        return DaskExecutor(settings.scheduler, settings.jobs)
    raise UsageError(
        f"There is no executor {settings.executor!r}.", why="There are: dask, local.", next_step="Correct the setting."
    )
