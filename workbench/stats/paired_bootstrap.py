"""The paired bootstrap: by how much one model beats another on the same rows, with bounds that hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from workbench.errors import UsageError
from workbench.stats.interval import Interval
from workbench.stats.metrics import Floats, Metric

FEWEST_ROWS = 10
_CELLS_AT_ONCE = 1_000_000
_MOST_BLOCKS = 200
_MOST_UNDEFINED = 0.01
_FEWEST_IN_TAIL = 5
_RELATIVE_TOLERANCE = 1e-12
# What is served may answer so much otherwise than the model it was made of.
_ROUNDING = 1e-6
_NORMAL = NormalDist()


def paired_bootstrap(
    truth: Floats,
    score: Floats,
    reference_score: Floats,
    metric: Metric,
    *,
    level: float,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval | None:
    """Return the advantage of `score` over `reference_score` on the same rows; positive means `score` is better.

    The bounds are BCa (Efron 1987, "Better bootstrap confidence intervals", JASA 82:171-185), each one-sided at
    `level`. Rows, shape (n,), are resampled with replacement and both scores, of several classes (n, classes), are
    judged on the same resamples. The result is the same for a seed and depends neither on the order of the rows nor on
    which score is named first: that only turns its sign.

    None means that the data cannot carry an interval: fewer than 10 rows, a value that is not finite, one class, more
    than 1 % of the resamples undefined (too few rows of a class), or a difference that never varies. Equal scores give
    zero, and so do those of which only rounding (to 1e-6 of their spread) tells that they are two. Raises UsageError
    for arrays of different lengths or a level outside 0.5 to 1.
    """
    columns = [np.asarray(column, dtype=np.float64) for column in (truth, score, reference_score)]
    _require_usable(columns, level)
    # An overflow is no accident to warn of: it leaves a value that is not finite, and such values are looked for.
    with np.errstate(over="ignore", invalid="ignore"):
        return _measure(columns, metric, level=level, resamples=resamples, seed=seed)


def _measure(columns: list[Floats], metric: Metric, *, level: float, resamples: int, seed: int) -> Interval | None:
    if not _carries_interval(columns, metric):
        return None
    if np.array_equal(columns[1], columns[2]):
        return Interval(0.0, 0.0, 0.0, level)
    rows, swapped = _canonical_rows(columns)
    drawn = metric.limit_resamples(columns[1], resamples)
    bounds = _bca_bounds(rows, metric, level=level, resamples=drawn, seed=seed)
    if bounds is None or not all(map(math.isfinite, bounds)):
        return None
    estimate, low, high = bounds
    return Interval(-estimate, -high, -low, level) if swapped else Interval(estimate, low, high, level)


def _require_usable(columns: list[Floats], level: float) -> None:
    shapes = [column.shape for column in columns]
    if shapes[1] != shapes[2] or shapes[0] != shapes[1][:1] or len(shapes[1]) > 2:
        raise UsageError("The scores are not on the same rows.", why=f"Their shapes are {sorted(set(shapes))}.")
    if not 0.5 < level < 1:
        raise UsageError("A confidence level lies between 0.5 and 1.", why=f"It is {level}.")


def _carries_interval(columns: list[Floats], metric: Metric) -> bool:
    truth = columns[0]
    if len(truth) < FEWEST_ROWS or not all(np.isfinite(column).all() for column in columns):
        return False
    if metric.is_of_classes and (len(np.unique(truth)) < 2 or not _are_places(columns)):
        return False
    return all(math.isfinite(metric.value(truth, column)) for column in columns[1:])


def _are_places(columns: list[Floats]) -> bool:
    """True where every truth is the place of a class: 0 or 1, or that of a column of scores."""
    truth, classes = columns[0], 2 if columns[1].ndim == 1 else columns[1].shape[1]
    return set(np.unique(truth)) <= set(range(classes))


def _canonical_rows(columns: list[Floats]) -> tuple[Floats, bool]:
    """Return the rows (1 + both scores, n) in an order given by their content alone, and whether the scores changed places."""
    truth, score, reference = (column.reshape(len(column), -1).T for column in columns)
    given, other = _sorted_rows(truth, score, reference), _sorted_rows(truth, reference, score)
    differing = np.flatnonzero((given != other).any(axis=0))
    if not len(differing):
        return given, False
    at = differing[0]
    swapped = tuple(other[:, at]) < tuple(given[:, at])
    return (other, True) if swapped else (given, False)


def _sorted_rows(truth: Floats, first: Floats, second: Floats) -> Floats:
    rows = np.concatenate([truth, first, second])
    return rows[:, np.lexsort(rows[::-1])]


def _bca_bounds(
    rows: Floats, metric: Metric, *, level: float, resamples: int, seed: int
) -> tuple[float, float, float] | None:
    size = rows.shape[1]
    estimate = float(_advantage(rows, metric, np.ones(size)))
    drawn = np.concatenate([_advantage(rows, metric, weights) for weights in _draw_weights(size, resamples, seed)])
    drawn = drawn[np.isfinite(drawn)]
    tolerance = _RELATIVE_TOLERANCE * _magnitude(rows, metric)
    if len(drawn) < (1 - _MOST_UNDEFINED) * resamples:
        return None
    if np.ptp(drawn) <= tolerance:
        return (0.0, 0.0, 0.0) if abs(estimate) <= tolerance and _are_equal(rows) else None
    bias, acceleration = _bias(drawn, estimate, tolerance), _acceleration(rows, metric)
    low, high = (_bca_share(share, bias, acceleration) for share in (1 - level, level))
    if low is None or high is None:
        return None
    return estimate, _tail_quantile(drawn, low), _tail_quantile(drawn, high)


def _are_equal(rows: Floats) -> bool:
    """True for scores of one model, whichever of its forms gave them."""
    _, score, reference = _split(rows)
    spread = max(float(np.ptp(each / 2)) for each in (score, reference))  # halves cannot overflow
    return float(np.abs(score / 2 - reference / 2).max()) <= _ROUNDING * spread


def _split(rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Return truth, score and reference of rows as `_canonical_rows` has them, each in the shape metrics take."""
    columns = (len(rows) - 1) // 2
    if columns == 1:
        return rows[0], rows[1], rows[2]
    return rows[0], rows[1 : 1 + columns].T, rows[1 + columns :].T


