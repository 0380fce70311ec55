"""A Dask worker's side: executes the notebooks it is sent with an executor of its own, each only once and only while wanted."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import socket
import threading
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin, get_worker
from distributed.core import Status as ServerStatus

from workbench.executors.jobs import Cause, Job, Outcome, Phase, Status
from workbench.executors.kernel_processes import end_marked_processes
from workbench.notebooks.notebook import read_execution

if TYPE_CHECKING:
    from workbench.executors.papermill_executor import PapermillExecutor

STARTED = ".started"
DIED = "The worker that ran it died."
STOPPED = "Stopped from outside."
_BEGUN = Status(Phase.RUNNING)
_POLL_S = 0.5
_ENDING = frozenset({ServerStatus.stopping, ServerStatus.closing, ServerStatus.closed, ServerStatus.failed})


class NotebookWorker(WorkerPlugin):
    """What a worker has while a batch goes on: an executor for as many notebooks at a time as the worker has threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._versions = read_versions()

    async def setup(self, worker: Any) -> None:
        """Make the executor."""
        self._worker = worker
        self._executor = await asyncio.to_thread(_make_executor, worker.state.nthreads)

    def teardown(self, worker: Any) -> None:
        """End what runs; the batch ends, or the worker, which leaves no process to fork kernels from either."""
        # In a thread that the process waits for, not Dask: whoever tells a worker to end while it ends interrupts all it waits for.
        threading.Thread(target=_close_executor, args=(self._executor, worker.status in _ENDING)).start()

    def execute(self, job: Job, key: str) -> Outcome:
        """Execute a job unless somebody began with it already, and say what goes on."""
        self._say(job, _BEGUN)
        try:
            obstacle = self._find_obstacle(job, key)
            return fail_job(job, *obstacle) if obstacle else self._run_to_end(job, key)
        finally:
            self._say(job, _BEGUN, left=True)

    def _find_obstacle(self, job: Job, key: str) -> tuple[str, Cause] | None:
        """Return why a job must not be begun with."""
        if faults := find_faults(self._versions):
            return f"Its worker does not fit: {'; '.join(faults)}.", Cause.DIED
        if not self._is_wanted(key):
            return STOPPED, Cause.STOPPED
        try:
            _claim(job)
        except FileExistsError:
            # Dask gives the jobs of a dead worker to another; an attempt is one execution, so this one ends here.
            end_marked_processes(job.mark)
            return DIED, Cause.DIED
        except OSError as exc:
            return f"Its worker on {socket.gethostname()} cannot use the folder of the run: {exc}", Cause.NOTEBOOK
        return None

    def _run_to_end(self, job: Job, key: str) -> Outcome:
        self._executor.submit(replace(job, kept_min=0))  # this worker stays anyway
        told = _BEGUN
        while (status := self._executor.status(job.id)).outcome is None:
            if not self._is_wanted(key):
                self._executor.cancel(job.id)
            if status != told:
                self._say(job, told := status)
            self._executor.wait(_POLL_S)
        # Who stopped it by its id is not told how it went; whoever is, lost a worker.
        is_stopped = status.outcome.cause is Cause.STOPPED
        return replace(status.outcome, failure=DIED, cause=Cause.DIED) if is_stopped else status.outcome

    def _is_wanted(self, key: str) -> bool:
        """False when the result was cancelled, its client is gone, or this worker is about to end."""
        task = self._worker.state.tasks.get(key)
        return task is not None and task.state == "executing" and not self._is_ending()

    def _is_ending(self) -> bool:
        # A worker without a nanny that is asked to end by a signal does not close: its loop just stops.
        return self._worker.status in _ENDING or not self._worker.loop.asyncio_loop.is_running()

    def _say(self, job: Job, status: Status, *, left: bool = False) -> None:
        message = {"job": job.id, "cell": status.cell, "cells": status.cells, "left": left}
        self._worker.log_event(self.name, message)


def execute_on_worker(job: Job, name: str) -> Outcome:
    """Execute a job in a worker process; `name` is that of the batch whose NotebookWorker does it."""
    worker = get_worker()
    plugin: NotebookWorker = worker.plugins[name]
    return plugin.execute(job, worker.get_current_task())


def dask_setup(worker: Any) -> None:  # noqa: ARG001 - Dask's own name and arguments, for workers that preload this file
    """Leave a Ctrl-C at the terminal to whoever started this worker for itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def read_versions() -> dict[str, str]:
    """Return the versions that have to be the same on both sides, by what has them."""
    return {"Python": platform.python_version(), "workbench": version("workbench")}


def find_faults(versions: Any) -> list[str]:
    """Return what is wrong with the versions of another process; with an exception in their place, that."""
    if not isinstance(versions, Mapping):
        return [f"it cannot load the workbench ({versions!r})"]
    pairs = {name: (own, versions.get(name)) for name, own in read_versions().items()}
    return [f"{name} is {other} there and {own} here" for name, (own, other) in pairs.items() if own != other]


def fail_job(job: Job, failure: str, cause: Cause) -> Outcome:
    """Return the outcome of a job of which nothing came back."""
    document = deepcopy(job.source)
    return Outcome(document, read_execution(document, completed=False), failure, cause)


def _make_executor(threads: int) -> PapermillExecutor:
    from workbench.executors.papermill_executor import PapermillExecutor

    return PapermillExecutor(threads)


def _close_executor(executor: PapermillExecutor, is_last: bool) -> None:
    from workbench.executors.warm_parents import close_parents

    executor.close()
    if is_last:
        close_parents()


def _claim(job: Job) -> None:
    """Take a job as the first; raises FileExistsError when somebody did before, OSError when its folder is not there."""
    with (job.folder / STARTED).open("x", encoding="utf-8") as file:
        file.write(f"{socket.gethostname()} {os.getpid()}\n")
