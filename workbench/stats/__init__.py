"""Statistics that do not fool anyone: one method per file, and the table of metrics."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.domain.task import Task
from workbench.stats.metrics import (
    Metric,
    accuracy,
    brier_score,
    constant_score,
    f1,
    f1_macro,
    f1_weighted,
    log_loss,
    mean_absolute_error,
    r2,
    roc_auc,
    roc_auc_weighted,
    root_mean_squared_error,
)
from workbench.stats.paired_bootstrap import paired_bootstrap

_TWO: tuple[Task, ...] = ("classification",)
_SEVERAL: tuple[Task, ...] = ("multiclass",)
_CLASSES: tuple[Task, ...] = ("classification", "multiclass")
_NUMBERS: tuple[Task, ...] = ("regression",)

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "higher", _CLASSES, accuracy, "label"),
        Metric("brier_score", "lower", _CLASSES, brier_score),
        Metric("f1", "higher", _TWO, f1, "label"),
        Metric("f1_macro", "higher", _SEVERAL, f1_macro, "label"),
        Metric("f1_weighted", "higher", _SEVERAL, f1_weighted, "label"),
        Metric("log_loss", "lower", _CLASSES, log_loss),
        Metric("mean_absolute_error", "lower", _NUMBERS, mean_absolute_error),
        Metric("r2", "higher", _NUMBERS, r2),
        Metric("roc_auc", "higher", _CLASSES, roc_auc),
        Metric("roc_auc_weighted", "higher", _SEVERAL, roc_auc_weighted),
        Metric("root_mean_squared_error", "lower", _NUMBERS, root_mean_squared_error),
    )
}

__all__ = ["METRICS", "Metric", "constant_score", "paired_bootstrap"]
