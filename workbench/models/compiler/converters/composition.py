"""What is made of other models: pipelines, searches, thresholds, votes, stacks and calibration; and what converts any model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.models.compiler.converters import boosters, categories, linear, numbers, others, trees
from workbench.models.compiler.converters.tables import (
    CannotCompileError,
    Responses,
    Table,
    join,
    label_above,
    label_of_largest,
    require,
    spread,
    two_columns,
)
from workbench.models.compiler.onnx_graph import Graph


def transform_pipeline(model: Any, table: Table) -> Table:
    """Apply every step, the last one included."""
    return _apply_steps(model.steps, table)


def convert_pipeline(model: Any, table: Table) -> Responses:
    """Apply every step but the last, which answers."""
    return convert_predictor(model.steps[-1][1], _apply_steps(model.steps[:-1], table))


def _apply_steps(steps: Sequence[tuple[str, Any]], table: Table) -> Table:
    for _, step in steps:
        table = convert_transformer(step, table)
    return table


def convert_columns(model: Any, table: Table) -> Table:
    """Each transformer on its own columns, side by side in the order of their names."""
    if table.width != model.n_features_in_:
        raise CannotCompileError(f"it takes {model.n_features_in_} columns and gets {table.width}")
    parts = [
        (name, convert_transformer(step, table.select(model._transformer_to_input_indices[name])))
        for name, step, columns in model.transformers_
        if not _is_dropped(step) and len(model._transformer_to_input_indices[name])
    ]
    return join(table.graph, [part for _, part in parts])


def _is_dropped(step: Any) -> bool:
    return isinstance(step, str) and step == "drop"


def convert_union(model: Any, table: Table) -> Table:
    """Several transformers on the same columns, side by side."""
    if model.transformer_weights:
        raise CannotCompileError("it weights its transformers")
    steps = [step for _, step in model.transformer_list if not _is_dropped(step)]
    return join(table.graph, [convert_transformer(step, table) for step in steps])


def convert_search(model: Any, table: Table) -> Responses:
    """A search answers with the best it found."""
    return convert_predictor(model.best_estimator_, table)


def convert_frozen(model: Any, table: Table) -> Responses:
    """A frozen model answers as before."""
    return convert_predictor(model.estimator, table)


def convert_histogram_boosting(model: Any, table: Table) -> Responses:
    """Histogram boosting asks for categories after it has numbered them."""
    is_ready = model._preprocessor is None
    return trees.convert_histogram_boosting(
        model, table if is_ready else convert_transformer(model._preprocessor, table)
    )


# Decisions


def convert_fixed_threshold(model: Any, table: Table) -> Responses:
    """Two classes by a threshold of one's own."""
    inner = getattr(model, "estimator_", model.estimator)
    threshold = model.threshold
    is_probability = model.response_method in ("auto", "predict_proba") and hasattr(inner, "predict_proba")
    limit = (0.5 if is_probability else 0.0) if threshold == "auto" else float(threshold)
    return _decide(model, inner, table, limit, is_probability, model.pos_label)


def convert_tuned_threshold(model: Any, table: Table) -> Responses:
    """Two classes by the threshold that was tuned."""
    is_probability = model._get_response_method() != "decision_function" and hasattr(model.estimator_, "predict_proba")
    positive = model._curve_scorer._get_pos_label()
    return _decide(model, model.estimator_, table, float(model.best_threshold_), is_probability, positive)


def _decide(model: Any, inner: Any, table: Table, limit: float, is_probability: bool, positive: Any) -> Responses:
    answer, graph = convert_predictor(inner, table), table.graph
    is_first = positive is not None and positive == model.classes_[0]
    if is_probability:
        score = graph.gather(require(answer.probabilities, "probabilities"), [0 if is_first else 1])
    else:
        score = require(answer.decision, "decision function")
        score = graph.add("Neg", score) if is_first else score
    label = label_above(graph, score, limit, or_equal=True)
    if is_first:
        label = graph.add("Sub", graph.constant([1], "int64"), label)
    return Responses(probabilities=answer.probabilities, decision=answer.decision, label=label, classes=2)


