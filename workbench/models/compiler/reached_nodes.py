"""Rows that reach the questions of a model's trees: a threshold is only tried by a row that comes to it.

A node is reached by a row of the data where there is one, else by one in which each column that led away from it is moved to the
other side of the threshold it met. A tree behind a scaler has its thresholds in the scaler's units: they are brought back by
bisection through the fitted steps before it, down to the two neighbouring numbers between which the answer changes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.models.compiler.split_points import Question, Tree, find_questions
from workbench.models.contract import Column, Contract
from workbench.models.frames import Rows, build_frame

MOST_NODES = 5_000
_MOST_KINDS, _MOST_VALUES, _MOST_CROSSINGS, _BASES, _OTHERS, _SEED = 1_000, 200, 3, 3, 3, 0
_BITS, _MOST_PARTS, _MOST_ASKED = 70, 63, 6_000

Pair = tuple[int, float]  # a column the part sees, and a threshold


class MixedColumnsError(Exception):
    """A part asks about what several columns are mixed into; sums of them differ in their last bits, whoever computes them."""


@dataclass(frozen=True)
class Node:
    """A question that is reached: by which rows of the data, after which changes (a threshold, and whether to be above it).

    `path` are the columns that were asked for on the way.
    """

    rows: tuple[int, ...]
    path: frozenset[int]
    changes: Mapping[int, tuple[float, bool]]
    feature: int
    threshold: float
    by_kind: bool


@dataclass(frozen=True)
class Reached:
    """Rows that come to a question, and the values of the column it asks for: on either side, or of every kind.

    `values` are neighbours on both sides where they are two numbers. Beyond both sides there may be one answer for a row, and two
    for another: `others` come to the question too, as far as is known.
    """

    row: dict[str, Any]
    others: tuple[dict[str, Any], ...]
    column: Column
    values: tuple[Any, ...]


def reach_nodes(model: Any, contract: Contract, rows: Rows) -> tuple[list[Reached], int]:
    """Return rows that reach a model's questions, at most 5,000 of these drawn from all, and how many there are.

    `rows` are some that keep the contract. Raises MixedColumnsError for questions about what several columns are mixed into: no one
    column leads to both sides of such a threshold.
    """
    questions, total = list(find_questions(model)), count_questions(model)
    generator = np.random.default_rng(_SEED)
    found: list[Reached] = []
    for question in questions:
        wanted = [_choose(tree, total, generator) for tree in question.trees]
        found += _reach(question, wanted, _Seen(question, model, contract, rows))
    return found, total


def count_questions(model: Any) -> int:
    """Return how many questions a model asks."""
    return sum(int(tree.asks.sum()) for question in find_questions(model) for tree in question.trees)


def _choose(tree: Tree, total: int, generator: np.random.Generator) -> NDArray[np.int64]:
    asks = np.flatnonzero(tree.asks)
    share = min(len(asks), max(1, MOST_NODES * len(asks) // max(total, MOST_NODES)))
    return np.sort(generator.permutation(asks)[:share])


def _reach(question: Question, wanted: Sequence[NDArray[np.int64]], seen: _Seen) -> list[Reached]:
    table = seen.of_rows()
    nodes = [node for tree, some in zip(question.trees, wanted, strict=True) for node in walk(tree, table, some)]
    return list(_Sides(seen, nodes).place(nodes))


# Walking


def walk(tree: Tree, table: NDArray[np.float64], wanted: NDArray[np.int64]) -> Iterator[Node]:
    """Yield the wanted nodes of a tree, each with a row that comes to it; `table` is what the tree sees of the rows there are."""
    needed = _with_ancestors(tree, wanted)
    asked = set(wanted.tolist())
    roots = [0] if tree.left[0] >= 0 else wanted.tolist()
    ways: list[tuple[int, NDArray[np.int64], dict[int, tuple[float, bool]], frozenset[int]]]
    ways = [(root, np.arange(len(table)), {}, frozenset()) for root in roots]
    while ways:
        at, rows, changes, path = ways.pop()
        feature, threshold = int(tree.feature[at]), float(tree.threshold[at])
        is_left = _goes_left(tree, at, table[rows, feature], changes.get(feature))
        if at in asked:
            yield Node(_choose_rows(rows, is_left), path, changes, feature, threshold, at in tree.kinds)
        for child, side, above in ((tree.left[at], is_left, False), (tree.right[at], ~is_left, True)):
            if child < 0 or not needed[child]:
                continue
            if side.any():
                ways.append((int(child), rows[side], changes, path | {feature}))
            elif at not in tree.kinds and math.isfinite(threshold):
                moved = {**changes, feature: (threshold, above)}
                ways.append((int(child), rows[:1], moved, path | {feature}))


def _choose_rows(rows: NDArray[np.int64], is_left: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return some rows, of those that go either way, the first and the last: they are likely to end in other leaves."""
    sorted_rows = np.concatenate([rows[is_left], rows[~is_left]])
    places = {0, int(is_left.sum()) - 1, int(is_left.sum()), len(rows) - 1}
    return tuple(sorted_rows[at] for at in sorted(places) if 0 <= at < len(rows))


