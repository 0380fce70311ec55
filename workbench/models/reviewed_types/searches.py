"""Searches over parameters, with how they split rows and score models."""

from workbench.models.reviewed_types.family import FUNCTION, OBJECT, TYPE, Family, named

SEARCHES = Family(
    "searches",
    reason="They answer with their best model; splitters, scorers and requests are plain objects that only fitting asks.",
    estimators=named("sklearn.model_selection._search", "GridSearchCV RandomizedSearchCV")
    + named("sklearn.model_selection._search_successive_halving", "HalvingGridSearchCV HalvingRandomSearchCV"),
    parts={
        OBJECT: named(
            "sklearn.model_selection._split",
            "GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut PredefinedSplit "
            "RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold StratifiedKFold "
            "StratifiedShuffleSplit TimeSeriesSplit _CVIterableWrapper",
        )
        + named("sklearn.metrics._scorer", "_CurveScorer _MultimetricScorer _PassthroughScorer _Scorer")
        + named("sklearn.utils._metadata_requests", "MetadataRequest MethodMetadataRequest"),
        # What a repeated splitter repeats.
        TYPE: named("sklearn.model_selection._split", "KFold StratifiedKFold"),
        # The functions behind scikit-learn's named scorers: from arrays to a number, calling nothing they are given.
        FUNCTION: named(
            "sklearn.metrics._classification",
            "accuracy_score balanced_accuracy_score brier_score_loss cohen_kappa_score d2_brier_score d2_log_loss_score "
            "f1_score fbeta_score hamming_loss jaccard_score log_loss matthews_corrcoef precision_score recall_score "
            "zero_one_loss",
        )
        + named("sklearn.metrics._ranking", "average_precision_score ndcg_score roc_auc_score top_k_accuracy_score")
        + named(
            "sklearn.metrics._regression",
            "d2_absolute_error_score d2_pinball_score d2_tweedie_score explained_variance_score max_error "
            "mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss "
            "mean_poisson_deviance mean_squared_error mean_squared_log_error mean_tweedie_deviance "
            "median_absolute_error r2_score root_mean_squared_error root_mean_squared_log_error",
        )
        + named("sklearn.metrics._scorer", "negative_likelihood_ratio positive_likelihood_ratio")
        + named(
            "sklearn.metrics.cluster._supervised",
            "adjusted_mutual_info_score adjusted_rand_score completeness_score fowlkes_mallows_score homogeneity_score "
            "mutual_info_score normalized_mutual_info_score rand_score v_measure_score",
        ),
    },
)
