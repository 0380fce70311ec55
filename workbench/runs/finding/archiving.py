"""Archiving: runs are put aside, out of the lists, and taken back; nothing of them is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.records.clock import utc_now
from workbench.runs.finding.annotations import Annotations
from workbench.runs.project import Project
from workbench.runs.run import Run


def archive_runs(project: Project, run_ids: Sequence[str], *, undo: bool) -> list[Run]:
    """Put runs aside, or back among the others, and return them as they are now."""
    now = utc_now()

    def say(before: Annotations) -> Annotations:
        return replace(before, archived=None if undo else before.archived or now)

    runs = list({run.id: run for run in map(project.store.find_run, run_ids)}.values())
    return [replace(run, annotations=project.store.annotations.change(run.id, say)) for run in runs]
