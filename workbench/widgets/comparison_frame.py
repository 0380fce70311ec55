"""A comparison as a frame of pandas: to go on with the verdicts, a row a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.comparisons.comparison import ComparedRun, Comparison, RunComparison
from workbench.runs.table.framing import label_columns

if TYPE_CHECKING:
    import pandas as pd

_OWN = ("run", "name", "estimate", "low", "high", "verdict", "rows_needed", "mde", "runs", "holdout")
# Where no run has one of them pandas would not know that they are numbers.
_NUMBERS = ("estimate", "low", "high", "rows_needed", "mde")


def build_frame(comparison: Comparison) -> pd.DataFrame:
    """Return a comparison as a frame, its rows as they are ranked, those on other holdouts behind them.

    `run` is the id and `name` what people call it, then parameters and metrics; `estimate`, `low` and `high` are the advantage over
    the reference, `verdict` what that says, and of what is undecided `rows_needed` says about how many would decide, `mde` which
    difference these rows tell. `runs` is how many one row is of. What is not measured is none.
    """
    import pandas as pd

    tables = [comparison, *(comparison.holdouts if isinstance(comparison, RunComparison) else ())]
    names = list(dict.fromkeys(f"params.{name}" for table in tables for run in table.runs for name in run.parameters))
    names += dict.fromkeys(f"metrics.{each.metric}" for table in tables for each in (table, *_list_beside(table)))
    called = label_columns(names, _OWN)
    rows = [_describe(table, run, called) for table in tables for run in table.runs]
    frame = pd.DataFrame(rows, columns=["run", "name", *called.values(), *_OWN[2:]])
    return frame.astype(dict.fromkeys(_NUMBERS, float))


def _list_beside(comparison: Comparison) -> tuple[RunComparison, ...]:
    return comparison.beside if isinstance(comparison, RunComparison) else ()


def _describe(comparison: Comparison, run: ComparedRun, called: dict[str, str]) -> dict[str, Any]:
    told = comparison if isinstance(comparison, RunComparison) else None
    advantage, needed = run.advantage, told.needed.get(run.run_id) if told else None
    others = {each.metric: {one.run_id: one.value for one in each.runs} for each in _list_beside(comparison)}
    metrics = {comparison.metric: run.value} | {name: values.get(run.run_id) for name, values in others.items()}
    return {
        "run": run.run_id,
        "name": told.names.get(run.run_id) if told else None,
        **{called[f"params.{name}"]: value for name, value in run.parameters.items()},
        **{called[f"metrics.{name}"]: value for name, value in metrics.items()},
        **{key: getattr(advantage, key, None) for key in ("estimate", "low", "high")},
        "verdict": str(run.verdict) if run.verdict else None,
        "rows_needed": needed.needed if needed else None,
        "mde": needed.difference if needed else None,
        "runs": len(told.members.get(run.run_id, ("",))) if told else 1,
        "holdout": comparison.holdout_digest[:12],
    }
