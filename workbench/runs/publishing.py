"""Making MLflow agree with the store about every run, also those nobody could tell it the end of."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from workbench.config import Settings
from workbench.errors import WorkbenchError
from workbench.models.model_files import SKOPS_FILE
from workbench.models.skops_loader import list_types_to_trust
from workbench.runs import spool
from workbench.runs.collecting import OWN_INPUTS, remove_unfinished
from workbench.runs.folder import LOGGED_METRICS, MODEL
from workbench.runs.logged_calls import read_logged_calls
from workbench.runs.mlflow_tracker import MlflowTracker, describe_model
from workbench.runs.redacting import redact_abandoned
from workbench.runs.run import Run
from workbench.runs.sqlalchemy_store import Store
from workbench.secrets.redacting_files import empty_folder


def settle_lost_runs(settings: Settings, store: Store) -> list[str]:
    """Mark runs LOST that nobody runs any more, end what they left running, and return their ids."""
    lost = store.mark_lost_runs()
    if lost:
        from workbench.executors.kernel_processes import end_marked_processes

        for run_id in lost:
            end_marked_processes(mark_of(settings.runs_folder / run_id))
            run = store.find_run(run_id)
            clean_abandoned(run, settings)
            if run.provenance.get("had_secrets"):
                # Whoever finds a run lost may not know the secrets that it knew.
                empty_folder(settings.runs_folder / run_id, keep=OWN_INPUTS)
    return lost


def clean_abandoned(run: Run, settings: Settings) -> None:
    """Remove from the folder of a run that was killed or lost what looks finished, and the secrets we know."""
    folder = settings.runs_folder / run.id
    remove_unfinished(folder)
    with suppress(OSError, WorkbenchError):  # it may have no folder yet, or its notebook ruined it
        names, project = settings.secret_variables, settings.project
        redact_abandoned(folder, run.parameters, os.environ, project=project, names=names)


def mark_of(folder: Path) -> str:
    """Return the variable by which everything a run's notebook started is found."""
    return f"{spool.FOLDER_VARIABLE}={folder}"


def publish_pending(settings: Settings, store: Store, tracker: MlflowTracker) -> dict[str, str | None]:
    """Make MLflow agree about every run it was not told the end of (killed, lost, MLflow was away).

    Returns why it did not take a run, by the run's id; None for each that it took.
    """
    settle_lost_runs(settings, store)
    return {run.id: publish_run(run, settings, store, tracker) for run in store.list_unpublished_runs()}


def publish_run(run: Run, settings: Settings, store: Store, tracker: MlflowTracker) -> str | None:
    """Tell MLflow how a run ended; return why it did not take that, and the run stays on the list of the unpublished."""
    folder = settings.runs_folder / run.id
    is_plain = _is_plain(folder)
    try:
        tracker.finish_run(
            run,
            files=folder if is_plain else None,
            mlmodel=_describe_model(folder) if is_plain else None,
            logged=read_logged_calls(folder, run.parameters, own=LOGGED_METRICS) if is_plain else None,
        )
    except Exception as exc:  # whatever MLflow says about one run must stop neither the others nor the next
        said = " ".join([exc.what, *exc.reasons]) if isinstance(exc, WorkbenchError) else str(exc)
        return said.partition("\n")[0] or type(exc).__name__
    store.mark_published(run.id)
    return None


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


def _describe_model(folder: Path) -> str | None:
    model = folder / MODEL / SKOPS_FILE
    if not model.is_file():
        return None
    from importlib.metadata import version
    from platform import python_version

    trusted_types = list_types_to_trust(model.read_bytes())
    return describe_model(python=python_version(), sklearn=version("scikit-learn"), trusted_types=trusted_types)
