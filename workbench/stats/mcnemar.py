"""McNemar's test: whether of two models that call the same rows one is right more often than chance makes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError

FEWEST_FOR_CHI_SQUARE = 25


@dataclass(frozen=True)
class McNemar:
    """How many rows only one of the two calls right, and the p value, two-sided, of both being right equally often."""

    only_score: int
    only_reference: int
    p_value: float
    is_exact: bool


def mcnemar(is_right: NDArray[Any], reference_is_right: NDArray[Any]) -> McNemar:
    """Test by the rows, both arrays of truths (n,), whether two models are right equally often; UsageError for other lengths.

    McNemar 1947, Psychometrika 12:153-157. The binomial test of the rows that only one calls right, where there are fewer than
    25; else chi-square with one degree of freedom and the correction of Edwards 1948, Psychometrika 13:185-187. Where no row
    tells the two apart, p is 1.
    """
    ours, theirs = (np.asarray(column, dtype=bool) for column in (is_right, reference_is_right))
    if ours.shape != theirs.shape:
        raise UsageError(
            "The calls are not of the same rows.", why=f"Their shapes are {ours.shape} and {theirs.shape}."
        )
    only_score, only_reference = int(np.sum(ours & ~theirs)), int(np.sum(theirs & ~ours))
    is_exact = only_score + only_reference < FEWEST_FOR_CHI_SQUARE
    test = _test_binomial if is_exact else _test_chi_square
    return McNemar(only_score, only_reference, test(only_score, only_reference), is_exact)


def _test_binomial(one: int, other: int) -> float:
    discordant, fewer = one + other, min(one, other)
    tail = Fraction(sum(math.comb(discordant, count) for count in range(fewer + 1)), 2**discordant)
    return float(min(Fraction(1), 2 * tail))


def _test_chi_square(one: int, other: int) -> float:
    statistic = max(abs(one - other) - 1, 0) ** 2 / (one + other)
    return math.erfc(math.sqrt(statistic / 2))
