"""Boosted models: sums of trees, which native code adds up for all rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.models.model_parts import applies_functions
from workbench.models.reviewed_types.family import OBJECT, Family, named
from workbench.models.reviewed_types.trees import find_node_faults, listed

_WORDS_OF_A_BITSET = 8


def find_boosting_faults(part: Any) -> Iterator[str]:
    """Yield what is wrong with a gradient boosting model's trees, categories and first guess."""
    kind = type(part).__name__
    if kind.startswith("HistGradientBoosting"):
        yield from _find_histogram_faults(part)
    elif kind.startswith("GradientBoosting") and hasattr(part, "estimators_"):
        yield from _find_stage_faults(part)


# Gradient boosting: the trees of a stage add to the columns of one table, which starts with the first guess.


def _find_stage_faults(part: Any) -> Iterator[str]:
    trees = [*listed(part.estimators_)]
    if {type(each).__name__ for each in trees} != {"DecisionTreeRegressor"}:
        yield "A boosting model adds up what are no trees."
    if {each.n_features_in_ for each in trees} != {part.n_features_in_}:
        yield "A boosted tree was fitted to another number of features."
    if not _is_of_scikit_learn(part._loss) or not _has_room_for_each(part, part.estimators_.shape[1]):
        yield "A boosting model's first guess has not the width of its trees, or may answer fewer rows (init=)."


def _is_of_scikit_learn(loss: Any) -> bool:
    modules = (type(loss).__module__, type(loss.link).__module__)
    return modules == ("sklearn._loss.loss", "sklearn._loss.link")


def _has_room_for_each(part: Any, trees: int) -> bool:
    """True if the table of first guesses has a row for each row asked and a column for each tree of a stage."""
    guess = part.init_
    if isinstance(guess, str):
        return guess == "zero" and int(part.n_trees_per_iteration_) == trees
    if trees == 1:
        # A function over columns may answer fewer rows than it was asked; estimators do not.
        return getattr(guess, "n_outputs_", 1) == 1 and not applies_functions(guess)
    is_share = type(guess).__name__ == "DummyClassifier" and guess.strategy == "prior"
    return is_share and bool(part._loss.is_multiclass) and guess.class_prior_.shape == (trees,)


# Histogram boosting


def _find_histogram_faults(part: Any) -> Iterator[str]:
    state = vars(part)
    predictors = [each for each in listed(state.get("_predictors")) if type(each).__name__ == "TreePredictor"]
    features = state.get("n_features_in_", 0)
    if predictors and type(state["_bin_mapper"]).__name__ != "_BinMapper":
        yield "A boosting model's bins are none."
    for predictor in predictors:
        nodes = predictor.nodes
        children = (nodes["left"], nodes["right"])
        yield from find_node_faults(children, nodes["feature_idx"], nodes["is_leaf"] == 0, features)
        yield from _find_category_faults(predictor, state["_bin_mapper"].is_categorical_, features)
    if predictors and (state.get("_in_fit") or not _keeps_every_column(state.get("_preprocessor"), features)):
        yield "A boosting model prepares its rows in a way that can lose columns."


def _find_category_faults(predictor: Any, is_categorical: Any, features: int) -> Iterator[str]:
    import numpy as np

    nodes, known = predictor.nodes, np.flatnonzero(is_categorical)
    categorical = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] != 0)]
    sets = np.asarray(predictor.raw_left_cat_bitsets)
    if np.shape(is_categorical) != (features,) or not np.isin(categorical["feature_idx"], known).all():
        yield "A tree splits a number by categories."
    if (categorical["bitset_idx"] >= len(sets)).any() or sets.shape[1:] != (_WORDS_OF_A_BITSET,):
        yield "A tree splits on categories that do not exist."


def _keeps_every_column(preprocessor: Any, features: int) -> bool:
    """True if what is done before the trees gives them as many columns as the model takes, as scikit-learn builds it."""
    if preprocessor is None:
        return True
    if type(preprocessor).__name__ != "ColumnTransformer":
        return False
    steps = [each for each in preprocessor.transformers_ if not isinstance(each[1], str)]
    indices = [index for name, _, _ in steps for index in preprocessor._transformer_to_input_indices[name]]
    masks = [where for _, _, where in steps]
    # Arrays are divided by masks, tables by the names at these indices.
    return (
        all(_keeps_columns(step) for _, step, _ in steps)
        and all(mask.dtype == bool and mask.shape == (features,) for mask in masks)
        and bool((sum(mask.astype(int) for mask in masks) == 1).all())
        and sorted(indices) == list(range(features))
    )


def _keeps_columns(step: Any) -> bool:
    if type(step).__name__ == "OrdinalEncoder":
        return True
    function: Any = getattr(step, "func", None)
    is_check = getattr(getattr(function, "func", None), "__name__", "") == "check_array" and not function.args
    return type(step).__name__ == "FunctionTransformer" and is_check


BOOSTING = Family(
    "boosting",
    reason="They are lists of trees, a first guess and the limits of bins; native code adds up what the trees say.",
    estimators=named(
        "sklearn.ensemble",
        "_gb.GradientBoostingClassifier _gb.GradientBoostingRegressor "
        "_hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier "
        "_hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor "
        "_weight_boosting.AdaBoostClassifier _weight_boosting.AdaBoostRegressor",
    ),
    parts={
        OBJECT: named("sklearn.ensemble._hist_gradient_boosting", "binning._BinMapper predictor.TreePredictor"),
    },
    checked="trees as above; categories exist; the first guess is as wide as the trees; no column is lost before them",
    find_faults=find_boosting_faults,
)
