"""DeLong's test: by how much the areas of two models under the ROC curve differ on the same rows, without a resample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError
from workbench.stats.interval import Interval

FEWEST_OF_A_CLASS = 30
_NORMAL = NormalDist()
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DeLong:
    """The difference of two areas with its bounds, its standard error, and the p value, two-sided, of there being none."""

    interval: Interval
    standard_error: float
    p_value: float


def delong(truth: Floats, score: Floats, reference_score: Floats, *, level: float = 0.95) -> DeLong | None:
    """Return by how much the area of `score` is larger than that of `reference_score`, each bound one-sided at `level`.

    DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837-845, by the ranks of Sun and Xu 2014, IEEE Signal Process. Lett.
    21:1389-1393. `truth` (n,) is 0 or 1, the scores (n,) are numbers. None with fewer than 30 rows of a class, another class,
    or a score that is not finite. Two models that rank alike differ by nothing, with p = 1. Raises UsageError for arrays of
    different lengths. Not for models that were fitted on these rows.
    """
    truth, *scores = (np.asarray(column, dtype=np.float64) for column in (truth, score, reference_score))
    if truth.ndim != 1 or any(each.shape != truth.shape for each in scores):
        raise UsageError("The scores are not on the same rows.", why=f"Their shapes are {[s.shape for s in scores]}.")
    is_positive = truth == 1
    positives = int(is_positive.sum())
    if min(positives, int(np.sum(truth == 0))) < FEWEST_OF_A_CLASS or not np.all(is_positive | (truth == 0)):
        return None
    if not all(np.isfinite(each).all() for each in scores):
        return None
    ours, theirs = (find_placements(is_positive, each) for each in scores)
    return _judge(ours[0] - theirs[0], ours[1] - theirs[1], level)


def find_placements(is_positive: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Return for each positive row which share of the negatives it outranks, and for each negative by which it is outranked.

    A tie counts half; both in the order of the rows. The mean of either is the area.
    """
    positive, negative = score[is_positive], score[~is_positive]
    return _share_below(positive, negative), 1 - _share_below(negative, positive)


def _share_below(values: Floats, others: Floats) -> Floats:
    ordered = np.sort(others)
    below, up_to = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return (below + up_to) / (2 * len(others))


def _judge(of_positives: Floats, of_negatives: Floats, level: float) -> DeLong:
    difference = float(of_positives.mean())
    variance = sum(float(each.var(ddof=1)) / len(each) for each in (of_positives, of_negatives))
    error = math.sqrt(variance)
    reach = _NORMAL.inv_cdf(level) * error
    away = abs(difference) / error if error else math.inf if difference else 0.0
    p_value = math.erfc(away / math.sqrt(2))
    return DeLong(Interval(difference, difference - reach, difference + reach, level), error, p_value)
