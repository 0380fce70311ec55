"""Calibration: do scores mean what they say? Expected calibration error, and the line of the truth on the score."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workbench.stats.metrics import Floats

MOST_BINS = 15
FEWEST_ROWS_A_BIN = 20
_SIMULATED = 200
_MOST_STEPS = 50
_EPSILON = 1e-12


@dataclass(frozen=True)
class Line:
    """A fitted line with its standard errors; a perfectly calibrated model has slope 1 and intercept 0."""

    slope: float
    intercept: float
    slope_error: float
    intercept_error: float


def choose_bins(rows: int) -> int:
    """Return how many bins these rows can fill: up to 15, with at least 20 rows each, and always one."""
    return max(1, min(MOST_BINS, rows // FEWEST_ROWS_A_BIN))


def expected_calibration_error(truth: Floats, score: Floats, bins: int) -> float:
    """Return the mean gap between probability and frequency over bins of (nearly) equal size, weighted by rows.

    Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", with bins of equal mass. Rows of one
    score stand for their mean truth, whichever bin they come to: a tree has few scores, and each has one frequency.
    """
    order = np.argsort(score, kind="stable")
    return float(_gaps(truth[order][None, :], score[order], bins)[0])


def calibration_error_by_chance(score: Floats, bins: int, *, seed: int = 0) -> float:
    """Return the mean error that a perfectly calibrated model with these scores shows on so few rows.

    Even then frequencies differ from probabilities; what is measured minus this is what the model is to blame for
    (Broecker 2012, "Estimating reliability and resolution of probability forecasts", Climate Dynamics 39:655-667).
    """
    ordered = np.sort(score)
    drawn = np.random.default_rng(seed).random((_SIMULATED, len(score))) < ordered
    return float(_gaps(drawn.astype(np.float64), ordered, bins).mean())


def _gaps(truth: Floats, score: Floats, bins: int) -> Floats:
    """Return the error of each line of outcomes, shape (B,), for scores in ascending order."""
    _, first, count = np.unique(score, return_index=True, return_counts=True)
    frequency = np.repeat(np.add.reduceat(truth, first, axis=1) / count, count, axis=1)
    edges = np.linspace(0, len(score), bins + 1).round().astype(int)[:-1]
    return np.abs(np.add.reduceat(frequency - score, edges, axis=1)).sum(axis=1) / len(score)


def recalibrate(truth: Floats, score: Floats) -> Line | None:
    """Return the logistic line of the truth on the log-odds of the score, by iteratively reweighted least squares.

    Cox 1958, "Two further applications of a model for binary regression", Biometrika 45:562-565. A slope below 1 means scores
    that are too extreme. None: one class, scores that do not vary or separate the classes, or no probabilities.
    """
    if not bool(np.all((score >= 0) & (score <= 1))) or len(set(truth.tolist())) < 2:
        return None
    clipped = np.clip(score, _EPSILON, 1 - _EPSILON)
    design = np.stack([np.ones(len(score)), np.log(clipped / (1 - clipped))], axis=1)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return _fit_logistic(design, truth)


def _fit_logistic(design: Floats, truth: Floats) -> Line | None:
    # From slope 0, where every row weighs alike: from 1, scores near 0 and 1 weigh so little that the first step goes astray.
    beta = np.zeros(2)
    for _ in range(_MOST_STEPS):
        expected = 1 / (1 + np.exp(-np.clip(design @ beta, -500, 500)))
        information = design.T @ (design * (expected * (1 - expected))[:, None])
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1 / _EPSILON:
            return None
        step = np.linalg.solve(information, design.T @ (truth - expected))
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10 * max(1.0, float(np.abs(beta).max())):
            return _line(beta, np.asarray(np.linalg.inv(information), dtype=np.float64))
    return None


def regress(truth: Floats, score: Floats) -> Line | None:
    """Return the least-squares line of the truth on the prediction; None when predictions do not vary or fewer than 3 rows."""
    if len(truth) < 3:
        return None
    # An overflow leaves a value that is not finite, and such a line is none.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        varies = float(score.max() - score.min()) > _EPSILON * max(1.0, float(np.abs(score).max()))
        return _fit_line(truth, score) if varies else None


def _fit_line(truth: Floats, score: Floats) -> Line | None:
    # All of it in numpy's numbers: Python's own raise where these become infinite.
    middle, centred = score.mean(), score - score.mean()
    spread = centred @ centred
    slope = centred @ truth / spread
    intercept = truth.mean() - slope * middle
    residual = truth - intercept - slope * score
    variance = residual @ residual / (len(truth) - 2)
    covariance = variance / spread
    intercept_variance = variance / len(truth) + covariance * middle**2
    return _line(np.array([intercept, slope]), np.diag([intercept_variance, covariance]))


def _line(beta: Floats, covariance: Floats) -> Line | None:
    found = (float(beta[1]), float(beta[0]), float(np.sqrt(covariance[1, 1])), float(np.sqrt(covariance[0, 0])))
    return Line(*found) if all(map(math.isfinite, found)) else None


def mean_residual(truth: Floats, score: Floats) -> tuple[float, float] | None:
    """Return the mean of truth minus prediction and its standard error, as shares of the truth's standard deviation."""
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.std(truth))
        if len(truth) < 2 or not 0 < spread < math.inf:
            return None
        residual = truth - score
        return float(residual.mean()) / spread, float(residual.std(ddof=1)) / math.sqrt(len(truth)) / spread