def _advantage(rows: Floats, metric: Metric, weights: Floats) -> Floats:
    truth, score, reference = _split(rows)
    return metric.sign * (metric.evaluate(truth, score, weights) - metric.evaluate(truth, reference, weights))


def _magnitude(rows: Floats, metric: Metric) -> float:
    truth, *scores = _split(rows)
    return max(abs(metric.value(truth, score)) for score in scores)


def _draw_weights(size: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each row was drawn, shape (at most as many as fit in memory, n)."""
    generator = np.random.default_rng(seed)
    at_once = max(1, _CELLS_AT_ONCE // size)
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        cells = generator.integers(0, size, size=(count, size)) + np.arange(count)[:, None] * size
        yield np.bincount(cells.ravel(), minlength=count * size).reshape(count, size).astype(np.float64)


def _bias(drawn: Floats, estimate: float, tolerance: float) -> float | None:
    """Return z0 of BCa, ties counting half so that a metric with few distinct values is not pushed to one side."""
    below = float(np.mean(drawn < estimate - tolerance))
    equal = float(np.mean(np.abs(drawn - estimate) <= tolerance))
    share = below + equal / 2
    return _NORMAL.inv_cdf(share) if 0 < share < 1 else None


def _acceleration(rows: Floats, metric: Metric) -> float | None:
    """Return a of BCa from the jackknife over rows, or over 200 blocks of rows when there are more."""
    size = rows.shape[1]
    blocks = min(size, _MOST_BLOCKS)
    # Every 200th row of the sorted table: a block of neighbours would hold one kind of row and not stand for the whole.
    left_out = np.arange(size) % blocks == np.arange(blocks)[:, None]
    without = _advantage(rows, metric, (~left_out).astype(np.float64))
    influence = without.mean() - without
    largest = float(np.abs(influence).max())
    if not math.isfinite(largest):
        return None
    influence /= largest or 1.0  # the ratio below has no unit; its parts could overflow
    spread = float((influence**2).sum())
    return float((influence**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


def _bca_share(share: float, bias: float | None, acceleration: float | None) -> float | None:
    """Return which quantile of the resamples stands for the bound at `share` (Efron 1987, eq. 3.9)."""
    if bias is None or acceleration is None:
        return None
    shifted = bias + _NORMAL.inv_cdf(share)
    stretch = 1 - acceleration * shifted
    return _NORMAL.cdf(bias + shifted / stretch) if stretch > 0 else None


def _tail_quantile(drawn: Floats, share: float) -> float:
    """Return a quantile; beyond the last five resamples, the more cautious of it and the normal one."""
    quantile = float(np.quantile(drawn, share))
    if _FEWEST_IN_TAIL <= share * len(drawn) <= len(drawn) - _FEWEST_IN_TAIL or not 0 < share < 1:
        return quantile
    normal = float(drawn.mean() + drawn.std() * _NORMAL.inv_cdf(share))
    return min(quantile, normal) if share < 0.5 else max(quantile, normal)
