"""Calibration against numbers that others computed."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from workbench.stats.calibration import (
    calibration_error_by_chance,
    choose_bins,
    expected_calibration_error,
    mean_residual,
    recalibrate,
    regress,
)


def draw(rows=600, *, stretch=1.0, shift=0.0, seed=4):
    """Return outcomes and probabilities whose log-odds are `stretch` times too extreme and `shift` too high."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(size=rows)
    truth = (generator.random(rows) < 1 / (1 + np.exp(-odds))).astype(float)
    return truth, 1 / (1 + np.exp(-(odds * stretch + shift)))


def test_the_error_is_that_of_scikit_learns_curve():
    truth, score = draw(stretch=1.7)
    observed, predicted = calibration_curve(truth, score, n_bins=15, strategy="quantile")
    assert len(observed) == 15
    assert expected_calibration_error(truth, score, 15) == pytest.approx(np.abs(observed - predicted).mean(), abs=1e-12)


def test_bins_of_unequal_size_are_weighted_by_their_rows():
    truth, score = np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.2, 0.9])
    assert expected_calibration_error(truth, score, 2) == pytest.approx((abs(1 - 0.3) + abs(1 - 0.9)) / 3)


@pytest.mark.parametrize("bins", [1, 2, 3, 8])
def test_a_tree_with_two_scores_that_are_its_frequencies_is_calibrated(bins):
    truth = np.array(([0.0] * 9 + [1.0]) * 6 + ([1.0] * 9 + [0.0]) * 10)
    score = np.array([0.1] * 60 + [0.9] * 100)
    assert expected_calibration_error(truth, score, bins) == pytest.approx(0, abs=1e-12)
    assert expected_calibration_error(truth, score / 2, bins) == pytest.approx((60 * 0.05 + 100 * 0.45) / 160)


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_is_nothing_to_the_error(seed):
    truth, score = draw(90)
    score = score.round(1)
    order = np.random.default_rng(seed).permutation(90)
    assert expected_calibration_error(truth[order], score[order], 4) == expected_calibration_error(truth, score, 4)


def test_what_chance_alone_shows_is_what_the_binomial_distribution_says():
    exact = sum(comb(40, k) * 0.5**40 * abs(k / 40 - 0.5) for k in range(41))
    assert calibration_error_by_chance(np.full(40, 0.5), 1) == pytest.approx(exact, rel=0.15)


def test_a_calibrated_model_shows_about_what_chance_shows_and_another_more():
    excess = []
    for stretch in (1.0, 3.0):
        found = [draw(300, stretch=stretch, seed=seed) for seed in range(40)]
        excess.append(
            np.mean([expected_calibration_error(t, s, 15) - calibration_error_by_chance(s, 15) for t, s in found])
        )
    assert abs(excess[0]) < 0.005
    assert excess[1] > 0.05


@pytest.mark.parametrize(("rows", "bins"), [(0, 1), (1, 1), (39, 1), (40, 2), (171, 8), (300, 15), (10**6, 15)])
def test_every_bin_holds_twenty_rows_where_there_are_that_many(rows, bins):
    assert choose_bins(rows) == bins


@pytest.mark.parametrize("stretch", [0.5, 1.0, 2.5])
def test_slope_and_intercept_are_those_of_an_unpenalised_logistic_regression(stretch):
    truth, score = draw(stretch=stretch, shift=0.4)
    odds = np.log(score / (1 - score))
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(odds[:, None], truth)
    line = recalibrate(truth, score)
    assert line.slope == pytest.approx(other.coef_[0, 0], abs=1e-5)
    assert line.intercept == pytest.approx(other.intercept_[0], abs=1e-5)
    assert line.slope * stretch == pytest.approx(1, abs=0.25)


def test_standard_errors_are_those_of_the_curvature_of_the_likelihood():
    truth, score = draw()
    odds, line = np.log(score / (1 - score)), recalibrate(truth, score)

    def loss(intercept, slope):
        eta = intercept + slope * odds
        return np.sum(np.logaddexp(0, eta) - truth * eta)

    step, centre = 1e-3, np.array([line.intercept, line.slope])
    moves = np.eye(2) * step
    hessian = [
        [
            (loss(*(centre + a + b)) - loss(*(centre + a - b)) - loss(*(centre - a + b)) + loss(*(centre - a - b)))
            / (4 * step**2)
            for b in moves
        ]
        for a in moves
    ]
    errors = np.sqrt(np.diag(np.linalg.inv(hessian)))
    assert [line.intercept_error, line.slope_error] == pytest.approx(errors.tolist(), rel=1e-4)


def test_the_interval_of_the_slope_holds_the_true_one_nineteen_times_in_twenty():
    lines = [recalibrate(*draw(200, seed=seed)) for seed in range(400)]
    covered = np.mean([abs(line.slope - 1) <= 1.96 * line.slope_error for line in lines])
    assert 0.92 <= covered <= 0.98


def test_the_line_of_a_regression_is_that_of_scipy():
    generator = np.random.default_rng(6)
    score = generator.normal(50, 9, size=80)
    truth = 3 + 0.8 * score + generator.normal(size=80)
    line, other = regress(truth, score), linregress(score, truth)
    found = (line.slope, line.intercept, line.slope_error, line.intercept_error)
    assert found == pytest.approx((other.slope, other.intercept, other.stderr, other.intercept_stderr))


def test_the_mean_residual_is_told_in_standard_deviations():
    truth = np.array([0.0, 10.0, 20.0, 30.0])
    bias, error = mean_residual(truth, truth - np.array([1.0, 2.0, 3.0, 2.0]))
    assert bias == pytest.approx(2 / np.std(truth))
    assert error == pytest.approx(np.std([1, 2, 3, 2], ddof=1) / 2 / np.std(truth))


@pytest.mark.parametrize(
    ("truth", "score"),
    [
        ([], []),
        ([1.0], [0.5]),
        ([1.0] * 50, [0.5] * 50),
        ([0.0, 1.0] * 25, [0.5] * 50),
        ([0.0] * 25 + [1.0] * 25, [0.1] * 25 + [0.9] * 25),
        ([0.0, 1.0] * 25, [0.2, 1.4] * 25),
        ([0.0, 1.0] * 25, [0.2, float("nan")] * 25),
    ],
    ids=["nothing", "one row", "one class", "one score", "separated", "no probabilities", "no numbers"],
)
def test_what_no_line_fits_has_none(truth, score):
    assert recalibrate(np.array(truth), np.array(score)) is None


@pytest.mark.parametrize("score", [[], [1.0, 2.0], [3.0] * 9])
def test_what_does_not_vary_has_no_line(score):
    truth = np.arange(len(score), dtype=float)
    assert regress(truth, np.array(score)) is None


def test_predictions_too_large_for_a_line_have_none():
    truth, score = np.arange(60.0), np.linspace(-3.0, 1.0, 60)
    score[7] = -1e308
    assert regress(truth, score) is None


def test_a_truth_that_does_not_vary_has_no_bias():
    assert mean_residual(np.full(9, 2.0), np.arange(9.0)) is None
    assert mean_residual(np.array([1.0]), np.array([2.0])) is None
