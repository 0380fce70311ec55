"""The paired bootstrap: by how much one model beats another on the same rows, with bounds that hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np

from workbench.errors import UsageError
from workbench.stats.bootstrap_tail import find_acceleration, find_quantile
from workbench.stats.computed_bootstrap import (
    FEWEST_CLUSTERS,
    FEWEST_EFFECTIVE,
    ComputedBootstrap,
    compute_bootstrap,
    draw_sums,
)
from workbench.stats.influence import Influence
from workbench.stats.interval import Interval
from workbench.stats.metrics import Floats, Metric
from workbench.stats.resamples import (
    CELLS_AT_ONCE,
    FEWEST_DRAWS,
    Places,
    Resampling,
    draw_counts,
    number_labels,
    resample_units,
)
from workbench.stats.student_t import as_student
from workbench.stats.unit_sums import ByUnits, sum_units, weigh_units

FEWEST_ROWS = 10
# Of more rows nothing is drawn where the metric tells the influence of each.
MOST_DRAWN = 5_000
_PAIRS_AT_ONCE = 50
_MOST_UNDEFINED = 0.01
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
    clusters: Any = None,
    times: Any = None,
) -> Interval | None:
    """Return the advantage of `score` over `reference_score` on the same rows; positive means `score` is better.

    The bounds are BCa (Efron 1987, "Better bootstrap confidence intervals", JASA 82:171-185), each one-sided at `level`, widened
    as few rows need it (Hesterberg 2015, "What teachers should know about the bootstrap", Am. Stat. 69:371-386), and never bolder
    than Student's t: where few rows carry the difference their skewness is chance, and BCa takes it for evidence. Where `level`
    is beyond what the resamples tell, their tail is modelled. Rows, shape (n,), are resampled with replacement and both scores, of
    several classes (n, classes), are judged on the same resamples. The result is the same for a seed and depends neither on the
    order of the rows nor on which score is named first: that only turns its sign.

    With `clusters`, a label a row, whole clusters are resampled; with `times`, a sortable value a row, circular blocks of
    consecutive times (Politis and Romano 1992), of which each has twice the cube root of all.

    None means that the data cannot carry an interval: fewer than 10 rows, clusters or blocks, a value that is not finite, one
    class, more than 1 % of the resamples undefined (too few rows of a class), or a difference that never varies. Equal scores
    give zero, and so do those of which only rounding (to 1e-6 of their spread) tells that they are two. Raises UsageError for
    arrays of different lengths, for clusters and times at once, or for a level outside 0.5 to 1.

    Of more than 5,000 rows, where the metric tells the influence of each and enough rows or clusters carry the difference, the
    distribution of the resamples is computed and nothing is drawn: `resamples` and `seed` then change nothing.
    """
    scores, drawing = [score], _Drawing(level, resamples, seed)
    return _measure_all(truth, scores, reference_score, metric, drawing, clusters=clusters, times=times)[0]


def paired_bootstraps(
    truth: Floats,
    scores: Sequence[Floats],
    reference_score: Floats,
    metric: Metric,
    *,
    level: float,
    resamples: int = 10_000,
    seed: int = 0,
    clusters: Any = None,
    times: Any = None,
) -> list[Interval | None]:
    """Return what `paired_bootstrap` says of each score, digit by digit; what is drawn is drawn once for all of them."""
    drawing = _Drawing(level, resamples, seed)
    return _measure_all(truth, scores, reference_score, metric, drawing, clusters=clusters, times=times)


@dataclass(frozen=True)
class _Drawing:
    level: float
    resamples: int
    seed: int

    def __post_init__(self) -> None:
        if not 0.5 < self.level < 1:
            raise UsageError("A confidence level lies between 0.5 and 1.", why=f"It is {self.level}.")


@dataclass
class _Pair:
    """The sorted rows of two scores, (1 + both scores, n), and the advantage of the first on all of them and as drawn."""

    rows: Floats
    is_swapped: bool
    metric: Metric
    resampling: Resampling
    drawn: list[Floats] = field(default_factory=list)
    computed: ComputedBootstrap | None = None
    by_units: ByUnits | None = None

    @property
    def columns(self) -> tuple[Floats, Floats, Floats]:
        """Truth, score and reference, each in the shape metrics take."""
        rows, scores = self.rows, (len(self.rows) - 1) // 2
        if scores == 1:
            return rows[0], rows[1], rows[2]
        return rows[0], rows[1 : 1 + scores].T, rows[1 + scores :].T

    def sum_units(self) -> _Pair:
        """Return the pair with what its units add up to, where rows are not drawn one by one and the metric is told by that."""
        if not self.resampling.is_by_row:
            self.by_units = sum_units(self.metric, *self.columns, self.resampling.unit_of_row)
        return self

    def draw(self, counts: Floats) -> None:
        """Note the advantage on resamples, by how often each unit, or the block that begins with it, was drawn: (B, units)."""
        if self.by_units is None:
            self.drawn.append(self.find_advantage(self.resampling.weigh_rows(counts)))
        else:
            self.drawn.append(self.by_units(self.resampling.weigh_units(counts)))

    def limit_resamples(self, asked: int) -> int:
        return self.metric.limit_resamples(self.columns[1], asked)

    @property
    def estimate(self) -> float:
        return float(self.find_advantage(np.ones(self.rows.shape[1])))

    def find_advantage(self, weights: Floats) -> Floats:
        truth, score, reference = self.columns
        evaluate = self.metric.evaluate
        return self.metric.sign * (evaluate(truth, score, weights) - evaluate(truth, reference, weights))


# From columns to pairs


def _measure_all(
    truth: Floats,
    scores: Sequence[Floats],
    reference: Floats,
    metric: Metric,
    drawing: _Drawing,
    *,
    clusters: Any,
    times: Any,
) -> list[Interval | None]:
    columns = [[np.asarray(each, dtype=np.float64) for each in (truth, score, reference)] for score in scores]
    for each in columns:
        _require_same_rows(each, clusters, times)
    found: list[Interval | None] = []
    # An overflow is no accident to warn of: it leaves a value that is not finite, and such values are looked for.
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, len(columns), _PAIRS_AT_ONCE):
            part = columns[first : first + _PAIRS_AT_ONCE]
            prepared = [_prepare(each, metric, clusters, times, drawing) for each in part]
            pairs = [each for each in prepared if isinstance(each, _Pair)]
            _draw([pair.sum_units() for pair in pairs if not pair.computed and not pair.drawn], drawing)
            found += [_judge(each, drawing) if isinstance(each, _Pair) else each for each in prepared]
    return found


def _require_same_rows(columns: Sequence[Floats], clusters: Any, times: Any) -> None:
    shapes = [column.shape for column in columns]
    if shapes[1] != shapes[2] or shapes[0] != shapes[1][:1] or len(shapes[1]) > 2:
        raise UsageError("The scores are not on the same rows.", why=f"Their shapes are {sorted(set(shapes))}.")
    if clusters is not None and times is not None:
        raise UsageError("Rows are resampled in clusters or in blocks of time.", why="Both are given.")
    labels = clusters if clusters is not None else times
    if labels is not None and np.shape(labels) != shapes[0]:
        raise UsageError(
            "Not every row has a label.", why=f"Shapes: {np.shape(labels)} of labels, {shapes[0]} of rows."
        )


def _prepare(
    columns: list[Floats], metric: Metric, clusters: Any, times: Any, drawing: _Drawing
) -> _Pair | Interval | None:
    if not _carries_interval(columns, metric):
        return None
    if np.array_equal(columns[1], columns[2]):
        return Interval(0.0, 0.0, 0.0, drawing.level)
    labels = clusters if clusters is not None else times
    places = None if labels is None else number_labels(labels)
    if labels is not None and places is None:
        return None
    rows, units, is_swapped = _sort_rows(columns, places, is_time=times is not None)
    resampling = resample_units(units, is_time=times is not None)
    if resampling.draws < FEWEST_DRAWS:
        return None
    pair = _Pair(rows, is_swapped, metric, resampling)
    if times is None and len(columns[0]) > MOST_DRAWN and metric.influence is not None and not _are_equal(pair):
        _compute(pair, metric.influence, drawing)
    return pair


def _compute(pair: _Pair, influence: Influence, drawing: _Drawing) -> None:
    """Find what resamples of many rows give by the influence of each, where that can be told; else they are to be drawn."""
    truth, *scores = pair.columns
    ours, theirs = (influence(truth, score) for score in scores)
    contributions, is_linear = pair.metric.sign * (ours - theirs) / len(truth), pair.metric.is_mean
    if not pair.resampling.is_by_row:
        _compute_clusters(pair, np.bincount(pair.resampling.unit_of_row, contributions).astype(np.float64))
        return
    pair.computed = compute_bootstrap(pair.estimate, contributions, pair.find_advantage, is_linear=is_linear)
    sums = draw_sums(contributions, drawing.resamples, drawing.seed) if is_linear and not pair.computed else None
    if sums is not None:
        pair.drawn.append(pair.estimate + sums)


def _compute_clusters(pair: _Pair, contributions: Floats) -> None:
    """Find the same by what whole clusters add; even a mean is a ratio then, and its resamples cost little where few carry it."""
    fewest = FEWEST_EFFECTIVE if pair.metric.is_mean else FEWEST_CLUSTERS
    find = weigh_units(pair.find_advantage, pair.resampling.unit_of_row)
    pair.computed = compute_bootstrap(pair.estimate, contributions, find, is_linear=False, fewest=fewest)


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


def _sort_rows(columns: list[Floats], places: Places | None, *, is_time: bool) -> tuple[Floats, Places, bool]:
    """Return the rows (1 + both scores, n) in an order of their own, the unit of each, and whether the scores changed places.

    The order is given by what the rows hold: first by their times, last by the labels of their clusters.
    """
    truth, score, reference = (column.reshape(len(column), -1).T for column in columns)
    given, other = (np.concatenate([truth, *pair]) for pair in ((score, reference), (reference, score)))
    orders = [_find_order(rows, places, is_time=is_time) for rows in (given, other)]
    given, other = given[:, orders[0]], other[:, orders[1]]
    differing = np.flatnonzero((given != other).any(axis=0))
    at = differing[0] if len(differing) else None
    is_swapped = at is not None and bool(tuple(other[:, at]) < tuple(given[:, at]))
    units = np.arange(given.shape[1]) if places is None else places[orders[is_swapped]]
    return (other if is_swapped else given), units, is_swapped


def _find_order(rows: Floats, places: Places | None, *, is_time: bool) -> Places:
    keys = list(rows)
    if places is not None:
        keys = [places, *keys] if is_time else [*keys, places]
    return np.lexsort(keys[::-1])


# From pairs to intervals


def _draw(pairs: Sequence[_Pair], drawing: _Drawing) -> None:
    """Resample all pairs alike: they have the same rows, and the same units."""
    if not pairs:
        return
    first = pairs[0]
    resamples, drawn = first.limit_resamples(drawing.resamples), first.resampling
    width = len(drawn.unit_of_row) if first.by_units is None else drawn.units
    for counts in draw_counts(drawn, resamples, drawing.seed, at_once=max(1, CELLS_AT_ONCE // width)):
        for pair in pairs:
            pair.draw(counts)


def _judge(pair: _Pair, drawing: _Drawing) -> Interval | None:
    bounds = _find_bounds(pair, drawing) if pair.computed is None else _compute_bounds(pair.computed, pair, drawing)
    pair.drawn.clear()
    if bounds is None or not all(map(math.isfinite, bounds)):
        return None
    estimate, low, high = bounds
    level = drawing.level
    return Interval(-estimate, -high, -low, level) if pair.is_swapped else Interval(estimate, low, high, level)


_Bounds = tuple[float, float, float]


def _compute_bounds(computed: ComputedBootstrap, pair: _Pair, drawing: _Drawing) -> _Bounds | None:
    acceleration = computed.acceleration
    if acceleration is None:
        return None
    bias = computed.find_deviate_of_estimate(acceleration)
    return _place_bounds(
        _Shape(computed.estimate, computed.spread, bias, acceleration), computed.find_quantile, pair, drawing
    )


def _find_bounds(pair: _Pair, drawing: _Drawing) -> _Bounds | None:
    drawn, estimate = np.concatenate(pair.drawn), pair.estimate
    drawn = drawn[np.isfinite(drawn)]
    tolerance = _RELATIVE_TOLERANCE * _find_magnitude(pair)
    if len(drawn) < (1 - _MOST_UNDEFINED) * pair.limit_resamples(drawing.resamples):
        return None
    if np.ptp(drawn) <= tolerance:
        return (0.0, 0.0, 0.0) if abs(estimate) <= tolerance and _are_equal(pair) else None
    bias, contributions = _find_bias(drawn, estimate, tolerance), _find_contributions(pair)
    acceleration = find_acceleration(contributions)
    if bias is None or acceleration is None:
        return None
    shape = _Shape(estimate, float(drawn.std()), bias, acceleration)
    return _place_bounds(shape, lambda z: find_quantile(drawn, z, contributions), pair, drawing)


@dataclass(frozen=True)
class _Shape:
    """Of a bootstrap distribution: the estimate, its spread, and z0 and a of BCa."""

    estimate: float
    spread: float
    bias: float
    acceleration: float

    def correct(self, deviate: float) -> float | None:
        """Return where among the resamples the bound at a normal deviate lies (Efron 1987, eq. 3.9)."""
        shifted = self.bias + deviate
        stretch = 1 - self.acceleration * shifted
        return self.bias + shifted / stretch if stretch > 0 else None


def _place_bounds(
    shape: _Shape, find_value: Callable[[float], float], pair: _Pair, drawing: _Drawing
) -> _Bounds | None:
    """Return the estimate and its bounds: the more cautious of BCa's and Student's."""
    deviate = _widen(drawing.level, pair.resampling.draws)
    low, high = shape.correct(-deviate), shape.correct(deviate)
    if low is None or high is None:
        return None
    reach = shape.spread * deviate
    return shape.estimate, min(find_value(low), shape.estimate - reach), max(find_value(high), shape.estimate + reach)


def _widen(level: float, draws: int) -> float:
    """Return the normal deviate of a level for resamples of so few draws, whose spread is too narrow and itself estimated."""
    return as_student(_NORMAL.inv_cdf(level), draws - 1) * math.sqrt(draws / (draws - 1))


def _find_magnitude(pair: _Pair) -> float:
    truth, *scores = pair.columns
    return max(abs(pair.metric.value(truth, score)) for score in scores)


def _are_equal(pair: _Pair) -> bool:
    """True for scores of one model, whichever of its forms gave them."""
    _, score, reference = pair.columns
    spread = max(float(np.ptp(each / 2)) for each in (score, reference))  # halves cannot overflow
    return float(np.abs(score / 2 - reference / 2).max()) <= _ROUNDING * spread


def _find_bias(drawn: Floats, estimate: float, tolerance: float) -> float | None:
    """Return z0 of BCa, ties counting half so that a metric with few distinct values is not pushed to one side."""
    below = float(np.mean(drawn < estimate - tolerance))
    equal = float(np.mean(np.abs(drawn - estimate) <= tolerance))
    share = below + equal / 2
    return _NORMAL.inv_cdf(share) if 0 < share < 1 else None


def _find_contributions(pair: _Pair) -> Floats:
    """Return what each unit, or each of 200 groups of them, adds to the advantage when it is drawn once more: the jackknife."""
    groups = pair.resampling.groups
    at_once = max(1, CELLS_AT_ONCE // len(groups))
    count = int(groups.max()) + 1
    parts = [np.arange(first, min(first + at_once, count)) for first in range(0, count, at_once)]
    without = np.concatenate([pair.find_advantage((groups != part[:, None]).astype(np.float64)) for part in parts])
    return without.mean() - without
