"""The paired jackknife: how likely it is by chance that one model looks this much worse than another on the same rows."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from workbench.stats.metrics import Floats, Metric

FEWEST_ROWS = 30
FEWEST_OF_A_CLASS = 10
_MOST_BLOCKS = 200
_TINY = 1e-12


def paired_jackknife(truth: Floats, score: Floats, reference_score: Floats, metric: Metric) -> float | None:
    """Return the one-sided p value of `score` being worse than `reference_score` by the metric: small where it is.

    The standard error of the difference is that of the jackknife over rows, or over 200 blocks of rows drawn at random when
    there are more (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", ch. 11); the ratio is read as Student's t. It
    costs a two-hundredth of a bootstrap, so that every slice can be tested while a reviewer waits. It depends on no order of the
    rows. None means that the data cannot carry it: fewer than 30 rows or 10 of a class, or a value that is not finite.
    """
    columns = [np.asarray(column, dtype=np.float64) for column in (truth, score, reference_score)]
    with np.errstate(over="ignore", invalid="ignore"):
        if not _carries_test(columns, metric):
            return None
        keys = np.concatenate([column.reshape(len(column), -1).T for column in columns])
        order = np.lexsort(keys[::-1])
        return _find_p_value([column[order] for column in columns], metric)


def _carries_test(columns: list[Floats], metric: Metric) -> bool:
    truth = columns[0]
    if len(truth) < FEWEST_ROWS or not all(np.isfinite(column).all() for column in columns):
        return False
    if metric.is_of_classes and _count_rarest(truth) < FEWEST_OF_A_CLASS:
        return False
    return all(math.isfinite(metric.value(truth, column)) for column in columns[1:])


def _count_rarest(truth: Floats) -> int:
    """Return how many rows the rarest class has that has any; 0 where all are of one class."""
    _, counts = np.unique(truth, return_counts=True)
    return int(counts.min()) if len(counts) > 1 else 0


def _find_p_value(rows: list[Floats], metric: Metric) -> float | None:
    size = len(rows[0])
    estimate = float(_advantage(rows, metric, np.ones(size)))
    kept = _draw_blocks(size)
    without = _advantage(rows, metric, kept)
    blocks = len(kept)
    error = math.sqrt((blocks - 1) / blocks * float(((without - without.mean()) ** 2).sum()))
    if not math.isfinite(error):
        return None
    if error <= _TINY * max(abs(metric.value(rows[0], rows[1])), 1):
        # Nothing varies: equal scores are no worse, and a constant loss is beyond chance.
        return 1.0 if estimate >= -_TINY else 0.0
    return NormalDist().cdf(_as_normal(estimate / error, blocks - 1))


def _advantage(rows: list[Floats], metric: Metric, weights: Floats) -> Floats:
    truth, score, reference = rows
    return metric.sign * (metric.evaluate(truth, score, weights) - metric.evaluate(truth, reference, weights))


def _draw_blocks(size: int) -> Floats:
    """Return the weights of the rows without each block, shape (blocks, n); drawn at random, for neighbours are alike."""
    blocks = min(size, _MOST_BLOCKS)
    member = np.random.default_rng(size).permutation(np.arange(size) % blocks)
    return (member != np.arange(blocks)[:, None]).astype(np.float64)


def _as_normal(t: float, degrees: int) -> float:
    """Return the normal deviate with the tail of Student's t (Wallace 1959, Ann. Math. Statist. 30:1124-1130)."""
    size = (8 * degrees + 1) / (8 * degrees + 3) * math.sqrt(degrees * math.log1p(t * t / degrees))
    return math.copysign(size, t)
