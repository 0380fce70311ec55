"""Holdouts: which rows they declared, and which runs declared the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.runs.run import Run


def find_holdout(run: Run) -> dict[str, Any] | None:
    """Return the holdout a run declared (name, digest, rows), None when it declared none."""
    return next((item for item in run.record.get("datasets", []) if item["role"] == "holdout"), None)


def holdout_digest(run: Run) -> str | None:
    """Return the digest of the holdout a run declared."""
    holdout = find_holdout(run)
    return holdout["digest"] if holdout else None


def runs_on_holdout_of(run: Run, runs: Iterable[Run]) -> list[Run]:
    """Return those of the runs, in their order, that declared the same holdout as this one."""
    digest = holdout_digest(run)
    return [other for other in runs if holdout_digest(other) == digest]
