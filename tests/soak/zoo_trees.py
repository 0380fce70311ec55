"""The trees of the zoo, and what is grown of them."""

from __future__ import annotations

import numpy as np
from sklearn import ensemble as e
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes IterativeImputer importable
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from tests.soak.customers import FLAGS, GAPS, LARGE, MIXED, NULLABLE, PLAIN, SMALL
from tests.soak.zoo_parts import (
    FILLED,
    FULL,
    MANY,
    SPEND,
    Member,
    forest,
    histograms,
    mixed,
    ordinal,
    prepare,
    scaled,
)

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
