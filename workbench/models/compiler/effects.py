"""What the values of a request do to what a part of a model sees, and which one column drives each that it asks for."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.models.compiler.split_points import Question
from workbench.models.contract import Column, Contract
from workbench.models.frames import Rows, build_frame, build_frame_of_columns

_MOST_KINDS, _MOST_VALUES, _FEW_VALUES, _FEW_KINDS = 1_000, 200, 5, 60
_AT_ONCE, _COLUMNS_AT_ONCE, _BASES = 4_000, 20, 3

Change = tuple[int, str, Any]  # which base row, a column of the request, and its value there


class NoDriverError(Exception):
    """What a part asks for is driven by no one column: by several, mixed, or by none that was found."""


class Seen:
    """What a part sees of rows: the frame they make, after the steps before the part, in the precision it asks in."""

    def __init__(self, question: Question, model: Any, contract: Contract, rows: Rows) -> None:
        self._steps, self._precision = question.steps, np.float32 if question.single else np.float64
        self._names = [str(name) for name in getattr(model, "feature_names_in_", contract.names)]
        self.contract, self.rows = contract, rows
        self.is_plain, self.single = not question.steps, question.single
        complete = [row for row in rows if all(value is not None for value in row.values())] or list(rows)
        self.bases = [dict(complete[at]) for at in sorted({*np.linspace(0, len(complete) - 1, _BASES).astype(int)})]
        self.row = self.bases[0]

    def of_rows(self) -> NDArray[np.float64]:
        """Return what it sees of the rows of the data."""
        return self._of(build_frame(self.rows, self.contract))

    def of_changes(self, changes: Sequence[Change]) -> NDArray[np.float64]:
        """Return what it sees of base rows, each with one change, shape (changes, columns)."""
        pieces = [changes[at : at + _AT_ONCE] for at in range(0, len(changes), _AT_ONCE)]
        return np.concatenate([self._of(self._change(piece)) for piece in pieces])

    def _change(self, changes: Sequence[Change]) -> Any:
        columns = {name: [self.bases[base][name] for base, _, _ in changes] for name in self.contract.names}
        for at, (_, name, value) in enumerate(changes):
            columns[name][at] = value
        return build_frame_of_columns(columns, self.contract)

    def of_numbers(self, columns: Sequence[Column], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the same for changes of numbers, fast: in each row another value of its column."""
        frame = build_frame([self.row], self.contract)
        frame = frame.loc[np.zeros(len(columns), dtype=int)].reset_index(drop=True)
        names = np.array([column.name for column in columns])
        for column in set(columns):
            moved = frame[column.name].astype("float32" if column.dtype == "float32" else "float64")
            moved[names == column.name] = values[names == column.name].astype(moved.dtype)
            frame[column.name] = moved
        return self._of(frame)

    def _of(self, frame: Any) -> NDArray[np.float64]:
        table = frame[self._names] if self.is_plain else frame
        for step in self._steps:
            table = step.transform(table)
        dense = table.toarray() if hasattr(table, "toarray") else table
        if hasattr(dense, "to_numpy"):
            dense = dense.to_numpy(dtype=np.float64, na_value=math.nan)  # gaps of a frame have kinds of their own
        return np.asarray(np.asarray(dense, dtype=self._precision), dtype=np.float64)


@dataclass(frozen=True)
class Effect:
    """What values of one column of a request do: `seen` is what the part sees of each, shape (values, columns).

    Of a column of numbers the first `grid` values rise from end to end, as far as the steps before the part take them.
    """

    column: Column
    values: list[Any]
    seen: NDArray[np.float64]
    grid: int


def _is_number(column: Column) -> bool:
    return column.categories is None and column.type in ("number", "integer")


def thin(values: list[Any], most: int) -> list[Any]:
    """Return at most so many of the values, evenly spread, the first and the last among them."""
    return [values[at] for at in sorted({*np.linspace(0, len(values) - 1, min(most, len(values))).astype(int)})]


class _Values:
    """The values of each column of a request: those of the data, and what else the steps before the part take."""

    def __init__(self, seen: Seen) -> None:
        columns = seen.contract.columns
        self.present = {
            column.name: sorted({row[column.name] for row in seen.rows if row[column.name] is not None})
            for column in columns
        }
        gaps = [(0, column.name, None) for column in columns if column.nullable]
        unseen = [(0, column.name, "never seen before") for column in columns if column.type == "string"]
        self._more = _keep_taken(seen, [*gaps, *unseen])
        self._ends = _find_ends(seen, self.present)

    def of(self, column: Column, most: int) -> list[Any]:
        """Return values of a column, of numbers at most so many, rising from end to end."""
        known = list(column.categories if column.categories is not None else self.present[column.name])
        if _is_number(column):
            # Few different numbers may be names: an encoder has a column for each.
            some = known if len(known) <= _FEW_KINDS else thin(known, most)
            return sorted({*some, *self._ends[column.name]})
        return [*thin(known, _MOST_KINDS), *self.more(column)]

    def tried(self, column: Column, most: int) -> list[Any]:
        """Return the same, and after the numbers a gap."""
        return [*self.of(column, most), *(self.more(column) if _is_number(column) else ())]

    def more(self, column: Column) -> list[Any]:
        """Return a gap and a text that nobody saw, as far as they are taken."""
        return [value for _, name, value in self._more if name == column.name]


