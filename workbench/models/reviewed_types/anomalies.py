"""Detectors of rows that are unlike the others."""

from workbench.models.reviewed_types.family import Family, named

ANOMALIES = Family(
    "anomaly detectors",
    reason="They are trees, neighbors, support vectors or covariances, which are looked at as those of the other families.",
    estimators=named(
        "sklearn.covariance",
        "_elliptic_envelope.EllipticEnvelope _empirical_covariance.EmpiricalCovariance _graph_lasso.GraphicalLasso "
        "_graph_lasso.GraphicalLassoCV _robust_covariance.MinCovDet _shrunk_covariance.LedoitWolf "
        "_shrunk_covariance.OAS _shrunk_covariance.ShrunkCovariance",
    )
    + named(
        "sklearn",
        "ensemble._iforest.IsolationForest linear_model._stochastic_gradient.SGDOneClassSVM "
        "neighbors._lof.LocalOutlierFactor svm._classes.OneClassSVM",
    ),
    checked="as trees, neighbors and support vectors",
)
