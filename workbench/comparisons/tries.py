"""Tries: which runs were scored on one holdout, and how many different predictions they made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from workbench.runs.folder import PREDICTIONS
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


def find_scored(run: Run, runs: Iterable[Run]) -> list[Run]:
    """Return the runs, in their order, that showed a score on the holdout of this one: finished, or failed after that."""
    return [other for other in runs_on_holdout_of(run, runs) if other.is_finished or other.metrics]


def keep_distinct(scored: Sequence[Run]) -> list[Run]:
    """Return the runs, in their order, without those that predict to the byte what one before does, as a replay would.

    Of one that failed nobody has the predictions: it is another one when no other run shows its metrics.
    """
    shown = {_spell_metrics(run) for run in scored if run.is_finished}
    distinct: dict[Any, Run] = {}
    for run in scored:
        if run.is_finished:
            distinct.setdefault(run.record.get("files", {}).get(PREDICTIONS, run.id), run)
        elif _spell_metrics(run) not in shown:
            distinct.setdefault(_spell_metrics(run), run)
    return list(distinct.values())


def _spell_metrics(run: Run) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(run.metrics.items()))


def count_tries(run: Run, runs: Iterable[Run]) -> int:
    """Return how many different predictions were made on the holdout of this run: each was a chance to be lucky."""
    return len(keep_distinct(find_scored(run, runs)))
