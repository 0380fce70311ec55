"""Where a model asks "is it larger than this?" or "is it one of these?": every question of its trees and bins.

A question is about what the steps before it make of a request; `reached_nodes` brings it back to the columns people send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NO_CHILD = -1


@dataclass(frozen=True)
class Tree:
    """Arrays over the nodes of a tree; a child of -1 is none, `kinds` are the categories that go left, where a node asks for some.

    A list of edges is a tree of questions without children (it was not grown); `asks` says which nodes ask anything. `leaves`
    (nodes, targets) is what each leaf adds to an answer, None where a model makes something else of it.
    """

    asks: NDArray[np.bool_]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    kinds: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)
    leaves: NDArray[np.float64] | None = None
    is_grown: bool = True


@dataclass(frozen=True)
class Question:
    """The trees of one part of a model, on what `steps` make of a request.

    `single` says that the part rounds what it sees to single precision before it asks.
    """

    steps: tuple[Any, ...]
    single: bool
    trees: tuple[Tree, ...]


def find_questions(model: Any, steps: tuple[Any, ...] = ()) -> Iterator[Question]:
    """Yield the questions of every part of a fitted model that asks some."""
    kind = type(model).__name__
    if kind == "Pipeline":
        yield from _find_in_pipeline(model, steps)
    elif kind in ("BoostedClassifier", "BoostedRegressor"):
        yield Question(steps, model.booster.single, tuple(_read_forest(model.booster.forest)))
    elif hasattr(model, "_predictors"):
        before = steps if model._preprocessor is None else (*steps, model._preprocessor)
        yield Question(before, False, tuple(_read_predictor(tree) for stage in model._predictors for tree in stage))
    elif hasattr(model, "bin_edges_"):
        yield Question(steps, False, (_read_edges(list(map(np.asarray, model.bin_edges_))),))
    elif hasattr(model, "tree_"):
        yield Question(steps, True, (_read_tree(model.tree_, None, 1.0),))
    elif kind == "Binarizer" or (kind == "BernoulliNB" and model.binarize is not None):
        edge = model.threshold if kind == "Binarizer" else model.binarize
        yield Question(steps, False, (_read_edges([np.array([edge])] * model.n_features_in_),))
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
    members = [each for each in _listed(getattr(model, "estimators_", ())) if hasattr(each, "fit")]
    if not members and not hasattr(model, "calibrated_classifiers_"):
        yield from _find_wrapped(model, steps)
    places = getattr(model, "estimators_features_", [None] * len(members))
    factor = _find_factor(model)
    grown = [_read_tree(m.tree_, at, factor) for m, at in zip(members, places, strict=False) if hasattr(m, "tree_")]
    if grown:
        yield Question(steps, True, tuple(grown))
    for member, at in zip(members, places, strict=False):
        if not hasattr(member, "tree_"):
            yield from find_questions(member, steps if at is None else (*steps, _Places(at)))
    yield from _find_in_composition(model, steps)


def _find_in_composition(model: Any, steps: tuple[Any, ...]) -> Iterator[Question]:
    if hasattr(model, "final_estimator_"):
        yield from find_questions(model.final_estimator_, (*steps, model))  # it sees what the others answer
    for name, step, _ in getattr(model, "transformers_", ()):
        yield from find_questions(step, (*steps, _Selection(model, name)))
    for _, step in getattr(model, "transformer_list", ()):
        yield from find_questions(step, steps)


def _find_factor(model: Any) -> float | None:
    """Return what the value of a leaf is multiplied with; None where it counts for a vote or for a depth."""
    kind = type(model).__name__
    if kind in ("AdaBoostClassifier", "AdaBoostRegressor", "IsolationForest"):
        return None
    return float(model.learning_rate) if kind.startswith("GradientBoosting") else 1.0


def _listed(members: Any) -> list[Any]:
    found: list[Any] = np.ravel(np.asarray(members, dtype=object)).tolist()
    return found


def _find_wrapped(model: Any, steps: tuple[Any, ...]) -> Iterator[Question]:
    for name in ("best_estimator_", "estimator_", "regressor_", "estimator"):
        inner = getattr(model, name, None)
        if hasattr(inner, "fit"):
            yield from find_questions(inner, steps)
            return


class _Places:
    """The columns, by their places, that bagging hands to one of its models, as a step."""

    def __init__(self, places: Sequence[int]) -> None:
        self._places = list(map(int, places))

    def transform(self, table: Any) -> Any:
        """Return these columns of a frame, or of an array."""
        return table.iloc[:, self._places] if hasattr(table, "iloc") else table[:, self._places]


class _Selection(_Places):
    """The columns that a column transformer hands to one of its parts, as a step; of a frame it takes them by name."""

    def __init__(self, columns: Any, name: str) -> None:
        super().__init__(columns._transformer_to_input_indices[name])
        names = getattr(columns, "feature_names_in_", None)
        self._names = None if names is None else [str(names[at]) for at in self._places]

    def transform(self, table: Any) -> Any:
        """Return these columns of a frame, or of an array."""
        return table[self._names] if self._names is not None and hasattr(table, "iloc") else super().transform(table)


# Reading


def _read_tree(tree: Any, places: Any, factor: float | None) -> Tree:
    """Return a tree of scikit-learn; `places` are those of its columns among all, `factor` what its leaves are multiplied with."""
    asks = tree.children_left != _NO_CHILD
    feature = np.where(asks, tree.feature, 0).astype(np.int64)
    return Tree(
        asks=asks,
        feature=feature if places is None else np.asarray(places, dtype=np.int64)[feature],
        threshold=np.asarray(tree.threshold, dtype=np.float64),
        left=np.asarray(tree.children_left, dtype=np.int64),
        right=np.asarray(tree.children_right, dtype=np.int64),
        missing_left=np.asarray(tree.missing_go_to_left, dtype=bool),
        leaves=None if factor is None else np.asarray(tree.value[:, 0, :] * factor, dtype=np.float64),
    )


def _read_predictor(predictor: Any) -> Tree:
    """Return a tree of histogram boosting."""
    nodes = predictor.nodes
    asks = nodes["is_leaf"] == 0
    by_kind = np.flatnonzero(asks & (nodes["is_categorical"] == 1))
    return Tree(
        asks=asks,
        feature=np.where(asks, nodes["feature_idx"], 0).astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=np.where(asks, nodes["left"].astype(np.int64), _NO_CHILD),
        right=np.where(asks, nodes["right"].astype(np.int64), _NO_CHILD),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        leaves=nodes["value"].astype(np.float64).reshape(-1, 1),
        kinds={int(at): _set_bits(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][at]]) for at in by_kind},
    )


def _set_bits(words: NDArray[np.uint32]) -> NDArray[np.float64]:
    bits = np.unpackbits(np.ascontiguousarray(words, dtype="<u4").view(np.uint8), bitorder="little")
    return np.flatnonzero(bits).astype(np.float64)


def _read_forest(forest: Any) -> Iterator[Tree]:
    """Yield the trees of a booster that is kept as text; where a threshold is infinite there is nothing beyond it."""
    is_leaf = forest.is_leaf()
    for nodes, members in forest.trees():
        inner = ~is_leaf[nodes]
        yield Tree(
            asks=inner & np.isfinite(forest.threshold[nodes]),
            feature=forest.feature[nodes],
            threshold=forest.threshold[nodes],
            left=np.where(inner, forest.left[nodes] - nodes.start, _NO_CHILD),
            right=np.where(inner, forest.right[nodes] - nodes.start, _NO_CHILD),
            missing_left=forest.missing_left[nodes],
            kinds={at: np.array(found, dtype=float) for at, found in members.items()},
        )


def _read_edges(edges: Sequence[NDArray[np.float64]]) -> Tree:
    """Return the edges of each column, every one a question of its own."""
    values = np.concatenate([np.asarray(each, dtype=np.float64) for each in edges])
    none = np.full(len(values), _NO_CHILD)
    return Tree(
        asks=np.ones(len(values), dtype=bool),
        feature=np.repeat(np.arange(len(edges)), [len(each) for each in edges]),
        threshold=values,
        left=none,
        right=none,
        missing_left=np.zeros(len(values), dtype=bool),
        is_grown=False,
    )
