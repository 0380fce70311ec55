"""The zoo: the models people fit with scikit-learn, each with what it predicts and from which columns of the customers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from sklearn import ensemble as e
from sklearn import linear_model as lm
from sklearn import model_selection as ms
from sklearn import naive_bayes as nb
from sklearn import neighbors as nn
from sklearn import preprocessing as pp
from sklearn import svm
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes IterativeImputer importable
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold, f_classif
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import Nystroem
from sklearn.kernel_ridge import KernelRidge
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from tests.soak.customers import FLAGS, GAP_TEXTS, GAPS, KINDS, LARGE, MIXED, NULLABLE, PLAIN, SMALL, TEXTS

USED_MOST = ("linear", "trees", "forests", "boosting", "columns")
FULL = (*GAPS, *GAP_TEXTS, *FLAGS)
EVERYTHING = (*GAPS, "account", "since", *SMALL, *NULLABLE, *TEXTS, *GAP_TEXTS[1:], *KINDS, "zone_kind", *FLAGS)


@dataclass(frozen=True)
class Member:
    """A model of the zoo: how it is made, what it predicts, which columns it takes, and how many rows it is fitted on."""

    family: str
    make: Callable[[], Any]
    columns: Sequence[str] = PLAIN
    target: str = "leaves"
    rows: int = 2_000
    options: dict[str, Any] = field(default_factory=dict)


def logistic(**options: Any) -> Any:
    return lm.LogisticRegression(**{"max_iter": 2_000, **options})


def forest(trees: int = 40, **options: Any) -> Any:
    return e.RandomForestClassifier(trees, random_state=0, **options)


def histograms(**options: Any) -> Any:
    return e.HistGradientBoostingClassifier(**{"max_iter": 40, "random_state": 0, **options})


def one_hot(**options: Any) -> Any:
    return pp.OneHotEncoder(**{"handle_unknown": "ignore", **options})


def ordinal(**options: Any) -> Any:
    return pp.OrdinalEncoder(**{"handle_unknown": "use_encoded_value", "unknown_value": -1, **options})


def filled(texts: Any, **options: Any) -> Any:
    return make_pipeline(SimpleImputer(**{"strategy": "most_frequent", **options}), texts)


def prepare(numbers: Any = None, texts: Any = None, *, columns: Sequence[str] = MIXED) -> Any:
    """Return scaled numbers beside encoded texts, flags as they are."""
    kinds = {
        "numbers": (numbers or make_pipeline(SimpleImputer(strategy="median"), pp.StandardScaler()), GAPS),
        "texts": (texts or one_hot(), (*TEXTS, *GAP_TEXTS, *KINDS)),
        "flags": ("passthrough", FLAGS),
    }
    return ColumnTransformer(
        [(name, step, [each for each in columns if each in group]) for name, (step, group) in kinds.items()]
    )


def mixed(*steps: Any, **parts: Any) -> Callable[[], Any]:
    return lambda: make_pipeline(prepare(**parts), *steps)


def scaled(*steps: Any) -> Callable[[], Any]:
    return lambda: make_pipeline(pp.StandardScaler(), *steps)


def chain(*steps: Any) -> Callable[[], Any]:
    return lambda: make_pipeline(*steps)


MANY, SPEND = partial(Member, target="segment"), partial(Member, target="spend")
DENSE = one_hot(sparse_output=False)
FILLED = filled(one_hot())

LINEAR = {
    "logistic": Member("linear", scaled(logistic())),
    "logistic_unscaled_ids": Member("linear", chain(pp.MinMaxScaler(), logistic()), LARGE),
    "logistic_l1": Member("linear", scaled(logistic(solver="liblinear", l1_ratio=1))),
    "logistic_cv": Member("linear", scaled(lm.LogisticRegressionCV(Cs=4, cv=3, max_iter=900))),
    "logistic_own_labels": Member("linear", scaled(logistic()), target="answer"),
    "ridge_classifier": Member("linear", mixed(lm.RidgeClassifier()), MIXED),
    "linear_svc": Member("linear", mixed(svm.LinearSVC()), MIXED),
    "descent_log": Member("linear", mixed(lm.SGDClassifier(loss="log_loss", random_state=0)), MIXED),
    "descent_huber": Member("linear", mixed(lm.SGDClassifier(loss="modified_huber", random_state=0)), MIXED),
    "descent_hinge": Member("linear", mixed(lm.SGDClassifier(random_state=0)), MIXED),
    "perceptron": Member("linear", scaled(lm.Perceptron())),
    "discriminant": Member("linear", lambda: LinearDiscriminantAnalysis()),
    "discriminant_shrunk": Member("linear", scaled(LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))),
    "least_squares": SPEND("linear", lm.LinearRegression),
    "least_squares_ids": SPEND("linear", lm.LinearRegression, LARGE),
    "least_squares_tiny_target": Member("linear", lm.LinearRegression, target="concentration"),
    "ridge": SPEND("linear", mixed(lm.Ridge()), MIXED),
    "ridge_cv": SPEND("linear", scaled(lm.RidgeCV())),
    "lasso": SPEND("linear", scaled(lm.Lasso(0.1))),
    "lasso_cv": SPEND("linear", scaled(lm.LassoCV(cv=3))),
    "elastic_cv": SPEND("linear", scaled(lm.ElasticNetCV(cv=3))),
    "bayesian_ridge": SPEND("linear", scaled(lm.BayesianRidge())),
    "huber": SPEND("linear", scaled(lm.HuberRegressor(max_iter=500))),
    "theil_sen": SPEND("linear", scaled(lm.TheilSenRegressor(random_state=0, max_subpopulation=500)), rows=400),
    "ransac": SPEND("linear", scaled(lm.RANSACRegressor(random_state=0))),
    "quantile_line": SPEND("linear", scaled(lm.QuantileRegressor(quantile=0.9, alpha=0)), rows=500),
    "linear_svr": SPEND("linear", scaled(svm.LinearSVR())),
    "descent_regression": SPEND("linear", scaled(lm.SGDRegressor(random_state=0))),
    "poisson": Member("linear", mixed(lm.PoissonRegressor()), MIXED, target="tickets"),
    "gamma": SPEND("linear", mixed(lm.GammaRegressor()), MIXED),
    "tweedie": SPEND("linear", mixed(lm.TweedieRegressor(power=1.5, max_iter=900)), MIXED),
    "partial_least_squares": SPEND("linear", lambda: PLSRegression(2)),
}
TREES = {
    "tree": Member("trees", lambda: DecisionTreeClassifier(max_depth=8, random_state=0)),
    "tree_unlimited": Member("trees", lambda: DecisionTreeClassifier(random_state=0)),
    "tree_ids": Member("trees", lambda: DecisionTreeClassifier(max_depth=14, random_state=0), LARGE),
    "tree_gaps": Member("trees", lambda: DecisionTreeClassifier(max_depth=8, random_state=0), GAPS),
    "tree_small_types": Member("trees", lambda: DecisionTreeClassifier(max_depth=9, random_state=0), SMALL),
    "tree_nullable": Member("trees", lambda: DecisionTreeClassifier(max_depth=9, random_state=0), NULLABLE),
    "tree_extra": Member("trees", lambda: ExtraTreeClassifier(max_depth=9, random_state=0)),
    "tree_three": MANY("trees", lambda: DecisionTreeClassifier(max_depth=8, random_state=0)),
    "tree_regression": SPEND("trees", lambda: DecisionTreeRegressor(max_depth=8, random_state=0)),
    "tree_regression_scaled": SPEND("trees", scaled(DecisionTreeRegressor(max_depth=9, random_state=0)), LARGE),
    "tree_monotonic": SPEND("trees", lambda: DecisionTreeRegressor(max_depth=7, monotonic_cst=[-1, 0, -1, 0])),
}
FORESTS = {
    "forest": Member("forests", forest),
    "forest_ids": Member("forests", forest, LARGE),
    "forest_gaps": Member("forests", forest, GAPS),
    "forest_small_types": Member("forests", forest, SMALL),
    "forest_nullable": Member("forests", forest, (*NULLABLE, *PLAIN)),
    "forest_scaled": Member("forests", scaled(forest()), LARGE),
    "forest_mixed": Member("forests", mixed(forest(), numbers=SimpleImputer(strategy="median")), MIXED),
    "forest_ordinal": Member("forests", mixed(forest(), numbers="passthrough", texts=ordinal()), MIXED),
    "forest_gap_texts": Member("forests", mixed(forest(), texts=FILLED, columns=FULL), FULL),
    "forest_large": Member("forests", lambda: forest(150), GAPS),
    "forest_balanced": Member("forests", lambda: forest(class_weight="balanced", max_depth=6)),
    "extra_trees": Member("forests", lambda: e.ExtraTreesClassifier(40, random_state=0)),
    "extra_trees_gaps": Member("forests", lambda: e.ExtraTreesClassifier(40, random_state=0), GAPS),
    "forest_three": MANY("forests", forest),
    "forest_stars": Member("forests", forest, target="stars"),
    "forest_regression": SPEND("forests", lambda: e.RandomForestRegressor(40, random_state=0)),
    "forest_regression_ids": SPEND("forests", lambda: e.RandomForestRegressor(40, random_state=0), LARGE),
    "forest_regression_gaps": SPEND("forests", lambda: e.RandomForestRegressor(40, random_state=0), GAPS),
    "forest_absolute": SPEND("forests", lambda: e.RandomForestRegressor(8, criterion="absolute_error"), rows=300),
    "extra_regression_tiny": Member(
        "forests", lambda: e.ExtraTreesRegressor(40, random_state=0), GAPS, "concentration"
    ),
    "bagging": Member("forests", lambda: e.BaggingClassifier(n_estimators=15, random_state=0)),
    "bagging_columns": Member("forests", lambda: e.BaggingClassifier(n_estimators=15, max_features=0.6)),
    "bagging_regression": SPEND("forests", lambda: e.BaggingRegressor(n_estimators=15, random_state=0)),
    "isolation": Member("others", lambda: e.IsolationForest(n_estimators=40, random_state=0)),
}
BOOSTING = {
    "boosting": Member("boosting", lambda: e.GradientBoostingClassifier(n_estimators=40, random_state=0)),
    "boosting_ids": Member("boosting", lambda: e.GradientBoostingClassifier(n_estimators=40, max_depth=5), LARGE),
    "boosting_mixed": Member("boosting", mixed(e.GradientBoostingClassifier(n_estimators=40)), MIXED),
    "boosting_exponential": Member("boosting", lambda: e.GradientBoostingClassifier(loss="exponential")),
    "boosting_subsample": Member("boosting", lambda: e.GradientBoostingClassifier(subsample=0.5, n_estimators=30)),
    "boosting_three": MANY("boosting", lambda: e.GradientBoostingClassifier(n_estimators=20, random_state=0)),
    "boosting_regression": SPEND("boosting", lambda: e.GradientBoostingRegressor(n_estimators=40)),
    "boosting_quantile": SPEND("boosting", lambda: e.GradientBoostingRegressor(loss="quantile", n_estimators=40)),
    "boosting_huber": SPEND("boosting", lambda: e.GradientBoostingRegressor(loss="huber", n_estimators=40)),
    "boosting_from_zero": SPEND("boosting", lambda: e.GradientBoostingRegressor(init="zero", n_estimators=40)),
    "histograms": Member("boosting", histograms),
    "histograms_ids": Member("boosting", histograms, LARGE),
    "histograms_gaps": Member("boosting", histograms, GAPS),
    "histograms_small_types": Member("boosting", histograms, SMALL),
    "histograms_nullable": Member("boosting", histograms, (*NULLABLE, *PLAIN)),
    "histograms_stopped": Member("boosting", lambda: histograms(early_stopping=True), GAPS),
    "histograms_monotonic": Member("boosting", lambda: histograms(monotonic_cst=[1, 0, -1, 0])),
    "histograms_kinds": Member("boosting", histograms, (*GAPS, "town", "grade", *FLAGS)),
    "histograms_kinds_of_numbers": Member("boosting", histograms, (*PLAIN, "zone_kind")),
    "histograms_text": Member(
        "boosting", lambda: histograms(categorical_features=["plan", "district"]), (*GAPS, "plan", "district")
    ),
    "histograms_ordinal": Member(
        "boosting",
        lambda: make_pipeline(
            prepare("passthrough", ordinal(unknown_value=np.nan)), histograms(categorical_features=[6, 7, 8])
        ),
        MIXED,
    ),
    "histograms_scaled": Member("boosting", scaled(histograms()), LARGE),
    "histograms_three": MANY("boosting", lambda: histograms(max_iter=15), GAPS),
    "histograms_regression": SPEND("boosting", lambda: e.HistGradientBoostingRegressor(max_iter=40), GAPS),
    "histograms_regression_ids": SPEND("boosting", lambda: e.HistGradientBoostingRegressor(max_iter=40), LARGE),
    "histograms_poisson": Member(
        "boosting", lambda: e.HistGradientBoostingRegressor(loss="poisson", max_iter=40), GAPS, "tickets"
    ),
    "histograms_gamma": SPEND("boosting", lambda: e.HistGradientBoostingRegressor(loss="gamma", max_iter=40), GAPS),
    "histograms_quantile": SPEND(
        "boosting", lambda: e.HistGradientBoostingRegressor(loss="quantile", quantile=0.9, max_iter=40), GAPS
    ),
    "histograms_absolute": SPEND("boosting", lambda: e.HistGradientBoostingRegressor(loss="absolute_error"), GAPS),
    "histograms_stars": Member("boosting", lambda: e.HistGradientBoostingRegressor(max_iter=30), target="stars"),
    "adaboost": Member("boosting", lambda: e.AdaBoostClassifier(n_estimators=25, random_state=0)),
    "adaboost_deep": Member(
        "boosting", lambda: e.AdaBoostClassifier(DecisionTreeClassifier(max_depth=4), n_estimators=10)
    ),
}
COLUMNS = {
    "mixed": Member("columns", mixed(logistic()), MIXED),
    "gap_texts": Member("columns", mixed(logistic(), columns=FULL), FULL),
    "gap_texts_frequent": Member("columns", mixed(logistic(), texts=FILLED, columns=FULL), FULL),
    "gap_texts_marked": Member(
        "columns",
        mixed(logistic(), texts=filled(one_hot(), strategy="constant", fill_value="none"), columns=FULL),
        FULL,
    ),
    "none_marked": Member(
        "columns",
        chain(
            make_column_transformer(
                (filled(one_hot(), missing_values=None, strategy="constant", fill_value="none"), ["channel"]),
                (pp.StandardScaler(), list(PLAIN)),
            ),
            logistic(),
        ),
        (*PLAIN, "channel"),
    ),
    "unknown_raises": Member("columns", mixed(logistic(), texts=pp.OneHotEncoder()), MIXED),
    "infrequent": Member(
        "columns",
        mixed(logistic(), texts=one_hot(handle_unknown="infrequent_if_exist", min_frequency=0.25)),
        MIXED,
    ),
    "infrequent_most": Member(
        "columns", mixed(logistic(), texts=one_hot(handle_unknown="infrequent_if_exist", max_categories=2)), MIXED
    ),
    "first_dropped": Member("columns", mixed(logistic(), texts=one_hot(drop="first")), MIXED),
    "binary_dropped": Member("columns", mixed(logistic(), texts=one_hot(drop="if_binary")), MIXED),
    "ordinal_lines": Member("columns", mixed(logistic(), texts=ordinal()), MIXED),
    "ordinal_infrequent": Member("columns", mixed(logistic(), texts=ordinal(min_frequency=0.2)), MIXED),
    "ordinal_missing": Member("columns", mixed(forest(), texts=ordinal(encoded_missing_value=-2), columns=FULL), FULL),
    "ordinal_chosen": Member(
        "columns",
        chain(
            make_column_transformer((pp.OrdinalEncoder(categories=[["small", "medium", "large"]]), ["grade"])),
            DecisionTreeClassifier(),
        ),
        ("grade",),
    ),
    "kinds_one_hot": Member("columns", mixed(logistic(), columns=(*PLAIN, "town", "grade")), (*PLAIN, "town", "grade")),
    "target_means": Member("columns", mixed(logistic(), texts=pp.TargetEncoder(random_state=0)), MIXED),
    "target_means_spend": SPEND("columns", mixed(lm.Ridge(), texts=pp.TargetEncoder(random_state=0)), MIXED),
    "flags_one_hot": Member(
        "columns",
        chain(make_column_transformer((pp.OneHotEncoder(), list(FLAGS)), remainder=pp.StandardScaler()), logistic()),
        ("balance", *FLAGS),
    ),
    "numbers_one_hot": Member(
        "columns",
        chain(make_column_transformer((one_hot(), ["zone"]), remainder=pp.StandardScaler()), logistic()),
        ("balance", "tenure", "zone"),
    ),
    "zones_one_hot": Member(
        "columns",
        chain(make_column_transformer((one_hot(), ["zone_kind"]), remainder=pp.StandardScaler()), logistic()),
        ("balance", "zone_kind"),
    ),
    "nullable": Member(
        "columns", chain(SimpleImputer(), pp.StandardScaler(), logistic()), (*NULLABLE, "age", "tenure")
    ),
    "small_types": Member("columns", chain(pp.StandardScaler(), logistic()), SMALL),
    "single_precision": Member("columns", scaled(logistic()), ("narrow",)),
    "indicator": Member("columns", chain(SimpleImputer(add_indicator=True), pp.StandardScaler(), logistic()), GAPS),
    "selector": Member(
        "columns",
        chain(
            make_column_transformer(
                (SimpleImputer(), make_column_selector(dtype_include="number")),
                (DENSE, make_column_selector(dtype_exclude="number")),
            ),
            forest(15),
        ),
        (*GAPS, *TEXTS),
    ),
    "unused_columns": Member(
        "columns",
        chain(make_column_transformer((pp.StandardScaler(), list(PLAIN))), logistic()),
        (*PLAIN, "account", "note"),
    ),
    "everything": Member(
        "columns",
        chain(
            make_column_transformer(
                (make_pipeline(SimpleImputer(), pp.StandardScaler()), make_column_selector(dtype_include="number")),
                (one_hot(), make_column_selector(dtype_include=["str", "object", "category"])),
                ("drop", make_column_selector(dtype_include="boolean")),
            ),
            logistic(),
        ),
        EVERYTHING,
    ),
    "robust": Member("columns", chain(pp.RobustScaler(), pp.MinMaxScaler(clip=True), logistic())),
    "largest": Member("columns", chain(pp.MaxAbsScaler(), logistic())),
    "polynomial": Member("columns", scaled(pp.PolynomialFeatures(2), logistic())),
    "powers": Member("columns", chain(pp.PowerTransformer(), logistic())),
    "powers_box": Member("columns", chain(pp.PowerTransformer(method="box-cox"), logistic()), ("ratio",)),
    "bins": Member(
        "columns",
        mixed(logistic(), numbers=make_pipeline(SimpleImputer(), pp.KBinsDiscretizer(6, subsample=None))),
        MIXED,
    ),
    "bins_numbered": Member(
        "columns", chain(pp.KBinsDiscretizer(8, encode="ordinal", subsample=None), DecisionTreeClassifier(max_depth=6))
    ),
    "bins_kmeans": Member("columns", chain(pp.KBinsDiscretizer(5, strategy="kmeans", subsample=None), logistic())),
    "binarizer": Member("columns", chain(pp.Binarizer(threshold=0.5), logistic())),
    "normalizer": Member("columns", chain(pp.Normalizer(), logistic())),
    "components": Member("columns", mixed(PCA(5, random_state=0), logistic(), texts=DENSE), MIXED),
    "singular": Member("columns", scaled(TruncatedSVD(2, random_state=0), logistic())),
    "best": Member("columns", mixed(SelectKBest(f_classif, k=8), logistic()), MIXED),
    "chosen_by_forest": Member("columns", scaled(SelectFromModel(forest(15)), logistic())),
    "varying": Member("columns", mixed(VarianceThreshold(0.01), logistic()), MIXED),
    "union": Member("columns", scaled(FeatureUnion([("a", PCA(2)), ("b", "passthrough")]), logistic())),
    "log1p": Member("columns", chain(pp.FunctionTransformer(np.log1p), logistic()), ("ratio", "tenure", "orders")),
    "fitted_on_arrays": Member("columns", scaled(logistic()), options={"arrays": True}),
}
MADE_OF_OTHERS = {
    "soft_vote": Member(
        "others",
        mixed(
            e.VotingClassifier([("a", logistic()), ("b", forest(15)), ("c", nb.GaussianNB())], voting="soft"),
            texts=DENSE,
        ),
        MIXED,
    ),
    "stack": Member("others", mixed(e.StackingClassifier([("a", logistic()), ("b", forest(15))], cv=3)), MIXED),
    "stack_passthrough": Member(
        "others",
        scaled(e.StackingClassifier([("a", logistic())], forest(9), passthrough=True, cv=3)),
        options={"computed": True},
    ),
    "vote_regression": SPEND(
        "others", lambda: e.VotingRegressor([("a", lm.LinearRegression()), ("b", DecisionTreeRegressor(max_depth=5))])
    ),
    "stack_regression": SPEND(
        "others", lambda: e.StackingRegressor([("a", lm.Ridge()), ("b", DecisionTreeRegressor(max_depth=5))], cv=3)
    ),
    "calibrated_sigmoid": Member(
        "others", lambda: CalibratedClassifierCV(make_pipeline(pp.StandardScaler(), logistic()), cv=3)
    ),
    "calibrated_svc": Member("others", mixed(CalibratedClassifierCV(svm.LinearSVC(), cv=3)), MIXED),
    "calibrated_isotonic": Member("others", lambda: CalibratedClassifierCV(forest(15), method="isotonic", cv=3)),
    "calibrated_temperature": Member("others", lambda: CalibratedClassifierCV(forest(15), method="temperature", cv=3)),
    "calibrated_three": MANY("others", lambda: CalibratedClassifierCV(forest(15), cv=2)),
    "tuned_threshold": Member("others", lambda: ms.TunedThresholdClassifierCV(forest(15), scoring="f1", cv=3)),
    "fixed_threshold": Member("others", lambda: ms.FixedThresholdClassifier(forest(15), threshold=0.3)),
    "search": Member(
        "others", lambda: ms.GridSearchCV(mixed(logistic())(), {"logisticregression__C": [0.1, 1]}, cv=3), MIXED
    ),
    "search_scored": Member(
        "others",
        lambda: ms.RandomizedSearchCV(forest(15), {"max_depth": [3, 6]}, n_iter=2, cv=3, scoring="roc_auc"),
    ),
    "search_of_times": SPEND(
        "others",
        lambda: ms.GridSearchCV(
            e.HistGradientBoostingRegressor(max_iter=20), {"learning_rate": [0.1]}, cv=ms.TimeSeriesSplit(3)
        ),
    ),
    "frozen": Member(
        "others", lambda: CalibratedClassifierCV(FrozenEstimator(forest(9).fit(np.eye(4)[[0, 1] * 4], [0, 1] * 4)))
    ),
    "one_against_rest": MANY("others", lambda: OneVsRestClassifier(logistic())),
    "bagged_lines": Member("others", scaled(e.BaggingClassifier(logistic(), n_estimators=5, random_state=0))),
    "log_target": SPEND(
        "others", lambda: TransformedTargetRegressor(mixed(lm.Ridge())(), func=np.log, inverse_func=np.exp), MIXED
    ),
    "log1p_target": SPEND(
        "others", lambda: TransformedTargetRegressor(e.RandomForestRegressor(15), func=np.log1p, inverse_func=np.expm1)
    ),
    "scaled_target": SPEND(
        "others", lambda: TransformedTargetRegressor(mixed(lm.Ridge())(), transformer=pp.StandardScaler()), MIXED
    ),
    "quantile_target": SPEND(
        "others", lambda: TransformedTargetRegressor(lm.Ridge(), transformer=pp.QuantileTransformer(n_quantiles=50))
    ),
    "three": MANY("others", mixed(logistic()), MIXED),
    "three_discriminant": MANY("others", lambda: LinearDiscriminantAnalysis()),
}
OTHERS = {
    "gauss": Member("others", nb.GaussianNB),
    "bernoulli": Member("others", lambda: nb.BernoulliNB(binarize=0.5), (*FLAGS, "tenure")),
    "multinomial": Member("others", nb.MultinomialNB, ("tenure", "orders", "visits")),
    "complement": Member("others", nb.ComplementNB, ("tenure", "orders", "visits")),
    "categorical_bayes": Member(
        "others", chain(ordinal(unknown_value=6), nb.CategoricalNB(min_categories=7)), ("plan", "city")
    ),
    "quadratic": Member("others", QuadraticDiscriminantAnalysis),
    "network": Member("others", mixed(MLPClassifier((12,), max_iter=150, random_state=0)), MIXED),
    "network_regression": SPEND("others", scaled(MLPRegressor((12,), max_iter=150, random_state=0))),
    "neighbours": Member("others", scaled(nn.KNeighborsClassifier(15)), rows=500),
    "neighbours_brute": Member("others", scaled(nn.KNeighborsClassifier(9, algorithm="brute")), rows=500),
    "neighbours_regression": SPEND("others", scaled(nn.KNeighborsRegressor(9)), rows=500),
    "nearest_centroid": Member("others", scaled(nn.NearestCentroid())),
    "kernel_svc": Member("others", scaled(svm.SVC()), rows=500),
    "kernel_svr": SPEND("others", scaled(svm.SVR()), rows=500),
    "kernel_ridge": SPEND("others", scaled(KernelRidge(kernel="rbf", gamma=0.2)), rows=300),
    "gaussian_process": Member("others", scaled(GaussianProcessClassifier(RBF(1.0), optimizer=None)), rows=200),
    "gaussian_process_regression": SPEND(
        "others", scaled(GaussianProcessRegressor(RBF(1.0) + WhiteKernel(1.0), optimizer=None)), rows=200
    ),
    "nystroem": Member("others", scaled(Nystroem(n_components=20, random_state=0), logistic())),
    "splines": Member("others", chain(pp.SplineTransformer(n_knots=5), logistic())),
    "quantiles": Member("others", chain(pp.QuantileTransformer(n_quantiles=50), logistic())),
    "quantiles_normal": Member(
        "others", chain(pp.QuantileTransformer(n_quantiles=50, output_distribution="normal"), logistic())
    ),
    "filled_by_neighbours": Member("others", chain(KNNImputer(), pp.StandardScaler(), logistic()), GAPS, rows=300),
    "filled_by_turns": Member("others", chain(IterativeImputer(random_state=0), logistic()), GAPS),
    "words": Member(
        "others",
        chain(make_column_transformer((TfidfVectorizer(), "note"), remainder=pp.StandardScaler()), logistic()),
        ("note", "tenure", "orders"),
    ),
    "word_pairs": Member(
        "others",
        chain(make_column_transformer((CountVectorizer(ngram_range=(1, 2), min_df=2), "note")), logistic()),
        ("note",),
    ),
    "hashed_words": Member(
        "others", chain(make_column_transformer((HashingVectorizer(n_features=64), "note")), logistic()), ("note",)
    ),
    "isotonic": SPEND("others", lambda: IsotonicRegression(out_of_bounds="clip"), ("ratio",)),
    "means": Member("others", scaled(KMeans(4, random_state=0, n_init=2))),
    "mixture": Member("others", scaled(GaussianMixture(3, random_state=0))),
    "prior": Member("others", DummyClassifier),
    "mean": SPEND("others", DummyRegressor),
}
ZOO: dict[str, Member] = {**LINEAR, **TREES, **FORESTS, **BOOSTING, **COLUMNS, **MADE_OF_OTHERS, **OTHERS}
