"""What the data held that a model was fitted and judged on, and which values of a request lie outside of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from struct import pack, unpack
from typing import Any

from workbench.models.contract import Column, Contract, read_value

Finder = Callable[[Sequence[Mapping[str, Any]]], list[list[str]]]


def make_unseen_finder(contract: Contract) -> Finder:
    """Return what says of each row, in its order, in which columns it holds what the data did not.

    Outside of the seen range for numbers, dates and durations, none of the seen values for categories and texts that repeat;
    a column of which nothing was recorded, and a missing value, is never one of them.
    """
    judged = [(column.name, judge) for column in contract.columns if (judge := _find_judge(column))]

    def find(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        return [[name for name, is_seen in judged if row[name] is not None and not is_seen(row[name])] for row in rows]

    return find


def _find_judge(column: Column) -> Callable[[Any], bool] | None:
    known = _find_known(column)
    if known is not None:
        return frozenset(known).__contains__
    if column.lowest is None or column.highest is None:
        return None
    low, high = (read_value(column, end) for end in (column.lowest, column.highest))
    if column.dtype.lower() == "float32":
        # The ends are what such a column holds; so is what the model gets of a request.
        return lambda value: bool(low <= _as_single(value) <= high)
    return lambda value: bool(low <= read_value(column, value) <= high)


def _as_single(value: float) -> float:
    rounded: float = unpack("f", pack("f", value))[0]
    return rounded


def describe_seen(column: Column) -> str:
    """Say what was seen of a column, empty where nothing was recorded."""
    known = _find_known(column)
    if known is not None:
        return f"Seen: {', '.join(map(str, known[:_MOST_NAMED]))}{', …' if len(known) > _MOST_NAMED else ''}."
    return "" if column.lowest is None else f"Seen from {column.lowest} to {column.highest}."


def _find_known(column: Column) -> tuple[Any, ...] | None:
    """Return what was seen; of categories all, where nothing else is recorded."""
    return column.categories if column.values is None else column.values


_MOST_NAMED = 20
