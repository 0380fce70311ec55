"""Executing: which executor the settings ask for."""

from __future__ import annotations

from importlib import import_module

from workbench.config import Settings
from workbench.errors import UsageError
from workbench.executors import EXECUTORS
from workbench.executors.jobs import Executor


def open_executor(settings: Settings) -> Executor:
    """Return the executor a project's notebooks run with; close it. Raises UsageError when there is none of that name."""
    if settings.executor not in EXECUTORS:
        why = f"There are: {', '.join(EXECUTORS)}."
        raise UsageError(f"There is no executor {settings.executor!r}.", why=why, next_step="Correct the setting.")
    module = import_module(f"workbench.executors.{EXECUTORS[settings.executor]}")
    executor: Executor = module.open_executor(settings.jobs, settings.scheduler)
    return executor