# Votes and stacks


def convert_voting_classifier(model: Any, table: Table) -> Responses:
    """Soft voting: the weighted mean of the probabilities."""
    if model.voting != "soft":
        raise CannotCompileError("it counts votes and gives no probabilities")
    graph = table.graph
    parts = [require(convert_predictor(each, table).probabilities, "probabilities") for each in model.estimators_]
    mean = _weighted_mean(graph, parts, model._weights_not_none)
    return Responses(probabilities=mean, label=label_of_largest(graph, mean), classes=len(model.classes_))


def convert_voting_regressor(model: Any, table: Table) -> Responses:
    """The weighted mean of the predictions."""
    parts = [require(convert_predictor(each, table).value, "prediction") for each in model.estimators_]
    return Responses(value=_weighted_mean(table.graph, parts, model._weights_not_none))


def _weighted_mean(graph: Graph, parts: Sequence[str], weights: Sequence[float] | None) -> str:
    if weights is None:
        return graph.add("Div", _add_up(graph, parts), graph.constant([float(len(parts))]))
    weighted = [graph.add("Mul", part, graph.constant([float(w)])) for part, w in zip(parts, weights, strict=True)]
    return graph.add("Div", _add_up(graph, weighted), graph.constant([float(np.sum(weights))]))


def _add_up(graph: Graph, parts: Sequence[str]) -> str:
    total = parts[0]
    for part in parts[1:]:
        total = graph.add("Add", total, part)
    return total


def convert_stacking(model: Any, table: Table) -> Responses:
    """A last model on the answers of the others."""
    graph = table.graph
    tables = [
        _as_features(graph, convert_predictor(each, table), method)
        for each, method in zip(model.estimators_, model.stack_method_, strict=True)
    ]
    return convert_predictor(model.final_estimator_, join(graph, [*tables, *([table] if model.passthrough else [])]))


def _as_features(graph: Graph, answer: Responses, method: str) -> Table:
    if method == "predict_proba":
        whole = spread(graph, require(answer.probabilities, "probabilities"), answer.classes)
        return whole.select([1]) if answer.classes == 2 else whole
    if method == "decision_function":
        width = 1 if answer.classes == 2 else answer.classes
        return spread(graph, require(answer.decision, "decision function"), width)
    return spread(graph, require(answer.value, "prediction"), answer.outputs)


def convert_bagging(model: Any, table: Table) -> Responses:
    """The mean of models that were trained on rows and columns of their own."""
    models, places = list(model.estimators_), [list(map(int, each)) for each in model.estimators_features_]
    if all(hasattr(each, "tree_") for each in models):
        return trees.average_trees(model, table, models, places)
    graph = table.graph
    answers = [convert_predictor(each, table.select(used)) for each, used in zip(models, places, strict=True)]
    if not hasattr(model, "classes_"):
        return Responses(value=_weighted_mean(graph, [require(each.value, "prediction") for each in answers], None))
    if any(each.classes != len(model.classes_) for each in answers):
        raise CannotCompileError("not every model saw every class")
    mean = _weighted_mean(graph, [require(each.probabilities, "probabilities") for each in answers], None)
    return Responses(probabilities=mean, label=label_of_largest(graph, mean), classes=len(model.classes_))


def convert_one_vs_rest(model: Any, table: Table) -> Responses:
    """One model for each class, their probabilities as shares of their sum."""
    graph = table.graph
    if len(model.estimators_) < 2 or model.multilabel_:
        raise CannotCompileError("it has not one model for each of several classes")
    answers = [convert_predictor(each, table) for each in model.estimators_]
    raw = [graph.gather(require(each.probabilities, "probabilities"), [1]) for each in answers]
    joined = graph.add("Concat", *raw, axis=1)
    total = graph.add("ReduceSum", joined, graph.constant([1], "int64"), keepdims=1)
    is_zero = graph.add("Equal", total, graph.constant([0.0]))
    shares = graph.add("Div", joined, graph.add("Where", is_zero, graph.constant([1.0]), total))
    decisions = [each.decision for each in answers]
    by = graph.add("Concat", *map(str, decisions), axis=1) if all(decisions) else joined
    return Responses(probabilities=shares, label=label_of_largest(graph, by), classes=len(raw))


