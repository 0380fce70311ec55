"""Choosing columns."""

from workbench.models.reviewed_types.family import FUNCTION, Family, named

SELECTION = Family(
    "feature selection",
    reason="They are masks over the columns; score functions go from two arrays to one and are asked in fitting only.",
    estimators=named(
        "sklearn.feature_selection",
        "_from_model.SelectFromModel _rfe.RFE _rfe.RFECV _sequential.SequentialFeatureSelector "
        "_univariate_selection.GenericUnivariateSelect _univariate_selection.SelectFdr "
        "_univariate_selection.SelectFpr _univariate_selection.SelectFwe _univariate_selection.SelectKBest "
        "_univariate_selection.SelectPercentile _variance_threshold.VarianceThreshold",
    ),
    parts={
        FUNCTION: named(
            "sklearn.feature_selection",
            "_mutual_info.mutual_info_classif _mutual_info.mutual_info_regression _univariate_selection.chi2 "
            "_univariate_selection.f_classif _univariate_selection.f_oneway _univariate_selection.f_regression "
            "_univariate_selection.r_regression",
        ),
    },
)
