"""Concluding: how a run came out on its holdout, read from what it stored, and how its metrics went; a report shows it first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.drawings.of_metrics import draw_courses
from workbench.drawings.of_predictions import draw_counts, draw_diagnostics
from workbench.drawings.picture import Picture
from workbench.drawings.plain_counts import say_off, say_wrong
from workbench.errors import UsageError
from workbench.models.contract import Contract, Threshold, parse_contract
from workbench.models.diagnostics import diagnose
from workbench.models.model_files import CONTRACT_FILE
from workbench.models.predictions import Predictions, parse_outcome, parse_predictions
from workbench.models.scorecard import can_be_measured_at_once, measure_scorecard
from workbench.runs.folder import MODEL, PREDICTIONS
from workbench.runs.points import Point
from workbench.runs.run import Run
from workbench.stats.task import has_classes, spell_class

_ROUNDING = 1e-6  # a logged value that is so close is the one that is computed here
_TRAINING = re.compile(r"(?:^|[^a-z])train(?:ing)?(?:$|[^a-z])", re.IGNORECASE)
_MOST_SCORES = 5_000_000  # of a metric that is computed again, rows times classes: two seconds


@dataclass(frozen=True)
class Results:
    """What a run came to: `says` it in sentences, `recomputed` holds metrics by name as its stored predictions give them.

    `pictures` are of the predictions, `courses` of the metrics that were logged step by step.
    """

    says: tuple[str, ...] = ()
    recomputed: Mapping[str, float] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    courses: tuple[Picture, ...] = ()


NO_RESULTS = Results()


def read_results(
    run: Run, files: Mapping[str, bytes], points: Iterable[Point] = (), target: str | None = None
) -> Results:
    """Return the results of a run from its files; of its metrics those that can be computed from its predictions are."""
    courses = tuple(draw_courses(_order_points(points)))
    if PREDICTIONS not in files:
        return Results(courses=courses)
    try:
        predictions = parse_outcome(files[PREDICTIONS], run.id)
    except UsageError as exc:
        return Results(says=(exc.in_one_line,), courses=courses)
    says, pictures = _describe(predictions, read_threshold(files), target)
    return Results(says, _recompute(predictions, run.metrics), pictures, courses)


def describe_scores(run_id: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what the record of a run is to say of its stored predictions; nothing where there are none that can be scored."""
    if PREDICTIONS not in files:
        return {}
    try:
        predictions = parse_predictions(files[PREDICTIONS], run_id)
        return {"scores": measure_scorecard(predictions).to_json()} if can_be_measured_at_once(predictions) else {}
    except (UsageError, ValueError):
        return {}


def read_contract(files: Mapping[str, bytes]) -> Contract | None:
    """Return the contract of a run's model; None where there is none that can be read."""
    try:
        return parse_contract(files[f"{MODEL}/{CONTRACT_FILE}"])
    except (KeyError, UsageError):
        return None


def read_threshold(files: Mapping[str, bytes]) -> Threshold | None:
    """Return the threshold the contract of a run's model names; None where there is none, or no contract."""
    contract = read_contract(files)
    return contract.threshold if contract else None


def is_of_training(metric: str) -> bool:
    """True for a metric whose name says that it is one of the training rows."""
    return _TRAINING.search(metric) is not None


def _order_points(points: Iterable[Point]) -> dict[str, list[tuple[float, float]]]:
    courses: dict[str, list[Point]] = {}
    for point in points:
        courses.setdefault(point.name, []).append(point)
    return {
        name: [(float(point.step), point.value) for point in sorted(course, key=lambda each: each.rank)]
        for name, course in courses.items()
    }


def _describe(
    predictions: Predictions, threshold: Threshold | None, target: str | None
) -> tuple[tuple[str, ...], tuple[Picture, ...]]:
    found = diagnose(predictions, threshold)
    if not has_classes(predictions.task):
        says = (say_off(found.residuals, target),) if found.residuals else ()
        return says, tuple(draw_diagnostics(found))
    from workbench.stats.confusion import confusion_matrix

    names = [spell_class(each) for each in predictions.named_classes()]
    confusion = confusion_matrix(predictions.truth, predictions.places(), predictions.width).tolist()
    pictures = (draw_counts(names, confusion), *draw_diagnostics(found, confusion))
    return (say_wrong(names, confusion, found.threshold),), pictures


def _recompute(predictions: Predictions, metrics: Iterable[str]) -> dict[str, float]:
    from workbench.stats.metrics import METRICS

    if predictions.score.size > _MOST_SCORES:
        return {}
    known = [METRICS[name] for name in metrics if name in METRICS and predictions.task in METRICS[name].tasks]
    values = {metric.name: metric.score(predictions.truth, predictions.read_by(metric)) for metric in known}
    return {name: value for name, value in values.items() if value is not None}


def is_confirmed(logged: float, recomputed: float) -> bool:
    """True when what was logged is what the stored predictions give."""
    return math.isclose(logged, recomputed, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
