"""Annotating: what people say of runs, and that they are put aside, is written down beside them; MLflow is told what they say."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from workbench.errors import NotFound, UsageError
from workbench.records.clock import utc_now
from workbench.runs.finding.annotations import Annotations, Change, require_sayable
from workbench.runs.project import Project, find_runs
from workbench.runs.publishing import publish_annotations
from workbench.runs.run import Run

_LOG = logging.getLogger(__name__)


def annotate_runs(project: Project, run_ids: Sequence[str], change: Change) -> list[Run]:
    """Say something of runs and return them as they are now; raises UsageError, and nothing is said of any, where it cannot be."""
    require_sayable(change)
    if change.name and len(run_ids) > 1:
        raise UsageError(
            f"{len(run_ids)} runs cannot have one name.",
            why="A name is what a run is asked for by.",
            next_step="Name one of them; what they have in common is a tag: --tag KEY=VALUE.",
        )
    by = project.settings.acting_author
    runs = [project.store.find_run(run_id) for run_id in run_ids]
    for run in runs:
        change.apply(run.annotations, by=by, at="")  # before anything is said of another
    done = [_say(project, run, change, by) for run in runs]
    _warn_of_same_name(project, change.name or "")
    return done


def _say(project: Project, run: Run, change: Change, by: str) -> Run:
    def say(before: Annotations) -> Annotations:
        return change.apply(before, by=by, at=utc_now())

    now = replace(run, annotations=project.store.annotations.change(run.id, say))
    _tell(project, now)
    return now


def _tell(project: Project, run: Run) -> None:
    """Tell MLflow what is said of a run; where it does not take that it is told with the next run."""
    if run.tracked_as and (refused := publish_annotations(run, project.settings, project.store, project.tracker)):
        _LOG.warning(
            "MLflow does not show what is said of run %s yet; it is told with the next run. %s", run.id, refused
        )


def _warn_of_same_name(project: Project, name: str) -> None:
    if not name.strip():
        return
    try:
        project.store.find_run(name.strip())
    except NotFound as exc:
        _LOG.warning("%s %s By this name none of them is found.", exc.what, " ".join(exc.reasons))


def archive_runs(project: Project, run_ids: Sequence[str], *, undo: bool) -> list[Run]:
    """Put runs aside, or back among the others, and return them as they are now."""
    now = utc_now()

    def say(before: Annotations) -> Annotations:
        return replace(before, archived=None if undo else before.archived or now)

    runs = find_runs(project, run_ids)
    return [replace(run, annotations=project.store.annotations.change(run.id, say)) for run in runs]
