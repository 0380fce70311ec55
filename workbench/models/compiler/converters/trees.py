"""Decision trees and what is grown of them, as one node of ONNX that compares in double precision as scikit-learn does.

Trees, forests and gradient boosting see their input rounded to single precision; histogram boosting compares doubles. Leaves are
added up in the order of the trees, so that sums end on the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.models.compiler.converters.tables import (
    DOUBLE,
    FLOAT,
    CannotCompileError,
    Responses,
    Table,
    label_above,
    label_of_largest,
    two_columns,
)
from workbench.models.compiler.onnx_graph import ML, Graph, store
from workbench.models.onnx_predictor import NUMBERS

_LESS_OR_EQUAL, _MEMBER = 0, 6


@dataclass(frozen=True)
class Nodes:
    """One tree: arrays over its nodes, and `leaves` (nodes, targets) with what each leaf adds to each target.

    `members` are, for nodes that ask for categories, those that go left; `threshold` is that of all others.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    is_leaf: NDArray[np.bool_]
    missing_left: NDArray[np.bool_]
    leaves: NDArray[np.float64]
    members: tuple[tuple[int, tuple[int, ...]], ...] = ()


def read_tree(tree: Any, leaves: Any, features: Sequence[int] | None = None) -> Nodes:
    """Return a tree of scikit-learn; `features` are the places in the table of those it was grown on."""
    feature = np.where(tree.children_left == -1, 0, tree.feature).astype(np.int64)
    return Nodes(
        feature=feature if features is None else np.asarray(features, dtype=np.int64)[feature],
        threshold=np.asarray(tree.threshold, dtype=np.float64),
        left=np.asarray(tree.children_left, dtype=np.int64),
        right=np.asarray(tree.children_right, dtype=np.int64),
        is_leaf=tree.children_left == -1,
        missing_left=np.asarray(tree.missing_go_to_left, dtype=bool),
        leaves=np.asarray(leaves, dtype=np.float64).reshape(len(feature), -1),
    )


def constant_tree(values: Sequence[float]) -> Nodes:
    """Return a tree of one leaf: what is added before all others."""
    one, none = np.zeros(1, dtype=np.int64), np.zeros(1)
    return Nodes(one, none, one - 1, one - 1, one == 0, one == 1, np.asarray(values, dtype=float).reshape(1, -1))


def add_trees(graph: Graph, rows: str, trees: Sequence[Nodes], targets: int) -> str:
    """Return the sums over all trees, shape (rows, targets); a leaf of ONNX has one target, so each target has its trees."""
    if graph.is_sketch:
        return graph.add("TreeEnsemble", rows)
    parts = _Ensemble()
    for target in range(targets):
        for tree in trees:
            parts.grow(tree, target)
    return graph.add("TreeEnsemble", rows, domain=ML, n_targets=targets, aggregate_function=1, **parts.attributes())


