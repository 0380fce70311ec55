"""Residuals are told with exact counts, in the target's unit, and of no row by itself."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.stats.residuals import describe_residuals


def test_half_and_most_of_the_rows_are_within_what_is_said():
    predicted = np.linspace(0, 100, 500)
    found = describe_residuals(predicted + np.random.default_rng(1).normal(size=500) * 5 - 2, predicted)
    assert found.mean == pytest.approx(-2, abs=0.7)
    assert found.half_within == pytest.approx(3.7, abs=0.6)
    assert found.most_within == pytest.approx(9, abs=1.2)
    assert sum(found.counts) == found.rows == 500
    assert sum(band.rows for band in found.bands) == 500
    assert all(band.low < band.middle < band.high for band in found.bands)


def test_a_million_rows_take_no_more_room_than_a_thousand_and_what_is_far_off_counts_in_the_outermost_bar():
    residual = np.concatenate([np.random.default_rng(2).normal(size=9_999), [1e9]])
    found = describe_residuals(residual, np.zeros(10_000))
    assert (len(found.counts), len(found.bands)) == (20, 12)
    assert found.edges[-1] < 10
    assert sum(found.counts) == 10_000


def test_predictions_that_are_always_right_or_off_by_the_same_have_one_bar():
    for off in (0.0, 3.0, 1e100):
        found = describe_residuals(np.full(40, off), np.zeros(40))
        assert found.counts == (40,)
        assert found.edges[0] < off < found.edges[1]


def test_differences_that_are_no_number_or_too_large_are_not_described():
    assert describe_residuals(np.array([1e308]), np.array([-1e308])) is None
    assert describe_residuals(np.array([1e200]), np.array([0.0])) is None
