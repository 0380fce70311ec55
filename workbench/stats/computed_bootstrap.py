"""The bootstrap of many rows, computed and not drawn: what ten thousand resamples are drawn to approximate.

Of many rows the advantage is nearly the sum of what each drawn row contributes, its influence. The bootstrap distribution of that
sum is known by its saddlepoint (`bootstrap_tail`), and what is not linear by two numbers, the bias and the curvature of ABC
(DiCiccio and Efron 1992, "More accurate confidence intervals in exponential families", Biometrika 79:231-245).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.stats.bootstrap_tail import find_acceleration, find_linear_quantile
from workbench.stats.resamples import CELLS_AT_ONCE

Floats = NDArray[np.float64]

# Of fewer rows that differ the values lie on few steps, which no smooth distribution has.
FEWEST_EFFECTIVE = 300
# Clusters of many rows add up to values of all sizes: from 20 on the bounds differed by no more than those of two seeds.
FEWEST_CLUSTERS = 50
# Such values are drawn, and so few kinds of rows quickly.
MOST_KINDS, _ALIKE = 1_000, 1e-9
_STEP = 0.25
_GROUPS = 50


@dataclass(frozen=True)
class ComputedBootstrap:
    """The distribution of resampled values around `estimate`: `contributions` (n,) of the rows, standard error, and two of ABC."""

    estimate: float
    contributions: Floats
    spread: float
    bias: float = 0.0
    curvature: float = 0.0

    @property
    def acceleration(self) -> float | None:
        """Return a of BCa."""
        return find_acceleration(self.contributions)

    def find_deviate_of_estimate(self, acceleration: float) -> float:
        """Return z0 of BCa: the deviate at which the estimate lies among the resampled values."""
        return acceleration + self.curvature - self.bias / self.spread

    def find_quantile(self, z: float) -> float:
        """Return the quantile of the resampled values at a normal deviate."""
        linear = find_linear_quantile(self.contributions, z)
        bent = self.curvature * (linear**2 / self.spread - self.spread)
        return self.estimate + linear + bent + self.bias


def compute_bootstrap(
    estimate: float,
    contributions: Floats,
    find_advantage: Callable[[Floats], Floats],
    *,
    is_linear: bool,
    fewest: int = FEWEST_EFFECTIVE,
) -> ComputedBootstrap | None:
    """Return the distribution by what rows contribute; None where too few of them carry the difference, or one is no number.

    `find_advantage` takes weights (B, n). Of a value that is linear in the weights there is no bias and no curvature.
    """
    squares = contributions**2
    total, fourth = float(squares.sum()), float((squares**2).sum())
    if not (fourth > 0 and math.isfinite(fourth) and total**2 / fourth >= fewest):
        return None
    spread = math.sqrt(total)
    if is_linear:
        return ComputedBootstrap(estimate, contributions, spread)
    bias = _find_bias(estimate, find_advantage, len(contributions))
    curvature = _find_curvature(estimate, contributions / spread, find_advantage) / spread
    found = ComputedBootstrap(estimate, contributions, spread, bias, curvature)
    return found if math.isfinite(bias) and math.isfinite(curvature) else None


def _find_bias(estimate: float, find_advantage: Callable[[Floats], Floats], rows: int) -> float:
    """Return by how much resampled values are larger on average (the jackknife of Quenouille, over groups of rows)."""
    # Every fiftieth of the sorted rows: a group of neighbours would not stand for the whole.
    group, at_once = np.arange(rows) % _GROUPS, max(1, CELLS_AT_ONCE // rows)
    parts = np.array_split(np.arange(_GROUPS), math.ceil(_GROUPS / at_once))
    without = np.concatenate([find_advantage((group != part[:, None]).astype(np.float64)) for part in parts])
    return (_GROUPS - 1) * (float(without.mean()) - estimate)


def _find_curvature(estimate: float, direction: Floats, find_advantage: Callable[[Floats], Floats]) -> float:
    """Return how far the value is off the line, one standard error along the least favourable direction, on either side."""
    up, down = (float(find_advantage(1 + side * _STEP * direction)) for side in (1, -1))
    return (up + down - 2 * estimate) / (2 * _STEP**2)


def draw_sums(contributions: Floats, resamples: int, seed: int) -> Floats | None:
    """Return by how much each resample is off the estimate, where rows of few different contributions are drawn; else None.

    Rows that contribute alike are counted together, so that a resample costs their kinds and not the rows.
    """
    largest = float(np.abs(contributions).max())
    if not 0 < largest < math.inf:
        return None
    kinds = np.round(contributions / largest / _ALIKE)
    _, first, counts = np.unique(kinds, return_index=True, return_counts=True)
    if len(first) > MOST_KINDS:
        return None
    generator, rows = np.random.default_rng(seed), len(contributions)
    at_once = max(1, CELLS_AT_ONCE // len(first))
    sizes = [min(at_once, resamples - begun) for begun in range(0, resamples, at_once)]
    drawn = (generator.multinomial(rows, counts / rows, size=size) for size in sizes)
    return np.concatenate([each @ contributions[first] for each in drawn])
