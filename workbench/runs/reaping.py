"""Reaping: what nobody runs any more is written down as lost, what it left running is ended, what it left behind is cleaned.

Whoever starts work does this first, and the doctor; looking at runs changes nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from workbench.config import Settings
from workbench.errors import WorkbenchError
from workbench.runs import spool
from workbench.runs.collecting import OWN_INPUTS, read_abandoned, read_abandoned_files, remove_unfinished
from workbench.runs.redacting import find_known
from workbench.runs.run import Run
from workbench.runs.showing import finish_report
from workbench.runs.sqlalchemy_store import Store
from workbench.secrets.redacting_files import empty_folder, redact_folder


def reap_lost_runs(settings: Settings, store: Store) -> list[str]:
    """Mark runs LOST that nobody runs any more, end what they left running, and return their ids."""
    lost = store.mark_lost_runs(lambda run_id: read_abandoned(settings.runs_folder / run_id))
    if lost:
        from workbench.executors.kernel_processes import end_marked_processes

        for run_id in lost:
            end_marked_processes(mark_of(settings.runs_folder / run_id))
            run = store.find_run(run_id)
            if run.provenance.get("had_secrets"):
                clean_abandoned(run, settings)
                # Whoever finds a run lost may not know the secrets that it knew.
                empty_folder(settings.runs_folder / run_id, keep=OWN_INPUTS)
            else:
                store.note_lost_files(clean_abandoned(run, settings))
    return lost


def clean_abandoned(run: Run, settings: Settings) -> Run:
    """Remove from the folder of a run that was killed or lost what looks finished or going on, and the secrets we know.

    Returns the run with the files it kept in its record.
    """
    folder = settings.runs_folder / run.id
    remove_unfinished(folder)
    with suppress(OSError, WorkbenchError):  # it may have no folder yet, or its notebook ruined it
        names, project = settings.secret_variables, settings.project
        known = find_known(run.parameters, os.environ, project=project, names=names)
        redact_folder(folder, known)
        run = replace(run, record={**run.record, **read_abandoned_files(folder)})
        finish_report(run, folder, known)
    return run


def mark_of(folder: Path) -> str:
    """Return the variable by which everything a run's notebook started is found."""
    return f"{spool.FOLDER_VARIABLE}={folder}"
