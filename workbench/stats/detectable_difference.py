"""The minimum detectable effect (MDE): which difference so many rows can tell, and how many rows tell one that matters.

Sample sizes of a test for non-inferiority in the normal approximation (Chow, Shao and Wang 2008, "Sample Size Calculations in
Clinical Research", ch. 3): a bound at level 1 - alpha clears a value in a share of the draws where the truth is
(z of 1 - alpha plus z of that share) standard errors away from it. Half an interval is z of 1 - alpha standard errors, and shrinks
with the root of the rows. An estimate from these very rows is not planned with: the rows that could not decide tell too little.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from workbench.stats.interval import Interval

POWER = 0.8
_NORMAL = NormalDist()


def detectable_difference(interval: Interval) -> float | None:
    """Return how far the truth must be from a value for a bound of such an interval to clear it in 80 % of draws.

    In the interval's own units. None where the interval has no width that is a number above zero.
    """
    half = (interval.high - interval.low) / 2
    if not (0 < half < math.inf and 0.5 < interval.level < 1):
        return None
    return half * (1 + _NORMAL.inv_cdf(POWER) / _NORMAL.inv_cdf(interval.level))


def rows_to_decide(interval: Interval, rows: int, margin: float) -> int | None:
    """Return how many rows tell, in 80 % of draws, one that is as good as its reference from one that is worse by the margin.

    `interval` is that of `rows` rows drawn alike. Where there are that many already, and did not decide: how many tell one that
    lies halfway between the two from either. None where nothing can be told of it.
    """
    difference = detectable_difference(interval)
    if difference is None or not margin > 0:
        return None
    needed = difference / margin if difference > margin else 2 * difference / margin
    count = rows * needed * needed
    return math.ceil(count) if math.isfinite(count) else None
