"""Rows that reach the questions of a model's trees: a threshold is only tried by a row that comes to it.

A node is reached by a row of the data where there is one, else by one in which each column that led away from it is moved to the
other side of the threshold it met. A tree behind a scaler has its thresholds in the scaler's units: they are brought back by
bisection through the fitted steps before it, down to the two neighbouring numbers between which the answer changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.models.compiler.effects import Effect, Seen, find_drivers, thin
from workbench.models.compiler.split_points import Question, Tree, find_questions
from workbench.models.contract import Column, Contract
from workbench.models.frames import Rows

MOST_NODES, _MOST_CELLS = 5_000, 300_000
_MOST_CROSSINGS, _OTHERS, _SEED = 3, 3, 0
_BITS, _MOST_PARTS, _MOST_ASKED = 70, 63, 6_000

Pair = tuple[int, float]  # a column the part sees, and a threshold


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
    """Return rows that reach a model's questions, at most 5,000 of these (of wide tables fewer), and how many there are.

    `rows` are some that keep the contract. Raises NoDriverError for questions about what no one column leads to both sides of.
    """
    questions, total = list(find_questions(model)), count_questions(model)
    generator = np.random.default_rng(_SEED)
    most = most_questions(contract)
    found: list[Reached] = []
    for question in questions:
        wanted = [_choose(tree, total, most, generator) for tree in question.trees]
        found += _reach(question, wanted, Seen(question, model, contract, rows))
    return found, total


def most_questions(contract: Contract) -> int:
    """Return how many questions rows are made for at most: 5,000, of a table of more than 60 columns fewer."""
    return min(MOST_NODES, max(1, _MOST_CELLS // len(contract.columns)))


def count_questions(model: Any) -> int:
    """Return how many questions a model asks."""
    return sum(int(tree.asks.sum()) for question in find_questions(model) for tree in question.trees)


def _choose(tree: Tree, total: int, most: int, generator: np.random.Generator) -> NDArray[np.int64]:
    asks = np.flatnonzero(tree.asks)
    share = min(len(asks), max(1, most * len(asks) // max(total, most)))
    return np.sort(generator.permutation(asks)[:share])


def _reach(question: Question, wanted: Sequence[NDArray[np.int64]], seen: Seen) -> list[Reached]:
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


# Bringing back


class _Sides:
    """For each threshold of what a part sees, values of the one column of a request that it depends on: one on each side."""

    def __init__(self, seen: Seen, nodes: Sequence[Node]) -> None:
        self._seen, self._generator = seen, np.random.default_rng(_SEED)
        asked = {node.feature for node in nodes} | {at for node in nodes for at in (*node.changes, *node.path)}
        self._driver = find_drivers(seen, asked)
        pairs = {(node.feature, node.threshold) for node in nodes}
        pairs |= {(at, threshold) for node in nodes for at, (threshold, _) in node.changes.items()}
        self._values = self._bring_back(sorted(pairs))

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
        kept = {(name := self._driver[at].column.name): row[name] for at in node.path}
        for at in self._generator.integers(0, len(self._seen.rows), times).tolist():
            yield {**self._seen.rows[at], **kept}

    def _values_of(self, node: Node) -> list[tuple[Any, ...]]:
        """Return values on either side of a node's threshold, for each place where it is crossed; or of every kind."""
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
        for at in thin(places.tolist(), _MOST_CROSSINGS):
            yield float(effect.values[at]), float(effect.values[at + 1]), bool(is_beyond[at + 1])

    def _is_beyond(self, pairs: Sequence[Pair], columns: Sequence[Column], values: NDArray[np.float64]) -> Any:
        """Say whether each pair's threshold is passed with values of shape (pairs,) or (times, pairs)."""
        times = values.size // len(pairs)
        seen = self._seen.of_numbers(list(columns) * times, values.ravel())
        places, thresholds = zip(*pairs, strict=True)
        own = seen[np.arange(values.size), np.tile(places, times)].reshape(values.shape)
        return own > np.array(thresholds)


def _choose_sides(effect: Effect, feature: int, threshold: float) -> tuple[Any, Any] | None:
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
