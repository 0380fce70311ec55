"""Comparisons with realistic values: a logistic regression on the breast-cancer table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tests.unit.people import CHAMPION_RUN_ID, RUN_ID
from workbench.comparisons.comparison import ComparedRun, Comparison, RunComparison
from workbench.comparisons.overlap import OverlapFact
from workbench.comparisons.shift import ShiftFact
from workbench.comparisons.verdict import Verdict, decide_verdict
from workbench.records.digest import sha256_hex
from workbench.stats.interval import Interval
from workbench.stats.task import Direction


def build_interval(**changes: Any) -> Interval:
    """Return an advantage whose lower bound is above zero."""
    facts = {"estimate": 0.4952, "low": 0.4871, "high": 0.4989, "level": 0.95}
    return Interval(**{**facts, **changes})


def build_compared_run(**changes: Any) -> ComparedRun:
    """Return the nominee as one side of a comparison."""
    facts: dict[str, Any] = {
        "run_id": RUN_ID,
        "parameters": {"regularisation": 0.5, "seed": 7, "scale": True},
        "value": 0.9951781970649895,
        "advantage": build_interval(),
        "verdict": Verdict.BETTER,
    }
    return ComparedRun(**{**facts, **changes})


def build_comparison(**changes: Any) -> Comparison:
    """Return the nominee against the constant baseline on the holdout."""
    direction: Direction = "higher"
    facts: dict[str, Any] = {
        "metric": "roc_auc",
        "direction": direction,
        "margin": 0.005,
        "holdout_digest": sha256_hex(b"holdout rows"),
        "rows": 143,
        "reference": "constant",
        "reference_value": 0.5,
        "tried": 1,
        "runs": (build_compared_run(),),
    }
    return Comparison(**{**facts, **changes})


def build_many(count: int = 250, **changes: Any) -> RunComparison:
    """Return so many runs that are ranked and not measured; the worse, the deeper, and every third is called so."""
    runs = tuple(
        ComparedRun(
            f"{number:012x}", {"depth": number, "family": "forest" if number % 5 else "linear"}, value, None, None
        )
        for number, value in enumerate(0.95 - 0.001 * place for place in range(count))
    )
    names = {run.run_id: f"third {place}" for place, run in enumerate(runs) if place % 3 == 0}
    return RunComparison(**{**vars(build_comparison(runs=runs)), "names": names, **changes})


def measure_some(comparison: RunComparison, run_ids: Iterable[str]) -> RunComparison:
    """Return the comparison with these runs measured: each by as much better than the reference as its value is."""
    wanted = set(run_ids)
    return replace(comparison, runs=tuple(_measure(run) if run.run_id in wanted else run for run in comparison.runs))


def _measure(run: ComparedRun) -> ComparedRun:
    estimate = run.value - 0.5
    interval = Interval(estimate, estimate - 0.3, estimate + 0.1, 0.95)
    return replace(run, advantage=interval, verdict=decide_verdict(interval, 0.005))


def build_champion_comparison(**changes: Any) -> Comparison:
    """Return the nominee against the served champion: slightly ahead, and not worse within the margin."""
    advantage = Interval(estimate=0.0011, low=-0.0021, high=0.0048, level=0.95)
    facts: dict[str, Any] = {
        "reference": CHAMPION_RUN_ID,
        "reference_value": 0.9940782,
        "tried": 4,
        "runs": (build_compared_run(advantage=advantage, verdict=Verdict.NOT_WORSE),),
    }
    return build_comparison(**{**facts, **changes})


def build_shift(**changes: Any) -> ShiftFact:
    """Return a champion that does on later rows as it did on its own."""
    facts: dict[str, Any] = {
        "metric": "roc_auc",
        "here": 0.87,
        "own": 0.88,
        "rows_here": 800,
        "rows_own": 800,
        "skill_here": Interval(0.74, 0.68, 0.80, 0.99),
        "skill_own": Interval(0.76, 0.70, 0.82, 0.99),
    }
    return ShiftFact(**{**facts, **changes})


def build_overlap(**changes: Any) -> OverlapFact:
    """Return a champion that was trained on none of the rows."""
    facts: dict[str, Any] = {"rows": 143, "shared_rows": 0}
    return OverlapFact(**{**facts, **changes})