def convert_transformed_target(model: Any, table: Table) -> Responses:
    """A regressor on a target of another scale, turned back."""
    graph, value = table.graph, require(convert_predictor(model.regressor_, table).value, "prediction")
    transformer = model.transformer_
    name = type(transformer).__name__
    if name == "FunctionTransformer":
        if transformer.inv_kw_args:
            raise CannotCompileError("its inverse takes arguments")
        return Responses(value=numbers.apply_function(graph, transformer.inverse_func, value))
    if name != "StandardScaler":
        raise CannotCompileError(f"its target is turned back by {name}")
    if transformer.with_std:
        value = graph.add("Mul", value, graph.constant(transformer.scale_))
    return Responses(
        value=graph.add("Add", value, graph.constant(transformer.mean_)) if transformer.with_mean else value
    )


# Calibration

_LEAST = 1e-12  # what scikit-learn adds before it takes a logarithm


def convert_calibrated(model: Any, table: Table) -> Responses:
    """The mean of models each of which was calibrated on rows it had not seen."""
    graph, classes = table.graph, len(model.classes_)
    parts = [_calibrate(each, table, classes) for each in model.calibrated_classifiers_]
    mean = _weighted_mean(graph, parts, None)
    return Responses(probabilities=mean, label=label_of_largest(graph, mean), classes=classes)


def _calibrate(calibrated: Any, table: Table, classes: int) -> str:
    answer, graph = convert_predictor(calibrated.estimator, table), table.graph
    has_decision = hasattr(calibrated.estimator, "decision_function")
    if calibrated.method == "temperature" and answer.classes == classes:
        return _cool(graph, answer, has_decision, float(calibrated.calibrators[0].beta_))
    if answer.classes != classes or calibrated.method not in ("sigmoid", "isotonic"):
        raise CannotCompileError(f"its calibration ({calibrated.method}) is not known here")
    if has_decision:
        scores = require(answer.decision, "decision function")
    else:
        probabilities = require(answer.probabilities, "probabilities")
        scores = graph.gather(probabilities, [1]) if classes == 2 else probabilities
    turned = [
        _calibrate_one(graph, graph.gather(scores, [place]) if classes > 2 else scores, calibrator)
        for place, calibrator in enumerate(calibrated.calibrators)
    ]
    if classes == 2:
        return two_columns(graph, turned[0])
    return linear.share_of_row(graph, graph.add("Concat", *turned, axis=1), classes)


def _cool(graph: Graph, answer: Responses, has_decision: bool, beta: float) -> str:
    """Return the softmax of scores, or of the logarithms of probabilities, by one temperature."""
    if has_decision and answer.classes > 2:
        raise CannotCompileError("its calibration asks all rows at once whether they are probabilities")
    if has_decision:
        decision = require(answer.decision, "decision function")
        logits = graph.add("Concat", graph.add("Neg", decision), decision, axis=1)
    else:
        probabilities = require(answer.probabilities, "probabilities")
        if answer.classes == 2:
            probabilities = two_columns(graph, graph.gather(probabilities, [1]))
        logits = graph.add("Log", graph.add("Add", probabilities, graph.constant([_LEAST])))
    return graph.add("Softmax", graph.add("Mul", logits, graph.constant([beta])), axis=1)


def _calibrate_one(graph: Graph, score: str, calibrator: Any) -> str:
    if type(calibrator).__name__ == "_SigmoidCalibration":
        line = graph.add("Mul", score, graph.constant([float(calibrator.a_)]))
        return graph.add("Sigmoid", graph.add("Neg", graph.add("Add", line, graph.constant([float(calibrator.b_)]))))
    return _interpolate(graph, score, calibrator)


def convert_isotonic(model: Any, table: Table) -> Responses:
    """Isotonic regression of one column: a line from knot to knot."""
    return Responses(value=_interpolate(table.graph, table.numbers(), model))


