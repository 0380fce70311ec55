"""A member of each family that is compiled, and rows with all that columns hold."""

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from workbench.models.contract import Contract
from workbench.models.frames import describe_columns

NUMBERS, TEXTS = ["amount", "age", "count"], ["site", "plan"]
HOLDOUT_ROWS = 100


def make_table() -> pd.DataFrame:
    """Return rows with decimals, whole numbers beyond single precision, gaps, flags and texts."""
    generator = np.random.default_rng(3)
    rows = 300
    table = pd.DataFrame(
        {
            "amount": generator.normal(300, 900, rows).round(2),
            "age": generator.normal(44, 14, rows).round(1),
            "count": 16_777_216 + generator.integers(0, 900, rows),
            "site": generator.choice(["left", "right", "middle"], rows, p=[0.6, 0.3, 0.1]),
            "plan": generator.choice(["free", "pro", "île"], rows),
            "new": generator.random(rows) < 0.4,
        }
    )
    table.loc[::7, "age"] = np.nan
    table["plan"] = table["plan"].where(np.arange(rows) % 11 > 0)
    return table


TABLE = make_table()
SIGNAL = TABLE.amount / 900 + (TABLE.site == "left") + TABLE.new - TABLE["count"] % 7 / 5
CLASSES = (SIGNAL.median() < SIGNAL).astype(int)
AMOUNTS = np.exp(SIGNAL / 3).round(3)


def prepare(numbers=None, texts=None) -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("numbers", numbers or make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
            ("texts", texts or OneHotEncoder(handle_unknown="ignore"), TEXTS),
        ],
        remainder="passthrough",
    )


def prepared(*steps, **parts):
    return make_pipeline(prepare(**parts), *steps)


def forest(**options):
    return RandomForestClassifier(8, random_state=1, **options)


