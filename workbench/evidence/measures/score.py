"""The score: the deciding metric, as it was logged and as it is computed here."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.models.predictions import Predictions
from workbench.policies.policy import MetricRule
from workbench.runs.run import Run


@dataclass(frozen=True)
class ScoreFact:
    """The deciding metric, as the notebook logged it and as recomputed here from the stored predictions.

    `code` is the sha256 of the file of a metric of the project's own, None of a built-in one.
    """

    task: str
    metric: str
    direction: str
    value: float
    logged: float | None
    code: str | None = None


def measure_score(run: Run, predictions: Predictions, rule: MetricRule) -> ScoreFact | None:
    """Return the score by the policy's metric; None where that is not defined."""
    metric = rule.metric
    value = predictions.measure(metric)
    if value is None:
        return None
    return ScoreFact(predictions.task, rule.name, metric.direction, value, run.metrics.get(rule.name), metric.code)
