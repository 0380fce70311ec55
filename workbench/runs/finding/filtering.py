"""Filtering: the runs and drafts of which a condition is true, newest first."""

from __future__ import annotations

from itertools import islice

from workbench.runs.finding.conditions import Condition, list_names, parse_condition
from workbench.runs.finding.drafting import Draft, list_drafts
from workbench.runs.finding.judging import choose_runs
from workbench.runs.finding.notebook_names import find_notebook
from workbench.runs.finding.outline import Outlines
from workbench.runs.project import Project
from workbench.runs.run import Run


def list_chosen_runs(
    project: Project, where: str, *, notebook: str | None = None, limit: int | None = None, archived: bool = False
) -> list[Run]:
    """Return the runs of which a condition is true, newest first, `limit` of them at most; raises UsageError like `choose_runs`.

    Those that were put aside are among them only where that is asked for (`archived`), or where the condition says `archived`.
    """
    condition = parse_condition(where)
    archived = archived or any(name.key == "archived" and name.of in ("", "run") for name in list_names(condition))
    every = project.store.list_outlines(_find_parts(condition), notebook=notebook)
    outlines = [each for each in every if archived or each.annotations.archived is None]
    chosen = islice(choose_runs(condition, Outlines(outlines)), limit)
    return project.store.list_runs_by_id([outlines[place].id for place in chosen])


def list_everything(
    project: Project, where: str | None, *, notebook: str | None = None, limit: int | None = None
) -> tuple[list[Run], list[Draft]]:
    """Return runs, also those put aside, and drafts: of which a condition is true, or all. `limit` is for each; raises the same."""
    drafts = list_drafts(project.settings)
    if notebook:
        notebook = find_notebook(notebook, [*project.store.list_notebooks(), *(draft.notebook for draft in drafts)])
        drafts = [draft for draft in drafts if draft.notebook == notebook]
    if where is None:
        return project.store.list_runs(notebook=notebook, limit=limit), drafts[:limit]
    condition = parse_condition(where)
    runs_first = project.store.list_outlines(_find_parts(condition), notebook=notebook)
    outlines = [*runs_first, *(draft.outline() for draft in drafts)]
    chosen = list(choose_runs(condition, Outlines(outlines)))
    ids = [outlines[place].id for place in chosen if place < len(runs_first)]
    found = [drafts[place - len(runs_first)] for place in chosen if place >= len(runs_first)]
    return project.store.list_runs_by_id(ids[:limit]), found[:limit]


def _find_parts(condition: Condition) -> set[str]:
    """Return what must be read out of long records for a condition; a name that says not of what may be a metric."""
    names = list_names(condition)
    parts = {name.key for name in names if name.of in ("", "run") and name.key == "replay_of"}
    parts |= {"datasets" for name in names if name.of in ("", "run") and name.key in ("holdout", "scored_rows")}
    parts |= {"pairing" for name in names if name.of in ("", "run") and name.key == "scored_rows"}
    return parts | {"metrics" for name in names if name.of in ("", "metrics")}