def _with_ancestors(tree: Tree, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    needed = np.zeros(len(tree.asks), dtype=bool)
    needed[wanted] = True
    inner = np.flatnonzero(tree.left >= 0)
    parent = np.full(len(tree.asks), -1)
    parent[tree.left[inner]] = parent[tree.right[inner]] = inner
    up = parent[wanted]
    while len(up := np.unique(up[up >= 0])):
        needed[up] = True
        up = parent[up]
    return needed


def _goes_left(
    tree: Tree, at: int, values: NDArray[np.float64], change: tuple[float, bool] | None
) -> NDArray[np.bool_]:
    threshold = tree.threshold[at]
    if change is not None:
        other, above = change
        return np.full(len(values), other < threshold or (other == threshold and not above))
    left = np.isin(values, tree.kinds[at]) if at in tree.kinds else values <= threshold
    return np.asarray(np.where(np.isnan(values), tree.missing_left[at], left), dtype=bool)


# What a part sees


class _Seen:
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

    def of_changes(self, changes: Sequence[tuple[str, Any]], base: int = 0) -> NDArray[np.float64]:
        """Return what it sees of one of the base rows with each change, shape (changes, columns)."""
        return self._of(build_frame([{**self.bases[base], name: value} for name, value in changes], self.contract))

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
class _Effect:
    """What values of one column of a request do: `seen` is what the part sees of each, shape (values, columns).

    Of a column of numbers the first `grid` values rise from end to end, as far as the steps before the part take them. `moves` says
    of each column the part sees whether it depends on this one.
    """

    column: Column
    values: list[Any]
    seen: NDArray[np.float64]
    grid: int
    moves: NDArray[np.bool_]


def _find_effect(seen: _Seen, column: Column) -> _Effect:
    present = sorted({row[column.name] for row in seen.rows if row[column.name] is not None})
    is_number = column.categories is None and column.type in ("number", "integer")
    known = list(column.categories if column.categories is not None else present)
    known = _thin(known, _MOST_VALUES if is_number else _MOST_KINDS)
    if is_number:
        known = sorted({*known, *_find_ends(seen, column, present)})
    tried = [None] * column.nullable + ["never seen before"] * (column.type == "string")
    values = [*known, *(value for value in tried if _takes(seen, column, value))]
    changes = [(column.name, value) for value in values]
    parts = [seen.of_changes(changes, base) for base in range(len(seen.bases))]
    # On any of the base rows: what is multiplied with nothing does not move.
    moves = np.any([((part != part[0]) & ~(np.isnan(part) & np.isnan(part[0]))).any(axis=0) for part in parts], axis=0)
    return _Effect(column, values, parts[0], len(known) if is_number else 0, moves)


def _thin(values: list[Any], most: int) -> list[Any]:
    return [values[at] for at in sorted({*np.linspace(0, len(values) - 1, min(most, len(values))).astype(int)})]


def _takes(seen: _Seen, column: Column, value: Any) -> bool:
    """Say whether the steps before the part take a value: an encoder may refuse what it never saw, and most models gaps."""
    try:
        seen.of_changes([(column.name, value)])
    except Exception:
        return False
    return True


def _find_ends(seen: _Seen, column: Column, present: Sequence[Any]) -> tuple[float, float]:
    """Return numbers beyond all of the data as far as the steps before the part take them, such as positive ones only."""
    low, high = (present[0], present[-1]) if present else (0, 1)
    lower, upper = [low - max(1, abs(low)), low / 2], [high + max(1, abs(high))]
    if column.type == "integer":
        lower = list(map(math.floor, lower))
    below = next((value for value in lower if value < low and _takes(seen, column, value)), low)
    return below, next((value for value in upper if _takes(seen, column, value)), high)


# Bringing back


class _Sides:
    """For each threshold of what a part sees, values of the one column of a request that it depends on: one on each side."""

    def __init__(self, seen: _Seen, nodes: Sequence[Node]) -> None:
        self._seen, self._generator = seen, np.random.default_rng(_SEED)
        self._driver = _find_drivers(seen, {node.feature for node in nodes})
        pairs = {(node.feature, node.threshold) for node in nodes}
        pairs |= {(at, threshold) for node in nodes for at, (threshold, _) in node.changes.items()}
        self._values = self._bring_back(sorted(pair for pair in pairs if pair[0] in self._driver))

    def place(self, nodes: Iterable[Node]) -> Iterator[Reached]:
        """Yield a row for each node whose column, and whose changes, can be brought back."""
        for node in nodes:
            moved = self._move(node.changes)
            for values in self._values_of(node) if moved is not None else ():
                first, *rest = ({**self._seen.rows[at], **(moved or {})} for at in node.rows)
                others = (*rest, *self._mix(first, node, _OTHERS - len(rest)))
                yield Reached(first, others, self._driver[node.feature].column, values)

    def _mix(self, row: dict[str, Any], node: Node, times: int) -> Iterator[dict[str, Any]]:
        """Yield other rows of the data with what led this one to the node."""
        if all(at in self._driver for at in node.path):
            kept = {(name := self._driver[at].column.name): row[name] for at in node.path}
            for at in self._generator.integers(0, len(self._seen.rows), times).tolist():
                yield {**self._seen.rows[at], **kept}

    def _values_of(self, node: Node) -> list[tuple[Any, ...]]:
        """Return values on either side of a node's threshold, for each place where it is crossed; or of every kind."""
        if node.feature not in self._driver:
            return []
        if node.by_kind:
            return [tuple(self._driver[node.feature].values)]
        # A threshold nobody is above parts those that are missing from all others.
        unknown: list[tuple[Any, ...]] = [] if math.isfinite(node.threshold) else [()]
        return list(self._values.get((node.feature, node.threshold), unknown))

    def _move(self, changes: Mapping[int, tuple[float, bool]]) -> dict[str, Any] | None:
        if any((at, threshold) not in self._values for at, (threshold, _) in changes.items()):
            return None
        return {
            self._driver[at].column.name: self._values[at, threshold][0][above]
            for at, (threshold, above) in changes.items()
        }

    def _bring_back(self, pairs: Sequence[Pair]) -> dict[Pair, list[tuple[Any, Any]]]:
        free = [pair for pair in pairs if self._driver[pair[0]].grid and math.isfinite(pair[1])]
        crossings = self._bring_plain(free) if self._seen.is_plain else self._bisect(free)
        found: dict[Pair, list[tuple[Any, Any]]] = {}
        for pair, both in crossings:
            found.setdefault(pair, []).append(both)
        chosen = {pair: _choose_sides(self._driver[pair[0]], *pair) for pair in pairs if not self._driver[pair[0]].grid}
        return {**found, **{pair: [both] for pair, both in chosen.items() if both is not None}}

    def _bring_plain(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, tuple[Any, Any]]]:
        """Yield the two neighbouring numbers between which a part without steps before it changes its answer."""
        for feature, threshold in pairs:
            both = _round_sides(threshold) if self._seen.single else (threshold, float(np.nextafter(threshold, np.inf)))
            yield (feature, threshold), _in_type(self._driver[feature].column, both)

    def _bisect(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, tuple[Any, Any]]]:
        """Yield the same where there are steps before it: a value that leads to the left, and its neighbour to the right."""
        crossings = [(pair, *crossing) for pair in pairs for crossing in self._find_crossings(pair)]
        if not crossings:
            return
        own, lows, highs, ups = zip(*crossings, strict=True)
        columns = [self._driver[feature].column for feature, _ in own]
        low, high, is_up = np.array(lows), np.array(highs), np.array(ups)
        # Many points a step: what a step costs depends little on how many there are.
        parts = 1 + min(_MOST_PARTS, max(1, _MOST_ASKED // len(own)))
        for _ in range(math.ceil(_BITS / math.log2(parts))):
            inner = low + (high - low) * (np.arange(1, parts) / parts)[:, None]
            like_high = np.array([*(self._is_beyond(own, columns, inner) == is_up), np.ones(len(own), dtype=bool)])
            first, each = like_high.argmax(axis=0), np.arange(len(own))
            grid = np.array([low, *inner, high])
            low, high = grid[first, each], grid[first + 1, each]
        for at, pair in enumerate(own):
            both = _in_type(columns[at], (float(low[at]), float(high[at])))
            yield pair, both if is_up[at] else (both[1], both[0])

    def _find_crossings(self, pair: Pair) -> Iterator[tuple[float, float, bool]]:
        """Yield values between which a threshold is crossed, the lower first, and whether the higher one is beyond it.

        What is squared crosses a threshold twice.
        """
        effect = self._driver[pair[0]]
        is_beyond = effect.seen[: effect.grid, pair[0]] > pair[1]
        places = np.flatnonzero(is_beyond[1:] != is_beyond[:-1])
        for at in _thin(places.tolist(), _MOST_CROSSINGS):
            yield float(effect.values[at]), float(effect.values[at + 1]), bool(is_beyond[at + 1])

    def _is_beyond(self, pairs: Sequence[Pair], columns: Sequence[Column], values: NDArray[np.float64]) -> Any:
        """Say whether each pair's threshold is passed with values of shape (pairs,) or (times, pairs)."""
        times = values.size // len(pairs)
        seen = self._seen.of_numbers(list(columns) * times, values.ravel())
        places, thresholds = zip(*pairs, strict=True)
        own = seen[np.arange(values.size), np.tile(places, times)].reshape(values.shape)
        return own > np.array(thresholds)


def _find_drivers(seen: _Seen, asked: Collection[int]) -> dict[int, _Effect]:
    """Return for each column the part sees the one column of a request that it depends on.

    Raises MixedColumnsError where one that is asked for depends on several.
    """
    effects = [_find_effect(seen, column) for column in seen.contract.columns]
    moves = np.array([each.moves for each in effects])
    if mixed := sorted({*np.flatnonzero(moves.sum(axis=0) > 1).tolist()} & {*asked}):
        names = [effects[at].column.name for at in np.flatnonzero(moves[:, mixed[0]]).tolist()]
        listed = f"{', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
        raise MixedColumnsError(f"they are of what several columns are mixed into ({listed})")
    alone = np.flatnonzero(moves.sum(axis=0) == 1).tolist()
    return {at: effects[int(np.flatnonzero(moves[:, at])[0])] for at in alone}


def _choose_sides(effect: _Effect, feature: int, threshold: float) -> tuple[Any, Any] | None:
    """Return one value that leads to the left of a threshold and one that leads to the right."""
    left, right = (
        np.flatnonzero(side) for side in (effect.seen[:, feature] <= threshold, effect.seen[:, feature] > threshold)
    )
    return (effect.values[left[0]], effect.values[right[0]]) if len(left) and len(right) else None


def _round_sides(threshold: float) -> tuple[float, float]:
    """Return the neighbouring doubles of which one is at most the threshold in single precision, and the other above it."""
    low = np.float32(threshold)
    low = np.nextafter(low, np.float32(-np.inf)) if float(low) > threshold else low
    high = np.nextafter(low, np.float32(np.inf))
    middle = float(low) / 2 + float(high) / 2
    if np.float32(middle) == low:
        return middle, float(np.nextafter(middle, np.inf))
    return float(np.nextafter(middle, -np.inf)), middle


def _in_type(column: Column, both: tuple[float, float]) -> tuple[Any, Any]:
    return (math.floor(both[0]), math.ceil(both[1])) if column.type == "integer" else both
