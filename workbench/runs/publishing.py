"""Making MLflow agree with the store about every run, also those nobody could tell it the end of, and what people say of it."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

from workbench.config import Settings
from workbench.errors import WorkbenchError
from workbench.models.contract import parse_contract
from workbench.models.mlflow_model import describe_model
from workbench.models.model_files import CONTRACT_FILE, SKOPS_FILE
from workbench.models.skops_loader import list_types_to_trust
from workbench.runs.finding.removing import finish_removals
from workbench.runs.folder import LOGGED_METRICS, MODEL
from workbench.runs.logged_calls import read_logged_calls
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.provenance import read_packages
from workbench.runs.reaping import reap_lost_runs
from workbench.runs.run import Run
from workbench.runs.sqlalchemy_store import Store


def publish_pending(settings: Settings, store: Store, tracker: MlflowTracker) -> dict[str, str | None]:
    """Make MLflow agree about every run it was not told the end of (killed, lost, MLflow was away); finish deleting what was begun.

    Returns why it did not take a run, by the run's id; None for each that it took.
    """
    reap_lost_runs(settings, store)
    left = finish_removals(settings, store, tracker)
    told = {run.id: publish_run(run, settings, store, tracker) for run in store.list_unpublished_runs()}
    untold = [run for run in store.list_untold_runs() if run.id not in told]
    return left | told | {run.id: publish_annotations(run, settings, store, tracker) for run in untold}


def publish_run(run: Run, settings: Settings, store: Store, tracker: MlflowTracker) -> str | None:
    """Tell MLflow how a run ended; return why it did not take that, and the run stays on the list of the unpublished."""
    folder = settings.runs_folder / run.id
    is_plain = _is_plain(folder)
    try:
        tracker.finish_run(
            run,
            files=folder if is_plain else None,
            described=_describe_model(run, folder) if is_plain else None,
            logged=read_logged_calls(folder, run.parameters, own=LOGGED_METRICS) if is_plain else None,
        )
    except Exception as exc:  # whatever MLflow says about one run must stop neither the others nor the next
        return _say_refused(exc)
    store.mark_published(run.id)
    # What the notebook logged under the same names must not stand in the place of what people say.
    return publish_annotations(run, settings, store, tracker)


def publish_annotations(run: Run, settings: Settings, store: Store, tracker: MlflowTracker) -> str | None:
    """Tell MLflow what is said of a run now; return why it did not take that, and it is told another time."""
    said, before = store.annotations.find(run.id)
    if said.is_empty and before.is_empty:
        return None
    folder = settings.runs_folder / run.id
    logged = read_logged_calls(folder, run.parameters, own=LOGGED_METRICS) if _is_plain(folder) else None
    try:
        tracker.annotate(replace(run, annotations=said), before=before, logged=logged.tags if logged else {})
    except Exception as exc:  # as above
        return _say_refused(exc)
    store.annotations.mark_told(run.id, said)
    return None


def _say_refused(exc: Exception) -> str:
    said = exc.in_one_line if isinstance(exc, WorkbenchError) else str(exc)
    return said.partition("\n")[0] or type(exc).__name__


def _is_plain(folder: Path) -> bool:
    """True for a folder of regular files and folders: MLflow would follow a link, wait at a pipe, trip over an odd name."""
    try:
        kinds = [(folder.name, folder.lstat().st_mode)]
        for _, folders, files, here in os.fwalk(folder):
            names = (*folders, *files)
            kinds += [(name, os.stat(name, dir_fd=here, follow_symlinks=False).st_mode) for name in names]
    except OSError:
        return False
    return all((stat.S_ISDIR(mode) or stat.S_ISREG(mode)) and name.isprintable() for name, mode in kinds)


def _describe_model(run: Run, folder: Path) -> dict[str, str]:
    """Return what MLflow's tools read beside a run's model; nothing where there is none that they could load."""
    from platform import python_version

    try:
        content, contract = ((folder / MODEL / name).read_bytes() for name in (SKOPS_FILE, CONTRACT_FILE))
        return describe_model(
            parse_contract(contract),
            read_packages(),
            python=python_version(),
            trusted_types=list_types_to_trust(content),
            run=run.id,
        )
    except (OSError, WorkbenchError):
        return {}
