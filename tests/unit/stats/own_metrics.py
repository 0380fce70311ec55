"""The metrics that `templates/metrics` registers, by name, and rows with the columns they read."""

from __future__ import annotations

import json

import numpy as np

from workbench.config import find_template
from workbench.policies.registering import list_own_metrics
from workbench.stats.holdout_columns import HoldoutColumns
from workbench.stats.metrics import Floats

EXAMPLES = list_own_metrics(find_template("metrics", "workbench.toml").parent)


def draw_columns(rows: int, seed: int = 0, of_a_query: int = 10) -> HoldoutColumns:
    """Return the columns `amount` and `query` of so many rows; those of a query stand together."""
    amounts = np.random.default_rng(seed).exponential(100, rows).tolist()
    queries = [f"q{row // of_a_query}" for row in range(rows)]
    return HoldoutColumns(lambda: {"amount": list(map(json.dumps, amounts)), "query": list(map(json.dumps, queries))})


def draw_scores(task: str, rows: int, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return truth and two scores, both as good as each other."""
    drawn = np.random.default_rng(seed)
    if task == "regression":
        truth = drawn.integers(0, 4, rows).astype(float)
        return truth, truth + drawn.normal(size=rows), truth + drawn.normal(size=rows)
    truth = (drawn.random(rows) < 0.3).astype(float)
    return truth, *(1 / (1 + np.exp(-truth - 2 * drawn.normal(size=rows))) for _ in range(2))
