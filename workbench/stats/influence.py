"""The influence of each row on a metric: by how much its value changes, times n, when the row is weighted a little more.

Each function takes truth (n,) and score and returns (n,) numbers whose mean is zero (Hampel 1974, "The influence curve and its role
in robust estimation", JASA 69:383-393): of a mean what a row adds to it, of a ratio or a root by the delta method, of an area under
the ROC curve the placements of DeLong 1988. NaN where the metric is not defined.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workbench.stats.delong import find_placements

Floats = NDArray[np.float64]
Influence = Callable[[Floats, Floats], Floats]

_THRESHOLD = 0.5


def of_mean(find_losses: Callable[[Floats, Floats], Floats]) -> Influence:
    """Return the influence on the mean of what is told of each row."""

    def influence(truth: Floats, score: Floats) -> Floats:
        losses = find_losses(truth, score)
        return losses - losses.mean()

    return influence


def of_root_mean_square(truth: Floats, score: Floats) -> Floats:
    """Return the influence on the root of the mean squared error."""
    squares = (score - truth) ** 2
    return (squares - squares.mean()) / (2 * np.sqrt(squares.mean()))


def of_r2(truth: Floats, score: Floats) -> Floats:
    """Return the influence on the share of the variance that is explained."""
    squares, around = (score - truth) ** 2, (truth - truth.mean()) ** 2
    return -(squares - around * squares.mean() / around.mean()) / around.mean()


def of_area(truth: Floats, score: Floats) -> Floats:
    """Return the influence on the area under the ROC curve; of several classes on its mean over each against the rest."""
    if score.ndim == 1:
        return _of_area(truth == 1, score)[1]
    return np.mean([_of_area(truth == place, score[:, place])[1] for place in range(score.shape[1])], axis=0)


def of_weighted_area(truth: Floats, score: Floats) -> Floats:
    """Return the influence on the mean of the areas, weighted by how frequent each class is."""
    classes = [truth == place for place in range(score.shape[1])]
    return _of_weighted_mean(classes, [_of_area(each, score[:, place]) for place, each in enumerate(classes)])


def of_f1(truth: Floats, score: Floats) -> Floats:
    """Return the influence on F1 of class 1."""
    return _of_f1(score >= _THRESHOLD, truth == 1)[1]


def of_f1_macro(truth: Floats, score: Floats) -> Floats:
    """Return the influence on the mean F1 of the classes that are true or called somewhere."""
    return np.mean([_of_f1(*each)[1] for each in _find_classes(truth, score)], axis=0)


def of_f1_weighted(truth: Floats, score: Floats) -> Floats:
    """Return the influence on the mean F1, weighted by how frequent each class is."""
    classes = _find_classes(truth, score)
    return _of_weighted_mean([is_class for _, is_class in classes], [_of_f1(*each) for each in classes])


def _of_weighted_mean(classes: list[NDArray[np.bool_]], parts: list[tuple[float, Floats]]) -> Floats:
    shares = [each.mean() for each in classes]
    pairs = zip(classes, shares, parts, strict=True)
    return np.sum([share * own + value * (each - share) for each, share, (value, own) in pairs], axis=0)


def _of_area(is_positive: NDArray[np.bool_], score: Floats) -> tuple[float, Floats]:
    """Return the area, and the influence of each row on it."""
    influence = np.full(len(score), np.nan)
    positives = int(is_positive.sum())
    if not 0 < positives < len(score):
        return np.nan, influence
    of_positives, of_negatives = find_placements(is_positive, score)
    area = float(of_positives.mean())
    influence[is_positive] = (of_positives - area) * len(score) / positives
    influence[~is_positive] = (of_negatives - area) * len(score) / (len(score) - positives)
    return area, influence


def _find_classes(truth: Floats, score: Floats) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return for each class that is true or called somewhere where it is called, and where it is true."""
    calls = score.argmax(axis=1)
    pairs = [(calls == place, truth == place) for place in range(score.shape[1])]
    return [each for each in pairs if each[0].any() or each[1].any()]


def _of_f1(is_called: NDArray[np.bool_], is_class: NDArray[np.bool_]) -> tuple[float, Floats]:
    """Return F1, and the influence of each row on it."""
    either = is_called.astype(np.float64) + is_class
    both = 2.0 * (is_called & is_class)
    if not either.any():
        return np.nan, np.full(len(either), np.nan)
    value = float(both.mean() / either.mean())
    return value, (both - value * either) / float(either.mean())
