"""Unit sums: what a resample of whole units comes to, from what the units add up to and not from their rows.

A mean is a sum over units by how many rows they have; the area under the ROC curve is a sum over pairs of units (Obuchowski 1997,
"Nonparametric analysis of clustered ROC curve data", Biometrics 53:567-578). So a resample costs the units, however many rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.stats.metrics import METRICS, Floats, Metric
from workbench.stats.resamples import CELLS_AT_ONCE

# More sums over pairs of units cost more than those over their rows, and memory: two megabytes.
MOST_PAIRS = 250_000
# Takes how often each unit was drawn, (B, units), and returns a value, (B,).
ByUnits = Callable[[Floats], Floats]
Places = NDArray[np.intp]


def sum_units(metric: Metric, truth: Floats, score: Floats, reference: Floats, units: Places) -> ByUnits | None:
    """Return by how much a score is better on a resample, by how often each unit was drawn; None where that takes their rows.

    `units` (n,) are the numbers of the units to which rows belong.
    """
    count, scores = int(units.max()) + 1, (score, reference)
    if metric.is_mean and metric.influence is not None:
        added = [_add(metric.influence(truth, each), units) for each in scores]
        means = [metric.value(truth, each) for each in scores]
        return _of_means(metric.sign * (means[0] - means[1]), metric.sign * (added[0] - added[1]), _add(None, units))
    classes = [1] if score.ndim == 1 else range(score.shape[1])
    if metric is METRICS["roc_auc"] and len(classes) * count**2 <= MOST_PAIRS:
        ours, theirs = (each.reshape(len(each), -1).T for each in scores)
        return _of_areas(
            [_Area(truth == at, own, other, units) for at, own, other in zip(classes, ours, theirs, strict=True)]
        )
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


def _add(values: Floats | None, units: Places) -> Floats:
    """Return the sum of the values of each unit; of none how many rows it has."""
    return np.bincount(units, values).astype(np.float64)


def _of_means(difference: float, added: Floats, rows: Floats) -> ByUnits:
    return lambda counts: difference + _ratio(counts @ added, counts @ rows)


class _Area:
    """By how much the area of one class against the rest is larger, by units."""

    def __init__(self, is_class: NDArray[np.bool_], score: Floats, reference: Floats, units: Places) -> None:
        count = int(units.max()) + 1
        self._sizes = [np.bincount(units[of], minlength=count).astype(np.float64) for of in (is_class, ~is_class)]
        self._wins = _count_wins(is_class, score, units, count) - _count_wins(is_class, reference, units, count)

    def measure(self, counts: Floats) -> Floats:
        pairs = (counts @ self._sizes[0]) * (counts @ self._sizes[1])
        return _ratio(np.einsum("bu,bu->b", counts @ self._wins, counts), pairs)


def _of_areas(areas: Sequence[_Area]) -> ByUnits:
    return lambda counts: np.mean([area.measure(counts) for area in areas], axis=0)


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
