"""Discriminant analysis and nearest centroids."""

from workbench.models.reviewed_types.family import Family, named

DISCRIMINANT_ANALYSIS = Family(
    "discriminant analysis",
    reason="They are means and covariances of each class, in arrays that only NumPy and SciPy's linear algebra read.",
    estimators=named("sklearn.discriminant_analysis", "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis")
    + named("sklearn.neighbors._nearest_centroid", "NearestCentroid"),
)
