"""Tabulating: how often each class was called what, and how well each is told from the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.errors import UsageError
from workbench.evidence.evidencing import calibrate_classes
from workbench.evidence.facts import CalibrationFact, ClassesFact, ClassFact, MetricValue, Share
from workbench.models.contract import Threshold, parse_contract
from workbench.models.model_files import CONTRACT_FILE
from workbench.models.predictions import Predictions
from workbench.runs import spool
from workbench.stats.confusion import confusion_matrix
from workbench.stats.metrics import METRICS
from workbench.stats.task import has_classes, spell_class
from workbench.stats.wilson import wilson_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_threshold(files: Mapping[str, bytes]) -> Threshold | None:
    """Return the threshold the contract of a run's model names; None where there is none, or no contract."""
    try:
        return parse_contract(files[f"{spool.MODEL}/{CONTRACT_FILE}"]).threshold
    except (KeyError, UsageError):
        return None


def describe_classes(
    predictions: Predictions, threshold: Threshold | None = None, differing: int | None = None
) -> ClassesFact | None:
    """Return what the model decides for on the holdout, class by class; None where the truth is a number."""
    if not has_classes(predictions.task):
        return None
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
    metric = METRICS[name]
    return MetricValue(name, metric.score(predictions.truth, predictions.read_by(metric)))


def _share(count: int, of: int) -> Share | None:
    interval = wilson_interval(count, of)
    return Share(count / of, *interval) if interval else None


def _describe_class(
    predictions: Predictions, table: NDArray[np.int64], place: int, calibration: CalibrationFact | None
) -> ClassFact:
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
