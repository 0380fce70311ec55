"""Statistics that do not fool anyone: one method per file, and the table of metrics."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.stats.metrics import (
    Metric,
    accuracy,
    brier_score,
    constant_score,
    log_loss,
    mean_absolute_error,
    r2,
    roc_auc,
    root_mean_squared_error,
)
from workbench.stats.paired_bootstrap import paired_bootstrap

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "higher", "classification", accuracy),
        Metric("brier_score", "lower", "classification", brier_score),
        Metric("log_loss", "lower", "classification", log_loss),
        Metric("mean_absolute_error", "lower", "regression", mean_absolute_error),
        Metric("r2", "higher", "regression", r2),
        Metric("roc_auc", "higher", "classification", roc_auc),
        Metric("root_mean_squared_error", "lower", "regression", root_mean_squared_error),
    )
}

__all__ = ["METRICS", "Metric", "constant_score", "paired_bootstrap"]
