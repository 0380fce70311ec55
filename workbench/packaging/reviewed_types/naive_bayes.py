"""Naive Bayes and discriminant analysis."""

from workbench.packaging.reviewed_types.family import Family, named

NAIVE_BAYES = Family(
    "naive Bayes",
    reason="They are counts and moments of each class, in arrays that only NumPy reads.",
    estimators=named("sklearn.naive_bayes", "BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB"),
)

DISCRIMINANT_ANALYSIS = Family(
    "discriminant analysis",
    reason="They are means and covariances of each class, in arrays that only NumPy and SciPy's linear algebra read.",
    estimators=named("sklearn.discriminant_analysis", "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis")
    + named("sklearn.neighbors._nearest_centroid", "NearestCentroid"),
)
