"""Comparing runs on their stored holdout predictions."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.comparisons.comparison import ComparedRun, Comparison, name_run
from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.shift import ShiftFact
from workbench.comparisons.verdict import corrected_level, decide_verdict
from workbench.errors import Refused, UsageError
from workbench.models.predictions import (
    Predictions,
)
from workbench.policies.policy import MetricRule, Policy
from workbench.runs.kept_run import Read
from workbench.runs.run import Run, RunState
from workbench.stats.interval import Interval
from workbench.stats.task import Task, spell_class
from workbench.stats.units import Units, draw_by, rank_units

if TYPE_CHECKING:
    from workbench.stats.metrics import Floats, Metric

ALPHA = 0.05
CONSTANT = "a constant prediction"
_USUAL_MARGIN, _USUAL_SHARE = 0.005, 0.01
_LEVEL_OF_SHIFT, _RESAMPLES_OF_SHIFT = 0.99, 2_000


@dataclass(frozen=True)
class Reference:
    """What runs are held against: the name people read, and what it predicts for each holdout row."""

    name: str
    predictions: Predictions


def constant_reference(predictions: Predictions) -> Reference:
    """Return the reference that predicts the same for every row."""
    from workbench.stats.metrics import constant_score

    score = constant_score(predictions.truth, predictions.task, predictions.width)
    return Reference(CONSTANT, replace(predictions, score=score, label=None, response="predict_proba"))


@dataclass(frozen=True)
class Scored:
    """One side of a comparison: a run and what it predicted."""

    run_id: str
    parameters: Mapping[str, Any]
    predictions: Predictions


def find_difference(ours: Predictions, theirs: Predictions) -> str | None:
    """Say why two runs cannot be paired row by row: other rows, or another truth for the same ones; None when they can."""
    if ours.rows != theirs.rows:
        shared = len(set(ours.rows) & set(theirs.rows))
        return f"One has {len(ours.rows):,} rows, the other {len(theirs.rows):,}, and {shared:,} are the same."
    if ours.task != theirs.task or ours.score.shape != theirs.score.shape:
        return f"One is a run of {_describe_task(ours)}, the other of {_describe_task(theirs)}."
    if _are_other_classes(ours, theirs):
        return f"One tells {_name_classes(ours)}, the other {_name_classes(theirs)}."
    differing = int((ours.truth != theirs.truth).sum())
    return f"The truth differs on {differing:,} of {len(ours.rows):,} rows." if differing else None


def _describe_task(predictions: Predictions) -> str:
    return (
        f"{predictions.task} with {predictions.width} classes" if predictions.task == "multiclass" else predictions.task
    )


def _are_other_classes(ours: Predictions, theirs: Predictions) -> bool:
    """True where the same place is another class; what was logged before classes were named is told apart by its truth only."""
    named = [(each.classes, each.positive_class) for each in (ours, theirs)]
    return ours.classes is not None and theirs.classes is not None and named[0] != named[1]


def _name_classes(predictions: Predictions) -> str:
    names = ", ".join(map(spell_class, predictions.classes or ()))
    positive = (
        "" if predictions.positive_class is None else f" and is scored for {spell_class(predictions.positive_class)}"
    )
    return f"{names} apart{positive}"


def compare_runs(
    runs: Sequence[Run],
    *,
    against: Run | None,
    policy: Policy,
    tried: int,
    read: Read,
    other_rules: int = 0,
    other_splits: int = 0,
) -> Comparison:
    """Compare finished runs that share one holdout with a run (None: a constant prediction); the best value comes first.

    Raises UsageError when they were scored on different rows or with another truth.
    """
    require_one_holdout([*runs, against] if against else runs)
    scored, other = [_read_scored(run, read) for run in runs], _find_reference(against, read)
    return _compare(scored, runs[0], other, policy, (tried, other_rules, other_splits))


def _find_reference(against: Run | None, read: Read) -> Reference | None:
    return Reference(name_run(against.id), read(against)) if against else None


def _compare(
    scored: Sequence[Scored], first: Run, other: Reference | None, policy: Policy, tries: tuple[int, int, int]
) -> Comparison:
    predictions, (tried, other_rules, other_splits) = scored[0].predictions, tries
    return compare_scored(
        scored,
        holdout_digest=str(holdout_digest(first)),
        reference=other or constant_reference(predictions),
        rule=policy.rule_of(predictions.task),
        tried=tried,
        other_rules=other_rules,
        other_splits=other_splits,
    )


def _read_scored(run: Run, read: Read) -> Scored:
    return Scored(run.id, run.parameters, read(run))


def find_strange_rows(predictions: Predictions, row_ids: Sequence[str] | None, rows: int) -> str | None:
    """Say why predictions are not on each row of a holdout, once each; None where they are, as far as its row ids are known."""
    given = len(predictions.rows)
    if row_ids is None:
        return None if given == rows else f"It has predictions for {given:,} of {rows:,} rows."
    if predictions.rows == tuple(row_ids):
        return None
    named = len({*row_ids} & {*predictions.rows})
    return (
        f"Of its {given:,} row ids {named:,} are among the holdout's {rows:,}: `wb.log_predictions(holdout.index, …)` takes the "
        "index that `wb.log_dataset` was given."
    )


def compare_scored(
    scored: Sequence[Scored],
    *,
    holdout_digest: str,
    reference: Reference,
    rule: MetricRule,
    tried: int,
    other_rules: int = 0,
    other_splits: int = 0,
) -> Comparison:
    """Compare predictions on one holdout with a reference; raises UsageError when their rows or their truth differ."""
    metric, first = rule.metric, scored[0].predictions
    units = choose_units([*(each.predictions for each in scored), reference.predictions])
    compared = [_compare_one(each, reference, rule, tried, units) for each in scored]
    return Comparison(
        metric=rule.name,
        direction=metric.direction,
        margin=rule.margin,
        holdout_digest=holdout_digest,
        rows=len(first.rows),
        reference=reference.name,
        reference_value=measure_value(reference.predictions, metric),
        tried=tried,
        other_rules=other_rules,
        other_splits=other_splits,
        runs=tuple(sorted(compared, key=lambda run: rank_run(run, metric.sign))),
        units=None if units is None else units.count(),
    )


def choose_units(several: Iterable[Predictions]) -> Units | None:
    """Return by what rows are drawn on which all of these were scored: of several units that were named the most careful ones."""
    named = {each.units.spell(): each.units for each in several if each.units is not None}
    return named[min(named, key=rank_units)] if named else None


def rank_run(run: ComparedRun, sign: int) -> tuple[bool, float, float, str]:
    """Where a run stands: by its value, among equal ones by how much it surely is better, and only then by its name."""
    is_number = math.isfinite(run.value)
    low = -run.advantage.low if run.advantage else math.inf
    return not is_number, -sign * run.value if is_number else 0.0, low, run.run_id


def _compare_one(
    scored: Scored, reference: Reference, rule: MetricRule, tried: int, units: Units | None
) -> ComparedRun:
    predictions = scored.predictions
    require_pair(scored.run_id, predictions, reference)
    level = corrected_level(ALPHA, tried)
    (advantage,) = measure_advantages([[predictions]], [reference.predictions], rule.metric, level=level, units=units)
    value = measure_value(predictions, rule.metric)
    return ComparedRun(scored.run_id, scored.parameters, value, advantage, decide_verdict(advantage, rule.margin))


def measure_advantages(
    several: Sequence[Sequence[Predictions]],
    theirs: Sequence[Predictions],
    metric: Metric,
    *,
    level: float,
    units: Units | None,
) -> list[Interval | None]:
    """Return by how much each is better than others on the same rows, digit by digit as alone; what is drawn is drawn once for all.

    Each is the predictions of one run, or of several whose mean of the metric is judged; so are `theirs`. Rows are drawn by their
    `units`. Raises UsageError where a metric is not defined.
    """
    from workbench.stats.averaged_metric import count_different
    from workbench.stats.own_metric import find_groups, gather

    columns = several[0][0].columns
    metric = metric.on(columns)
    groups, none = find_groups(metric, columns, units), theirs[0].read_by(metric)

    def judge(members: Sequence[Predictions]) -> list[Floats]:
        return [gather(groups, each.truth, each.read_by(metric), none)[1] for each in members]

    truth, other = gather(groups, theirs[0].truth, none, none)[0], judge(theirs)
    judged, found = [judge(members) for members in several], dict[int, Interval | None]()
    widths = [max(count_different(members), count_different(other)) for members in judged]
    for width in sorted({*widths}):
        places = [place for place, own in enumerate(widths) if own == width]
        alike = [judged[place] for place in places]
        found |= zip(places, _judge_alike(alike, truth, other, metric, width, level, units), strict=True)
    return [found[place] for place in range(len(several))]


def _judge_alike(
    judged: Sequence[Sequence[Floats]],
    truth: Floats,
    other: Sequence[Floats],
    metric: Metric,
    width: int,
    level: float,
    units: Units | None,
) -> list[Interval | None]:
    from workbench.stats.averaged_metric import average, stack
    from workbench.stats.paired_bootstrap import paired_bootstraps

    scores, reference = [stack(members, width) for members in judged], stack(other, width)
    return paired_bootstraps(truth, scores, reference, average(metric, width), level=level, **draw_by(units))


def require_pair(run_id: str, predictions: Predictions, reference: Reference) -> None:
    """Raise UsageError unless what a run predicted can be held against a reference row by row."""
    if difference := find_difference(predictions, reference.predictions):
        raise UsageError(
            f"Run {run_id} and {reference.name} were not scored alike.",
            why=difference,
            next_step="Log every row of the holdout with its own truth (`wb.log_predictions`) and run the notebook again.",
        )


def find_margin(metric: Metric, policy: Policy, task: Task, reference_value: float) -> float:
    """Return the margin of indifference of a metric: the policy's, or for one that it does not judge by what is usual.

    That is 0.005 of a metric of classes that is better when higher, which are shares; else 1 % of the value of the reference.
    """
    rule = policy.metrics.get(task)
    if rule and rule.name == metric.name:
        return rule.margin
    if metric.is_of_classes and metric.direction == "higher":
        return _USUAL_MARGIN
    return _USUAL_SHARE * abs(reference_value) if math.isfinite(reference_value) else 0.0


def measure_value(predictions: Predictions, metric: Metric) -> float:
    """Return the metric over all rows, NaN where a built-in one is not defined; raises UsageError where one's own is not."""
    bound = metric.on(predictions.columns)
    return bound.value(predictions.truth, predictions.read_by(bound))


