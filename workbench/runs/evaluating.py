"""Evaluating: one call logs what a nomination asks of a fitted model, in notebooks that were written without the workbench."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.models.evaluation import compute_metrics, find_features
from workbench.runs import spool
from workbench.runs.folder import HOLDOUT, PREDICTIONS
from workbench.runs.tables import parse_texts

if TYPE_CHECKING:
    import pandas as pd

    from workbench.models.predictions import Predictions
    from workbench.models.servability import LoggedModel, RefusedModel
    from workbench.stats.own_metric import OwnMetric

_LOG = logging.getLogger(__name__)


def evaluate_model(
    model: Any,
    holdout: pd.DataFrame,
    folder: Path,
    *,
    target: str,
    positive: Any = None,
    slices: Mapping[str, Sequence[Any]] | None = None,
) -> LoggedModel | RefusedModel:
    """Log a fitted model with its scores on a holdout that was logged, in the folder of a run, and every metric of its task.

    Those of the project's own are among them. A model that cannot be served is scored all the same, where it is one of a known
    task: its run is compared, and cannot be nominated. Raises UsageError as `wb.log_predictions` does.
    """
    from workbench.models.fitted_model import ask_own_scores, decide_task
    from workbench.models.servability import RefusedModel, require_predict

    features = holdout[find_features(model, list(holdout.columns), target)]
    logged = spool.log_model(model, features)
    try:
        require_predict(model)
        fitted = decide_task(model, features)
    except UsageError:
        if isinstance(logged, RefusedModel):  # this is why, and was said
            return logged
        raise
    score = ask_own_scores(fitted, positive)
    spool.log_predictions(holdout.index, holdout[target], score, positive=positive, slices=slices)
    _log_metrics(_read_predictions(folder))
    return logged


def _log_metrics(predictions: Predictions) -> None:
    """Log the metrics of the task, and the project's own; one of these that fails is told, and the notebook goes on."""
    metrics, faults = compute_metrics(predictions, _list_own_metrics())
    spool.log_metrics(metrics)
    for fault in faults:
        _LOG.warning("%s", fault)


def _list_own_metrics() -> list[OwnMetric]:
    from workbench.policies.registering import list_own_metrics

    try:
        return list(list_own_metrics(spool.read_own_settings().project).values())
    except UsageError as exc:
        _LOG.warning("%s", exc)
        return []


def _read_predictions(folder: Path) -> Predictions:
    """Return what was logged, in the order of the file, which is that of the holdout and its columns."""
    from workbench.models.predictions import parse_outcome
    from workbench.stats.holdout_columns import HoldoutColumns

    def read() -> Mapping[str, Sequence[str]]:
        return parse_texts((folder / HOLDOUT).read_bytes()) or {}

    return replace(
        parse_outcome((folder / PREDICTIONS).read_bytes(), folder.name),
        columns=HoldoutColumns(read),
    )
