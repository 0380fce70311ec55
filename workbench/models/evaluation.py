"""An evaluation: what one call logs of a fitted model, so that its run can be nominated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.models.predictions import Predictions
    from workbench.stats.metrics import Metric

# The line that a notebook lacks which only autologs.
EVALUATE = "wb.log_evaluation(model, holdout, target='...', training=train)"


def find_features(model: Any, columns: Sequence[Any], target: str) -> list[Any]:
    """Return the columns a model was fitted on, where it does not say all but the target; raises UsageError for missing ones."""
    named = getattr(model, "feature_names_in_", None)
    if named is None:
        return [column for column in columns if column != target]
    if missing := [str(name) for name in named if name not in columns]:
        raise UsageError(
            "The model cannot be asked about these rows.",
            why=f"It was fitted on {', '.join(missing[:10])}, which they do not have.",
            next_step="Give the rows as the model was fitted on them, with the target as one more column: "
            "wb.log_evaluation(model, X_test.assign(y=y_test), target='y').",
        )
    return list(named)


def compute_metrics(predictions: Predictions, own: Iterable[Metric] = ()) -> tuple[dict[str, float], list[UsageError]]:
    """Return every metric of the task that these predictions have, by the names that policies know.

    With the project's `own` come the errors of those that are not defined here.
    """
    from workbench.stats.metrics import METRICS

    values: dict[str, float | None] = {}
    faults: list[UsageError] = []
    for metric in (each for each in (*METRICS.values(), *own) if predictions.task in each.tasks):
        try:
            values[metric.name] = predictions.measure(metric)
        except UsageError as exc:
            faults.append(exc)
    return {name: value for name, value in values.items() if value is not None and math.isfinite(value)}, faults
