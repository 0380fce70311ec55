"""Shares with their intervals, and the matrix they are read from, against numbers that others computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from workbench.stats.confusion import confusion_matrix
from workbench.stats.wilson import wilson_interval


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_of_a_share_is_that_of_scipy(pair):
    count, of = pair
    expected = binomtest(count, of).proportion_ci(0.95, method="wilson")
    assert wilson_interval(count, of) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_no_rows_have_no_share():
    assert wilson_interval(0, 0) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_the_confusion_matrix_is_that_of_scikit_learn(pairs):
    from sklearn.metrics import confusion_matrix as expected

    truth, called = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    assert confusion_matrix(truth, called, 4).tolist() == expected(truth, called, labels=range(4)).tolist()
