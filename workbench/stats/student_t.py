"""Student's t: its tail exactly for whole degrees of freedom, and its quantiles by the normal ones."""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()
_STEPS = 60


def student_p_value(t: float, degrees: int) -> float:
    """Return how likely Student's t is at least so far from zero, on either side; the degrees of freedom are at least 1.

    The finite sums of Abramowitz and Stegun 1964, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4: one step for two
    degrees of freedom, exact to rounding.
    """
    angle = math.atan2(abs(t), math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = degrees % 2
    term = total = cosine if is_odd else 1.0
    for power in range(2 + is_odd, degrees - 1, 2):
        term *= cosine * cosine * (power - 1) / power
        total += term
    if not is_odd:
        return max(0.0, 1 - sine * total)
    return max(0.0, 1 - 2 / math.pi * (angle + sine * (total if degrees > 1 else 0.0)))


def student_quantile(level: float, degrees: int) -> float:
    """Return the value that Student's t is below with a probability of `level`, from 0.5 to 1, exact as the tail above."""
    high = max(1.0, 2 * as_student(_NORMAL.inv_cdf(level), degrees))
    while student_p_value(high, degrees) > 2 * (1 - level):
        high *= 2
    low = 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if student_p_value(middle, degrees) > 2 * (1 - level) else (low, middle)
    return (low + high) / 2


def as_normal(t: float, degrees: int) -> float:
    """Return the normal deviate with the tail of Student's t (Wallace 1959, Ann. Math. Statist. 30:1124-1130)."""
    size = (8 * degrees + 1) / (8 * degrees + 3) * math.sqrt(degrees * math.log1p(t * t / degrees))
    return math.copysign(size, t)


def as_student(z: float, degrees: int) -> float:
    """Return the value of Student's t with the tail of a normal deviate: the same, the other way round."""
    return math.copysign(math.sqrt(degrees * math.expm1((z * (8 * degrees + 3) / (8 * degrees + 1)) ** 2 / degrees)), z)
