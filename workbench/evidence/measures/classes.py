"""Classes: how often each was called what, and how well it is told from the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.models.contract import Threshold
from workbench.models.predictions import Predictions
from workbench.stats.task import has_classes, spell_class
from workbench.stats.wilson import wilson_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
from workbench.evidence.measures.calibration import CalibrationFact, calibrate_classes


@dataclass(frozen=True)
class Share:
    """A share of rows with its 95 % interval (Wilson 1927)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class MetricValue:
    """A metric over the holdout; None where it is not defined."""

    name: str
    value: float | None


@dataclass(frozen=True)
class ClassFact:
    """One class: `rows` are of it, `called` were called so, `right` are both.

    `recall` is the share of its rows that were called so, `precision` the share of those called so that are of it; None of no
    rows. `roc_auc` and `calibration` are of its score against the rest, `calibration` only where there are several.
    """

    name: str
    rows: int
    called: int
    right: int
    recall: Share | None
    precision: Share | None
    f1: float
    roc_auc: float | None
    calibration: CalibrationFact | None = None


@dataclass(frozen=True)
class ClassesFact:
    """What is decided for: how often each class (a line of `confusion`) was called what (a column), in the order of `classes`.

    `decided_by` says where the decision comes from: the model's own `label`, or the `score` where nobody kept labels.
    `positive_class` and `threshold` are of two classes; `response` is what of the model the scores are. `differing_labels` counts
    the rows on which what will be served decides otherwise; None: no labels were kept, or nothing was asked.
    """

    classes: tuple[ClassFact, ...]
    confusion: tuple[tuple[int, ...], ...]
    accuracy: Share
    metrics: tuple[MetricValue, ...]
    decided_by: str
    positive_class: str | None
    response: str | None
    threshold: float | None
    threshold_class: str | None
    differing_labels: int | None


def measure_classes(
    predictions: Predictions, threshold: Threshold | None = None, differing: int | None = None
) -> ClassesFact | None:
    """Return what the model decides for on the holdout, class by class; None where the truth is a number."""
    if not has_classes(predictions.task):
        return None
    from workbench.stats.confusion import confusion_matrix
    from workbench.stats.metrics import METRICS

    table = confusion_matrix(predictions.truth, predictions.places(), predictions.width)
    right, rows = int(table.diagonal().sum()), int(table.sum())
    return ClassesFact(
        classes=tuple(
            _describe_class(predictions, table, place, fact) for place, fact in enumerate(_calibrate(predictions))
        ),
        confusion=tuple(tuple(line) for line in table.tolist()),
        accuracy=_share(right, rows) or Share(0.0, 0.0, 1.0),
        metrics=tuple(_measure(predictions, name) for name in METRICS if predictions.task in METRICS[name].tasks),
        decided_by="score" if predictions.label is None else "label",
        positive_class=None if predictions.positive_class is None else spell_class(predictions.positive_class),
        response=predictions.response,
        threshold=threshold.at if threshold else None,
        threshold_class=spell_class(threshold.label) if threshold else None,
        differing_labels=differing if predictions.label is not None else None,
    )


def _measure(predictions: Predictions, name: str) -> MetricValue:
    from workbench.stats.metrics import METRICS

    metric = METRICS[name]
    return MetricValue(name, metric.score(predictions.truth, predictions.read_by(metric)))


def _share(count: int, of: int) -> Share | None:
    interval = wilson_interval(count, of)
    return Share(count / of, *interval) if interval else None


def _describe_class(
    predictions: Predictions, table: NDArray[np.int64], place: int, calibration: CalibrationFact | None
) -> ClassFact:
    from workbench.stats.metrics import METRICS

    rows, called, right = int(table[place].sum()), int(table[:, place].sum()), int(table[place, place])
    is_class = (predictions.truth == place).astype(float)
    return ClassFact(
        name=spell_class(predictions.named_classes()[place]),
        rows=rows,
        called=called,
        right=right,
        recall=_share(right, rows),
        precision=_share(right, called),
        f1=2 * right / (rows + called) if rows + called else 0.0,
        roc_auc=METRICS["roc_auc"].score(is_class, _score_for(predictions, place)),
        calibration=calibration,
    )


def _score_for(predictions: Predictions, place: int) -> NDArray[np.float64]:
    if predictions.score.ndim > 1:
        return predictions.score[:, place]
    return predictions.score if place else -predictions.score


def _calibrate(predictions: Predictions) -> list[CalibrationFact | None]:
    return calibrate_classes(predictions) if predictions.task == "multiclass" else [None] * predictions.width
