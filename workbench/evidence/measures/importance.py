"""Permutation importance: how much worse the metric becomes when the values of one column are shuffled (Breiman 2001).

It is read from the answers to the rows that the confined process shuffled for robustness, so it costs no further question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.errors import UsageError
from workbench.evidence.measures.robustness import find_chosen
from workbench.models.contract import Contract
from workbench.models.disturbance import PERMUTED, UNDISTURBED, Disturbed
from workbench.models.predictions import Predictions
from workbench.policies.policy import MetricRule
from workbench.runs.kept_run import KeptRun
from workbench.stats.units import draw_by

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.stats.interval import Interval

_LEVEL = 0.975  # of each bound, so that both together hold with 95 %


@dataclass(frozen=True)
class ColumnImportance:
    """How much worse the metric became, in its own unit, when this column was shuffled once; positive is worse.

    Both bounds together hold with 95 %; None where the rows carry none.
    """

    column: str
    loss: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ImportanceFact:
    """The columns that were shuffled, in the order of the contract, on how many rows; `untried` are beyond the first twenty."""

    metric: str
    direction: str
    value: float
    rows: int
    columns: tuple[ColumnImportance, ...]
    untried: int


def measure_importance(
    kept: KeptRun,
    answers: NDArray[np.float64] | None,
    disturbed: Sequence[Disturbed],
    rule: MetricRule,
    contract: Contract | None,
) -> ImportanceFact | None:
    """Return what each column of the contract is worth to the metric; None where none was shuffled, or that is not defined."""
    chosen, metric = find_chosen(kept, answers), rule.metric
    tried = list(zip(disturbed, answers if answers is not None else (), strict=False))
    whole = next((each for way, each in tried if way.name == UNDISTURBED), None)
    if chosen is None or whole is None:
        return None
    shuffled = [(way, each) for way, each in tried if way.name == PERMUTED]
    try:
        value = replace(chosen, score=whole).measure(metric)
        losses = [(way.column or "", _find_loss(chosen, whole, each, rule)) for way, each in shuffled]
    except UsageError:  # a metric of somebody's own that has no answer to these few rows
        return None
    columns = tuple(ColumnImportance(column, *_spell(loss)) for column, loss in losses)
    if value is None or not columns:
        return None
    untried = len(contract.columns) - len(columns) if contract else 0
    return ImportanceFact(rule.name, metric.direction, value, len(chosen.truth), columns, untried)


def _find_loss(
    chosen: Predictions, whole: NDArray[np.float64], shuffled: NDArray[np.float64], rule: MetricRule
) -> Interval | None:
    """Return by how much the answers to the rows as they are beat those to the shuffled ones, where both are numbers."""
    import numpy as np

    from workbench.stats.own_metric import find_groups, gather
    from workbench.stats.paired_jackknife import jackknife_interval

    answered = np.isfinite(whole + shuffled)
    rows = np.flatnonzero(answered if answered.ndim == 1 else answered.all(axis=1))
    asked = [replace(chosen, score=each).take(rows) for each in (whole, shuffled)]
    metric = rule.metric.on(asked[0].columns)
    as_is, instead = (each.read_by(metric) for each in asked)
    units = asked[0].units
    gathered = gather(find_groups(metric, asked[0].columns, units), asked[0].truth, as_is, instead)
    return jackknife_interval(*gathered, metric, level=_LEVEL, **draw_by(units))


def _spell(loss: Interval | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if loss is None else (loss.estimate, loss.low, loss.high)
