"""Tries: how often a holdout was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from workbench.errors import UsageError
from workbench.policies.policy import MetricRule
from workbench.runs.kept_run import Read
from workbench.runs.looks import Look, count_distinct, name_predictions
from workbench.runs.run import Run


@dataclass(frozen=True)
class TriesFact:
    """How often the holdout was looked at: by `runs` attempts, whatever became of them, and `drafts`; how many tries they are.

    `distinct` counts what was seen differently, with the `other_rules` that it was judged by once there was a score. The best and
    the median are of the `scored` ones that could be scored again here.
    """

    metric: str
    runs: int
    distinct: int
    scored: int
    best: float | None
    median: float | None
    drafts: int = 0
    other_rules: int = 0


_MOST_SCORED = 500


def measure_tries(looks: Sequence[Look], rule: MetricRule, read: Read, *, other_rules: int = 0) -> TriesFact:
    """Return how often a holdout was looked at; the newest run comes first."""
    from workbench.stats.metrics import METRICS

    rescored = (_rescore(run, read, rule) for run in _list_different(looks))
    values = [value for value in rescored if value is not None]
    best = max if METRICS[rule.name].direction == "higher" else min
    drafts = sum(look.run is None for look in looks)
    return TriesFact(
        metric=rule.name,
        runs=len(looks) - drafts,
        distinct=count_distinct(looks) + other_rules,
        scored=len(values),
        best=best(values, default=None),
        median=median(values) if values else None,
        drafts=drafts,
        other_rules=other_rules,
    )


def _list_different(looks: Sequence[Look]) -> list[Run]:
    """Return the finished runs that predict otherwise than those before them, of very many the first ones."""
    finished = [look.run for look in looks if look.run is not None and look.run.is_finished]
    return list({name_predictions(run): run for run in reversed(finished)}.values())[::-1][:_MOST_SCORED]


def _rescore(run: Run, read: Read, rule: MetricRule) -> float | None:
    from workbench.stats.metrics import METRICS

    try:
        predictions = read(run)
    except UsageError:
        return None
    metric = METRICS[rule.name]
    is_judged = predictions.task in metric.tasks
    return metric.score(predictions.truth, predictions.read_by(metric)) if is_judged else None


def describe_tries(tries: TriesFact) -> str:
    """Say how many tries there were and what they are."""
    where = [_count(tries.runs, "run"), *([_count(tries.drafts, "draft")] if tries.drafts else [])]
    rules = f" and {_count(tries.other_rules, 'other policy', 'other policies')}" if tries.other_rules else ""
    counted = f"{_count(tries.distinct, 'try', 'tries')} in {', '.join(where)}{rules}"
    if tries.best is None or tries.median is None:
        return counted
    gap = abs(tries.best - tries.median)
    return f"{counted}; best {tries.metric} {tries.best:.4g}, median {tries.median:.4g}, gap {gap:.2g}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
