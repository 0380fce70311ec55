"""The population stability index: how far the values of a column are distributed otherwise in one table than in another."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS, _MOST_CATEGORIES = 10, 20
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Stability:
    """An index, and how large it is by chance: two draws of one population stay below `by_chance` with the level asked for."""

    index: float
    by_chance: float
    bins: int


def measure_stability(ours: Sequence[Any], theirs: Sequence[Any], *, level: float) -> Stability | None:
    """Return the index of two columns, shapes (n,) and (m,): numbers, or texts where a value is none; None is missing.

    It is the sum of (q - p) ln(q / p) over bins (Jeffreys' divergence): tenths of both tables together for numbers, the twenty
    commonest for texts and one for all others, and one for what is missing. Half a row is added to each bin, so that an empty one
    has a logarithm. Of two draws it is about (1/n + 1/m) times chi-squared with as many degrees as bins less one (Yurdakul 2018).
    None for a column without values on a side.
    """
    if not len(ours) or not len(theirs):
        return None
    counts = _count_bins(ours, theirs)
    sizes = [count + 0.5 for count in counts]
    p, q = (size / size.sum() for size in sizes)
    bins = len(p)
    chance = (1 / len(ours) + 1 / len(theirs)) * _chi_squared(level, bins - 1) if bins > 1 else 0.0
    return Stability(float(np.sum((q - p) * np.log(q / p))), chance, bins)


def _count_bins(ours: Sequence[Any], theirs: Sequence[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    together = [*ours, *theirs]
    is_number = all(value is None or isinstance(value, int | float) for value in together)
    labels = _bin_numbers(together) if is_number else _bin_texts(together)
    width = int(labels.max()) + 1
    counted = [np.bincount(part, minlength=width).astype(float) for part in (labels[: len(ours)], labels[len(ours) :])]
    used = (counted[0] + counted[1]) > 0
    return counted[0][used], counted[1][used]


def _bin_numbers(values: Sequence[float | None]) -> NDArray[np.int64]:
    """Return the bin of each number, 0 for none; values that many share have a bin of their own where they fill a tenth."""
    numbers = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return np.zeros(len(numbers), dtype=np.int64)
    edges = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS, method="lower"))
    bins = 1 + 2 * np.searchsorted(edges, numbers, side="left") + _is_heavy(known, numbers)
    return np.where(np.isnan(numbers), 0, bins).astype(np.int64)


def _is_heavy(known: NDArray[np.float64], numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell the numbers that are a value which fills a tenth by itself."""
    values, counts = np.unique(known, return_counts=True)
    heavy = values[counts >= len(known) / _BINS]
    return np.isin(numbers, heavy)


def _bin_texts(values: Sequence[Any]) -> NDArray[np.int64]:
    texts = [None if value is None else str(value) for value in values]
    commonest = [text for text, _ in Counter(text for text in texts if text is not None).most_common(_MOST_CATEGORIES)]
    places: dict[str | None, int] = {None: 0, **{text: place for place, text in enumerate(commonest, 1)}}
    return np.array([places.get(text, len(commonest) + 1) for text in texts], dtype=np.int64)


def _chi_squared(level: float, degrees: int) -> float:
    """Return a quantile of chi-squared (Wilson and Hilferty 1931), to a few per cent from three degrees on."""
    shrunk = 2 / (9 * degrees)
    return degrees * (1 - shrunk + _NORMAL.inv_cdf(level) * math.sqrt(shrunk)) ** 3
