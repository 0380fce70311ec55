"""Tries: how often a holdout was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from workbench.comparisons.tries import keep_distinct
from workbench.errors import UsageError
from workbench.policies.policy import MetricRule
from workbench.runs.kept_run import Read
from workbench.runs.run import Run


@dataclass(frozen=True)
class TriesFact:
    """How often the holdout was looked at: finished runs on it, how many tries they are, the best and median of them.

    A try is a run that predicts otherwise than those before it, or other rules to judge by.

    `scored` of the `distinct` ones could be scored again here; the run itself is one of them.
    """

    metric: str
    runs: int
    distinct: int
    scored: int
    best: float | None
    median: float | None


_MOST_SCORED = 500


def measure_tries(runs: Sequence[Run], rule: MetricRule, read: Read, *, other_rules: int = 0) -> TriesFact:
    """Return how often a holdout was looked at; `runs` are those scored on it, the newest first.

    A run that predicts to the byte what another did, as a replay does, is no other look. Each of the `other_rules` that they were
    judged by once there was a score is one more.
    """
    from workbench.stats.metrics import METRICS

    distinct = keep_distinct(runs)
    rescored = (_rescore(run, read, rule) for run in distinct[:_MOST_SCORED])
    values = [value for value in rescored if value is not None]
    best = max if METRICS[rule.name].direction == "higher" else min
    return TriesFact(
        metric=rule.name,
        runs=len(runs),
        distinct=len(distinct) + other_rules,
        scored=len(values),
        best=best(values, default=None),
        median=median(values) if values else None,
    )


def _rescore(run: Run, read: Read, rule: MetricRule) -> float | None:
    from workbench.stats.metrics import METRICS

    try:
        predictions = read(run)
    except UsageError:
        return None
    metric = METRICS[rule.name]
    is_judged = predictions.task in metric.tasks
    return metric.score(predictions.truth, predictions.read_by(metric)) if is_judged else None
