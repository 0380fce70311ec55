"""Weighted metrics that score one model on many resamples at once.

Each takes `truth` (n,), `score` (n,) and row `weights` >= 0 of shape (n,) or (B, n), and returns an array of shape
`weights.shape[:-1]`. The result is NaN where the metric is not defined: one class, no weight, a probability outside 0
to 1. In classification `truth` is 0 or 1 and `score` is the probability of class 1. The values are those of
scikit-learn's functions with `sample_weight`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.domain.comparison import Direction
from workbench.domain.policy import Task

Floats = NDArray[np.float64]
Evaluate = Callable[[Floats, Floats, Floats], Floats]

_THRESHOLD = 0.5
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Metric:
    """A metric by name: which way is good, which task it judges, and the weighted function that computes it."""

    name: str
    direction: Direction
    task: Task
    evaluate: Evaluate

    @property
    def sign(self) -> int:
        """The factor that makes a larger value the better one: 1 or -1."""
        return 1 if self.direction == "higher" else -1

    def value(self, truth: Floats, score: Floats) -> float:
        """Return the metric over all rows with equal weight."""
        truth, score = np.asarray(truth, dtype=np.float64), np.asarray(score, dtype=np.float64)
        return float(self.evaluate(truth, score, np.ones(len(truth))))

    def score(self, truth: Floats, score: Floats) -> float | None:
        """Return the metric over all rows with equal weight, None where it is not defined or no finite number."""
        with np.errstate(over="ignore", invalid="ignore"):
            value = self.value(truth, score)
        return value if math.isfinite(value) else None


def roc_auc(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the area under the ROC curve: how often a positive row outranks a negative one, a tie counting half."""
    positives, negatives = np.flatnonzero(truth == 1), np.flatnonzero(truth != 1)
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
    """Return the share of rows called right when a score of 0.5 or more means class 1."""
    return _mean(((score >= _THRESHOLD) == (truth == 1)).astype(np.float64), weights)


def log_loss(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the mean negative log-likelihood in nats; certain answers are clipped by one machine epsilon."""
    if not _are_probabilities(score):
        return _undefined(weights)
    clipped = np.clip(score, _EPSILON, 1 - _EPSILON)
    return _mean(-np.where(truth == 1, np.log(clipped), np.log(1 - clipped)), weights)


def brier_score(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the mean squared difference between probability and outcome (Brier 1950)."""
    return _mean((score - truth) ** 2, weights) if _are_probabilities(score) else _undefined(weights)


def mean_absolute_error(truth: Floats, score: Floats, weights: Floats) -> Floats:
    """Return the mean absolute error, in units of the target."""
    return _mean(np.abs(score - truth), weights)


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


def constant_score(truth: Floats, task: Task) -> Floats:
    """Return the score of a model that knows the outcomes' centre and nothing else, shape (n,).

    The prevalence in classification, the median in regression (the constant with the least absolute error). It is taken
    from the holdout itself, which flatters the baseline: a model that beats it beats any constant learnt in training.
    """
    truth = np.asarray(truth, dtype=np.float64)
    centre = np.mean(truth) if task == "classification" else np.median(truth)
    return np.full(len(truth), centre)


def _mean(contributions: Floats, weights: Floats) -> Floats:
    return _ratio(weights @ contributions, weights.sum(axis=-1))


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    undefined = np.full(np.shape(denominator), np.nan)
    return np.divide(numerator, denominator, out=undefined, where=np.asarray(denominator) > 0)


def _are_probabilities(score: Floats) -> bool:
    return bool(np.all((score >= 0) & (score <= 1)))


def _undefined(weights: Floats) -> Floats:
    return np.full(weights.shape[:-1], np.nan)
