"""Adjusted p values are the published ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from workbench.stats.benjamini_hochberg import benjamini_hochberg

_p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("given_values", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.02, 0.04, 0.04, 0.02]),
        ([0.5], [0.5]),
        ([0.2, 0.2, 0.2], [0.2, 0.2, 0.2]),
        ([0.9, 0.04], [0.9, 0.08]),
        ([0.0, 1.0], [0.0, 1.0]),
        ([], []),
    ],
)
def test_values_worked_out_by_hand(given_values, adjusted):
    assert benjamini_hochberg(given_values) == pytest.approx(adjusted)


@given(_p_values)
def test_they_are_those_of_scipy(p_values):
    assert benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values).tolist())


@given(_p_values, st.randoms())
def test_they_follow_their_tests_in_whatever_order_these_come(p_values, random):
    order = list(range(len(p_values)))
    random.shuffle(order)
    adjusted = benjamini_hochberg(p_values)
    assert benjamini_hochberg([p_values[at] for at in order]) == [adjusted[at] for at in order]


def test_of_what_is_called_worse_where_nothing_is_a_tenth_at_most_is_an_error():
    generator = np.random.default_rng(3)
    found = [min(benjamini_hochberg(generator.random(8).tolist())) <= 0.10 for _ in range(2_000)]
    assert np.mean(found) <= 0.10 + 2 * np.sqrt(0.09 / 2_000)
