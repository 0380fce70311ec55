"""Diagnostics: what the predictions look like, as the review and the card draw them."""

from __future__ import annotations

from workbench.models.contract import Threshold
from workbench.models.diagnostics import Diagnostics, diagnose
from workbench.models.predictions import Predictions


def measure_diagnostics(predictions: Predictions, threshold: Threshold | None = None) -> Diagnostics:
    """Return the points of their curves; the report of the run draws the same."""
    return diagnose(predictions, threshold)
