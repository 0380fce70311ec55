"""Leakage: features that know too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.evidence.features import FeatureColumn
from workbench.models.predictions import Predictions
from workbench.stats.task import TASKS


@dataclass(frozen=True)
class ColumnStrength:
    """How well one feature alone tells the truth on the holdout: its AUC, or its rank correlation; from 0.5 or 0 to 1."""

    name: str
    strength: float


@dataclass(frozen=True)
class LeakageFact:
    """Features that know too much: the strongest ones first, and those that only number the rows.

    `judged` of `features` columns had a strength; the others are constant, or text with too many values.
    """

    features: int
    judged: int
    measure: str
    strongest: tuple[ColumnStrength, ...]
    id_like: tuple[str, ...]


_STRONGEST = 10
_FEWEST_FOR_IDS = 50


def measure_leakage(features: Sequence[FeatureColumn] | None, predictions: Predictions) -> LeakageFact | None:
    """Return how much single features know; None without feature rows, or when no column can be judged on so few rows."""
    if features is None:
        return None
    found = [(column.name, _strength(column, predictions)) for column in features]
    judged = [ColumnStrength(name, strength) for name, strength in found if strength is not None]
    if not judged:
        return None
    return LeakageFact(
        features=len(features),
        judged=len(judged),
        measure=TASKS[predictions.task].alone,
        strongest=tuple(sorted(judged, key=lambda item: (-item.strength, item.name))[:_STRONGEST]),
        id_like=tuple(sorted(column.name for column in features if _is_id_like(column, predictions.rows))),
    )


def _strength(column: FeatureColumn, predictions: Predictions) -> float | None:
    from workbench.stats.feature_strength import category_strength, feature_strength

    if column.numbers is not None:
        return feature_strength(column.numbers, predictions.truth, predictions.task)
    return category_strength(column.texts or (), predictions.truth, predictions.task)


def _is_id_like(column: FeatureColumn, rows: Sequence[str]) -> bool:
    """True for whole numbers or texts of which every one is another, and for what is the name of its row."""
    values = column.texts if column.numbers is None else column.numbers.tolist()
    if values is None or len(values) < _FEWEST_FOR_IDS or len(set(values)) < len(values):
        return False
    return column.numbers is None or column.is_whole or _names_rows(column.numbers.tolist(), rows)


def _names_rows(values: Sequence[float], rows: Sequence[str]) -> bool:
    try:
        return [float(row) for row in rows] == list(values)
    except ValueError:
        return False
