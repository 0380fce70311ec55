"""Weighted metrics that score one model on many resamples at once.

Each takes `truth` (n,), `score` (n,) and row `weights` >= 0 of shape (n,) or (B, n), and returns an array of shape
`weights.shape[:-1]`. The result is NaN where the metric is not defined: one class, no weight, a probability outside 0
to 1. In classification `truth` is 0 or 1 and `score` is the probability of class 1; of several classes `truth` is the
place of the class and `score` (n, classes) has a column for each. The values are those of scikit-learn's functions with
`sample_weight`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.stats import influence
from workbench.stats.holdout_columns import HoldoutColumns
from workbench.stats.influence import Influence
from workbench.stats.task import Direction, Task, has_classes

Floats = NDArray[np.float64]
Evaluate = Callable[[Floats, Floats, Floats], Floats]

_THRESHOLD = 0.5
_SUM_ERROR = 1e-4  # of probabilities in single precision
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Metric:
    """A metric by name: which way is good, which tasks it judges, and the weighted function that computes it.

    One that reads the `label` is about what the model decides for, whatever its scores are. Where the `influence` of each row is
    known, intervals of many rows are computed and not drawn; `is_mean` says that the value is the mean of what rows add to it.
    """

    name: str
    direction: Direction
    tasks: tuple[Task, ...]
    evaluate: Evaluate
    reads: Literal["score", "label"] = "score"
    influence: Influence | None = None
    is_mean: bool = False

    @property
    def is_of_classes(self) -> bool:
        """True where the truth is a class and no number."""
        return all(map(has_classes, self.tasks))

    @property
    def sign(self) -> int:
        """The factor that makes a larger value the better one: 1 or -1."""
        return 1 if self.direction == "higher" else -1

    def value(self, truth: Floats, score: Floats) -> float:
        """Return the metric over all rows with equal weight."""
        truth, score = np.asarray(truth, dtype=np.float64), np.asarray(score, dtype=np.float64)
        return float(self.evaluate(truth, score, np.ones(len(truth))))

    @property
    def code(self) -> str | None:
        """The sha256 of the file of somebody's own metric, None of a built-in one."""
        return None

    @property
    def told(self) -> tuple[str | None, ...]:
        """What tells it from every other metric, one of the same name that a project declares otherwise, too."""
        return (self.name, self.code)

    def on(self, columns: HoldoutColumns) -> Metric:  # noqa: ARG002 - a metric of somebody's own reads them, as below
        """Return the metric as it judges rows with these columns: itself, unless it is one of somebody's own."""
        return self

    def read(self, truth: Floats, score: Floats, columns: HoldoutColumns) -> Floats:  # noqa: ARG002
        """Return what is judged of these scores, row by row: they themselves, unless it is a metric of somebody's own."""
        return score

    def limit_resamples(self, judged: Floats, asked: int) -> int:  # noqa: ARG002
        """Return how many resamples are drawn where so many are asked for."""
        return asked

    def score(self, truth: Floats, score: Floats) -> float | None:
        """Return the metric over all rows with equal weight, None where it is not defined or no finite number."""
        with np.errstate(over="ignore", invalid="ignore"):
            value = self.value(truth, score)
        return value if math.isfinite(value) else None


