"""Linear models: a weighted sum and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.models.compiler.converters.tables import (
    CannotCompileError,
    Responses,
    Table,
    label_above,
    label_of_largest,
    two_columns,
)
from workbench.models.compiler.onnx_graph import Graph


def weighted_sum(table: Table, weights: Any, offset: Any) -> tuple[str, int]:
    """Return X @ weights.T + offset and how many sums these are; `weights` is (features,) or (sums, features)."""
    graph, matrix = table.graph, np.atleast_2d(np.asarray(weights, dtype=float))
    if np.asarray(weights).dtype != np.float64:
        raise CannotCompileError("its weights are of single precision")
    summed = graph.add("MatMul", table.numbers(), graph.constant(matrix.T))
    return graph.add("Add", summed, graph.constant(np.asarray(offset, dtype=float).reshape(-1))), len(matrix)


def convert_regressor(model: Any, table: Table) -> Responses:
    """Least squares and its kin: the sum is the prediction."""
    value, outputs = weighted_sum(table, model.coef_, model.intercept_)
    return Responses(value=value, outputs=outputs)


def convert_log_link(model: Any, table: Table) -> Responses:
    """Poisson, gamma and Tweedie regression: the prediction is the inverse link of the sum."""
    raw, _ = weighted_sum(table, model.coef_, model.intercept_)
    link = type(model._base_loss.link).__name__
    if link not in ("LogLink", "IdentityLink"):
        raise CannotCompileError(f"its link {link} is not known here")
    return Responses(value=table.graph.add("Exp", raw) if link == "LogLink" else raw)


def convert_pls(model: Any, table: Table) -> Responses:
    """Partial least squares: centred first, then weighted."""
    graph = table.graph
    centred = graph.add("Sub", table.numbers(), graph.constant(model._x_mean))
    weights = np.asarray(model.coef_, dtype=float)
    summed = graph.add("MatMul", centred, graph.constant(weights.T))
    return Responses(value=graph.add("Add", summed, graph.constant(model.intercept_)), outputs=len(weights))


def convert_decision(model: Any, table: Table) -> Responses:
    """Classifiers by the sign or the largest of their sums, without probabilities: hinge, ridge, perceptron."""
    decision, sums = weighted_sum(table, model.coef_, model.intercept_)
    return _by_decision(table.graph, decision, sums)


def _by_decision(graph: Graph, decision: str, sums: int, probabilities: str | None = None) -> Responses:
    label = label_above(graph, decision, 0.0) if sums == 1 else label_of_largest(graph, decision)
    return Responses(probabilities=probabilities, decision=decision, label=label, classes=max(sums, 2))


def convert_logistic(model: Any, table: Table) -> Responses:
    """Logistic regression and linear discriminants: sigmoid of one sum, softmax of several."""
    decision, sums = weighted_sum(table, model.coef_, model.intercept_)
    graph = table.graph
    probabilities = (
        two_columns(graph, graph.add("Sigmoid", decision)) if sums == 1 else graph.add("Softmax", decision, axis=1)
    )
    return _by_decision(graph, decision, sums, probabilities)


def convert_discriminant(model: Any, table: Table) -> Responses:
    """Linear discriminant analysis, whose label for two classes is that of the larger of both sums."""
    return convert_logistic(model, table)


def convert_gradient_descent(model: Any, table: Table) -> Responses:
    """Stochastic gradient descent: probabilities with the log loss or the modified Huber loss only."""
    decision, sums = weighted_sum(table, model.coef_, model.intercept_)
    graph = table.graph
    if model.loss not in ("log_loss", "modified_huber"):
        return _by_decision(graph, decision, sums)
    if model.loss == "log_loss":
        positive = graph.add("Sigmoid", decision)
    else:
        clipped = graph.add("Clip", decision, graph.constant(-1.0), graph.constant(1.0))
        positive = graph.add("Div", graph.add("Add", clipped, graph.constant([1.0])), graph.constant([2.0]))
    probabilities = two_columns(graph, positive) if sums == 1 else share_of_row(graph, positive, sums)
    return _by_decision(graph, decision, sums, probabilities)


def share_of_row(graph: Graph, scores: str, classes: int) -> str:
    """Return scores as shares of their row's sum; where all are zero, each class gets the same."""
    total = graph.add("ReduceSum", scores, graph.constant([1], "int64"), keepdims=1)
    is_zero = graph.add("Equal", total, graph.constant([0.0]))
    share = graph.add("Div", scores, graph.add("Where", is_zero, graph.constant([1.0]), total))
    return graph.add("Where", is_zero, graph.constant(np.full(classes, 1 / classes)), share)


PREDICTORS: Mapping[str, Callable[[Any, Table], Responses]] = {
    "LinearDiscriminantAnalysis": convert_discriminant,
    "PLSRegression": convert_pls,
    "SGDClassifier": convert_gradient_descent,
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), convert_logistic),
    **dict.fromkeys(
        ("LinearSVC", "PassiveAggressiveClassifier", "Perceptron", "RidgeClassifier", "RidgeClassifierCV"),
        convert_decision,
    ),
    **dict.fromkeys(("GammaRegressor", "PoissonRegressor", "TweedieRegressor"), convert_log_link),
    **dict.fromkeys(
        (
            *("ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lars", "LarsCV"),
            *("Lasso", "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearRegression", "LinearSVR"),
            *("OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV", "PassiveAggressiveRegressor"),
            *("QuantileRegressor", "Ridge", "RidgeCV", "SGDRegressor", "TheilSenRegressor"),
        ),
        convert_regressor,
    ),
}
