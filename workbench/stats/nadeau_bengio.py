"""The corrected resampled t test: what differences over splits of the same rows say where no holdout was kept; weak evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.stats.interval import Interval
from workbench.stats.student_t import student_p_value, student_quantile


@dataclass(frozen=True)
class ResampledTest:
    """The mean difference over splits with its bounds, its corrected standard error, and the p value, two-sided, of none.

    It is weak: the splits share rows, and the variance of what they share can only be guessed.
    """

    interval: Interval
    standard_error: float
    p_value: float


def nadeau_bengio(
    differences: Sequence[float], *, test_rows: float, train_rows: float, level: float = 0.95
) -> ResampledTest | None:
    """Judge the differences of J splits, positive where it is better, each of `train_rows` to learn and `test_rows` to score.

    Nadeau and Bengio 2003, "Inference for the generalization error", Machine Learning 52:239-281: the variance of the mean is
    (1 / J + test rows / train rows) times that of the differences, with J - 1 degrees of freedom; in r times k-fold
    cross-validation J is k r and the ratio 1 / (k - 1). Each bound is one-sided at `level`. None for fewer than two splits, no
    rows, a difference that is not finite, or differences that never vary.
    """
    splits = len(differences)
    if splits < 2 or not (test_rows > 0 and train_rows > 0) or not all(map(math.isfinite, differences)):
        return None
    mean = math.fsum(differences) / splits
    variance = math.fsum((each - mean) ** 2 for each in differences) / (splits - 1)
    error = math.sqrt((1 / splits + test_rows / train_rows) * variance)
    if not (math.isfinite(error) and error > 1e-12 * abs(mean)):
        return None
    reach = student_quantile(level, splits - 1) * error
    interval = Interval(mean, mean - reach, mean + reach, level)
    return ResampledTest(interval, error, student_p_value(mean / error, splits - 1))
