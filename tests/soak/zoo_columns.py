"""The models of the zoo that differ in how their columns are prepared."""

from __future__ import annotations

import numpy as np
from sklearn import ensemble as e
from sklearn import linear_model as lm
from sklearn import preprocessing as pp
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes IterativeImputer importable
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold, f_classif
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.tree import DecisionTreeClassifier

from tests.soak.customers import FLAGS, GAPS, MIXED, NULLABLE, PLAIN, SMALL, TEXTS
from tests.soak.zoo_parts import (
    DENSE,
    EVERYTHING,
    FILLED,
    FULL,
    SPEND,
    Member,
    chain,
    filled,
    forest,
    histograms,
    logistic,
    mixed,
    one_hot,
    ordinal,
    scaled,
)

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
    "indicator_forest": Member("columns", chain(SimpleImputer(add_indicator=True), forest(15)), GAPS),
    "hash_forest": Member("columns", lambda: forest(15), ("hash", *PLAIN)),
    "hash_histograms": Member("columns", histograms, ("hash", "age", "tenure")),
    "hash_scaled": Member("columns", scaled(logistic()), ("hash", "balance")),
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
    "powers_box_tree": Member(
        "columns", chain(pp.PowerTransformer(method="box-cox"), DecisionTreeClassifier(max_depth=6)), ("ratio",)
    ),
    "powers_single": Member("columns", chain(pp.PowerTransformer(), forest(15)), ("narrow", "ratio")),
    "scaled_single_tree": Member(
        "columns", scaled(DecisionTreeClassifier(max_depth=7, random_state=0)), ("narrow", "ratio", "balance")
    ),
    "one_hot_single": Member(
        "columns",
        chain(make_column_transformer((one_hot(), ["plan"]), remainder="passthrough"), forest(15)),
        ("narrow", "ratio", "plan"),
    ),
    "squares_whole": Member(
        "columns",
        chain(
            make_column_transformer((pp.FunctionTransformer(np.square), ["since"]), remainder="passthrough"),
            DecisionTreeClassifier(max_depth=6, random_state=0),
        ),
        ("since", "ratio", "balance"),
    ),
    "shares_histograms": Member(
        "columns",
        chain(pp.Normalizer("l1"), e.HistGradientBoostingRegressor(max_iter=2, max_leaf_nodes=3, random_state=0)),
        target="spend",
    ),
    "components_forest": Member("columns", scaled(PCA(2, random_state=0), forest(15))),
    "squares_tree": Member(
        "columns",
        chain(pp.PowerTransformer(), pp.FunctionTransformer(np.square), DecisionTreeClassifier(max_leaf_nodes=40)),
    ),
    "nullable_forest": Member("columns", lambda: forest(15), ("points", "rate", "tenure")),
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
