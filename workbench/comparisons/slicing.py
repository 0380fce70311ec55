"""Slicing: a model held against a reference on each part of the holdout that was named with its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.comparisons.comparing import Reference, choose_units
from workbench.comparisons.comparison import find_advantage
from workbench.comparisons.slices import SlicesFact, SliceValue
from workbench.models.predictions import Predictions
from workbench.policies.policy import Policy
from workbench.stats.benjamini_hochberg import benjamini_hochberg
from workbench.stats.metrics import Floats, Metric
from workbench.stats.own_metric import find_groups, gather
from workbench.stats.paired_jackknife import paired_jackknife
from workbench.stats.units import Units, draw_by

_MOST_VALUES = 50


def describe_slices(
    slices: Mapping[str, Sequence[str]], predictions: Predictions, reference: Reference, policy: Policy
) -> SlicesFact:
    """Hold what a run predicted against a reference on the same rows, slice by slice (their values, row by row)."""
    rule = policy.rule_of(predictions.task)
    looked_at = {name: values for name, values in sorted(slices.items()) if len(set(values)) <= _MOST_VALUES}
    metric = rule.metric.on(predictions.columns)
    own, others = (each.read_by(metric) for each in (predictions, reference.predictions))
    units = choose_units([predictions, reference.predictions])
    paired = _Paired(predictions, own, others, find_groups(metric, predictions.columns, units), units)
    values = [
        _describe_value(name, value, paired, metric, of) for name, of in looked_at.items() for value in sorted(set(of))
    ]
    return SlicesFact(
        metric=rule.name,
        direction=metric.direction,
        reference=reference.name,
        values=tuple(_adjust(values, policy.slices)),
        left_out=tuple(sorted(set(slices) - set(looked_at))),
    )


@dataclass(frozen=True)
class _Paired:
    """What was predicted, and what the metric reads of both sides, row by row."""

    predictions: Predictions
    score: Floats
    reference: Floats
    groups: NDArray[np.int64] | None
    units: Units | None


def _describe_value(name: str, value: str, paired: _Paired, metric: Metric, of: Sequence[str]) -> SliceValue:
    inside = np.array([each == value for each in of])
    columns = (paired.predictions.truth, paired.score, paired.reference)
    truth, score, reference = (column[inside] for column in columns)
    groups = None if paired.groups is None else paired.groups[inside]
    drawn = draw_by(paired.units and paired.units.take(inside))
    own, other = (metric.score(truth, column) for column in (score, reference))
    return SliceValue(
        slice=name,
        value=value,
        rows=len(truth),
        rarer_class=replace(paired.predictions, truth=truth).count_rarest(),
        score=own,
        reference_score=other,
        advantage=None if own is None or other is None else find_advantage(own, other, metric),
        p_value=paired_jackknife(*gather(groups, truth, score, reference), metric, **drawn),
        adjusted=None,
    )


def _adjust(values: Sequence[SliceValue], named: Sequence[str]) -> list[SliceValue]:
    """Return the slices with adjusted p values; only those somebody named beforehand are tests, the others are for reading."""
    tested = {at: each.p_value for at, each in enumerate(values) if each.slice in named and each.p_value is not None}
    adjusted: Mapping[int, float] = dict(zip(tested, benjamini_hochberg(list(tested.values())), strict=True))
    return [replace(each, adjusted=adjusted.get(at)) for at, each in enumerate(values)]
