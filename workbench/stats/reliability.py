"""Reliability: how often what has a probability comes true, over bins of rows (Murphy and Winkler 1977)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.stats.wilson import wilson_interval

if TYPE_CHECKING:
    from workbench.stats.metrics import Floats

MOST_BINS = 10
_FEWEST_ROWS_A_BIN = 15


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows of like probability: the mean of what was said, how often it was true, and the 95 % bounds of that (Wilson 1927)."""

    rows: int
    said: float
    true: float
    low: float
    high: float


def find_reliability(truth: Floats, probability: Floats) -> tuple[ReliabilityBin, ...]:
    """Return up to ten bins of about equal size, by ascending probability; equal probabilities stand in one bin."""
    import numpy as np

    bins = max(1, min(MOST_BINS, len(truth) // _FEWEST_ROWS_A_BIN))
    inner = np.arange(1, bins) / bins
    # Of the values that are there, none between two: every machine finds the same edges.
    edges = np.unique(np.quantile(probability, inner, method="inverted_cdf"))
    member = np.searchsorted(edges, probability, side="left")
    rows, true, said = (np.bincount(member, each, len(edges) + 1) for each in (None, truth, probability))
    filled = np.flatnonzero(rows)
    return tuple(_describe_bin(int(rows[at]), round(float(true[at])), float(said[at])) for at in filled)


def _describe_bin(rows: int, true: int, said: float) -> ReliabilityBin:
    low, high = wilson_interval(true, rows) or (0.0, 1.0)
    return ReliabilityBin(rows, said / rows, true / rows, low, high)
