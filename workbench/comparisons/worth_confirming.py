"""Worth confirming: which undecided runs a screening finds, whose false discoveries are few in the mean; it is no verdict."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

from workbench.comparisons.comparison import ComparedRun
from workbench.comparisons.verdict import Verdict
from workbench.stats.benjamini_hochberg import benjamini_hochberg
from workbench.stats.interval import Interval

FALSE_DISCOVERY_RATE = 0.10
_NORMAL = NormalDist()


def find_p_value(advantage: Interval) -> float:
    """Return the one-sided p value of an advantage of none, by the normal deviate that half its interval stands for."""
    error = (advantage.high - advantage.low) / 2 / _NORMAL.inv_cdf(advantage.level)
    if not error > 0:
        return 0.0 if advantage.estimate > 0 else 1.0
    return 1 - _NORMAL.cdf(advantage.estimate / error)


def find_worth_confirming(runs: Sequence[ComparedRun], tried: int) -> tuple[str, ...]:
    """Return the runs that are inconclusive, or only not worse, and found better by Benjamini and Hochberg at q = 0.10.

    Tries that nobody measured count as if they showed nothing, so that it finds no more than a screening of all would.
    """
    known = [(run, find_p_value(run.advantage)) for run in runs if run.advantage is not None]
    nothing = [1.0] * max(tried - len(known), 0)
    adjusted = benjamini_hochberg([*(p_value for _, p_value in known), *nothing])
    found = [run for (run, _), each in zip(known, adjusted, strict=False) if each <= FALSE_DISCOVERY_RATE]
    return tuple(run.run_id for run in found if run.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_WORSE))
