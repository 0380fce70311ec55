"""Residuals: how far predictions are off, along the predictions and in all (Cox and Snell 1968)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.stats.metrics import Floats

MOST_BANDS, _FEWEST_ROWS_A_BAND = 12, 15
MOST_BARS, _FEWEST_ROWS_A_BAR = 20, 8
_LARGEST = 1e150  # beyond, a sum or a span would overflow
_TAIL = 0.005  # of the rows at each end stand in the outermost bars, however far they are


@dataclass(frozen=True)
class ResidualBand:
    """Rows of like predictions: their mean, and between what eight of ten residuals lie, with the middle one."""

    rows: int
    predicted: float
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Residuals:
    """Truth minus prediction, in the target's unit: half of the rows are within `half_within`, nine in ten within `most_within`.

    `edges` are those of the bars of a histogram, `counts` how many rows each has; what is beyond counts in the outermost.
    """

    rows: int
    half_within: float
    most_within: float
    mean: float
    bands: tuple[ResidualBand, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]


def describe_residuals(truth: Floats, predicted: Floats) -> Residuals | None:
    """Return how far predictions are off, both shape (n,); None where a difference is no finite number, or too large a one."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        residual = truth - predicted
    if not (np.abs(residual) < _LARGEST).all():
        return None
    edges = _choose_edges(residual)
    counts, _ = np.histogram(np.clip(residual, edges[0], edges[-1]), edges)
    half, most = _quantiles(np.abs(residual), (0.5, 0.9))
    return Residuals(
        rows=len(residual),
        half_within=half,
        most_within=most,
        mean=float(residual.mean()),
        bands=_find_bands(predicted, residual),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )


def _choose_edges(residual: Floats) -> Floats:
    import numpy as np

    low, high = _quantiles(residual, (_TAIL, 1 - _TAIL))
    bars = max(1, min(MOST_BARS, len(residual) // _FEWEST_ROWS_A_BAR))
    if high - low <= np.spacing(max(abs(low), abs(high))) * bars:
        spread = abs(low) or 1.0
        return np.array([low - spread, high + spread])
    return np.linspace(low, high, bars + 1)


def _find_bands(predicted: Floats, residual: Floats) -> tuple[ResidualBand, ...]:
    import numpy as np

    order = np.argsort(predicted, kind="stable")
    bands = max(1, min(MOST_BANDS, len(order) // _FEWEST_ROWS_A_BAND))
    return tuple(_describe_band(predicted[rows], residual[rows]) for rows in np.array_split(order, bands))


def _describe_band(predicted: Floats, residual: Floats) -> ResidualBand:
    low, middle, high = _quantiles(residual, (0.1, 0.5, 0.9))
    return ResidualBand(len(residual), float(predicted.mean()), low, middle, high)


def _quantiles(values: Floats, shares: tuple[float, ...]) -> list[float]:
    import numpy as np

    return [float(each) for each in np.quantile(values, shares, method="inverted_cdf")]