def _keep_taken(seen: Seen, changes: Sequence[Change]) -> list[Change]:
    """Return the changes that the steps before the part take: an encoder may refuse what it never saw, and most models gaps."""
    if not changes:
        return []
    try:
        seen.of_changes(changes)
    except Exception:
        half = len(changes) // 2
        return [*_keep_taken(seen, changes[:half]), *_keep_taken(seen, changes[half:])] if half else []
    return list(changes)


def _find_ends(seen: Seen, present: Mapping[str, Sequence[Any]]) -> dict[str, tuple[float, float]]:
    """Return numbers beyond all of the data as far as the steps before the part take them, such as positive ones only."""
    columns = [column for column in seen.contract.columns if _is_number(column)]
    ends = {each.name: (present[each.name] or [0])[:: max(1, len(present[each.name]) - 1)] for each in columns}
    low, high = {name: both[0] for name, both in ends.items()}, {name: both[-1] for name, both in ends.items()}
    whole = {column.name for column in columns if column.type == "integer"}
    lower = [(0, name, end - max(1, abs(end))) for name, end in low.items()]
    half = [(0, name, end // 2 if name in whole else end / 2) for name, end in low.items() if end > 0]
    upper = [(0, name, end + max(1, abs(end))) for name, end in high.items()]
    below = {name: value for changes in (half, lower) for _, name, value in _keep_taken(seen, changes)}
    above = {name: value for _, name, value in _keep_taken(seen, upper)}
    return {name: (below.get(name, low[name]), above.get(name, high[name])) for name in ends}


def _find_moves(seen: Seen, values: Sequence[list[Any]]) -> NDArray[np.bool_]:
    """Say of each column of a request on which columns the part sees it acts, shape (columns, seen).

    On any of the base rows: what is multiplied with nothing does not move.
    """
    names, bases = seen.contract.names, range(len(seen.bases))
    changes = [
        (base, name, value) for base in bases for name, some in zip(names, values, strict=True) for value in some
    ]
    table = seen.of_changes(changes)
    moves = np.zeros((len(names), table.shape[1]), dtype=bool)
    at = 0
    for _ in bases:
        for column, some in enumerate(values):
            part = table[at : at + len(some)]
            at += len(some)
            if len(some):
                moves[column] |= ((part != part[0]) & ~(np.isnan(part) & np.isnan(part[0]))).any(axis=0)
    return moves


def _find_effects(seen: Seen, values: _Values, columns: Sequence[Column]) -> dict[str, Effect]:
    """Return what the values of these columns do."""
    effects = {}
    for at in range(0, len(columns), _COLUMNS_AT_ONCE):
        some = columns[at : at + _COLUMNS_AT_ONCE]
        tried = {column.name: values.tried(column, _MOST_VALUES) for column in some}
        table, begin = seen.of_changes([(0, name, value) for name, own in tried.items() for value in own]), 0
        for column in some:
            own = tried[column.name]
            grid = len(own) - len(values.more(column)) if _is_number(column) else 0
            effects[column.name] = Effect(column, own, table[begin : begin + len(own)], grid)
            begin += len(own)
    return effects


def find_drivers(seen: Seen, asked: Collection[int]) -> dict[int, Effect]:
    """Return for each column that is asked for the one column of a request that it depends on.

    Raises NoDriverError where one depends on several, or on none that was found.
    """
    columns, values = seen.contract.columns, _Values(seen)
    moves = _find_moves(seen, [values.tried(column, _FEW_VALUES) for column in columns])
    if any(not moves[:, at].any() for at in asked):
        moves |= _find_moves(seen, [values.tried(column, _MOST_VALUES) for column in columns])
    if still := sorted(at for at in asked if not moves[:, at].any()):
        raise NoDriverError(f"nothing was found that moves {len(still):,} of the columns they are of")
    if mixed := sorted({*np.flatnonzero(moves.sum(axis=0) > 1).tolist()} & {*asked}):
        names = [columns[at].name for at in np.flatnonzero(moves[:, mixed[0]]).tolist()]
        listed = f"{', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
        raise NoDriverError(f"they are of what several columns are mixed into ({listed})")
    drivers = {at: columns[int(moves[:, at].argmax())] for at in asked}
    effects = _find_effects(seen, values, [column for column in columns if column in drivers.values()])
    return {at: effects[column.name] for at, column in drivers.items()}
