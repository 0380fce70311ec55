"""Naive Bayes."""

from workbench.models.reviewed_types.family import Family, named

NAIVE_BAYES = Family(
    "naive Bayes",
    reason="They are counts and moments of each class, in arrays that only NumPy reads.",
    estimators=named("sklearn.naive_bayes", "BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB"),
)
