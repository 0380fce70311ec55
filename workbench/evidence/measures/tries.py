"""Tries: how often a holdout was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from workbench.comparisons.comparison import spell_tries
from workbench.comparisons.other_splits import NO_SPLITS, OtherSplits
from workbench.comparisons.tries import count_tries
from workbench.errors import UsageError
from workbench.policies.policy import MetricRule
from workbench.runs.kept_run import Read
from workbench.runs.looks import Look, count_distinct, name_predictions
from workbench.runs.run import Run


@dataclass(frozen=True)
class TriesFact:
    """How often the holdout was looked at: by `runs` attempts, whatever became of them, and `drafts`; how many tries they are.

    `distinct` counts what was seen differently, with the `other_rules` that it was judged by once there was a score (policies by
    name and digest) and the `other_splits` of the same data; `beside` are tries on holdouts that share fewer of its rows, which are
    no part of it. `scored_rows` of its rows stood in a holdout of either. The best and the median are of the `scored` ones that
    could be scored again here.
    """

    metric: str
    runs: int
    distinct: int
    scored: int
    best: float | None
    median: float | None
    drafts: int = 0
    other_rules: tuple[str, ...] = ()
    other_splits: int = 0
    beside: int = 0
    scored_rows: int = 0


_MOST_SCORED = 500


def measure_tries(
    looks: Sequence[Look],
    rule: MetricRule,
    read: Read,
    *,
    other_rules: Sequence[str] = (),
    splits: OtherSplits = NO_SPLITS,
) -> TriesFact:
    """Return how often a holdout was looked at, and other `splits` of the same data; the newest run comes first."""
    every = [*looks, *splits.anew]
    rescored = (_rescore(run, read, rule) for run in _list_different(every))
    values = [value for value in rescored if value is not None]
    best = max if rule.metric.direction == "higher" else min
    drafts = sum(look.run is None for look in every)
    return TriesFact(
        metric=rule.name,
        runs=len(every) - drafts,
        distinct=count_tries(looks, other_rules, splits),
        scored=len(values),
        best=best(values, default=None),
        median=median(values) if values else None,
        drafts=drafts,
        other_rules=tuple(other_rules),
        other_splits=splits.count_more(looks),
        beside=count_distinct(splits.beside),
        scored_rows=splits.scored_rows,
    )


def _list_different(looks: Sequence[Look]) -> list[Run]:
    """Return the finished runs that predict otherwise than those before them, of very many the first ones."""
    finished = [look.run for look in looks if look.run is not None and look.run.is_finished]
    return list({name_predictions(run): run for run in reversed(finished)}.values())[::-1][:_MOST_SCORED]


def _rescore(run: Run, read: Read, rule: MetricRule) -> float | None:
    try:
        predictions = read(run)
        return predictions.measure(rule.metric) if predictions.task in rule.metric.tasks else None
    except UsageError:
        return None


def describe_tries(tries: TriesFact) -> str:
    """Say how many tries there were and what they are."""
    where = [_count(tries.runs, "run"), *([_count(tries.drafts, "draft")] if tries.drafts else [])]
    spelled = spell_tries(tries.distinct, len(tries.other_rules), tries.other_splits)
    counted = f"{spelled}{',' if tries.other_rules or tries.other_splits else ''} in {' and '.join(where)}"
    if tries.best is None or tries.median is None:
        return counted
    gap = abs(tries.best - tries.median)
    return f"{counted}; best {tries.metric} {tries.best:.4g}, median {tries.median:.4g}, gap {gap:.2g}"


def describe_other_rules(tries: TriesFact) -> str:
    """Say which other policies these rows were judged by once there was a score on them; nothing where there are none."""
    return f"Runs on these rows were also planned under {'; '.join(tries.other_rules)}." if tries.other_rules else ""


def describe_other_splits(tries: TriesFact) -> str:
    """Say what was tried on other holdouts that had these rows at hand; nothing where there are none."""
    anew, beside = _say_tries(tries.other_splits), _say_tries(tries.beside)
    said = [
        f"{anew} on another split of the same data: half of these rows or more were at hand there, to train on or to score."
        if tries.other_splits
        else "",
        f"{beside} on holdouts that share some of these rows; less than half were at hand there, so they do not count."
        if tries.beside
        else "",
        f"{_count(tries.scored_rows, 'row')} of this holdout stood in another one that was scored."
        if tries.other_splits or tries.beside
        else "",
    ]
    return " ".join(filter(None, said))


def _say_tries(number: int) -> str:
    return f"{number:,} {'try was' if number == 1 else 'tries were'}"


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else f'{one}s'}"
