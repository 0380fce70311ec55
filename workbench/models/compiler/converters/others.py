"""Small families: naive Bayes, neural networks, and models that look at nothing."""

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


def convert_network(model: Any, table: Table) -> Responses:
    """A network of layers, each a weighted sum and an activation."""
    graph, rows = table.graph, table.numbers()
    for place, (weights, offset) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        if weights.dtype != np.float64:
            raise CannotCompileError("its weights are of single precision")
        rows = graph.add("Add", graph.add("MatMul", rows, graph.constant(weights)), graph.constant(offset))
        if place < len(model.coefs_) - 1:
            rows = _activate(graph, rows, model.activation)
    rows = _activate(graph, rows, model.out_activation_)
    if not hasattr(model, "classes_"):
        return Responses(value=rows, outputs=model.n_outputs_)
    if model.n_outputs_ == 1:
        return Responses(probabilities=two_columns(graph, rows), label=label_above(graph, rows, 0.5), classes=2)
    return Responses(probabilities=rows, label=label_of_largest(graph, rows), classes=model.n_outputs_)


def _activate(graph: Graph, rows: str, activation: str) -> str:
    if activation == "identity":
        return rows
    if activation == "softmax":
        return graph.add("Softmax", rows, axis=1)
    return graph.add({"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}[activation], rows)


def convert_gaussian_bayes(model: Any, table: Table) -> Responses:
    """Gaussian naive Bayes: the likelihood of each column, and the share of the class."""
    graph, rows = table.graph, table.numbers()
    columns = [_gaussian(graph, rows, model, place) for place in range(len(model.classes_))]
    joint = graph.add("Concat", *columns, axis=1)
    probabilities = _exp_of_normalized(graph, joint)
    return Responses(probabilities=probabilities, label=label_of_largest(graph, joint), classes=len(model.classes_))


def _gaussian(graph: Graph, rows: str, model: Any, place: int) -> str:
    mean, variance = model.theta_[place], model.var_[place]
    constant = graph.constant([float(-0.5 * np.sum(np.log(2.0 * np.pi * variance)))])
    gap = graph.add("Sub", rows, graph.constant(mean))
    scaled = graph.add("Div", graph.add("Mul", gap, gap), graph.constant(variance))
    total = graph.add("ReduceSum", scaled, graph.constant([1], "int64"), keepdims=1)
    # In scikit-learn's order: far away from all classes, the sums differ in nothing but their last bits.
    likelihood = graph.add("Sub", constant, graph.add("Mul", total, graph.constant([0.5])))
    return graph.add("Add", graph.constant([float(np.log(model.class_prior_[place]))]), likelihood)


def _exp_of_normalized(graph: Graph, joint: str) -> str:
    largest = graph.add("ReduceMax", joint, graph.constant([1], "int64"), keepdims=1)
    shifted = graph.add("Sub", joint, largest)
    total = graph.add("ReduceSum", graph.add("Exp", shifted), graph.constant([1], "int64"), keepdims=1)
    return graph.add("Exp", graph.add("Sub", shifted, graph.add("Log", total)))


def convert_count_bayes(model: Any, table: Table) -> Responses:
    """Naive Bayes of counts: a weighted sum for each class, to which the multinomial one adds the share of the class."""
    graph = table.graph
    joint = graph.add("MatMul", table.numbers(), graph.constant(model.feature_log_prob_.T))
    if type(model).__name__ == "MultinomialNB":
        joint = graph.add("Add", joint, graph.constant(model.class_log_prior_))
    probabilities = _exp_of_normalized(graph, joint)
    return Responses(probabilities=probabilities, label=label_of_largest(graph, joint), classes=len(model.classes_))


def convert_quadratic(model: Any, table: Table) -> Responses:
    """Quadratic discriminant analysis: how far a row is from each class, in the class's own axes."""
    graph, rows = table.graph, table.numbers()
    joined = graph.add("Concat", *(_distance(graph, rows, model, at) for at in range(len(model.classes_))), axis=1)
    logs = np.asarray([np.sum(np.log(each)) for each in model.scalings_])
    halved = graph.add("Mul", graph.add("Add", joined, graph.constant(logs)), graph.constant([-0.5]))
    joint = graph.add("Add", halved, graph.constant(np.log(model.priors_)))
    label = label_of_largest(graph, joint)
    ratio = graph.add("Sub", graph.gather(joint, [1]), graph.gather(joint, [0]))
    decision = ratio if len(model.classes_) == 2 else joint
    probabilities = _exp_of_normalized(graph, joint)
    return Responses(probabilities=probabilities, decision=decision, label=label, classes=len(model.classes_))


def _distance(graph: Graph, rows: str, model: Any, place: int) -> str:
    centred = graph.add("Sub", rows, graph.constant(model.means_[place]))
    axes = model.rotations_[place] * model.scalings_[place] ** -0.5
    turned = graph.add("MatMul", centred, graph.constant(axes))
    return graph.add("ReduceSum", graph.add("Mul", turned, turned), graph.constant([1], "int64"), keepdims=1)


def convert_bernoulli_bayes(model: Any, table: Table) -> Responses:
    """Naive Bayes of flags."""
    graph, rows = table.graph, table.numbers()
    if model.binarize is not None:
        rows = graph.add("Cast", graph.add("Greater", rows, graph.constant([float(model.binarize)])), to=11)
    absent = np.log(1 - np.exp(model.feature_log_prob_))
    weights = (model.feature_log_prob_ - absent).T
    joint = graph.add("MatMul", rows, graph.constant(weights))
    joint = graph.add("Add", joint, graph.constant(model.class_log_prior_ + absent.sum(axis=1)))
    probabilities = _exp_of_normalized(graph, joint)
    return Responses(probabilities=probabilities, label=label_of_largest(graph, joint), classes=len(model.classes_))


def convert_dummy_classifier(model: Any, table: Table) -> Responses:
    """The shares of the classes, or one class, whatever is asked."""
    if model.strategy not in ("prior", "most_frequent", "constant"):
        raise CannotCompileError(f"its strategy {model.strategy} draws at random")
    nothing = np.zeros((1, 1))
    shares = np.asarray(model.predict_proba(nothing), dtype=float)
    label = int(np.flatnonzero(model.classes_ == model.predict(nothing)[0])[0])
    graph = table.graph
    return Responses(
        probabilities=_repeat(table, shares),
        label=graph.add("Reshape", _repeat(table, np.array([[label]]), "int64"), graph.constant([-1], "int64")),
        classes=len(model.classes_),
    )


def convert_dummy_regressor(model: Any, table: Table) -> Responses:
    """One number, whatever is asked."""
    return Responses(value=_repeat(table, np.asarray(model.constant_, dtype=float).reshape(1, -1)))


def _repeat(table: Table, row: Any, dtype: str = "float64") -> str:
    """Return one row as often as rows are asked for."""
    graph = table.graph
    rows = graph.add("Shape", table.columns[0].tensor, start=0, end=1)
    shape = graph.add("Concat", rows, graph.constant([1], "int64"), axis=0)
    return graph.add("Tile", graph.constant(row, dtype), shape)


PREDICTORS: Mapping[str, Callable[[Any, Table], Responses]] = {
    "BernoulliNB": convert_bernoulli_bayes,
    "ComplementNB": convert_count_bayes,
    "DummyClassifier": convert_dummy_classifier,
    "DummyRegressor": convert_dummy_regressor,
    "GaussianNB": convert_gaussian_bayes,
    "MLPClassifier": convert_network,
    "MLPRegressor": convert_network,
    "MultinomialNB": convert_count_bayes,
    "QuadraticDiscriminantAnalysis": convert_quadratic,
}
