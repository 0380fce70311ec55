"""Verdicts: what an interval of paired differences allows us to say, and at which level so many of them hold together."""

from __future__ import annotations

from enum import StrEnum

from workbench.stats.interval import Interval


class Verdict(StrEnum):
    """What an interval of paired differences allows us to say."""

    BETTER = "BETTER"
    NOT_WORSE = "NOT WORSE"
    WORSE = "WORSE"
    INCONCLUSIVE = "INCONCLUSIVE"


def decide_verdict(advantage: Interval | None, margin: float) -> Verdict:
    """Judge an interval of paired differences (positive is good) against a margin of indifference."""
    if advantage is None:
        return Verdict.INCONCLUSIVE
    if advantage.low > 0:
        return Verdict.BETTER
    if advantage.low > -margin:
        return Verdict.NOT_WORSE
    if advantage.high < 0:
        return Verdict.WORSE
    return Verdict.INCONCLUSIVE


def corrected_level(alpha: float, tried: int) -> float:
    """Return the one-sided level at which `tried` bounds hold together with probability 1 - alpha (Bonferroni)."""
    return 1 - alpha / max(tried, 1)
