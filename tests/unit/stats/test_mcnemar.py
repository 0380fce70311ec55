"""The p values are those of statsmodels, and a pair of models that no row tells apart is not told apart."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import UsageError
from workbench.stats.mcnemar import FEWEST_FOR_CHI_SQUARE, McNemar, mcnemar

# (rows both call right, only ours, only theirs, neither) and the p value that statsmodels 0.15's
# `mcnemar(table, exact=discordant < 25, correction=True)` prints; the first is the table of Agresti 2002 of two surveys.
REFERENCE = {
    (794, 86, 150, 570): 4.114562281345944e-05,
    (101, 121, 59, 33): 5.450094825427117e-06,
    (9945, 25, 15, 15): 0.15472892348537437,
    (10, 5, 20, 5): 0.005110260660855866,
    (10, 12, 12, 5): 1.0,
    (9959, 11, 1, 29): 0.00634765625,
    (59, 6, 16, 80): 0.052478790283203125,
    (10, 3, 9, 5): 0.14599609375,
}


def rows_of(both, ours, theirs, neither):
    """Return who calls which row right, of so many rows of each kind."""
    is_right = np.repeat([True, True, False, False], (both, ours, theirs, neither))
    return is_right, np.repeat([True, False, True, False], (both, ours, theirs, neither))


@pytest.mark.parametrize("table", REFERENCE)
def test_the_p_value_is_that_of_statsmodels(table):
    found = mcnemar(*rows_of(*table))
    assert found.p_value == pytest.approx(REFERENCE[table], abs=1e-8, rel=1e-8)
    assert (found.only_score, found.only_reference) == table[1:3]
    assert found.is_exact == (sum(table[1:3]) < FEWEST_FOR_CHI_SQUARE)


def test_where_no_row_tells_them_apart_p_is_one_and_not_zero():
    """The chi-square of no discordant row is 0 / 0: libraries divide and print 0."""
    assert mcnemar(*rows_of(10, 0, 0, 5)) == McNemar(0, 0, 1.0, is_exact=True)
    assert mcnemar(np.array([]), np.array([])).p_value == 1.0


def test_naming_the_other_first_and_the_order_of_the_rows_change_nothing():
    ours, theirs = rows_of(40, 9, 21, 30)
    order = np.random.default_rng(0).permutation(len(ours))
    expected = mcnemar(ours, theirs).p_value
    assert mcnemar(theirs, ours).p_value == mcnemar(ours[order], theirs[order]).p_value == expected


def test_of_equally_good_models_one_in_twenty_at_most_is_called_different():
    draws = np.random.default_rng(7).random((1_000, 2, 200)) < 0.8
    assert np.mean([mcnemar(*each).p_value < 0.05 for each in draws]) <= 0.064


def test_calls_of_other_rows_are_refused():
    with pytest.raises(UsageError, match="same rows"):
        mcnemar(np.ones(3), np.ones(4))
