"""The interval of a share: what a count out of so many rows says about the share behind it."""

from __future__ import annotations

import math
from statistics import NormalDist

_LEVEL = 0.95


def wilson_interval(count: int, of: int) -> tuple[float, float] | None:
    """Return the two-sided 95 % score interval of a share (Wilson 1927, JASA 22:209-212); None of no rows.

    It stays within 0 and 1 and keeps its level on few rows and on shares near the ends, where the usual one does not.
    """
    if of < 1:
        return None
    z = NormalDist().inv_cdf((1 + _LEVEL) / 2)
    share, spread = count / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)
