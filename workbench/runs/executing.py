"""Executing: which executor the settings ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.config import Settings
from workbench.errors import UsageError
from workbench.executors.jobs import Executor


def open_executor(settings: Settings) -> Executor:
    """Return the executor a project's notebooks run with; close it. Raises UsageError when there is none of that name."""
    opens = EXECUTORS.get(settings.executor)
    if opens is None:
        why = f"There are: {', '.join(EXECUTORS)}."
        raise UsageError(f"There is no executor {settings.executor!r}.", why=why, next_step="Correct the setting.")
    return opens(settings)


def _open_local(settings: Settings) -> Executor:
    from workbench.executors.papermill_executor import PapermillExecutor

    return PapermillExecutor(settings.jobs)


def _open_dask(settings: Settings) -> Executor:
    from workbench.executors.dask_executor import DaskExecutor

    return DaskExecutor(settings.scheduler, settings.jobs)


# Another one needs a line here, and its name in `--executor`, which must not import this.
EXECUTORS: Mapping[str, Callable[[Settings], Executor]] = {"dask": _open_dask, "local": _open_local}
