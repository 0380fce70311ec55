"""The tail of the bootstrap: quantiles of so few resamples that none, or only a handful, lie beyond them.

Where resamples are plenty their own quantile is taken. Beyond, the shape is that of the linear part of the statistic, the sum of
what each drawn unit contributes, whose bootstrap distribution is known without a draw: the saddlepoint approximation of Davison
and Hinkley 1988, "Saddlepoint approximations in resampling methods", Biometrika 75:417-431, with the tail of Lugannani and Rice in
the form of Barndorff-Nielsen 1986, "Inference on full or partial parameters", Biometrika 73:307-322. It is moved and stretched so
that it meets the resamples at their median and where the tail begins.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The tail begins beyond so many resamples, or that share of them where they are few.
_IN_TAIL, _SHARE_IN_TAIL = 100, 0.05
# Nearer to the middle the saddlepoint is 0 / 0, and two terms of Cornish and Fisher's are as good.
_MIDDLE = 0.3
_TILTS = np.geomspace(0.1, 100, 96)
# Of many contributions the tilt is nearly the deviate.
_MANY, _NEAR = 2_000, np.geomspace(0.5, 2, 7)
_NORMAL = NormalDist()


def find_acceleration(contributions: Floats) -> float | None:
    """Return a of BCa: a sixth of the skewness of the sum of what the units contribute (n,); None where that is no number."""
    centred = contributions - contributions.mean()
    largest = float(np.abs(centred).max())
    if not math.isfinite(largest):
        return None
    centred = centred / (largest or 1.0)  # the ratio below has no unit; its parts could overflow
    spread = float((centred**2).sum())
    return float((centred**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


def find_quantile(drawn: Floats, z: float, contributions: Floats) -> float:
    """Return the quantile of resamples at a normal deviate; in their tail that of the model which meets them.

    `drawn` (B,) are the resampled values, `contributions` (n,) what each unit adds to the value when it is drawn once more.
    """
    begins = _NORMAL.inv_cdf(min(_IN_TAIL / len(drawn), _SHARE_IN_TAIL))
    if abs(z) <= -begins:
        return float(np.quantile(drawn, _NORMAL.cdf(z)))
    begins = math.copysign(begins, z)
    middle, edge = (float(each) for each in np.quantile(drawn, [0.5, _NORMAL.cdf(begins)]))
    model_middle, model_edge, model = (find_linear_quantile(contributions, at) for at in (0.0, begins, z))
    stretch = (edge - middle) / (model_edge - model_middle) if model_edge != model_middle else 1.0
    return edge + stretch * (model - model_edge)


def find_linear_quantile(contributions: Floats, z: float) -> float:
    """Return the quantile, at a normal deviate, of the sum of n contributions drawn with replacement from these n, centred."""
    if np.ptp(contributions) == 0:
        return 0.0  # the mean of equal numbers may differ from them by rounding
    centred = contributions - contributions.mean()
    if z < 0:
        return -_find_upper_quantile(-centred, -z)
    return _find_upper_quantile(centred, z)


def _find_upper_quantile(centred: Floats, z: float) -> float:
    largest = float(np.abs(centred).max())
    if not 0 < largest < math.inf:
        return math.nan
    centred = centred / largest
    spread = math.sqrt(float((centred**2).sum()))
    if z >= _MIDDLE and len(centred) > _MANY:
        tilts = z * _NEAR / spread
        deviates, _ = _find_saddlepoints(centred, tilts)
        if deviates[0] < z < deviates[-1] and bool(np.all(deviates[1:] > deviates[:-1])):
            return largest * _find_value(centred, float(np.interp(z, deviates, tilts)))
    return largest * _search_upper_quantile(centred, spread, z)


def _search_upper_quantile(centred: Floats, spread: float, z: float) -> float:
    tilts = _TILTS / spread
    deviates, _ = _find_saddlepoints(centred, tilts)
    if z < max(_MIDDLE, deviates[0]):
        skewness = float((centred**3).sum()) / spread**3
        return spread * (z + skewness * (z * z - 1) / 6)
    rises = deviates[1:] > deviates[:-1]
    reached = len(deviates) if rises.all() else int(np.argmin(rises)) + 1
    if z > deviates[reached - 1]:
        # No n draws of these give more than n times the largest of them, and that has a probability of its own.
        return len(centred) * float(centred.max())
    return _find_value(centred, float(np.interp(z, deviates[:reached], tilts[:reached])))


def _find_value(centred: Floats, tilt: float) -> float:
    return float(_find_saddlepoints(centred, np.array([tilt]))[1][0])


def _find_saddlepoints(centred: Floats, tilts: Floats) -> tuple[Floats, Floats]:
    """Return for each exponential tilt the normal deviate of the tail it stands for, and the value of the sum there."""
    exponents = tilts[:, None] * centred
    highest = exponents.max(axis=1)
    weights = np.exp(exponents - highest[:, None])
    total, size = weights.sum(axis=1), len(centred)
    mean = weights @ centred / total
    variance = np.maximum(weights @ centred**2 / total - mean**2, 0)
    cumulant = np.log(total / size) + highest
    root = np.sqrt(np.maximum(2 * size * (tilts * mean - cumulant), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        deviates = root + np.log(tilts * np.sqrt(size * variance) / root) / root
    return deviates, size * mean
