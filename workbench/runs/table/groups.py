"""Groups of runs with the same parameters, over every run of a table: what their metrics are like, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.runs.finding.outline import MISSING
from workbench.runs.table.run_table import RunTable, order_of, spell


@dataclass(frozen=True)
class Summary:
    """A metric over the runs of a group that have it: `se` is the standard error of the mean, `low` and `high` its 95 % interval.

    The interval is Student's: of runs that differ by chance alone, such as by their seed, it says where the mean of very many
    lies. It says nothing of other rows than those they were scored on. One run has none; `last` is the newest run's value.
    """

    n: int
    mean: float
    se: float | None
    low: float | None
    high: float | None
    min: float
    max: float
    last: float


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
    """Return the groups of a table's rows by some columns, with summaries of others; the newest group comes first."""
    columns = [table.read_column(name) for name in by]
    members: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(zip(*([_hashable(value) for value in column] for column in columns), strict=True)):
        members.setdefault(key, []).append(place)
    if not by:
        members = {(): list(range(len(table)))} if len(table) else {}
    measured = {name: table.read_column(name) for name in metrics}
    created = table.read_column("run.created")
    return [
        Group(
            {name: column[places[0]] for name, column in zip(by, columns, strict=True)},
            tuple(places),
            {
                name: summarize([values[place] for place in newest_last])
                for name, values in measured.items()
                if (newest_last := [p for p in sorted(places, key=lambda p: created[p]) if values[p] is not MISSING])
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
    """Return what tells a value from others: 1 and true are two, 1 and 1.0 are one."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (True, float(value)) if is_number and abs(value) < 2**53 else (type(value).__name__, spell(value))


def summarize(values: Sequence[float]) -> Summary:
    """Summarize the values of a metric, the newest last; there is at least one."""
    n, mean = len(values), _mean(values)
    if n == 1 or not math.isfinite(mean):
        return Summary(n, mean, None, None, None, min(values), max(values), values[-1])
    se = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)
    half = _student(n - 1) * se
    return Summary(n, mean, se, mean - half, mean + half, min(values), max(values), values[-1])


def _mean(values: Sequence[float]) -> float:
    """Return the mean; of values that are infinite both ways there is none."""
    try:
        return math.fsum(values) / len(values)
    except (OverflowError, ValueError):
        return (
            math.nan
            if math.isinf(max(values)) and math.isinf(min(values))
            else math.fsum(v / len(values) for v in values)
        )


def _student(degrees: int) -> float:
    """Return the 97.5 % point of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.975))
