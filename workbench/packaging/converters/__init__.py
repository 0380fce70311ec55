"""Our own converters from fitted scikit-learn models to ONNX in double precision: one function a class, one file a family.

A converter computes what scikit-learn computes, in its order and its precision, or raises `CannotCompileError`. That it did so is
not believed: whoever compiles compares on rows made for it (`packaging/proof.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.packaging.converters import boosters, categories, composition, linear, numbers, others, trees
from workbench.packaging.converters.tables import CannotCompileError, Responses, Table

TRANSFORMERS: Mapping[str, Callable[[Any, Table], Table]] = {
    "Binarizer": numbers.convert_binarizer,
    "ColumnTransformer": composition.convert_columns,
    "FeatureUnion": composition.convert_union,
    "FunctionTransformer": numbers.convert_function,
    "KBinsDiscretizer": numbers.convert_bins,
    "MaxAbsScaler": numbers.convert_max_abs_scaler,
    "MinMaxScaler": numbers.convert_min_max_scaler,
    "MissingIndicator": numbers.convert_missing_indicator,
    "Normalizer": numbers.convert_normalizer,
    "OneHotEncoder": categories.convert_one_hot,
    "OrdinalEncoder": categories.convert_ordinal,
    "PCA": numbers.convert_projection,
    "Pipeline": composition.transform_pipeline,
    "PolynomialFeatures": numbers.convert_polynomial,
    "PowerTransformer": numbers.convert_power,
    "RobustScaler": numbers.convert_robust_scaler,
    "SimpleImputer": numbers.convert_imputer,
    "StandardScaler": numbers.convert_standard_scaler,
    "TargetEncoder": categories.convert_target,
    "TruncatedSVD": numbers.convert_projection,
    **dict.fromkeys(
        (
            *("GenericUnivariateSelect", "RFE", "RFECV", "SelectFdr", "SelectFpr", "SelectFromModel", "SelectFwe"),
            *("SelectKBest", "SelectPercentile", "SequentialFeatureSelector", "VarianceThreshold"),
        ),
        numbers.convert_selection,
    ),
}
PREDICTORS: Mapping[str, Callable[[Any, Table], Responses]] = {
    "AdaBoostClassifier": trees.convert_adaboost,
    "BaggingClassifier": composition.convert_bagging,
    "BaggingRegressor": composition.convert_bagging,
    "BernoulliNB": others.convert_bernoulli_bayes,
    "BoostedClassifier": boosters.convert_booster,
    "BoostedRegressor": boosters.convert_booster,
    "CalibratedClassifierCV": composition.convert_calibrated,
    "ComplementNB": others.convert_count_bayes,
    "DummyClassifier": others.convert_dummy_classifier,
    "DummyRegressor": others.convert_dummy_regressor,
    "FixedThresholdClassifier": composition.convert_fixed_threshold,
    "FrozenEstimator": composition.convert_frozen,
    "GaussianNB": others.convert_gaussian_bayes,
    "IsolationForest": trees.convert_isolation_forest,
    "IsotonicRegression": composition.convert_isotonic,
    "LinearDiscriminantAnalysis": linear.convert_discriminant,
    "MLPClassifier": others.convert_network,
    "MLPRegressor": others.convert_network,
    "OneVsRestClassifier": composition.convert_one_vs_rest,
    "MultinomialNB": others.convert_count_bayes,
    "PLSRegression": linear.convert_pls,
    "Pipeline": composition.convert_pipeline,
    "QuadraticDiscriminantAnalysis": others.convert_quadratic,
    "RANSACRegressor": lambda model, table: convert_predictor(model.estimator_, table),
    "SGDClassifier": linear.convert_gradient_descent,
    "StackingClassifier": composition.convert_stacking,
    "StackingRegressor": composition.convert_stacking,
    "TransformedTargetRegressor": composition.convert_transformed_target,
    "TunedThresholdClassifierCV": composition.convert_tuned_threshold,
    "VotingClassifier": composition.convert_voting_classifier,
    "VotingRegressor": composition.convert_voting_regressor,
    **dict.fromkeys(("GridSearchCV", "RandomizedSearchCV"), composition.convert_search),
    **dict.fromkeys(("HalvingGridSearchCV", "HalvingRandomSearchCV"), composition.convert_search),
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), linear.convert_logistic),
    **dict.fromkeys(
        ("LinearSVC", "PassiveAggressiveClassifier", "Perceptron", "RidgeClassifier", "RidgeClassifierCV"),
        linear.convert_decision,
    ),
    **dict.fromkeys(("GammaRegressor", "PoissonRegressor", "TweedieRegressor"), linear.convert_log_link),
    **dict.fromkeys(
        (
            *("ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lars", "LarsCV"),
            *("Lasso", "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearRegression", "LinearSVR"),
            *("OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV", "PassiveAggressiveRegressor"),
            *("QuantileRegressor", "Ridge", "RidgeCV", "SGDRegressor", "TheilSenRegressor"),
        ),
        linear.convert_regressor,
    ),
    **dict.fromkeys(
        ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"),
        trees.convert_tree,
    ),
    **dict.fromkeys(
        ("ExtraTreesClassifier", "ExtraTreesRegressor", "RandomForestClassifier", "RandomForestRegressor"),
        trees.convert_forest,
    ),
    **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), trees.convert_gradient_boosting),
    **dict.fromkeys(
        ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), trees.convert_histogram_boosting
    ),
}


_TRUSTED = ("sklearn.", "workbench.packaging.boosters.")


def convert_transformer(step: Any, table: Table) -> Table:
    """Return the table that a fitted transformer makes of a table."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return table
    convert = _find(TRANSFORMERS, step)
    if convert not in _PASSING_ON:
        table.require_read()
    return convert(step, table)


# They look at no value themselves.
_PASSING_ON = (composition.convert_columns, composition.convert_union, composition.transform_pipeline)


def convert_predictor(model: Any, table: Table) -> Responses:
    """Return what a fitted predictor answers to a table."""
    return _find(PREDICTORS, model)(model, table)


def _find(known: Mapping[str, Callable[[Any, Table], Any]], part: Any) -> Callable[[Any, Table], Any]:
    kind = type(part)
    # A class of somebody else's may bear the name, and computes what it likes.
    if kind.__name__ not in known or not kind.__module__.startswith(_TRUSTED):
        raise CannotCompileError(f"no converter for {kind.__name__}")
    return known[kind.__name__]
