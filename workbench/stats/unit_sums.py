"""Unit sums: what a resample of whole units comes to, from what the units add up to and not from their rows.

A mean is a sum over units by how many rows they have; the area under the ROC curve is a sum over pairs of units (Obuchowski 1997,
"Nonparametric analysis of clustered ROC curve data", Biometrics 53:567-578). So a resample costs the units, however many rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workbench.stats.metrics import METRICS, Floats, Metric
from workbench.stats.resamples import CELLS_AT_ONCE

# A sum over pairs of more units costs more than one over their rows.
MOST_UNITS = 1_000
# Takes how often each unit was drawn, (B, units), and returns the metric, (B,).
ByUnits = Callable[[Floats], Floats]
Places = NDArray[np.intp]


def sum_units(metric: Metric, truth: Floats, score: Floats, units: Places) -> ByUnits | None:
    """Return the metric of a resample by how often each unit was drawn, to which rows belong, (n,); None where it takes rows."""
    count = int(units.max()) + 1
    if metric.is_mean and metric.influence is not None:
        # What a row adds to a mean, less the mean.
        added = np.bincount(units, metric.influence(truth, score), count).astype(np.float64)
        return _of_mean(metric.value(truth, score), added, np.bincount(units, minlength=count).astype(np.float64))
    if metric is METRICS["roc_auc"] and count <= MOST_UNITS:
        return _of_areas(truth, score, units, count)
    return None


def weigh_units(find: ByUnits, units: Places) -> ByUnits:
    """Return what takes the weights of rows, (n,) or (B, n), as what takes those of the units to which they belong."""

    def find_by_units(weights: Floats) -> Floats:
        if weights.ndim == 1:
            return find(weights[units])
        at_once = max(1, CELLS_AT_ONCE // len(units))
        parts = (weights[first : first + at_once] for first in range(0, len(weights), at_once))
        return np.concatenate([find(part[:, units]) for part in parts])

    return find_by_units


def _of_mean(mean: float, added: Floats, rows: Floats) -> ByUnits:
    return lambda counts: mean + _ratio(counts @ added, counts @ rows)


def _of_areas(truth: Floats, score: Floats, units: Places, count: int) -> ByUnits:
    classes = [(truth == 1, score)] if score.ndim == 1 else [(truth == at, each) for at, each in enumerate(score.T)]
    areas = [_of_area(is_class, each, units, count) for is_class, each in classes]
    return lambda counts: np.mean([area(counts) for area in areas], axis=0)


def _of_area(is_positive: NDArray[np.bool_], score: Floats, units: Places, count: int) -> ByUnits:
    wins, sizes = (
        _count_wins(is_positive, score, units, count),
        [np.bincount(units[of], minlength=count).astype(np.float64) for of in (is_positive, ~is_positive)],
    )

    def measure(counts: Floats) -> Floats:
        pairs = (counts @ sizes[0]) * (counts @ sizes[1])
        return _ratio(np.einsum("bu,bu->b", counts @ wins, counts), pairs)

    return measure


def _count_wins(is_positive: NDArray[np.bool_], score: Floats, units: Places, count: int) -> Floats:
    """Return how often a positive row of one unit outranks a negative row of another, a tie counting half: (units, units)."""
    order = np.argsort(score, kind="stable")
    score, units, is_positive = score[order], units[order], is_positive[order]
    positives, of_positive = score[is_positive], units[is_positive]
    wins = np.zeros((count, count))
    negatives, of_negative = score[~is_positive], units[~is_positive]
    order = np.argsort(of_negative, kind="stable")
    ends = np.cumsum(np.bincount(of_negative, minlength=count))
    for unit, own in enumerate(np.split(negatives[order], ends[:-1])):
        if len(own):
            below, up_to = (np.searchsorted(own, positives, side=side) for side in ("left", "right"))
            wins[:, unit] = np.bincount(of_positive, (below + up_to) / 2, count)
    return wins


def _ratio(parts: Floats, wholes: Floats) -> Floats:
    return np.divide(parts, wholes, out=np.full(np.shape(wholes), np.nan), where=wholes > 0)
