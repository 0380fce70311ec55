"""Adjusted p values are those of statsmodels, and never less than Benjamini and Hochberg's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.stats.benjamini_hochberg import benjamini_hochberg
from workbench.stats.holm import holm

_p_values = st.lists(st.floats(0, 1), max_size=12)
# The fifteen p values of Benjamini and Hochberg 1995, section 3, and what statsmodels 0.15's `multipletests(..., "holm")` says.
GIVEN = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459),
    *(0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000),
]
ADJUSTED = [0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213, *[1.0] * 6]


@pytest.mark.parametrize(
    ("given_values", "adjusted"),
    [(GIVEN, ADJUSTED), ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]), ([0.5], [0.5]), ([], [])],
)
def test_values_of_statsmodels(given_values, adjusted):
    assert holm(given_values) == pytest.approx(adjusted, abs=1e-12)


@given(_p_values, st.randoms())
def test_they_follow_their_tests_in_whatever_order_these_come(p_values, random):
    order = list(range(len(p_values)))
    random.shuffle(order)
    adjusted = holm(p_values)
    assert holm([p_values[at] for at in order]) == [adjusted[at] for at in order]


@given(_p_values)
def test_they_lie_between_those_of_benjamini_and_hochberg_and_bonferroni(p_values):
    for found, least, single in zip(holm(p_values), benjamini_hochberg(p_values), p_values, strict=True):
        assert least - 1e-12 <= found <= min(1.0, single * len(p_values)) + 1e-12


def test_where_there_is_no_difference_one_is_found_among_five_in_a_twentieth_at_most():
    generator = np.random.default_rng(3)
    found = [min(holm(generator.random(5).tolist())) <= 0.05 for _ in range(2_000)]
    assert np.mean(found) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 2_000)
