"""The strength of one feature: how well it tells the truth by itself. What is too strong was not known beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.stats.metrics import Floats, roc_auc
from workbench.stats.task import Task, has_classes

FEWEST_OF_A_CLASS = 10
FEWEST_ROWS = 20
_FEWEST_ROWS_A_VALUE = 5


def feature_strength(values: Floats, truth: Floats, task: Task) -> float | None:
    """Return the AUC of a column of numbers alone (0.5 to 1), or in regression its absolute rank correlation (0 to 1).

    Of several classes it is that of the class it tells best from the rest. A missing value (NaN) is tried as the lowest and as
    the highest, for that it is missing may be what tells. None: too few rows to tell it from chance, or a truth that does not
    vary.
    """
    missing = np.isnan(values)
    ends = (-np.inf, np.inf) if missing.any() else (0.0,)
    columns = [np.where(missing, end, values) for end in ends]
    return max((_strength(each, one, task) for one in _outcomes(truth, task) for each in columns), default=None)


def category_strength(values: Sequence[Any], truth: Floats, task: Task) -> float | None:
    """Return the strength of a column of text, each value read as the mean truth of its rows.

    None also where a value has fewer than five rows on average: then the mean repeats the truth of single rows.
    """
    counts = Counter(values)
    if len(values) < _FEWEST_ROWS_A_VALUE * len(counts):
        return None
    found = (_strength(_mean_outcomes(values, counts, one), one, task) for one in _outcomes(truth, task))
    return max(found, default=None)


def _mean_outcomes(values: Sequence[Any], counts: Counter[Any], truth: Floats) -> Floats:
    total = dict.fromkeys(counts, 0.0)
    for value, outcome in zip(values, truth.tolist(), strict=True):
        total[value] += outcome
    return np.array([total[value] / counts[value] for value in values])


def _outcomes(truth: Floats, task: Task) -> list[Floats]:
    """Return what a column may tell: the truth, or of several classes each against the rest; only what there are enough rows of."""
    each = [(truth == place).astype(np.float64) for place in np.unique(truth)] if task == "multiclass" else [truth]
    return [one for one in each if _can_tell(one, task)]


def _can_tell(truth: Floats, task: Task) -> bool:
    if has_classes(task):
        return min(int((truth == 1).sum()), int((truth == 0).sum())) >= FEWEST_OF_A_CLASS
    return len(truth) >= FEWEST_ROWS and float(truth.max()) > float(truth.min())


def _strength(values: Floats, truth: Floats, task: Task) -> float:
    if has_classes(task):
        area = float(roc_auc(truth, values, np.ones(len(truth))))
        return max(area, 1 - area)
    return _rank_correlation(values, truth)


def _rank_correlation(one: Floats, other: Floats) -> float:
    """Return the absolute rank correlation (Spearman 1904), ties at their middle rank; 0 for what does not vary."""
    ranks = [_middle_ranks(column) for column in (one, other)]
    centred = [each - each.mean() for each in ranks]
    size = float(np.sqrt((centred[0] @ centred[0]) * (centred[1] @ centred[1])))
    return min(1.0, abs(float(centred[0] @ centred[1])) / size) if size > 0 else 0.0


def _middle_ranks(values: Floats) -> Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]
