"""Holdouts: which runs declared the very same rows, and can be held against each other row by row."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.runs.run import Run

HOW_TO_DECLARE = (
    "Declare it with `wb.log_dataset(holdout, role='holdout', target='...')` in the notebook and run that again."
)


def holdout_digest(run: Run) -> str | None:
    """Return the digest of the holdout a run declared."""
    return run.holdout["digest"] if run.holdout else None


def runs_on_holdout_of(run: Run, runs: Iterable[Run]) -> list[Run]:
    """Return those of the runs, in their order, that declared the same holdout as this one."""
    digest = holdout_digest(run)
    return [other for other in runs if holdout_digest(other) == digest]


def count_holdouts(runs: Iterable[Run]) -> int:
    """Return on how many different holdouts runs were scored."""
    return len({digest for run in runs if (digest := holdout_digest(run))})
