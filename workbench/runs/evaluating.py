"""Evaluating: one call logs what a nomination asks of a fitted model, in notebooks that were written without the workbench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.models.evaluation import compute_metrics, find_features
from workbench.runs import spool
from workbench.runs.folder import PREDICTIONS

if TYPE_CHECKING:
    import pandas as pd

    from workbench.models.predictions import Predictions
    from workbench.models.servability import LoggedModel, RefusedModel


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

    A model that cannot be served is scored all the same, where it is one of a known task: its run is compared, and cannot be
    nominated. Raises UsageError as `wb.log_predictions` does.
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
    spool.log_metrics(compute_metrics(_read_predictions(folder)))
    return logged


def _read_predictions(folder: Path) -> Predictions:
    from workbench.models.predictions import parse_outcome

    return parse_outcome((folder / PREDICTIONS).read_bytes(), folder.name)