FILLED_NUMBERS = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-2, encoded_missing_value=-1)
CLASSIFIERS = {
    "logistic": prepared(LogisticRegression()),
    "ridge": prepared(RidgeClassifier()),
    "linear_svc": prepared(LinearSVC()),
    "descent": prepared(SGDClassifier(loss="log_loss", random_state=0)),
    "huber_descent": prepared(SGDClassifier(loss="modified_huber", random_state=0)),
    "discriminant": prepared(
        LinearDiscriminantAnalysis(), texts=OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    ),
    "tree": prepared(DecisionTreeClassifier(max_depth=6)),
    "forest": prepared(forest()),
    "forest_with_gaps": prepared(forest(), numbers="passthrough"),
    "forest_with_marked_gaps": prepared(forest(), numbers=SimpleImputer(add_indicator=True)),
    "extra_trees": prepared(ExtraTreesClassifier(8, random_state=0)),
    "one_leaf": prepared(DecisionTreeClassifier(max_depth=1, min_samples_leaf=190)),
    "boosting": prepared(GradientBoostingClassifier(n_estimators=9)),
    "exponential_boosting": prepared(GradientBoostingClassifier(n_estimators=9, loss="exponential")),
    "histograms": prepared(HistGradientBoostingClassifier(max_iter=3), texts=OrdinalEncoder()),
    "histograms_of_categories": HistGradientBoostingClassifier(max_iter=3, categorical_features=TEXTS),
    "adaboost": prepared(AdaBoostClassifier(n_estimators=5)),
    "bagged_trees": prepared(BaggingClassifier(n_estimators=5, max_features=0.7, random_state=0)),
    "bagged_lines": prepared(BaggingClassifier(LogisticRegression(), n_estimators=3, random_state=0)),
    "counts": make_pipeline(
        ColumnTransformer([("numbers", make_pipeline(SimpleImputer(), MinMaxScaler()), NUMBERS)]), MultinomialNB()
    ),
    "complements": make_pipeline(
        ColumnTransformer([("numbers", make_pipeline(SimpleImputer(), MinMaxScaler()), NUMBERS)]), ComplementNB()
    ),
    "quadratic": make_pipeline(
        ColumnTransformer([("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS)]),
        QuadraticDiscriminantAnalysis(),
    ),
    "temperature": CalibratedClassifierCV(prepared(forest()), method="temperature", cv=2),
    "temperature_of_lines": CalibratedClassifierCV(prepared(LogisticRegression()), method="temperature", cv=2),
    "gauss": prepared(GaussianNB(), texts=FILLED_NUMBERS),
    "bernoulli": prepared(BernoulliNB(binarize=0.5)),
    "network": prepared(MLPClassifier((5,), tol=1e-2, max_iter=900, random_state=0)),
    "dummy": prepared(DummyClassifier()),
    "soft_vote": prepared(
        VotingClassifier([("a", LogisticRegression()), ("b", forest())], voting="soft", weights=[2, 1])
    ),
    "stack": prepared(StackingClassifier([("a", LogisticRegression()), ("b", forest())], passthrough=True, cv=2)),
    "sigmoid_calibration": CalibratedClassifierCV(prepared(LinearSVC()), cv=2),
    "isotonic_calibration": CalibratedClassifierCV(prepared(forest()), method="isotonic", cv=2),
    "frozen_calibration": CalibratedClassifierCV(FrozenEstimator(prepared(LogisticRegression()).fit(TABLE, CLASSES))),
    "tuned_threshold": TunedThresholdClassifierCV(prepared(LogisticRegression()), cv=2),
    "fixed_threshold": FixedThresholdClassifier(prepared(forest()), threshold=0.3),
    "threshold_of_the_first": FixedThresholdClassifier(prepared(forest()), threshold=0.3, pos_label=0),
    "threshold_of_the_first_decision": FixedThresholdClassifier(
        prepared(LinearSVC()), threshold=0.3, pos_label=0, response_method="decision_function"
    ),
    "search": GridSearchCV(prepared(LogisticRegression()), {"logisticregression__C": [0.1, 1]}, cv=2),
    "infrequent": prepared(
        LogisticRegression(), texts=OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.2)
    ),
    "dropped_first": prepared(LogisticRegression(), texts=OneHotEncoder(drop="first", handle_unknown="ignore")),
    "unknown_raises": prepared(LogisticRegression(), texts=OneHotEncoder()),
    "filled_texts": prepared(
        LogisticRegression(),
        texts=make_pipeline(
            SimpleImputer(strategy="most_frequent", add_indicator=True), OneHotEncoder(handle_unknown="ignore")
        ),
    ),
    "target_means": prepared(LogisticRegression(), texts=TargetEncoder()),
    "ordinal_with_missing": prepared(
        forest(),
        texts=FILLED_NUMBERS,
    ),
    "bins": prepared(LogisticRegression(), numbers=make_pipeline(SimpleImputer(), KBinsDiscretizer(5, subsample=None))),
    "numbered_bins": prepared(
        DecisionTreeClassifier(max_depth=4),
        numbers=make_pipeline(SimpleImputer(), KBinsDiscretizer(5, encode="ordinal", subsample=None)),
    ),
    "categories_of_numbers": make_pipeline(
        ColumnTransformer([("flags", OneHotEncoder(), ["new"]), ("numbers", SimpleImputer(), NUMBERS)]), forest()
    ),
    "selector": make_pipeline(
        ColumnTransformer([("numbers", SimpleImputer(), make_column_selector(dtype_include="number"))]), forest()
    ),
}
SCALED = {
    name: make_pipeline(SimpleImputer(), step, LogisticRegression())
    for name, step in {
        "robust": RobustScaler(),
        "min_max": MinMaxScaler(clip=True),
        "max_abs": MaxAbsScaler(),
        "normalizer": Normalizer(),
        "binarizer": Binarizer(threshold=44),
        "polynomial": make_pipeline(StandardScaler(), PolynomialFeatures(3)),
        "interactions": make_pipeline(
            StandardScaler(), PolynomialFeatures(2, interaction_only=True, include_bias=False)
        ),
        "yeo_johnson": PowerTransformer(),
        "components": make_pipeline(StandardScaler(), PCA(2, whiten=True)),
        "singular": make_pipeline(StandardScaler(), TruncatedSVD(2)),
        "best": make_pipeline(StandardScaler(), SelectKBest(k=2)),
        "varying": make_pipeline(StandardScaler(), VarianceThreshold()),
        "union": make_pipeline(StandardScaler(), FeatureUnion([("a", PCA(1)), ("b", "passthrough")])),
        "function": make_pipeline(FunctionTransformer(np.absolute), StandardScaler()),
        "log1p": make_pipeline(FunctionTransformer(np.absolute), FunctionTransformer(np.log1p), StandardScaler()),
    }.items()
}
REGRESSORS = {
    "least_squares": prepared(LinearRegression()),
    "poisson": prepared(PoissonRegressor()),
    "gamma": prepared(GammaRegressor()),
    "tree": prepared(DecisionTreeRegressor(max_depth=6)),
    "forest": prepared(RandomForestRegressor(8, random_state=0)),
    "extra_trees": prepared(ExtraTreesRegressor(8, random_state=0), numbers="passthrough"),
    "boosting": prepared(GradientBoostingRegressor(n_estimators=9)),
    "histograms": prepared(HistGradientBoostingRegressor(max_iter=3), texts=OrdinalEncoder()),
    "counts": prepared(HistGradientBoostingRegressor(max_iter=3, loss="poisson"), texts=OrdinalEncoder()),
    "bagged": prepared(BaggingRegressor(Ridge(), n_estimators=3, random_state=0)),
    "network": prepared(MLPRegressor(hidden_layer_sizes=(5,), max_iter=900, tol=1e-2, random_state=0)),
    "dummy": prepared(DummyRegressor()),
    "vote": prepared(VotingRegressor([("a", Ridge()), ("b", RandomForestRegressor(5, random_state=0))])),
    "stack": prepared(StackingRegressor([("a", Ridge()), ("b", RandomForestRegressor(5, random_state=0))], cv=2)),
    "log_target": TransformedTargetRegressor(prepared(Ridge()), func=np.log, inverse_func=np.exp),
    "log1p_target": TransformedTargetRegressor(prepared(Ridge()), func=np.log1p, inverse_func=np.expm1),
    "scaled_target": TransformedTargetRegressor(prepared(Ridge()), transformer=StandardScaler()),
}


# One for each converter, and the cheapest of what puts several together; `make soak SMALL=1` tries all.
TRIED = {
    "logistic", "linear_svc", "forest", "boosting", "adaboost", "histograms_of_categories", "gauss", "network", "soft_vote",
    "threshold_of_the_first_decision", "infrequent", "filled_texts", "target_means", "numbered_bins", "unknown_raises",
    "least_squares", "poisson", "log1p_target",
}  # fmt: skip


def contract_of(model, table: pd.DataFrame) -> Contract:
    columns = describe_columns(table)
    if not hasattr(model, "classes_"):
        return Contract("regression", columns)
    response = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    return Contract("classification", columns, classes=tuple(model.classes_.tolist()), response=response)
