"""Attributing: how much of a metric the parameters of runs tell, and what is lost once one of them is shuffled.

A gradient boosting (Friedman 2001) learns the metric from four fifths of the runs and tells it for the others; the R² that is lost
there when a parameter is shuffled is its permutation importance (Breiman 2001). Five folds give the bounds, with the variance
corrected for that their runs overlap (Nadeau and Bengio 2003).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.stats.metrics import Floats

FEWEST_RUNS = 40
_FOLDS, _MOST_VALUES = 5, 100


@dataclass(frozen=True)
class ParameterWorth:
    """How much of R² is lost when a parameter is shuffled, with 95 % bounds; below zero it only misled."""

    name: str
    loss: float
    low: float
    high: float


@dataclass(frozen=True)
class MetricExplained:
    """How much of a metric's variance the parameters tell (`explained`, R² on runs that were held out), and which of them.

    `left_out` are texts of very many values; a parameter that is the same in all runs tells nothing.
    """

    runs: int
    explained: float
    parameters: tuple[ParameterWorth, ...]
    left_out: tuple[str, ...]


def explain_metric(values: Floats, parameters: Mapping[str, Sequence[Any]]) -> MetricExplained | None:
    """Return what the parameters of runs tell of their metric (n,), None for fewer than 40 runs or a metric that does not vary.

    A parameter's values are numbers, or anything else as categories; None is a missing one. Shuffles and folds are the same each
    time.
    """
    if len(values) < FEWEST_RUNS or not float(np.ptp(values)) > 0:
        return None
    columns = {name: _encode(column) for name, column in parameters.items()}
    known = {name: found for name, found in columns.items() if found is not None and _varies(found[0])}
    left_out = tuple(name for name, found in columns.items() if found is None)
    if not known:
        return MetricExplained(len(values), 0.0, (), left_out)
    table = np.column_stack([column for column, _ in known.values()])
    scores, losses = _cross_validate(table, values, [is_category for _, is_category in known.values()])
    worths = (_judge(name, losses[:, at]) for at, name in enumerate(known))
    return MetricExplained(len(values), float(np.mean(scores)), tuple(sorted(worths, key=_rank)), left_out)


def _varies(column: Floats) -> bool:
    return len(np.unique(column)) > 1


def _rank(worth: ParameterWorth) -> tuple[float, str]:
    return -worth.loss, worth.name


def _encode(column: Sequence[Any]) -> tuple[Floats, bool] | None:
    """Return a column as numbers, and whether they are categories; None of texts of too many values."""
    is_number = all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in column
    )
    if is_number:
        return np.array([math.nan if value is None else float(value) for value in column]), False
    texts = [str(value) for value in column]
    places = {text: place for place, text in enumerate(sorted(set(texts)))}
    return (np.array([float(places[text]) for text in texts]), True) if len(places) <= _MOST_VALUES else None


def _cross_validate(table: Floats, values: Floats, categories: Sequence[bool]) -> tuple[list[float], Floats]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    drawn = np.random.default_rng(0)
    folds: NDArray[np.int64] = drawn.permutation(len(values)) % _FOLDS
    scores, losses = [], []
    for fold in range(_FOLDS):
        held, rest = folds == fold, folds != fold
        leaf = int(np.clip(rest.sum() // 30, 2, 20))
        model = HistGradientBoostingRegressor(
            categorical_features=list(categories), min_samples_leaf=leaf, early_stopping=False, random_state=0
        ).fit(table[rest], values[rest])
        score = _r2(values[held], model.predict(table[held]))
        scores.append(score)
        losses.append(
            [score - _r2(values[held], model.predict(_shuffle(table[held], at, drawn))) for at in range(table.shape[1])]
        )
    return scores, np.array(losses)


def _shuffle(table: Floats, at: int, drawn: np.random.Generator) -> Floats:
    shuffled = table.copy()
    shuffled[:, at] = drawn.permutation(shuffled[:, at])
    return shuffled


def _r2(truth: Floats, told: Floats) -> float:
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1 - float(((truth - told) ** 2).sum()) / spread if spread else 0.0


def _judge(name: str, losses: Floats) -> ParameterWorth:
    from scipy.special import stdtrit

    mean, variance = float(losses.mean()), float(losses.var(ddof=1))
    half = float(stdtrit(_FOLDS - 1, 0.975)) * math.sqrt((1 / _FOLDS + 1 / (_FOLDS - 1)) * variance)
    return ParameterWorth(name, mean, mean - half, mean + half)
