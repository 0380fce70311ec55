"""Models that look at no column."""

from workbench.models.reviewed_types.family import Family, named

BASELINES = Family(
    "baselines",
    reason="They are one answer, or the shares of the classes.",
    estimators=named("sklearn.dummy", "DummyClassifier DummyRegressor"),
)
