"""Arranging what was compared: some of the runs, in another order, with some parameters; what was tried stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.comparisons.comparison import ComparedRun, Comparison, RunComparison
from workbench.errors import UsageError
from workbench.runs.finding.conditions import Name, read_name
from workbench.runs.finding.outline import MISSING
from workbench.runs.table.run_table import order_of, spell

# Of so many runs intervals are computed unless somebody asks for others.
MOST_MEASURED = 100
# What runs are sorted by besides their parameters.
ADVANTAGE = "advantage"


@dataclass(frozen=True)
class Arrangement:
    """Which of the compared runs are shown, and how: those with a text among id, name and parameters.

    They are sorted by a metric, the advantage's lower bound or a parameter, with a minus before it the largest first, and have
    the parameters that are named alone, where any is.
    """

    search: str = ""
    sort: str = ""
    columns: Sequence[str] = ()

    @property
    def is_by_advantage(self) -> bool:
        """True where they are sorted by what was measured of them."""
        return read_name(self.sort.removeprefix("-")).key == ADVANTAGE


AS_RANKED = Arrangement()


def arrange_runs(comparison: Comparison, arrangement: Arrangement) -> tuple[ComparedRun, ...]:
    """Return the runs to show; raises UsageError for a name that no run has."""
    sort = read_name(arrangement.sort.removeprefix("-"))
    columns = [read_name(name) for name in arrangement.columns]
    if asked := [*columns, *([sort] if sort.key else [])]:
        _require_known(asked, comparison)
    runs = [run for run in comparison.runs if _shows(run, comparison, arrangement.search.casefold())]
    if sort.key:
        beside = _list_beside(comparison).get(sort.key, {}) if sort.of != "params" else {}
        values = {run.run_id: beside.get(run.run_id, _read(run, sort, comparison)) for run in runs}
        there = [run for run in runs if values[run.run_id] is not MISSING]
        there.sort(key=lambda run: order_of(values[run.run_id]), reverse=arrangement.sort.startswith("-"))
        runs = [*there, *(run for run in runs if values[run.run_id] is MISSING)]
    if columns:
        runs = [replace(run, parameters=_choose(run, [name.key for name in columns])) for run in runs]
    return tuple(runs)


def _require_known(asked: Sequence[Name], comparison: Comparison) -> None:
    params = {name for run in comparison.runs for name in run.parameters}
    metrics = [comparison.metric, *_list_beside(comparison)]
    known = {"params": params, "metrics": {*metrics}, "": {*params, *metrics, ADVANTAGE}}
    if unknown := sorted({name.text for name in asked if name.key not in known.get(name.of, ())}):
        raise UsageError(
            f"The compared runs have no {', '.join(map(repr, unknown))}.",
            why=f"They have {', '.join([*metrics, ADVANTAGE, *sorted(params)])}.",
            next_step="Name one of these, or the metric in --metric, too.",
        )


def _list_beside(comparison: Comparison) -> dict[str, dict[str, float]]:
    """Return the values of each further metric by run."""
    beside = comparison.beside if isinstance(comparison, RunComparison) else ()
    return {each.metric: {run.run_id: run.value for run in each.runs} for each in beside}


def _shows(run: ComparedRun, comparison: Comparison, text: str) -> bool:
    name = comparison.names.get(run.run_id, "") if isinstance(comparison, RunComparison) else ""
    return not text or any(text in spell(value).casefold() for value in (run.run_id, name, *run.parameters.values()))


def _read(run: ComparedRun, name: Name, comparison: Comparison) -> Any:
    if name.of != "params" and name.key == comparison.metric:
        return run.value
    if name.of != "params" and name.key == ADVANTAGE:
        return run.advantage.low if run.advantage else MISSING
    return run.parameters.get(name.key, MISSING)


def _choose(run: ComparedRun, columns: Sequence[str]) -> dict[str, Any]:
    return {name: run.parameters[name] for name in columns if name in run.parameters}
