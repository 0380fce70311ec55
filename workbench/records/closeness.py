"""Closeness: how far two numbers, or two texts with numbers in them, are from each other."""

from __future__ import annotations

import math
import re

# Only what is written with a point or an exponent was computed; a whole number is a count or a name and must be equal.
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?![\w.])")


def find_difference(then: float, now: float) -> float:
    """Return the difference of two numbers relative to the larger one: 0 when they are equal, infinite when one is no number."""
    if then == now or (math.isnan(then) and math.isnan(now)):
        return 0.0
    if not (math.isfinite(then) and math.isfinite(now)):
        return math.inf
    larger = max(abs(then), abs(now))
    return abs(then / larger - now / larger)


def find_text_difference(then: str, now: str) -> float | None:
    """Return the largest relative difference of the numbers in two texts; None when anything else in them differs."""
    if then == now:
        return 0.0
    if _NUMBER.split(then) != _NUMBER.split(now):
        return None
    pairs = zip(_NUMBER.findall(then), _NUMBER.findall(now), strict=True)
    return max((find_difference(float(one), float(other)) for one, other in pairs), default=0.0)
