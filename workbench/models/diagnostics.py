"""Diagnostics: what the predictions on a holdout look like, as the points that a picture of them needs and no row by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.models.contract import Threshold
from workbench.models.predictions import Predictions
from workbench.stats.reliability import ReliabilityBin
from workbench.stats.residuals import Residuals
from workbench.stats.task import spell_class

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.stats.metrics import Floats

MOST_POINTS = 80  # of a curve
MOST_CURVES = 6  # of a picture; of more classes nobody could tell which is which


@dataclass(frozen=True)
class ClassCurve:
    """How the scores of a class tell it from the rest: (false positive rate, true positive rate), and (recall, precision).

    `share` is how many of the rows are of it: the precision of a call at random.
    """

    name: str
    share: float
    roc: tuple[tuple[float, ...], ...]
    precision_recall: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Diagnostics:
    """The curves of the positive class, or of each of up to six; how often probabilities come true; how far numbers are off.

    Of several classes the probability is that of the class that is called. `threshold` is the score from which on the positive of
    two classes was called, as seen on every row. There is nothing where it has no meaning, or nobody can tell.
    """

    curves: tuple[ClassCurve, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    residuals: Residuals | None = None
    threshold: float | None = None


def diagnose(predictions: Predictions, threshold: Threshold | None = None) -> Diagnostics:
    """Return the diagnostics of what was predicted; `threshold` is what the model's contract names."""
    from workbench.stats.residuals import describe_residuals

    if predictions.task == "regression":
        return Diagnostics(residuals=describe_residuals(predictions.truth, predictions.score))
    curves, reliability = tuple(_draw_curves(predictions)), _find_reliability(predictions)
    return Diagnostics(curves, reliability, threshold=_find_threshold(predictions, threshold))


def _find_threshold(predictions: Predictions, named: Threshold | None) -> float | None:
    """Return the threshold that calls every row as it was called: that of the contract, or the one that goes without saying."""
    if predictions.score.ndim > 1:
        return None
    own = [named.at] if named and named.label == predictions.positive_class else []
    usual, called = 0.0 if predictions.response == "decision_function" else 0.5, predictions.places() == 1
    return next((at for at in [*own, usual] if bool(((predictions.score >= at) == called).all())), None)


def _draw_curves(predictions: Predictions) -> list[ClassCurve]:
    scores, names = _scores_by_class(predictions), predictions.named_classes()
    drawn = (_draw_curve(spell_class(names[place]), predictions.truth == place, score) for place, score in scores)
    return [curve for curve in drawn if curve is not None]


def _scores_by_class(predictions: Predictions) -> list[tuple[int, Floats]]:
    """Return the score for each class of which a curve is drawn, by its place."""
    if predictions.score.ndim == 1:
        return [(1, predictions.score)]
    return [(place, predictions.score[:, place]) for place in range(predictions.width)] if _are_few(predictions) else []


def _are_few(predictions: Predictions) -> bool:
    return predictions.width <= MOST_CURVES


def _draw_curve(name: str, is_class: NDArray[np.bool_], score: Floats) -> ClassCurve | None:
    from workbench.stats.ranking_curves import rank

    ranking = rank(is_class, score)
    if ranking is None:
        return None
    roc, recall = ranking.thinned_for_roc(MOST_POINTS).roc, ranking.thinned_for_recall(MOST_POINTS).precision_recall
    return ClassCurve(name, float(is_class.mean()), _points(roc), _points(recall))


def _points(curve: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, curve.tolist()))


def _find_reliability(predictions: Predictions) -> tuple[ReliabilityBin, ...]:
    """Return how often the positive class, or the class with the largest score, is true by its probability; none are none."""
    from workbench.stats.metrics import are_probabilities
    from workbench.stats.reliability import find_reliability

    truth, score = predictions.truth, predictions.score
    if predictions.response not in (None, "predict_proba") or not are_probabilities(score):
        return ()
    if score.ndim == 1:
        return find_reliability(truth, score)
    return find_reliability((score.argmax(axis=1) == truth).astype(float), score.max(axis=1))
