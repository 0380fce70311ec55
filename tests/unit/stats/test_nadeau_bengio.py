"""The corrected t test is that of baycomp, and keeps its level where the plain one does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from workbench.stats.nadeau_bengio import nadeau_bengio
from workbench.stats.student_t import student_p_value, student_quantile

ONE = [0.91, 0.87, 0.93, 0.90, 0.88, 0.86, 0.92, 0.95, 0.89, 0.90]
OTHER = [0.88, 0.86, 0.91, 0.91, 0.85, 0.85, 0.90, 0.92, 0.88, 0.87]
DIFFERENCES = [a - b for a, b in zip(ONE, OTHER, strict=True)]


@pytest.mark.parametrize(
    ("folds", "variance", "one_sided"),
    [(10, 3.65925925925926e-05, 0.007780038983507986), (5, 6.066666666666668e-05, 0.023080947090428627)],
)
def test_it_is_the_correlated_t_test_of_baycomp(folds, variance, one_sided):
    """baycomp 1.0.3, `CorrelatedTTest.probs(x, y, runs=10 / folds)` and `compute_statistics`: ten-fold, and twice five-fold."""
    found = nadeau_bengio(DIFFERENCES, test_rows=1, train_rows=folds - 1)
    assert found.interval.estimate == pytest.approx(0.018, abs=1e-12)
    assert found.standard_error**2 == pytest.approx(variance, rel=1e-8)
    assert found.p_value == pytest.approx(2 * one_sided, abs=1e-10)


def test_a_bound_is_at_zero_where_its_level_is_that_of_the_p_value():
    p_value = nadeau_bengio(DIFFERENCES, test_rows=20, train_rows=180).p_value
    found = nadeau_bengio(DIFFERENCES, test_rows=20, train_rows=180, level=1 - p_value / 2)
    assert found.interval.low == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 10, 99, 400])
def test_the_tail_and_the_quantiles_of_students_t_are_those_of_scipy(degrees):
    for t in (0.0, 0.3, 1.0, 2.5, 7.0):
        assert student_p_value(-t, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), abs=1e-13)
    for level in (0.6, 0.95, 0.975, 0.999):
        assert student_quantile(level, degrees) == pytest.approx(stats.t.ppf(level, degrees), rel=1e-10)


@pytest.mark.parametrize(
    ("differences", "rows"),
    [
        ([], (20, 80)),
        ([0.1], (20, 80)),
        ([0.1, 0.1, 0.1], (20, 80)),
        ([0.1, math.nan, 0.2], (20, 80)),
        ([0.1, 0.2], (0, 80)),
        ([0.1, 0.2], (20, 0)),
        ([0.1, 0.2], (math.nan, 80)),
    ],
)
def test_splits_that_cannot_carry_it_say_nothing(differences, rows):
    assert nadeau_bengio(differences, test_rows=rows[0], train_rows=rows[1]) is None


def test_two_equally_good_ways_to_learn_are_rarely_told_apart_and_the_plain_test_often_does():
    """Two columns that tell the class equally well, cut halfway between the classes' means; thirty random splits of 100 rows."""
    generator, corrected, plain = np.random.default_rng(5), 0, 0
    for _ in range(300):
        truth = np.arange(100) % 2 == 0
        columns = truth[:, None] + generator.normal(size=(100, 2))
        differences = []
        for _ in range(30):
            learns = generator.permutation(100) < 80
            cut = (columns[learns & truth].mean(axis=0) + columns[learns & ~truth].mean(axis=0)) / 2
            is_right = (columns[~learns] > cut) == truth[~learns, None]
            differences.append(float(is_right[:, 0].mean() - is_right[:, 1].mean()))
        found = nadeau_bengio(differences, test_rows=20, train_rows=80)
        corrected += found.p_value < 0.05
        plain += stats.ttest_1samp(differences, 0).pvalue < 0.05
    assert corrected / 300 <= 0.064
    assert plain / 300 > 0.3
