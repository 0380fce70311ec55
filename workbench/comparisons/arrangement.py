"""Arranging what was compared: some of the runs, in another order, with some parameters; what was tried stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.comparisons.comparison import ComparedRun, Comparison, RunComparison
from workbench.errors import UsageError
from workbench.runs.finding.outline import MISSING
from workbench.runs.table.run_table import order_of, spell

# What runs are sorted by besides their parameters.
ADVANTAGE = "advantage"


@dataclass(frozen=True)
class Arrangement:
    """Which of the compared runs are shown, and how: those with a text among id, name and parameters.

    They are sorted by the metric, the advantage's lower bound or a parameter, with a minus before it the largest first, and have
    the parameters that are named alone, where any is.
    """

    search: str = ""
    sort: str = ""
    columns: Sequence[str] = ()


def arrange_runs(comparison: Comparison, arrangement: Arrangement) -> tuple[ComparedRun, ...]:
    """Return the runs to show; raises UsageError for a name that no run has."""
    names = {name for run in comparison.runs for name in run.parameters}
    key = arrangement.sort.removeprefix("-").removeprefix("params.")
    columns = [name.removeprefix("params.") for name in arrangement.columns]
    unknown = sorted({*columns, *([key] if key else [])} - names - {comparison.metric, ADVANTAGE})
    if unknown:
        known = ", ".join([comparison.metric, ADVANTAGE, *sorted(names)])
        raise UsageError(
            f"The compared runs have no {', '.join(map(repr, unknown))}.",
            why=f"They have {known}.",
            next_step="Name one of these.",
        )
    runs = [run for run in comparison.runs if _shows(run, comparison, arrangement.search.casefold())]
    if key:
        there = [run for run in runs if _read(run, key, comparison) is not MISSING]
        there.sort(key=lambda run: order_of(_read(run, key, comparison)), reverse=arrangement.sort.startswith("-"))
        runs = [*there, *(run for run in runs if _read(run, key, comparison) is MISSING)]
    if columns:
        runs = [replace(run, parameters=_choose(run, columns)) for run in runs]
    return tuple(runs)


def _shows(run: ComparedRun, comparison: Comparison, text: str) -> bool:
    name = comparison.names.get(run.run_id, "") if isinstance(comparison, RunComparison) else ""
    return not text or any(text in spell(value).casefold() for value in (run.run_id, name, *run.parameters.values()))


def _read(run: ComparedRun, key: str, comparison: Comparison) -> Any:
    if key == comparison.metric:
        return run.value
    if key == ADVANTAGE:
        return run.advantage.low if run.advantage else MISSING
    return run.parameters.get(key, MISSING)


def _choose(run: ComparedRun, columns: Sequence[str]) -> dict[str, Any]:
    return {name: run.parameters[name] for name in columns if name in run.parameters}
