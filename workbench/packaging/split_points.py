"""Where a model asks "is it larger than this?": every threshold of its trees and bins, as values of the columns people send.

A tree behind a scaler has its thresholds in the scaler's units. They are brought back by bisection through the fitted steps before
it, down to the two neighbouring numbers between which the answer to the question changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.domain.contract import Contract
from workbench.packaging.frames import Rows, build_frame

MOST_SPLITS = 5_000
_STEPS = 70
_SEED = 0


@dataclass(frozen=True)
class Question:
    """All thresholds of one part of a model, on what `steps` make of a request: columns (n,) and values (n,).

    `single` says that the part rounds what it sees to single precision before it asks.
    """

    steps: tuple[Any, ...]
    single: bool
    columns: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """Two neighbouring values of a column, one on each side of a threshold."""

    column: str
    below: float
    above: float


def find_questions(model: Any, steps: tuple[Any, ...] = ()) -> Iterator[Question]:
    """Yield the thresholds of every part of a fitted model that has some."""
    kind = type(model).__name__
    if kind == "Pipeline":
        yield from _find_in_pipeline(model, steps)
    elif hasattr(model, "find_splits"):
        yield from _questions(steps, model.is_single, [model.find_splits()])
    elif hasattr(model, "_predictors"):
        before = steps if model._preprocessor is None else (*steps, model._preprocessor)
        yield from _questions(before, False, [_predictor_splits(tree) for stage in model._predictors for tree in stage])
    elif hasattr(model, "bin_edges_"):
        edges = [(np.full(len(each), at), np.asarray(each, float)) for at, each in enumerate(model.bin_edges_)]
        yield from _questions(steps, False, edges)
    elif hasattr(model, "tree_"):
        yield from _questions(steps, True, [_tree_splits(model.tree_)])
    else:
        yield from _find_inside(model, steps)


def _find_in_pipeline(model: Any, steps: tuple[Any, ...]) -> Iterator[Question]:
    for _, step in model.steps:
        yield from find_questions(step, steps)
        if hasattr(step, "transform"):
            steps = (*steps, step)


def _find_inside(model: Any, steps: tuple[Any, ...]) -> Iterator[Question]:
    for calibrated in getattr(model, "calibrated_classifiers_", ()):
        yield from find_questions(calibrated.estimator, steps)
    listed = np.ravel(np.asarray(getattr(model, "estimators_", ()), dtype=object))
    members = [each for each in listed if hasattr(each, "fit")]
    if not members and not hasattr(model, "calibrated_classifiers_"):
        yield from _find_wrapped(model, steps)
    places = getattr(model, "estimators_features_", [None] * len(members))
    grown = [(each, where) for each, where in zip(members, places, strict=False) if hasattr(each, "tree_")]
    yield from _questions(steps, True, [_at(_tree_splits(each.tree_), where) for each, where in grown])
    for member in members:
        if not hasattr(member, "tree_"):
            yield from find_questions(member, steps)
    if hasattr(model, "transformers_"):
        for name, step, _ in model.transformers_:
            yield from find_questions(step, (*steps, _Selection(model, name)))


class _Selection:
    """The columns that a column transformer hands to one of its parts, as a step."""

    def __init__(self, columns: Any, name: str) -> None:
        self._places = columns._transformer_to_input_indices[name]
        self._names = getattr(columns, "feature_names_in_", None)

    def transform(self, table: Any) -> Any:
        """Return these columns of a frame, or of an array."""
        if hasattr(table, "iloc"):
            return (
                table[[str(self._names[at]) for at in self._places]]
                if self._names is not None
                else table.iloc[:, self._places]
            )
        return table[:, self._places]


def _find_wrapped(model: Any, steps: tuple[Any, ...]) -> Iterator[Question]:
    for name in ("best_estimator_", "estimator_", "regressor_", "estimator"):
        inner = getattr(model, name, None)
        if hasattr(inner, "fit"):
            yield from find_questions(inner, steps)
            return


def _at(splits: tuple[Any, Any], places: Any) -> tuple[Any, Any]:
    columns, values = splits
    return (columns if places is None else np.asarray(places)[columns]), values


def _questions(steps: tuple[Any, ...], single: bool, parts: Sequence[tuple[Any, Any]]) -> Iterator[Question]:
    if parts:
        pairs = np.unique(np.array([np.concatenate(each) for each in zip(*parts, strict=True)], dtype=float), axis=1)
        if pairs.shape[1]:
            yield Question(steps, single, pairs[0].astype(np.int64), pairs[1])


def _tree_splits(tree: Any) -> tuple[Any, Any]:
    asks = tree.children_left != -1
    return tree.feature[asks], tree.threshold[asks]


def _predictor_splits(tree: Any) -> tuple[Any, Any]:
    nodes = tree.nodes
    asks = (nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)
    return nodes["feature_idx"][asks].astype(np.int64), nodes["num_threshold"][asks]


# Bringing thresholds back to the columns of a request


def find_splits(model: Any, contract: Contract, rows: Rows) -> tuple[list[Split], int]:
    """Return the splits of a model on the columns of its contract, at most 5,000 drawn from all of them, and how many there are.

    `rows` are some that keep the contract. Thresholds on what several columns are mixed into have no place in one of them, and are
    left out here.
    """
    questions = list(find_questions(model))
    total = sum(len(each.values) for each in questions)
    generator = np.random.default_rng(_SEED)
    found: list[Split] = []
    for question in questions:
        share = max(1, MOST_SPLITS * len(question.values) // max(total, MOST_SPLITS))
        chosen = generator.permutation(len(question.values))[:share]
        found += _bring_back(question, np.sort(chosen), model, contract, rows)
    return found, total


def _bring_back(question: Question, chosen: Any, model: Any, contract: Contract, rows: Rows) -> list[Split]:
    columns, values = question.columns[chosen], question.values[chosen]
    if not question.steps:
        names = [str(name) for name in getattr(model, "feature_names_in_", contract.names)]
        numbers = {each.name for each in contract.columns if each.type in ("number", "integer")}
        placed = [(names[at], float(value)) for at, value in zip(columns, values, strict=True)]
        return [Split(name, value, float(np.nextafter(value, np.inf))) for name, value in placed if name in numbers]
    try:
        return list(_bisect(_Through(question, contract, rows), columns, values))
    # A step may refuse rows made for this; then its thresholds are met by drawn rows only.
    except Exception:
        return []


class _Through:
    """The steps before a part, as a function from values put into one row to what the part sees."""

    def __init__(self, question: Question, contract: Contract, rows: Rows) -> None:
        self._steps, self._contract = question.steps, contract
        self._seen_as = np.float32 if question.single else np.float64
        complete = [row for row in rows if all(value is not None for value in row.values())]
        self.row = (complete or list(rows))[0]
        columns = [each for each in contract.columns if each.type in ("number", "integer")]
        self.ranges = {column.name: _range(rows, column.name) for column in columns}

    def see(self, changes: Sequence[tuple[str, float]]) -> NDArray[np.float64]:
        """Return what the part sees of the row with each change, shape (changes, columns)."""
        names = self._contract.names
        frame = build_frame([self.row], self._contract)
        frame = frame.loc[np.zeros(len(changes), dtype=int)].reset_index(drop=True)
        for name in {name for name, _ in changes}:
            at = [place for place, (other, _) in enumerate(changes) if other == name]
            column = frame[name].astype("float64")
            column.iloc[at] = [value for _, value in (changes[place] for place in at)]
            frame[name] = column
        table: Any = frame[list(names)]
        for step in self._steps:
            table = step.transform(table)
        dense = table.toarray() if hasattr(table, "toarray") else table
        return np.asarray(np.asarray(dense, dtype=self._seen_as), dtype=np.float64)


def _range(rows: Rows, name: str) -> tuple[float, float]:
    values = [float(row[name]) for row in rows if row[name] is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return low - max(1.0, abs(low)), high + max(1.0, abs(high))


def _bisect(through: _Through, columns: Any, values: Any) -> Iterator[Split]:
    driver = _find_drivers(through)
    wanted = [
        (driver[int(at)], int(at), float(value)) for at, value in zip(columns, values, strict=True) if int(at) in driver
    ]
    if not wanted:
        return
    low, high = (np.array([through.ranges[name][side] for name, _, _ in wanted]) for side in (0, 1))
    is_up = _is_beyond(through, wanted, high)
    crosses = is_up != _is_beyond(through, wanted, low)
    for _ in range(_STEPS):
        middle = low / 2 + high / 2
        like_high = _is_beyond(through, wanted, middle) == is_up
        low, high = np.where(like_high, low, middle), np.where(like_high, middle, high)
    for at in np.flatnonzero(crosses):
        yield Split(wanted[at][0], float(low[at]), float(high[at]))


def _is_beyond(through: _Through, wanted: Sequence[tuple[str, int, float]], values: NDArray[np.float64]) -> Any:
    seen = through.see([(name, float(value)) for (name, _, _), value in zip(wanted, values, strict=True)])
    threshold = np.array([value for _, _, value in wanted])
    own = seen[np.arange(len(wanted)), [place for _, place, _ in wanted]]
    return own > threshold


def _find_drivers(through: _Through) -> dict[int, str]:
    """Return for each column the part sees the one column of a request that it depends on, if it is one."""
    names = list(through.ranges)
    if not names:
        return {}
    ends = [through.see([(name, through.ranges[name][side]) for name in names]) for side in (0, 1)]
    moves = ends[0] != ends[1]
    return {
        place: names[int(np.flatnonzero(moves[:, place])[0])]
        for place in range(moves.shape[1])
        if moves[:, place].sum() == 1
    }