class _Ensemble:
    """The attributes of ONNX's TreeEnsemble: inner nodes and leaves are numbered apart."""

    def __init__(self) -> None:
        self._inner = self._leaves = 0
        self._columns: dict[str, list[Any]] = {name: [] for name in (*_INNER, *_LEAF)}
        self._roots: list[int] = []
        self._members: list[float] = []

    def grow(self, tree: Nodes, target: int) -> None:
        """Add one tree for one target."""
        inner, leaf = np.flatnonzero(~tree.is_leaf), np.flatnonzero(tree.is_leaf)
        number = np.empty(len(tree.is_leaf), dtype=np.int64)
        number[inner], number[leaf] = self._inner + np.arange(len(inner)), self._leaves + np.arange(len(leaf))
        self._roots.append(self._inner)
        if not len(inner):
            self._add_stump(int(number[0]))
        else:
            self._add_inner(tree, inner, number)
        self._extend("leaf_targetids", np.full(len(leaf), target))
        self._extend("leaf_weights", tree.leaves[leaf, target])
        self._inner, self._leaves = self._inner + max(len(inner), 1), self._leaves + len(leaf)

    def _add_inner(self, tree: Nodes, inner: NDArray[np.int64], number: NDArray[np.int64]) -> None:
        modes = np.full(len(tree.is_leaf), _LESS_OR_EQUAL)
        modes[[node for node, _ in tree.members]] = _MEMBER
        self._extend("nodes_featureids", tree.feature[inner])
        self._extend("nodes_splits", tree.threshold[inner])
        self._extend("nodes_modes", modes[inner])
        self._extend("nodes_missing_value_tracks_true", tree.missing_left[inner])
        for side, child in (("true", tree.left), ("false", tree.right)):
            self._extend(f"nodes_{side}nodeids", number[child[inner]])
            self._extend(f"nodes_{side}leafs", tree.is_leaf[child[inner]])
        for _, members in sorted(tree.members):
            # onnxruntime takes no empty list: no category is below zero.
            self._members += [*map(float, members or (-1,)), float("nan")]

    def _add_stump(self, leaf: int) -> None:
        # ONNX has no tree without a question: this one's answers are the same.
        for name, value in {"nodes_truenodeids": leaf, "nodes_falsenodeids": leaf}.items():
            self._extend(name, [value])
        for name in ("nodes_featureids", "nodes_splits", "nodes_modes", "nodes_missing_value_tracks_true"):
            self._extend(name, [0])
        for name in ("nodes_trueleafs", "nodes_falseleafs"):
            self._extend(name, [1])

    def _extend(self, name: str, values: Any) -> None:
        self._columns[name].append(np.asarray(values))

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the node."""
        joined = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        tensors = {"nodes_splits": "float64", "leaf_weights": "float64", "nodes_modes": "uint8"}
        found = {
            name: store(name, values.astype(tensors[name])) if name in tensors else values.astype(np.int64).tolist()
            for name, values in joined.items()
        }
        if self._members:
            found["membership_values"] = store("membership_values", np.array(self._members))
        return {**found, "tree_roots": self._roots}


_INNER = (
    *("nodes_featureids", "nodes_splits", "nodes_modes", "nodes_missing_value_tracks_true"),
    *("nodes_truenodeids", "nodes_falsenodeids", "nodes_trueleafs", "nodes_falseleafs"),
)
_LEAF = ("leaf_targetids", "leaf_weights")


def add_rounded_trees(table: Table, trees: Sequence[Nodes], targets: int) -> str:
    """Return the sums over trees that see the table rounded to single precision; no number where scikit-learn refuses a row.

    What a request may hold is finite in single precision; what was computed of it need not be, and then scikit-learn raises.
    """
    graph = table.graph
    rounded = graph.add("Cast", table.any_numbers(), to=FLOAT)
    if any(column.tensor != NUMBERS for column in table.columns):
        graph.refuse_infinite(rounded)
    return add_trees(graph, graph.add("Cast", rounded, to=DOUBLE), trees, targets)


def convert_tree(model: Any, table: Table) -> Responses:
    """One tree: what its leaves hold."""
    return _average(model, table, [model], [None])


def convert_forest(model: Any, table: Table) -> Responses:
    """Forests of trees: the mean of the leaves, added up in the order of the trees."""
    return _average(model, table, model.estimators_, [None] * len(model.estimators_))


def average_trees(model: Any, table: Table, trees: Sequence[Any], features: Sequence[Any]) -> Responses:
    """Return the mean of trees that were grown on columns of their own, as bagging does."""
    return _average(model, table, trees, features)


def _average(model: Any, table: Table, trees: Sequence[Any], features: Sequence[Any]) -> Responses:
    _require_one_output(trees[0])
    graph, is_classifier = table.graph, hasattr(model, "classes_")
    nodes = [read_tree(each.tree_, _leaf_values(each), used) for each, used in zip(trees, features, strict=True)]
    targets = nodes[0].leaves.shape[1]
    if is_classifier and any(len(each.classes_) != len(model.classes_) for each in trees):
        raise CannotCompileError("not every tree saw every class")
    summed = add_rounded_trees(table, nodes, targets)
    mean = graph.add("Div", summed, graph.constant([float(len(trees))])) if len(trees) > 1 else summed
    if not is_classifier:
        return Responses(value=mean)
    return Responses(probabilities=mean, label=label_of_largest(graph, mean), classes=targets)


def _require_one_output(tree: Any) -> None:
    if tree.n_outputs_ != 1:
        raise CannotCompileError("it has more than one output")


def _leaf_values(tree: Any) -> NDArray[np.float64]:
    values = tree.tree_.value[:, 0, :]
    return values[:, : len(tree.classes_)] if hasattr(tree, "classes_") else values[:, :1]


# Boosting


def convert_gradient_boosting(model: Any, table: Table) -> Responses:
    """Gradient boosting: a start, and for each stage a tree a sum, times the learning rate."""
    graph, sums = table.graph, model.n_trees_per_iteration_
    start = _find_start(model, sums)
    stages = [
        (read_tree(tree.tree_, tree.tree_.value[:, 0, 0] * model.learning_rate) for tree in model.estimators_[:, k])
        for k in range(sums)
    ]
    grown = _add_stages(start, [list(stage) for stage in stages], lambda trees: add_rounded_trees(table, trees, 1))
    raw = _side_by_side(graph, grown)
    if not hasattr(model, "classes_"):
        return Responses(value=raw)
    if sums > 1:
        return _softmax(graph, raw, sums)
    # The exponential loss is on half the log-odds.
    scaled = graph.add("Mul", raw, graph.constant([2.0])) if model.loss == "exponential" else raw
    probabilities = two_columns(graph, graph.add("Sigmoid", scaled))
    return Responses(
        probabilities=probabilities, decision=raw, label=label_above(graph, raw, 0.0, or_equal=True), classes=2
    )


def _find_start(model: Any, sums: int) -> list[float]:
    """Return what boosting starts from: it depends on no row unless a model was given for it."""
    if isinstance(model.init_, str):
        return [0.0] * sums
    if not type(model.init_).__name__.startswith("Dummy"):
        raise CannotCompileError("it starts from another model")
    nothing = np.zeros((1, model.n_features_in_), dtype=np.float32)
    return [float(each) for each in model._raw_predict_init(nothing).ravel()]


def _add_stages(start: Sequence[float], stages: Sequence[list[Nodes]], add: Callable[[list[Nodes]], str]) -> list[str]:
    """Return the sum of each class: what boosting starts from, and then its trees."""
    return [add([constant_tree([first]), *trees]) for first, trees in zip(start, stages, strict=True)]


def _side_by_side(graph: Graph, sums: Sequence[str]) -> str:
    return sums[0] if len(sums) == 1 else graph.add("Concat", *sums, axis=1)


def _softmax(graph: Graph, raw: str, classes: int) -> Responses:
    probabilities = graph.add("Softmax", raw, axis=1)
    return Responses(probabilities=probabilities, decision=raw, label=label_of_largest(graph, raw), classes=classes)


def convert_histogram_boosting(model: Any, table: Table) -> Responses:
    """Histogram boosting on a table whose categories are numbered: compares doubles."""
    graph, sums = table.graph, model.n_trees_per_iteration_
    start = [float(each) for each in np.ravel(model._baseline_prediction)]
    stages = [[_read_predictor(stage[k]) for stage in model._predictors] for k in range(sums)]
    rows = table.any_numbers()
    raw = _side_by_side(graph, _add_stages(start, stages, lambda trees: add_trees(graph, rows, trees, 1)))
    if not hasattr(model, "classes_"):
        return Responses(value=_invert_link(graph, raw, type(model._loss.link).__name__))
    if sums > 1:
        return _softmax(graph, raw, sums)
    probabilities = two_columns(graph, graph.add("Sigmoid", raw))
    return Responses(probabilities=probabilities, decision=raw, label=label_above(graph, raw, 0.0), classes=2)


def _invert_link(graph: Graph, raw: str, link: str) -> str:
    if link not in ("IdentityLink", "LogLink"):
        raise CannotCompileError(f"its link {link} is not known here")
    return graph.add("Exp", raw) if link == "LogLink" else raw


def _read_predictor(predictor: Any) -> Nodes:
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    asks = np.flatnonzero((nodes["is_categorical"] == 1) & ~is_leaf)
    return Nodes(
        feature=np.where(is_leaf, 0, nodes["feature_idx"]).astype(np.int64),
        threshold=np.where(is_leaf, 0.0, nodes["num_threshold"]).astype(np.float64),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        is_leaf=is_leaf,
        missing_left=nodes["missing_go_to_left"].astype(bool),
        leaves=nodes["value"].astype(np.float64).reshape(-1, 1),
        members=tuple(
            (int(node), tuple(_set_bits(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]]))) for node in asks
        ),
    )


def _set_bits(words: NDArray[np.uint32]) -> Iterator[int]:
    return (32 * at + bit for at, word in enumerate(words.tolist()) for bit in range(32) if word >> bit & 1)


def convert_adaboost(model: Any, table: Table) -> Responses:
    """AdaBoost of trees: each tree's own label counts by its weight."""
    trees, classes = list(model.estimators_), len(model.classes_)
    if any(not hasattr(each, "tree_") for each in trees):
        raise CannotCompileError(f"it boosts {type(trees[0]).__name__}, no trees")
    graph, total = table.graph, model.estimator_weights_.sum()
    votes = [_vote(each, model, weight) for each, weight in zip(trees, model.estimator_weights_, strict=False)]
    summed = add_rounded_trees(table, votes, classes)
    shares = graph.add("Div", summed, graph.constant([float(total)]))
    if classes > 2:
        probabilities = graph.add("Softmax", graph.add("Div", shares, graph.constant([classes - 1.0])), axis=1)
        return Responses(
            probabilities=probabilities, decision=shares, label=label_of_largest(graph, shares), classes=classes
        )
    signed = graph.add("Mul", shares, graph.constant([-1.0, 1.0]))
    decision = graph.add("ReduceSum", signed, graph.constant([1], "int64"), keepdims=1)
    both = graph.add("Concat", graph.add("Neg", decision), decision, axis=1)
    probabilities = graph.add("Softmax", graph.add("Div", both, graph.constant([2.0])), axis=1)
    return Responses(probabilities=probabilities, decision=decision, label=label_above(graph, decision, 0.0), classes=2)


def _vote(tree: Any, model: Any, weight: float) -> Nodes:
    said = tree.classes_[np.argmax(_leaf_values(tree), axis=1)]
    against = -1 / (len(model.classes_) - 1) * weight
    return read_tree(tree.tree_, np.where(said[:, None] == model.classes_[None, :], weight, against))


PREDICTORS: Mapping[str, Callable[[Any, Table], Responses]] = {
    "AdaBoostClassifier": convert_adaboost,
    **dict.fromkeys(
        ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"), convert_tree
    ),
    **dict.fromkeys(
        ("ExtraTreesClassifier", "ExtraTreesRegressor", "RandomForestClassifier", "RandomForestRegressor"),
        convert_forest,
    ),
    **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), convert_gradient_boosting),
}