def measure_shift(here: Predictions, own: Predictions, rule: MetricRule) -> ShiftFact:
    """Return how a model does on rows it is asked about beside its own holdout, by the metric of a rule."""
    metric = rule.metric
    return ShiftFact(
        metric=rule.name,
        here=here.measure(metric),
        own=own.measure(metric),
        rows_here=len(here.rows),
        rows_own=len(own.rows),
        skill_here=_measure_skill(here, metric),
        skill_own=_measure_skill(own, metric),
    )


def _measure_skill(predictions: Predictions, metric: Metric) -> Interval | None:
    """Return by how much predictions are better than a constant, as a share of what could be; bounds one-sided at 99 %."""
    from workbench.stats.own_metric import find_groups, gather
    from workbench.stats.paired_bootstrap import paired_bootstrap

    metric, units = metric.on(predictions.columns), predictions.units
    truth, score = predictions.truth, predictions.read_by(metric)
    constant = constant_reference(predictions).predictions.read_by(metric)
    value, least = metric.score(truth, score), metric.score(truth, constant)
    if value is None or least is None:
        return None
    most = metric.sign * ((1 if metric.direction == "higher" else 0) - least)
    if not most > 0:
        return None
    estimate = metric.sign * (value - least) / most
    rows = gather(find_groups(metric, predictions.columns, units), truth, score, constant)
    found = paired_bootstrap(*rows, metric, level=_LEVEL_OF_SHIFT, resamples=_RESAMPLES_OF_SHIFT, **draw_by(units))
    low, high = (found.low / most, found.high / most) if found else (estimate, estimate)
    return Interval(estimate, low, high, _LEVEL_OF_SHIFT)


def require_one_holdout(runs: Sequence[Run], same: Collection[str] = ()) -> None:
    """Raise UsageError unless all of the runs declared one holdout: one digest, or those that are known for the `same` rows."""
    digests = {holdout_digest(run) for run in runs}
    if None in digests or (len(digests) != 1 and not digests <= {*same}):
        raise UsageError(
            "These runs cannot be compared.",
            why=[f"Run {run.id} was scored on holdout {(holdout_digest(run) or 'none')[:12]}." for run in runs],
            next_step="Compare runs that declare the same rows with `wb.log_dataset(holdout, role='holdout')`.",
        )


def require_scored(runs: Sequence[Run]) -> None:
    """Raise Refused where there is no run, or one that did not finish."""
    if not runs:
        raise Refused(
            "There is nothing to compare.",
            why="The reference is the only run on its holdout.",
            next_step="Run the notebook with other parameters, or leave the reference out.",
        )
    unfinished = [f"Run {run.id} is {run.state}." for run in runs if run.state is not RunState.FINISHED]
    if unfinished:
        raise Refused(
            "Only finished runs can be compared or nominated.",
            why=unfinished,
            next_step="`workbench runs` lists them; run the notebook again.",
        )