def roc_auc(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the area under the ROC curve: how often a positive row outranks a negative one, a tie counting half.

    Of several classes the mean over each against the rest: the macro average of one-vs-rest.
    """
    if score.ndim == 1:
        return _area(truth == 1, score, weights)
    return np.mean(_areas(truth, score, weights), axis=0)


def roc_auc_weighted(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the area of each class against the rest, weighted by how frequent the class is."""
    shares = np.stack([weights @ is_class for is_class in _indicators(truth, score.shape[1])])
    return _ratio((shares * _areas(truth, score, weights)).sum(axis=0), shares.sum(axis=0))


def _areas(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the area of each class against the rest, shape (classes, ...)."""
    return np.stack([_area(truth == place, score[:, place], weights) for place in range(score.shape[1])])


def _area(is_positive: NDArray[np.bool_], score: Floats, weights: Floats) -> Floats:
    positives, negatives = np.flatnonzero(is_positive), np.flatnonzero(~is_positive)
    if len(score) and (score == score[0]).all():  # a constant ranks nothing, which needs no ranking
        pairs = weights[..., positives].sum(axis=-1) * weights[..., negatives].sum(axis=-1)
        return _ratio(pairs / 2, pairs)
    negatives = negatives[np.argsort(score[negatives], kind="stable")]
    outranked = np.zeros((*weights.shape[:-1], len(negatives) + 1))
    np.cumsum(weights[..., negatives], axis=-1, out=outranked[..., 1:])
    below = np.searchsorted(score[negatives], score[positives], side="left")
    up_to = np.searchsorted(score[negatives], score[positives], side="right")
    wins = outranked[..., below]
    if (up_to > below).any():
        wins = (wins + outranked[..., up_to]) / 2
    pairs = outranked[..., -1] * weights[..., positives].sum(axis=-1)
    return _ratio(np.einsum("...i,...i->...", wins, weights[..., positives]), pairs)


def accuracy(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the share of rows called right, where a score of 0.5 or more, or the first largest of several, is the call."""
    return _mean(_right_calls(truth, score), weights)


def _right_calls(truth: Floats, score: Floats) -> Floats:
    if score.ndim > 1:
        return (score.argmax(axis=1) == truth).astype(np.float64)
    return ((score >= _THRESHOLD) == (truth == 1)).astype(np.float64)


def f1(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the harmonic mean of precision and recall of class 1, which a score of 0.5 or more calls; 0 where nothing is."""
    called, is_class = (score >= _THRESHOLD).astype(np.float64), (truth == 1).astype(np.float64)
    return _f1(called, is_class, weights)[0]


def f1_macro(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the mean F1 of the classes that are true or called somewhere."""
    values, _ = _f1_by_class(truth, score, weights)
    return np.where(weights.sum(axis=-1) > 0, values.mean(axis=0), np.nan)


def f1_weighted(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the mean F1 of the classes, weighted by how frequent each is."""
    values, shares = _f1_by_class(truth, score, weights)
    return _ratio((values * shares).sum(axis=0), shares.sum(axis=0))


def _f1_by_class(truth: Floats, score: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the F1 of each class that is true or called somewhere, and how often it is true, both (classes, ...)."""
    calls, classes = score.argmax(axis=1).astype(np.float64), score.shape[1]
    pairs = zip(_indicators(calls, classes), _indicators(truth, classes), strict=True)
    found = [_f1(called, is_class, weights) for called, is_class in pairs if called.any() or is_class.any()]
    return np.stack([value for value, _ in found]), np.stack([share for _, share in found])


def _f1(called: Floats, is_class: Floats, weights: Floats) -> tuple[Floats, Floats]:
    both, all_called, all_true = weights @ (called * is_class), weights @ called, weights @ is_class
    value = np.where(weights.sum(axis=-1) > 0, np.nan_to_num(_ratio(2 * both, all_called + all_true)), np.nan)
    return value, all_true


def _indicators(places: Floats, classes: int) -> list[Floats]:
    return [(places == place).astype(np.float64) for place in range(classes)]


def log_loss(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the mean negative log-likelihood in nats; certain answers are clipped by one machine epsilon."""
    return _mean(_log_losses(truth, score), weights) if are_probabilities(score) else _undefined(weights)


def _log_losses(truth: Floats, score: Floats) -> Floats:
    clipped = np.clip(score, _EPSILON, 1 - _EPSILON)
    if score.ndim > 1:
        return -np.log(clipped[np.arange(len(truth)), truth.astype(int)])
    return -np.where(truth == 1, np.log(clipped), np.log(1 - clipped))


def brier_score(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the mean squared difference between probability and outcome (Brier 1950), summed over several classes."""
    return _mean(_squares(truth, score), weights) if are_probabilities(score) else _undefined(weights)


def _squares(truth: Floats, score: Floats) -> Floats:
    if score.ndim > 1:
        return ((score - np.stack(_indicators(truth, score.shape[1]), axis=1)) ** 2).sum(axis=1)
    return (score - truth) ** 2


def mean_absolute_error(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the mean absolute error, in units of the target."""
    return _mean(_absolute_errors(truth, score), weights)


def _absolute_errors(truth: Floats, score: Floats) -> Floats:
    return np.abs(score - truth)


def root_mean_squared_error(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the root of the mean squared error, in units of the target."""
    return np.sqrt(_mean((score - truth) ** 2, weights))


def r2(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the share of the variance of the truth that is explained; NaN when the truth is constant."""
    # Centred first: the variance as a difference of raw moments would cancel when the mean is large.
    centred = truth - truth.mean()
    around_mean = _mean(centred**2, weights) - _mean(centred, weights) ** 2
    tiny = _EPSILON * max(float(np.mean(centred**2)), np.finfo(np.float64).tiny)
    return 1 - _ratio(_mean((score - truth) ** 2, weights), np.where(around_mean > tiny, around_mean, 0))


def constant_score(truth: Floats, task: Task, classes: int = 2) -> Floats:
    """Return the score of a model that knows the outcomes' centre and nothing else, shape (n,), of several classes (n, classes).

    The share of each class in classification, the median in regression (the constant with the least absolute error). It is
    taken from the holdout itself, which flatters the baseline: a model that beats it beats any constant learnt in training.
    """
    truth = np.asarray(truth, dtype=np.float64)
    if task == "multiclass":
        shares = np.array([each.mean() for each in _indicators(truth, classes)])
        return np.tile(shares, (len(truth), 1))
    centre = np.mean(truth) if task == "classification" else np.median(truth)
    return np.full(len(truth), centre)


def _mean(contributions: Floats, weights: Floats) -> Floats:
    return _ratio(weights @ contributions, weights.sum(axis=-1))


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    undefined = np.full(np.shape(denominator), np.nan)
    return np.divide(numerator, denominator, out=undefined, where=np.asarray(denominator) > 0)


def are_probabilities(score: Floats) -> bool:
    """True for numbers from 0 to 1, which of several classes add up to 1 in each row."""
    inside = bool(np.all((score >= 0) & (score <= 1)))
    return inside and (score.ndim == 1 or bool(np.all(np.abs(score.sum(axis=1) - 1) <= _SUM_ERROR)))


def _undefined(weights: Floats) -> Floats:
    return np.full(weights.shape[:-1], np.nan)


_TWO: tuple[Task, ...] = ("classification",)
_SEVERAL: tuple[Task, ...] = ("multiclass",)
_CLASSES: tuple[Task, ...] = ("classification", "multiclass")
_NUMBERS: tuple[Task, ...] = ("regression",)

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "higher", _CLASSES, accuracy, "label", influence.of_mean(_right_calls), is_mean=True),
        Metric("brier_score", "lower", _CLASSES, brier_score, "score", influence.of_mean(_squares), is_mean=True),
        Metric("f1", "higher", _TWO, f1, "label", influence.of_f1),
        Metric("f1_macro", "higher", _SEVERAL, f1_macro, "label", influence.of_f1_macro),
        Metric("f1_weighted", "higher", _SEVERAL, f1_weighted, "label", influence.of_f1_weighted),
        Metric("log_loss", "lower", _CLASSES, log_loss, "score", influence.of_mean(_log_losses), is_mean=True),
        Metric(
            "mean_absolute_error",
            "lower",
            _NUMBERS,
            mean_absolute_error,
            "score",
            influence.of_mean(_absolute_errors),
            is_mean=True,
        ),
        Metric("r2", "higher", _NUMBERS, r2, "score", influence.of_r2),
        Metric("roc_auc", "higher", _CLASSES, roc_auc, "score", influence.of_area),
        Metric("roc_auc_weighted", "higher", _SEVERAL, roc_auc_weighted, "score", influence.of_weighted_area),
        Metric(
            "root_mean_squared_error",
            "lower",
            _NUMBERS,
            root_mean_squared_error,
            "score",
            influence.of_root_mean_square,
        ),
    )
}
