"""Clusters and mixtures that answer for rows they have not seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.models.reviewed_types.family import Family, named


def find_cluster_faults(part: Any) -> Iterator[str]:
    """Yield it when centers have another number of features than the rows: native code reads both by one number."""
    if type(part).__name__ in ("KMeans", "MiniBatchKMeans") and hasattr(part, "cluster_centers_"):
        centers = part.cluster_centers_
        if centers.ndim != 2 or len(centers) == 0 or centers.shape[1] != part.n_features_in_:
            yield "A cluster's center has other features than the rows."


CLUSTERS = Family(
    "clusters and mixtures",
    reason="They are centers, or means and covariances; a row belongs to the nearest.",
    estimators=named(
        "sklearn.cluster",
        "_affinity_propagation.AffinityPropagation _kmeans.KMeans _kmeans.MiniBatchKMeans _mean_shift.MeanShift",
    )
    + named("sklearn.mixture", "_bayesian_mixture.BayesianGaussianMixture _gaussian_mixture.GaussianMixture"),
    checked="centers have the features of the rows",
    find_faults=find_cluster_faults,
)
