"""Stopping one run: whoever can write to the store asks, and the process that runs it ends it and leaves the others alone."""

from __future__ import annotations

import time

from workbench.errors import Unavailable, UsageError
from workbench.runs.project import Project
from workbench.runs.reaping import reap_lost_runs
from workbench.runs.run import FINAL_STATES, Run, RunState

_POLL_S = 0.2


def request_stop(project: Project, run_id: str) -> Run:
    """Ask the process that runs a run to end it, and return it as it is; one whose process is gone is LOST, and cleaned up after.

    Raises UsageError for a run that ended otherwise.
    """
    run = project.store.find_run(run_id)
    if run.state is RunState.LOST:
        reap_lost_runs(project.settings, project.store)
        return project.store.find_run(run.id)
    if run.state in FINAL_STATES:
        raise UsageError(
            f"Run {run.id} does not run.",
            why=f"It is {run.state.lower()}, since {run.ended}.",
            next_step="`workbench runs` lists what runs.",
        )
    project.store.request_stop(run.id, by=project.settings.acting_author)
    return run


def stop_run(project: Project, run_id: str, *, wait_s: float) -> Run:
    """Ask for a run's end and return it as it ended; raises Unavailable when that is not heard within `wait_s`."""
    run, deadline = request_stop(project, run_id), time.monotonic() + wait_s
    while run.state not in FINAL_STATES:
        if time.monotonic() > deadline:
            raise Unavailable(
                f"Run {run.id} goes on.",
                why=f"The process that runs it did not end it within {wait_s:.0f} s.",
                next_step=f"It will be ended when that process looks; `workbench show {run.id} --follow` shows it meanwhile.",
            )
        time.sleep(_POLL_S)
        run = project.store.find_run(run.id)
    return run
