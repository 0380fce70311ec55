"""Reliability is what scikit-learn's calibration curve shows, with equal probabilities in one bin."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from workbench.stats.reliability import find_reliability
from workbench.stats.wilson import wilson_interval


def test_the_bins_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    probability = generator.random(1000)
    truth = (generator.random(1000) < probability).astype(float)
    found = find_reliability(truth, probability)
    true, said = calibration_curve(truth, probability, n_bins=10, strategy="quantile")
    assert [each.said for each in found] == pytest.approx(said, abs=2e-3)
    assert [each.true for each in found] == pytest.approx(true, abs=2e-2)
    assert sum(each.rows for each in found) == 1000
    assert (found[0].low, found[0].high) == wilson_interval(round(found[0].true * found[0].rows), found[0].rows)


def test_equal_probabilities_stand_in_one_bin():
    found = find_reliability(np.array([1.0, 0.0] * 50), np.array([0.25, 0.75] * 50))
    assert [(each.rows, each.said, each.true) for each in found] == [(50, 0.25, 1.0), (50, 0.75, 0.0)]


def test_few_rows_are_one_bin():
    assert [each.rows for each in find_reliability(np.array([1.0, 0.0]), np.array([0.2, 0.9]))] == [2]
