"""Groups of runs with the same parameters, over every run of a table: what their metrics are like, and how sure that is."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from workbench.runs.finding.outline import MISSING
from workbench.runs.table.run_table import RunTable, order_of

_LARGE = 1e150


@dataclass(frozen=True)
class Summary:
    """A metric over the runs of a group that have it: `se` is the standard error of the mean, `low` and `high` its 95 % interval.

    The interval is Student's: of runs that differ by chance alone, such as by their seed, it says where the mean of very many
    lies. It says nothing of other rows than those they were scored on. One run has none, nor have runs that were scored on several
    `holdouts`: their mean is over different rows. `last` is the newest run's value.
    """

    n: int
    mean: float
    se: float | None
    low: float | None
    high: float | None
    min: float
    max: float
    last: float
    holdouts: int = 0


@dataclass(frozen=True)
class Group:
    """The runs that share some values, by their places in the table, newest first; a metric none of them has is not summarized."""

    values: dict[str, Any]
    places: tuple[int, ...]
    summaries: dict[str, Summary]

    @property
    def runs(self) -> int:
        """How many runs it has."""
        return len(self.places)


def group_rows(table: RunTable, by: Sequence[str], metrics: Sequence[str]) -> list[Group]:
    """Return the groups of rows, which are the newest first, by some columns, with summaries of others; so are the groups."""
    columns = [table.read_column(name) for name in by]
    members: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(zip(*([_hashable(value) for value in column] for column in columns), strict=True)):
        members.setdefault(key, []).append(place)
    if not by:
        members = {(): list(range(len(table)))} if len(table) else {}
    measured, rows = {name: table.read_column(name) for name in metrics}, table.read_column("run.scored_rows")
    return [
        Group(
            {name: column[places[0]] for name, column in zip(by, columns, strict=True)},
            tuple(places),
            {
                name: _summarize_on([values[place] for place in newest_last], [rows[place] for place in newest_last])
                for name, values in measured.items()
                if (newest_last := [place for place in reversed(places) if values[place] is not MISSING])
            },
        )
        for places in members.values()
    ]


def sort_groups(groups: Sequence[Group], column: str, *, descending: bool) -> list[Group]:
    """Return groups in the order of the mean of a metric, or of one of their values; by all their values where none is named.

    Those without a value come last, whichever way.
    """
    in_order = sorted(groups, key=lambda group: [order_of(value) for value in group.values.values()])
    if not column:
        return in_order

    def value_of(group: Group) -> Any:
        if column in group.values:
            return group.values[column]
        return group.summaries[column].mean if column in group.summaries else MISSING

    there = [group for group in in_order if value_of(group) is not MISSING]
    there.sort(key=lambda group: order_of(value_of(group)), reverse=descending)
    return [*there, *(group for group in in_order if value_of(group) is MISSING)]


def _hashable(value: Any) -> Any:
    """Return what tells a value from others: 1 and true are two, 1 and 1.0 are one, as is all that is no number."""
    if isinstance(value, str) or value is MISSING:
        return value
    if isinstance(value, bool | None | datetime):
        return type(value), value
    if isinstance(value, int | float):
        return value if value == value else (float, None)
    return type(value), json.dumps(value, sort_keys=True)


def _summarize_on(values: Sequence[float], rows: Sequence[Any]) -> Summary:
    """Summarize the values of a metric by which rows each was scored on, where that is known."""
    found, holdouts = summarize(values), len({*rows} - {MISSING})
    if holdouts > 1:
        return replace(found, se=None, low=None, high=None, holdouts=holdouts)
    return replace(found, holdouts=holdouts)


def summarize(values: Sequence[float]) -> Summary:
    """Summarize the values of a metric, the newest last; there is at least one. Of infinite ones there is no standard error."""
    n, smallest, largest, last = len(values), min(values), max(values), values[-1]
    if not all(map(math.isfinite, values)):
        return Summary(n, sum(values), None, None, None, smallest, largest, last)
    # The largest doubles have no square, and two of them no sum.
    scale = size if (size := max(-smallest, largest)) > _LARGE else 1.0
    scaled = [value / scale for value in values]
    mean = min(max(math.fsum(scaled) / n, smallest / scale), largest / scale)
    if n == 1:
        return Summary(n, last, None, None, None, last, last, last)
    se = math.sqrt(math.fsum((value - mean) ** 2 for value in scaled) / (n - 1) / n)
    half = _student(n - 1) * se
    return Summary(n, mean * scale, se * scale, (mean - half) * scale, (mean + half) * scale, smallest, largest, last)


def _student(degrees: int) -> float:
    """Return the 97.5 % point of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.975))
