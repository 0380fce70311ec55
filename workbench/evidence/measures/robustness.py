"""Robustness: what the answers to disturbed rows, which the confined process wrote down, mean for the metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from workbench.comparisons.comparison import find_advantage
from workbench.errors import UsageError
from workbench.models.disturbance import UNDISTURBED, Disturbed, choose_rows
from workbench.models.predictions import Predictions
from workbench.policies.policy import MetricRule
from workbench.runs.kept_run import KeptRun

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Scenario:
    """What happened to the answers when the holdout was disturbed in one way; of several columns the worst one is told.

    `drop` is how much worse the metric became, as a share of its value in regression; None where it has none. `refused` rows no
    longer kept the contract, and were not asked; `not_finite` counts answers that are no number, `error` is what the model
    raised.
    """

    name: str
    columns: int
    worst_column: str | None
    refused: int
    not_finite: int
    drop: float | None
    error: str | None


@dataclass(frozen=True)
class RobustnessFact:
    """The scenarios that were tried on `rows` rows of the holdout, with the metric that was watched."""

    metric: str
    rows: int
    scenarios: tuple[Scenario, ...]


def measure_robustness(
    kept: KeptRun, answers: NDArray[np.float64] | None, disturbed: Sequence[Disturbed], rule: MetricRule
) -> RobustnessFact | None:
    """Return how far each disturbance moved the metric and whether every answer was a number; None when nothing was tried.

    `answers` has a line for each of the `disturbed`, with the scores of the rows that were chosen.
    """
    chosen_truth = find_chosen(kept, answers)
    if answers is None or chosen_truth is None:
        return None
    values = [_value(chosen_truth, each, rule) for each in answers]
    tried = list(zip(disturbed, values, strict=True))
    undisturbed = next((value for way, value in tried if way.name == UNDISTURBED), None)
    drops = [(way, _drop(value, undisturbed, rule)) for way, value in tried if way.name != UNDISTURBED]
    named = groupby(sorted(drops, key=lambda each: each[0].name), key=lambda each: each[0].name)
    return RobustnessFact(
        rule.name, len(chosen_truth.truth), tuple(_summarize(name, list(ways)) for name, ways in named)
    )


def find_chosen(kept: KeptRun, answers: NDArray[np.float64] | None) -> Predictions | None:
    """Return what was predicted, with the truth of the rows that were disturbed as they were asked; None where none were."""
    import numpy as np

    if answers is None:
        return None
    places = np.empty(len(kept.order), dtype=np.int64)
    # The rows were asked in the order of the file, and are known here in that of their names.
    places[kept.order] = np.arange(len(places))
    chosen = choose_rows(len(places))
    return replace(kept.predictions, label=None).take(places[chosen]) if answers.shape[1] == len(chosen) else None


def _value(predictions: Predictions, answers: NDArray[np.float64], rule: MetricRule) -> float | None:
    """Return the metric where there is an answer; what is decided for is read from the scores, of two classes from one half on."""
    import numpy as np

    finite = np.isfinite(answers)
    answered = finite if finite.ndim == 1 else finite.all(axis=1)
    kept = replace(predictions, score=answers).take(np.flatnonzero(answered))
    with suppress(UsageError):  # a metric of somebody's own that has no answer to these few rows
        return kept.measure(rule.metric) if answered.any() else None
    return None


def _drop(value: float | None, undisturbed: float | None, rule: MetricRule) -> float | None:
    if value is None or undisturbed is None:
        return None
    return -find_advantage(value, undisturbed, rule.metric)


def _summarize(name: str, ways: Sequence[tuple[Disturbed, float | None]]) -> Scenario:
    """Return one scenario; draws on all columns are averaged, of single columns the worst one is told."""
    columns = [way.column for way, _ in ways if way.column is not None]
    drops = [drop for _, drop in ways if drop is not None]
    mean = sum(drops) / len(drops) if drops and len(drops) == len(ways) else None
    worst, _ = max(ways, key=lambda each: (each[0].error is not None, each[0].not_finite, each[1] or -math.inf))
    return Scenario(
        name=name,
        columns=len(columns),
        worst_column=worst.column,
        refused=max(way.refused for way, _ in ways),
        not_finite=max(way.not_finite for way, _ in ways),
        drop=max(drops, default=None) if columns else mean,
        error=next((way.error for way, _ in ways if way.error is not None), None),
    )
