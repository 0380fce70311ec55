"""Calibration: whether scores mean what they say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.models.predictions import Predictions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class CalibrationFact:
    """Whether scores mean what they say; `slope` and `intercept` are those of the truth on the score.

    In classification on the log-odds, with the expected calibration error over bins of equal size and the error that a
    perfectly calibrated model of these scores would show by chance; in regression in the target's units, with the mean
    residual as a share of the truth's standard deviation. Each `_error` is a standard error. Of several classes the errors are
    means over all, each against the rest, and there is no line.
    """

    rows: int
    slope: float | None
    slope_error: float | None
    intercept: float | None
    brier: float | None = None
    log_loss: float | None = None
    ece: float | None = None
    ece_by_chance: float | None = None
    bins: int | None = None
    bias: float | None = None
    bias_error: float | None = None


_FEWEST_FOR_CALIBRATION = 50
FEWEST_OF_A_CLASS = 10


def measure_calibration(predictions: Predictions) -> CalibrationFact | None:
    """Return whether scores mean what they say; None on fewer than 50 rows, 10 of a class, or scores that are no probabilities."""
    rarest = predictions.count_rarest()
    too_few = rarest is not None and rarest < FEWEST_OF_A_CLASS
    if len(predictions.rows) < _FEWEST_FOR_CALIBRATION or too_few:
        return None
    if predictions.task == "regression":
        return _describe_residuals(predictions)
    if predictions.task == "multiclass":
        return _describe_all_classes(predictions)
    return _describe_probabilities(predictions.truth, predictions.score)


def calibrate_classes(predictions: Predictions) -> list[CalibrationFact | None]:
    """Return of each class whether its probabilities mean what they say, against the rest; None where there are too few rows."""
    from workbench.stats.metrics import are_probabilities

    scores, truths = predictions.score, [predictions.truth == place for place in range(predictions.width)]
    rarest = [min(int(truth.sum()), int((~truth).sum())) for truth in truths]
    if len(predictions.rows) < _FEWEST_FOR_CALIBRATION or not are_probabilities(scores):
        return [None] * len(truths)
    return [
        _describe_probabilities(truth.astype(float), scores[:, place]) if few >= FEWEST_OF_A_CLASS else None
        for place, (truth, few) in enumerate(zip(truths, rarest, strict=True))
    ]


def _describe_all_classes(predictions: Predictions) -> CalibrationFact | None:
    """Return the errors of all classes: their mean is the class-wise calibration error (Kull et al. 2019); there is no one line."""
    from workbench.stats.metrics import METRICS

    known = [fact for fact in calibrate_classes(predictions) if fact is not None]
    if len(known) < predictions.width:
        return None
    brier, log_loss = (
        METRICS[name].value(predictions.truth, predictions.score) for name in ("brier_score", "log_loss")
    )
    errors, by_chance = ([getattr(fact, name) for fact in known] for name in ("ece", "ece_by_chance"))
    return CalibrationFact(
        rows=len(predictions.rows),
        slope=None,
        slope_error=None,
        intercept=None,
        brier=brier,
        log_loss=log_loss,
        ece=sum(errors) / len(errors),
        ece_by_chance=sum(by_chance) / len(by_chance),
        bins=known[0].bins,
    )


def _describe_probabilities(truth: NDArray[np.float64], score: NDArray[np.float64]) -> CalibrationFact | None:
    from workbench.stats.calibration import (
        calibration_error_by_chance,
        choose_bins,
        expected_calibration_error,
        recalibrate,
    )
    from workbench.stats.metrics import METRICS

    brier, log_loss = (METRICS[name].value(truth, score) for name in ("brier_score", "log_loss"))
    if not math.isfinite(brier) or not math.isfinite(log_loss):
        return None
    line, bins = recalibrate(truth, score), choose_bins(len(truth))
    return CalibrationFact(
        rows=len(truth),
        slope=line.slope if line else None,
        slope_error=line.slope_error if line else None,
        intercept=line.intercept if line else None,
        brier=brier,
        log_loss=log_loss,
        ece=expected_calibration_error(truth, score, bins),
        ece_by_chance=calibration_error_by_chance(score, bins),
        bins=bins,
    )


def _describe_residuals(predictions: Predictions) -> CalibrationFact | None:
    from workbench.stats.calibration import mean_residual, regress

    line, bias = regress(predictions.truth, predictions.score), mean_residual(predictions.truth, predictions.score)
    if bias is None or not all(map(math.isfinite, bias)):
        return None
    return CalibrationFact(
        rows=len(predictions.rows),
        slope=line.slope if line else None,
        slope_error=line.slope_error if line else None,
        intercept=line.intercept if line else None,
        bias=bias[0],
        bias_error=bias[1],
    )
