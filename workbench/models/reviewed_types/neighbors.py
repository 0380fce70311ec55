"""Nearest neighbors: search trees and distances that native code follows without looking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.models.reviewed_types.family import OBJECT, Family, named

_SEARCH_TREES = {"KDTree": 2, "BallTree": 1}  # how many bounds each node has
# What a distance keeps for each feature; the others keep nothing. Minkowski's weights may be missing.
_WEIGHTED = {"SEuclideanDistance64", "MinkowskiDistance64"}
_DISTANCES = "sklearn.metrics._dist_metrics"


def find_neighbor_faults(part: Any) -> Iterator[str]:
    """Yield what is wrong with a search tree, or with the training rows and labels a neighbors model looks up."""
    if type(part).__name__ in _SEARCH_TREES:
        yield from _find_search_tree_faults(part, _SEARCH_TREES[type(part).__name__])
    elif "_fit_method" in getattr(part, "__dict__", {}):
        yield from _find_lookup_faults(part)


def _find_search_tree_faults(tree: Any, bounds: int) -> Iterator[str]:
    import numpy as np

    data, order, nodes, limits, *_ = state = tree.__getstate__()
    rows, features = data.shape
    if limits.shape != (bounds, len(nodes), features) or state[6] != len(nodes) or state[4] < 1:
        yield "A search tree's nodes and their bounds are not equally many."
    if not np.array_equal(np.sort(order), np.arange(rows)):
        yield "A search tree names rows that do not exist."
    if not _divides_all_rows(nodes, rows):
        yield "A search tree's nodes do not divide its rows."
    if not _fits_features(state[11], features):
        yield "A search tree's distance is made for another number of features."
    if state[12] is not None and len(state[12]) != rows:
        yield "A search tree has not one weight for each row."


def _divides_all_rows(nodes: Any, rows: int) -> bool:
    """True if node 0 holds all rows, and the two children of each node that is no leaf exist and share its rows."""
    import numpy as np

    start, end = nodes["idx_start"], nodes["idx_end"]
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    left, right = 2 * inner + 1, 2 * inner + 2
    return bool(
        len(nodes)
        and (start[0], end[0]) == (0, rows)
        and (start <= end).all()
        and (right < len(nodes)).all()
        and (start[left] == start[inner]).all()
        and (end[left] == start[right]).all()
        and (end[right] == end[inner]).all()
    )


def _fits_features(distance: Any, features: int) -> bool:
    if f"{_DISTANCES}.{type(distance).__name__}" not in NEIGHBORS.parts[OBJECT]:
        return False
    _, weights, _ = distance.__getstate__()
    if type(distance).__name__ == "HaversineDistance64":
        return features == 2
    may_lack = type(distance).__name__ == "MinkowskiDistance64"
    is_plain = type(distance).__name__ not in _WEIGHTED
    return is_plain or len(weights) == features or (may_lack and len(weights) == 0)


def _find_lookup_faults(part: Any) -> Iterator[str]:
    import numpy as np

    rows, labels = part._fit_X, vars(part).get("_y")
    if rows.shape != (part.n_samples_fit_, part.n_features_in_):
        yield "A neighbors model has other rows than it says."
    if part._tree is not None and np.shape(part._tree.data) != rows.shape:
        yield "A neighbors model searches in other rows than it has."
    if labels is not None:
        yield from _find_label_faults(part, labels, rows.shape[0])


def _find_label_faults(part: Any, labels: Any, rows: int) -> Iterator[str]:
    if len(labels) != rows:
        yield "A neighbors model has not one label for each row."
    # The labels of several outputs are counted by NumPy, those of one by native code.
    if hasattr(part, "classes_") and labels.ndim == 1 and ((labels < 0) | (labels >= len(part.classes_))).any():
        yield "A neighbors model has labels that do not exist."


NEIGHBORS = Family(
    "nearest neighbors",
    reason="They are the training rows and a tree of row numbers; native code measures distances to rows that exist.",
    estimators=named(
        "sklearn.neighbors",
        "_classification.KNeighborsClassifier _classification.RadiusNeighborsClassifier _graph.KNeighborsTransformer "
        "_graph.RadiusNeighborsTransformer _kde.KernelDensity _nca.NeighborhoodComponentsAnalysis "
        "_regression.KNeighborsRegressor _regression.RadiusNeighborsRegressor _unsupervised.NearestNeighbors",
    ),
    parts={
        OBJECT: named("sklearn.neighbors", "_ball_tree.BallTree _kd_tree.KDTree")
        # Not Mahalanobis, whose buffer is missing when its state is, and not the one that calls a function.
        + named(
            _DISTANCES,
            "BrayCurtisDistance64 CanberraDistance64 ChebyshevDistance64 DiceDistance64 EuclideanDistance64 "
            "HammingDistance64 HaversineDistance64 JaccardDistance64 ManhattanDistance64 MinkowskiDistance64 "
            "RogersTanimotoDistance64 RussellRaoDistance64 SEuclideanDistance64 SokalMichenerDistance64 "
            "SokalSneathDistance64",
        ),
    },
    checked="every row number exists, nodes divide the rows, labels are classes, distances fit the features",
    find_faults=find_neighbor_faults,
)