def _interpolate(graph: Graph, score: str, model: Any) -> str:
    """Return the line between knots, as scipy's interp1d computes it."""
    x, y = (np.asarray(each, dtype=float) for each in (model.X_thresholds_, model.y_thresholds_))
    if len(y) == 1:
        return graph.add("Add", graph.add("Mul", score, graph.constant([0.0])), graph.constant(y))
    if model.out_of_bounds != "clip":
        raise CannotCompileError("it has no answer outside of what it saw")
    if model.X_thresholds_.dtype != np.float64:
        raise CannotCompileError("its knots are of single precision")
    clipped = graph.add("Clip", score, graph.constant(float(model.X_min_)), graph.constant(float(model.X_max_)))
    below = graph.add("Less", graph.constant(x), clipped)
    count = graph.add("ReduceSum", graph.add("Cast", below, to=11), graph.constant([1], "int64"), keepdims=1)
    high = graph.add("Clip", count, graph.constant(1.0), graph.constant(float(len(x) - 1)))
    high = graph.add("Cast", high, to=7)
    low = graph.add("Sub", high, graph.constant([1], "int64"))
    x_low, x_high, y_low, y_high = (
        graph.add("Gather", graph.constant(values), place, axis=0)
        for values, place in ((x, low), (x, high), (y, low), (y, high))
    )
    slope = graph.add("Div", graph.add("Sub", y_high, y_low), graph.add("Sub", x_high, x_low))
    return graph.add("Add", graph.add("Mul", slope, graph.add("Sub", clipped, x_low)), y_low)


# What converts which class

TRANSFORMERS: Mapping[str, Callable[[Any, Table], Table]] = {
    "ColumnTransformer": convert_columns,
    "FeatureUnion": convert_union,
    "Pipeline": transform_pipeline,
    **categories.TRANSFORMERS,
    **numbers.TRANSFORMERS,
}
PREDICTORS: Mapping[str, Callable[[Any, Table], Responses]] = {
    "BaggingClassifier": convert_bagging,
    "BaggingRegressor": convert_bagging,
    "CalibratedClassifierCV": convert_calibrated,
    "FixedThresholdClassifier": convert_fixed_threshold,
    "FrozenEstimator": convert_frozen,
    "IsotonicRegression": convert_isotonic,
    "OneVsRestClassifier": convert_one_vs_rest,
    "Pipeline": convert_pipeline,
    "RANSACRegressor": lambda model, table: convert_predictor(model.estimator_, table),
    "StackingClassifier": convert_stacking,
    "StackingRegressor": convert_stacking,
    "TransformedTargetRegressor": convert_transformed_target,
    "TunedThresholdClassifierCV": convert_tuned_threshold,
    "VotingClassifier": convert_voting_classifier,
    "VotingRegressor": convert_voting_regressor,
    **dict.fromkeys(("GridSearchCV", "RandomizedSearchCV"), convert_search),
    **dict.fromkeys(("HalvingGridSearchCV", "HalvingRandomSearchCV"), convert_search),
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), convert_histogram_boosting),
    **boosters.PREDICTORS,
    **linear.PREDICTORS,
    **others.PREDICTORS,
    **trees.PREDICTORS,
}
_TRUSTED = ("sklearn.", "workbench.models.boosters.")
_PASSING_ON = (convert_columns, convert_union, transform_pipeline)  # they look at no value themselves


def convert_transformer(step: Any, table: Table) -> Table:
    """Return the table that a fitted transformer makes of a table."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return table
    convert = _find(TRANSFORMERS, step)
    if convert not in _PASSING_ON:
        table.require_read()
    return convert(step, table)


def convert_predictor(model: Any, table: Table) -> Responses:
    """Return what a fitted predictor answers to a table."""
    return _find(PREDICTORS, model)(model, table)


def _find(known: Mapping[str, Callable[[Any, Table], Any]], part: Any) -> Callable[[Any, Table], Any]:
    kind = type(part)
    # A class of somebody else's may bear the name, and computes what it likes.
    if kind.__name__ not in known or not kind.__module__.startswith(_TRUSTED):
        raise CannotCompileError(f"no converter for {kind.__name__}")
    return known[kind.__name__]
