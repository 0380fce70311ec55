"""Small fitted models of every family on the reviewed list, and what each is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn import calibration as cal
from sklearn import ensemble as ens
from sklearn import feature_selection as fs
from sklearn import gaussian_process as gp
from sklearn import linear_model as lin
from sklearn import metrics as met
from sklearn import model_selection as ms
from sklearn import neighbors as near
from sklearn import preprocessing as pre
from sklearn import svm
from sklearn.cluster import FeatureAgglomeration, KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.covariance import EllipticEnvelope
from sklearn.cross_decomposition import PLSRegression
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer, strip_tags
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import kernels
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_ridge import KernelRidge
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import ComplementNB, GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

ROWS = 60
_RANDOM = np.random.default_rng(5)
NUMBERS = _RANDOM.normal(size=(ROWS, 4))
LABELS = (NUMBERS[:, 0] + NUMBERS[:, 1] + _RANDOM.normal(scale=0.5, size=ROWS) > 0).astype(int)
THREE = np.digitize(NUMBERS[:, 0], [-0.5, 0.5])
AMOUNTS = np.exp(NUMBERS[:, 0]) + 1
TEXTS = np.array([" ".join(_RANDOM.choice(["late", "refund", "great", "slow"], 3)) for _ in range(ROWS)])
TABLE = pd.DataFrame(NUMBERS, columns=list("abcd")).assign(
    kind=pd.Categorical(np.array(["u", "v", "w"])[THREE]), plan=_RANDOM.choice(["x", "y", "z"], ROWS)
)
LOGISTIC = lin.LogisticRegression
_3 = {"cv": 3}
_GRID = {"C": [0.1, 1.0]}


def _steps(*steps: Any) -> Any:
    return make_pipeline(*steps, LOGISTIC())


def _encoded(**how: Any) -> Any:
    words = ColumnTransformer([("words", pre.OneHotEncoder(**how), ["plan"])], remainder=pre.StandardScaler())
    numbers = ColumnTransformer([("numbers", words, ["a", "b", "plan"])])
    return _steps(numbers)


# Estimator by name, in the order of the families; what each is fitted to follows.
CLASSIFIERS: Mapping[str, Callable[[], Any]] = {
    "forest": lambda: ens.RandomForestClassifier(3),
    "gradient_boosting": lambda: ens.GradientBoostingClassifier(n_estimators=3),
    "gradient_boosting_from_a_model": lambda: ens.GradientBoostingClassifier(n_estimators=3, init=LOGISTIC()),
    "histogram_boosting": lambda: ens.HistGradientBoostingClassifier(max_iter=3),
    "adaboost": lambda: ens.AdaBoostClassifier(n_estimators=2),
    "bagging": lambda: ens.BaggingClassifier(n_estimators=2),
    "neighbors_kd_tree": lambda: near.KNeighborsClassifier(),
    "neighbors_ball_tree": lambda: near.KNeighborsClassifier(algorithm="ball_tree"),
    "neighbors_brute": lambda: near.KNeighborsClassifier(algorithm="brute"),
    "neighbors_manhattan": lambda: near.KNeighborsClassifier(p=1),
    "neighbors_minkowski": lambda: near.KNeighborsClassifier(p=3),
    "neighbors_weighted": lambda: near.KNeighborsClassifier(
        algorithm="ball_tree", metric="seuclidean", metric_params={"V": np.ones(4)}
    ),
    "neighbors_radius": lambda: near.RadiusNeighborsClassifier(9.0),
    "local_outlier_factor": lambda: near.LocalOutlierFactor(novelty=True),
    "isolation_forest": lambda: ens.IsolationForest(n_estimators=3),
    "elliptic_envelope": lambda: EllipticEnvelope(support_fraction=0.9),
    "support_vectors": lambda: svm.SVC(probability=False),
    "support_vectors_nu": lambda: svm.NuSVC(nu=0.3),
    "support_vectors_one_class": lambda: svm.OneClassSVM(),
    "network": lambda: MLPClassifier((4,), max_iter=400, tol=0.1),
    "network_sgd": lambda: MLPClassifier((4,), solver="sgd", max_iter=400, tol=0.1),
    "gaussian_process": lambda: gp.GaussianProcessClassifier(kernels.RBF(), optimizer=None),
    "calibrated_sigmoid": lambda: cal.CalibratedClassifierCV(LOGISTIC(), **_3),
    "calibrated_isotonic": lambda: cal.CalibratedClassifierCV(LOGISTIC(), method="isotonic", **_3),
    "calibrated_temperature": lambda: cal.CalibratedClassifierCV(LOGISTIC(), method="temperature", **_3),
    "calibrated_frozen": lambda: cal.CalibratedClassifierCV(FrozenEstimator(LOGISTIC().fit(NUMBERS, LABELS)), **_3),
    "threshold_tuned": lambda: ms.TunedThresholdClassifierCV(LOGISTIC(), scoring="f1", **_3),
    "threshold_fixed": lambda: ms.FixedThresholdClassifier(LOGISTIC(), threshold=0.3),
    "voting": lambda: ens.VotingClassifier([("a", LOGISTIC()), ("b", GaussianNB())], voting="soft"),
    "stacking": lambda: ens.StackingClassifier([("a", LOGISTIC()), ("b", GaussianNB())], **_3),
    "one_against_rest": lambda: OneVsRestClassifier(LOGISTIC()),
    "output_codes": lambda: OutputCodeClassifier(LOGISTIC(), random_state=0),
    "grid": lambda: ms.GridSearchCV(LOGISTIC(), _GRID, **_3),
    "grid_of_repeats": lambda: ms.GridSearchCV(
        LOGISTIC(), _GRID, cv=ms.RepeatedStratifiedKFold(n_splits=2, n_repeats=1)
    ),
    "grid_over_time": lambda: ms.GridSearchCV(LOGISTIC(), _GRID, cv=ms.TimeSeriesSplit(2), scoring="neg_log_loss"),
    "grid_of_scorers": lambda: ms.GridSearchCV(LOGISTIC(), _GRID, scoring=["f1", "roc_auc"], refit="f1", **_3),
    "grid_made_scorer": lambda: ms.GridSearchCV(
        LOGISTIC(), _GRID, scoring=met.make_scorer(met.fbeta_score, beta=2), **_3
    ),
    "search": lambda: ms.RandomizedSearchCV(LOGISTIC(), _GRID, n_iter=2, scoring="roc_auc", **_3),
    "search_halving": lambda: ms.HalvingGridSearchCV(LOGISTIC(), _GRID, **_3),
    "k_best": lambda: _steps(fs.SelectKBest(k=2)),
    "k_best_of_information": lambda: _steps(fs.SelectKBest(partial(fs.mutual_info_classif, random_state=0), k=2)),
    "spline": lambda: _steps(pre.SplineTransformer()),
    "spline_sparse": lambda: _steps(pre.SplineTransformer(sparse_output=True)),
    "bins": lambda: _steps(pre.KBinsDiscretizer(3)),
    "polynomial": lambda: _steps(pre.PolynomialFeatures(2)),
    "iterative_imputer": lambda: _steps(IterativeImputer(random_state=0)),
    "neighbors_imputer": lambda: _steps(KNNImputer()),
    "function_log": lambda: _steps(pre.FunctionTransformer(np.cbrt)),
    "function_clip": lambda: _steps(pre.FunctionTransformer(np.clip, kw_args={"a_min": -1, "a_max": 1})),
    "agglomeration": lambda: _steps(FeatureAgglomeration()),
    "loss_of_sgd": lambda: lin.SGDClassifier(loss="modified_huber"),
    "clusters": lambda: KMeans(2, n_init=1),
    "mixture": lambda: GaussianMixture(2),
}
REGRESSORS: Mapping[str, Callable[[], Any]] = {
    "tweedie": lambda: lin.TweedieRegressor(power=1.5),
    "tweedie_identity": lambda: lin.TweedieRegressor(power=0),
    "ransac": lambda: lin.RANSACRegressor(random_state=0),
    "histogram_boosting_poisson": lambda: ens.HistGradientBoostingRegressor(loss="poisson", max_iter=3),
    "gradient_boosting_huber": lambda: ens.GradientBoostingRegressor(loss="huber", n_estimators=3),
    "neighbors_regressor": lambda: near.KNeighborsRegressor(),
    "support_vector_regressor": lambda: svm.SVR(),
    "network_regressor": lambda: MLPRegressor(hidden_layer_sizes=(4,), max_iter=900, tol=1.0),
    "gaussian_process_sum": lambda: gp.GaussianProcessRegressor(kernels.RBF() + kernels.WhiteKernel(), optimizer=None),
    "gaussian_process_product": lambda: gp.GaussianProcessRegressor(
        kernels.ConstantKernel() * kernels.Matern(), optimizer=None
    ),
    "kernel_ridge": lambda: KernelRidge(),
    "voting_regressor": lambda: ens.VotingRegressor([("a", lin.Ridge())]),
    "stacking_regressor": lambda: ens.StackingRegressor([("a", lin.Ridge())], **_3),
    "stacking_of_trees": lambda: ens.StackingRegressor([("a", lin.Ridge()), ("b", DecisionTreeRegressor())], **_3),
    "voting_of_trees": lambda: ens.VotingRegressor([("a", lin.Ridge()), ("b", DecisionTreeRegressor())]),
    "partial_least_squares": lambda: PLSRegression(2),
    "target_by_function": lambda: TransformedTargetRegressor(lin.Ridge(), func=np.log, inverse_func=np.exp),
    "grid_of_boosting": lambda: ms.GridSearchCV(
        ens.HistGradientBoostingRegressor(max_iter=2), {"learning_rate": [0.1, 0.2]}, cv=ms.TimeSeriesSplit(2)
    ),
}
OTHERS: Mapping[str, tuple[Callable[[], Any], Any, Any]] = {
    "boosting_of_three": (lambda: ens.GradientBoostingClassifier(n_estimators=2), NUMBERS, THREE),
    "boosting_of_categories": (
        # Its regressor: a classifier splits by categories of many more rows only.
        lambda: ens.HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=2), TABLE[["kind", "b"]], AMOUNTS
    ),
    "boosting_of_numbered_categories": (
        lambda: ens.HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2, categorical_features=[1]),
        np.c_[NUMBERS[:, 0], THREE], LABELS,
    ),
    "naive_bayes": (lambda: ComplementNB(), np.abs(NUMBERS), LABELS),
    "encoded": (lambda: _encoded(), TABLE, LABELS),
    "encoded_without_the_first": (lambda: _encoded(drop="first", sparse_output=False), TABLE, LABELS),
    "encoded_in_groups": (lambda: _encoded(max_categories=2, handle_unknown="infrequent_if_exist"), TABLE, LABELS),
    "columns_by_dtype": (
        lambda: _steps(ColumnTransformer([("n", "passthrough", make_column_selector(dtype_include="number"))])),
        TABLE, LABELS,
    ),
    "words": (lambda: _steps(TfidfVectorizer(preprocessor=strip_tags)), TEXTS, LABELS),
    "words_and_neighbors": (lambda: make_pipeline(TfidfVectorizer(), near.KNeighborsClassifier()), TEXTS, LABELS),
    "words_and_support_vectors": (lambda: make_pipeline(TfidfVectorizer(), svm.SVC()), TEXTS, THREE),
    "isotonic": (lambda: IsotonicRegression(out_of_bounds="clip"), NUMBERS[:, 0], AMOUNTS),
    "sparse_coefficients": (lambda: LOGISTIC(), NUMBERS, LABELS),
    "tree": (lambda: DecisionTreeClassifier(max_depth=3), NUMBERS, LABELS),
}  # fmt: skip
NAMES = (*CLASSIFIERS, *REGRESSORS, *OTHERS)


def fit(name: str) -> tuple[Any, Any]:
    """Return the fitted model of a name and the rows it was fitted to."""
    if name in OTHERS:
        build, rows, truth = OTHERS[name]
    else:
        build = {**CLASSIFIERS, **REGRESSORS}[name]
        rows, truth = NUMBERS, LABELS if name in CLASSIFIERS else AMOUNTS
    model = build().fit(rows, truth)
    return (model.sparsify() if name == "sparse_coefficients" else model), rows


def ask(model: Any, rows: Any) -> dict[str, Any]:
    """Return every answer a model gives for the rows."""
    methods = [each for each in ("predict", "predict_proba", "decision_function") if hasattr(model, each)]
    return {method: _dense(getattr(model, method)(rows)) for method in methods}


def _dense(answer: Any) -> Any:
    return answer.toarray() if scipy.sparse.issparse(answer) else np.asarray(answer)
