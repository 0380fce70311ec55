"""Outlying values: those so far from the middle of a column that they are worth a look."""

from __future__ import annotations

import numpy as np

from workbench.stats.metrics import Floats

_FENCE = 3.0


def count_outlying(values: Floats) -> int | None:
    """Count numbers beyond three interquartile ranges of the quartiles (Tukey 1977, "Exploratory Data Analysis": far out).

    NaN does not count. None when half of the values are one and the same, or there are fewer than four.
    """
    present = values[~np.isnan(values)]
    if len(present) < 4:
        return None
    low, high = np.quantile(present, [0.25, 0.75])
    spread = _FENCE * (high - low)
    if not spread > 0:
        return None
    return int(((present < low - spread) | (present > high + spread)).sum())
