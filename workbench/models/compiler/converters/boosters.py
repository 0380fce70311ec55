"""Boosters that are kept as text: their forest as one node of ONNX a sum, with the same care for what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.models.boosters.booster import NEARLY_ZERO, Booster
from workbench.models.boosters.forest import Forest
from workbench.models.compiler.converters.tables import (
    BOOL,
    DOUBLE,
    FLOAT,
    CannotCompileError,
    Responses,
    Table,
    label_of_largest,
    two_columns,
)
from workbench.models.compiler.converters.trees import Nodes, add_trees, constant_tree
from workbench.models.compiler.onnx_graph import Graph
from workbench.models.onnx_predictor import NUMBERS


def convert_booster(model: Any, table: Table) -> Responses:
    """A booster of XGBoost, LightGBM or CatBoost: the sums of its leaves through its link."""
    booster, graph = model.booster, table.graph
    if table.width != booster.features:
        raise CannotCompileError(f"it takes {booster.features} columns and gets {table.width}")
    rows, trees = _prepare(booster, table), _read_trees(booster.forest)
    sums = [
        add_trees(graph, rows, [constant_tree([start]), *_of_sum(trees, target)], 1)
        for target, start in enumerate(booster.base)
    ]
    raw = sums[0] if len(sums) == 1 else graph.add("Concat", *sums, axis=1)
    if booster.divisor != 1:
        raw = graph.add("Div", raw, graph.constant([booster.divisor]))
    answer = _link(booster, graph, raw)
    if not hasattr(model, "predict_proba"):
        return Responses(value=answer, outputs=booster.targets)
    probabilities = two_columns(graph, answer) if booster.link == "sigmoid" else answer
    return Responses(
        probabilities=probabilities,
        decision=raw if model.decides else None,
        label=label_of_largest(graph, probabilities),
        classes=booster.classes,
    )


# What the trees see


def _prepare(booster: Booster, table: Table) -> str:
    graph, rows = table.graph, _round(booster, table)
    if booster.finite and any(column.tensor != NUMBERS for column in table.columns):
        graph.refuse_infinite(rows)
    if booster.flushes:
        is_zero = graph.add("LessOrEqual", graph.add("Abs", rows), graph.constant([NEARLY_ZERO]))
        rows = graph.add("Where", is_zero, graph.constant([0.0]), rows)
    if booster.missing == booster.missing:
        rows = _forget(graph, rows, graph.add("Equal", rows, graph.constant([booster.missing])))
    if booster.zero_missing is not None:
        is_zero = graph.add("Equal", rows, graph.constant([0.0]))
        rows = _forget(graph, rows, graph.add("And", is_zero, graph.constant(booster.zero_missing, "bool")))
    if booster.whole is None:
        return rows
    cut = graph.add("Floor", rows)
    if booster.toward_zero:
        is_negative = graph.add("Less", rows, graph.constant([0.0]))
        cut = graph.add("Where", is_negative, graph.add("Ceil", rows), cut)
    return graph.add("Where", graph.constant(booster.whole, "bool"), cut, rows)


def _round(booster: Booster, table: Table) -> str:
    """Return the columns rounded to single precision: all where the booster does so, else those that are of it already."""
    graph, rows = table.graph, table.any_numbers()
    single = [booster.single or column.single for column in table.columns]
    if not any(single):
        return rows
    rounded = graph.add("Cast", graph.add("Cast", rows, to=FLOAT), to=DOUBLE)
    return rounded if all(single) else graph.add("Where", graph.constant(single, "bool"), rounded, rows)


def _forget(graph: Graph, rows: str, flags: str) -> str:
    return graph.add("Where", graph.add("Cast", flags, to=BOOL), graph.constant([float("nan")]), rows)


# The trees


def _read_trees(forest: Forest) -> list[tuple[int, Nodes]]:
    """Return each tree with the first sum it adds to."""
    return [
        (target, _cut(forest, nodes, members))
        for (nodes, members), target in zip(forest.trees(), forest.targets.tolist(), strict=True)
    ]


def _cut(forest: Forest, nodes: slice, members: Mapping[int, Sequence[int]]) -> Nodes:
    itself = np.arange(nodes.start, nodes.stop)
    return Nodes(
        feature=forest.feature[nodes],
        threshold=forest.threshold[nodes],
        left=forest.left[nodes] - nodes.start,
        right=forest.right[nodes] - nodes.start,
        is_leaf=forest.left[nodes] == itself,
        missing_left=forest.missing_left[nodes],
        leaves=forest.leaves[nodes],
        members=tuple((node, tuple(found)) for node, found in members.items()),
    )


def _of_sum(trees: Sequence[tuple[int, Nodes]], target: int) -> list[Nodes]:
    """Return the trees that add to one sum, with what they add to it."""
    return [
        Nodes(**{**vars(nodes), "leaves": nodes.leaves[:, target - first : target - first + 1]})
        for first, nodes in trees
        if 0 <= target - first < nodes.leaves.shape[1]
    ]


# What the sums mean


def _link(booster: Booster, graph: Graph, raw: str) -> str:
    if booster.slope != 1:
        raw = graph.add("Mul", raw, graph.constant([booster.slope]))
    if booster.link in _ONE_OPERATOR:
        return graph.add(_ONE_OPERATOR[booster.link], raw)
    if booster.link == "softmax":
        return graph.add("Softmax", raw, axis=1)
    if booster.link == "signed square":
        return graph.add("Mul", raw, graph.add("Abs", raw))
    if booster.link == "softplus":
        one = graph.constant([1.0])
        return graph.add("Log", graph.add("Add", one, graph.add("Exp", raw)))
    return raw


_ONE_OPERATOR = {"exp": "Exp", "sigmoid": "Sigmoid", "sigmoids": "Sigmoid"}

PREDICTORS: Mapping[str, Callable[[Any, Table], Responses]] = {
    "BoostedClassifier": convert_booster,
    "BoostedRegressor": convert_booster,
}
