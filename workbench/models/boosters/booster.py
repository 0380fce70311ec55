"""A booster as its text says it: a forest, what is done to rows before, and what is made of the sums after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.models.boosters.forest import Forest, Real, add_up, add_up_sizes

Link = Literal["identity", "exp", "sigmoid", "softmax", "sigmoids", "signed square", "softplus"]
CLASSIFYING: tuple[Link, ...] = ("sigmoid", "softmax", "sigmoids")
NEARLY_ZERO = float(np.float32(1e-35))  # what LightGBM takes for zero
UNIT = 2.0**-24  # the largest relative error of rounding to single precision


@dataclass(frozen=True)
class Booster:
    """What answers: `forest` on prepared rows, `base` added to each sum, divided by `divisor`, times `slope`, through `link`.

    `single`: rows are rounded to single precision before they are compared; `sums_single`: the library adds up in it. `finite`: a
    row with an infinite value is refused. `flushes`: what is nearly zero is zero before anything is asked. `missing` is missing as
    NaN is. `zero_missing` and `whole` say of each feature whether zero is missing too, and whether its values are categories, cut
    to whole numbers (downward, or `toward_zero` as C does).
    """

    forest: Forest
    features: int
    base: tuple[float, ...]
    link: Link
    single: bool = False
    sums_single: bool = False
    finite: bool = False
    divisor: float = 1.0
    slope: float = 1.0
    flushes: bool = False
    missing: float = float("nan")
    zero_missing: NDArray[np.bool_] | None = None
    whole: NDArray[np.bool_] | None = None
    toward_zero: bool = False

    @property
    def targets(self) -> int:
        """How many sums there are."""
        return len(self.base)

    @property
    def classes(self) -> int:
        """How many classes it tells apart; 0 where it gives numbers."""
        if self.link not in CLASSIFYING:
            return 0
        return 2 if self.link == "sigmoid" else self.targets


def prepare_rows(booster: Booster, rows: Real) -> Real:
    """Return rows as the trees see them; raises ValueError where the library refuses a row."""
    seen = np.array(rows, dtype=np.float64)
    if booster.single:
        with np.errstate(over="ignore"):
            seen = seen.astype(np.float32).astype(np.float64)
    if booster.finite and np.isinf(seen).any():
        raise ValueError("A row holds an infinite number, or one too large for single precision.")
    if booster.flushes:
        seen[np.abs(seen) <= NEARLY_ZERO] = 0.0
    if booster.missing == booster.missing:  # not NaN, which is missing anyway
        seen[seen == booster.missing] = np.nan
    if booster.zero_missing is not None:
        seen[(seen == 0.0) & booster.zero_missing] = np.nan
    if booster.whole is not None:
        cut = np.trunc(seen) if booster.toward_zero else np.floor(seen)
        seen = np.where(booster.whole, cut, seen)
    return seen


def answer(booster: Booster, rows: Real) -> Real:
    """Return what the booster answers to rows, shape (rows, sums): for classes their probabilities, of two that of the second."""
    return apply_link(booster, add_margins(booster, prepare_rows(booster, rows)))


def add_margins(booster: Booster, seen: Real) -> Real:
    """Return the sums over all trees of rows that are prepared, before the link."""
    sums = add_up(booster.forest, seen, booster.targets) + np.array(booster.base)
    return sums / booster.divisor


def apply_link(booster: Booster, margins: Real) -> Real:
    """Return what the sums mean."""
    with np.errstate(over="ignore", under="ignore"):
        return _LINKS[booster.link](margins * booster.slope)


def _sigmoid(margins: Real) -> Real:
    return 1 / (1 + np.exp(-margins))


def _softmax(margins: Real) -> Real:
    grown = np.exp(margins - margins.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


_LINKS: Mapping[Link, Callable[[Real], Real]] = {
    "identity": lambda margins: margins,
    "exp": np.exp,
    "sigmoid": _sigmoid,
    "sigmoids": _sigmoid,
    "softmax": _softmax,
    "signed square": lambda margins: np.sign(margins) * margins**2,
    "softplus": lambda margins: np.log1p(np.exp(margins)),
}


def allow_rounding(booster: Booster, rows: Real) -> Real:
    """Return how far the library's own answers, added up in single precision, may be from these; shape (rows, sums).

    A sum of n numbers is off by at most n units of rounding (2^-24) of the sum of their sizes; here n is the trees and four more,
    for the start and the weights. The link turns that into answers, which are off by eight units more.
    """
    seen = prepare_rows(booster, rows)
    margins = add_margins(booster, seen)
    sizes = add_up_sizes(booster.forest, seen, booster.targets) + np.abs(booster.base)
    off = (len(booster.forest.roots) / booster.targets + 4) * UNIT * sizes
    if booster.link == "softmax":
        return off.max(axis=1, keepdims=True) + 8 * booster.targets * UNIT
    middle, low, high = (apply_link(booster, margins + by) for by in (0.0, -off, off))
    return np.asarray(
        np.maximum(np.abs(high - middle), np.abs(low - middle)) + 8 * UNIT * np.maximum(np.abs(middle), 1e-30)
    )
