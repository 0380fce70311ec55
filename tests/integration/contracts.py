"""The contract a model gets when it is logged, without a run."""

from __future__ import annotations

from typing import Any

from workbench.models.contract import Contract
from workbench.models.fitted_model import decide_task, describe_contract
from workbench.models.frames import describe_columns


def infer_contract(model: Any, features: Any, training: Any = None) -> Contract:
    """Return what `log_model` writes of a fitted model, the frame of the holdout and that of the training rows."""
    return describe_contract(decide_task(model, features), describe_columns(features, training), None)
