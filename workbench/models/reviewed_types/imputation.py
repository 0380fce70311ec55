"""Filling in what is missing."""

from workbench.models.reviewed_types.family import TUPLE, Family, named

IMPUTATION = Family(
    "imputation",
    reason="They are values, rows or models that stand in for what is missing; a triplet names the columns of each model.",
    estimators=named(
        "sklearn.impute", "_base.MissingIndicator _base.SimpleImputer _iterative.IterativeImputer _knn.KNNImputer"
    ),
    parts={TUPLE: ("sklearn.impute._iterative._ImputerTriplet",)},
)
