"""The zoo: the models people fit with scikit-learn, each with what it predicts and from which columns of the customers."""

from __future__ import annotations

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
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes IterativeImputer importable
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import Nystroem
from sklearn.kernel_ridge import KernelRidge
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from tests.soak.customers import FLAGS, GAPS, LARGE, MIXED
from tests.soak.zoo_columns import COLUMNS
from tests.soak.zoo_parts import (
    DENSE,
    MANY,
    SPEND,
    Member,
    chain,
    forest,
    logistic,
    mixed,
    ordinal,
    scaled,
)
from tests.soak.zoo_trees import BOOSTING, FORESTS, TREES

USED_MOST = ("linear", "trees", "forests", "boosting", "columns")

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
    "network_regression": SPEND("others", scaled(MLPRegressor(hidden_layer_sizes=(12,), max_iter=150, random_state=0))),
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
