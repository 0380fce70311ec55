"""Decision trees out of bounds: scikit-learn follows node numbers unchecked, so a crafted file could read anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def find_tree_faults(model: Any) -> Iterator[str]:
    """Yield what is wrong with the decision trees inside a scikit-learn model.

    Faults are children that do not exist or lead back (a loop), and splits on features or categories that do not exist.
    """
    for part in parts_of(model):
        features = getattr(part, "n_features_in_", 0)
        for tree in _trees(part):
            yield from _tree_faults(tree, features)


def _trees(part: Any) -> Iterator[Any]:
    """Yield the trees an estimator hands its own input to: those are bound by its number of features."""
    state = getattr(part, "__dict__", {})
    yield from _listed([state.get("tree_")])
    yield from (getattr(estimator, "tree_", None) for estimator in _listed(state.get("estimators_", [])))
    yield from _listed(state.get("_predictors", []))


def _listed(value: Any) -> Iterator[Any]:
    for item in value if isinstance(value, list | tuple) or type(value).__name__ == "ndarray" else []:
        if isinstance(item, list | tuple) or type(item).__name__ == "ndarray":
            yield from _listed(item)
        elif item is not None:
            yield item


def _tree_faults(tree: Any, features: int) -> Iterator[str]:
    kind = type(tree).__name__
    if kind == "Tree":
        yield from _node_faults(
            tree.children_left, tree.children_right, tree.feature, tree.children_left != -1, features
        )
    elif kind == "TreePredictor":
        nodes = tree.nodes
        yield from _node_faults(nodes["left"], nodes["right"], nodes["feature_idx"], nodes["is_leaf"] == 0, features)
        categorical = nodes["bitset_idx"][(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 1)]
        if (categorical >= len(tree.raw_left_cat_bitsets)).any():
            yield "A tree splits on categories that do not exist."


def _node_faults(left: Any, right: Any, feature: Any, is_split: Any, features: int) -> Iterator[str]:
    import numpy as np

    index = np.arange(len(left))[is_split]
    for child in (np.asarray(left)[is_split].astype(np.int64), np.asarray(right)[is_split].astype(np.int64)):
        # Children are stored behind their parent; whoever goes only forward arrives.
        if ((child <= index) | (child >= len(left))).any():
            yield "A tree has a child that does not exist or leads back."
    used = np.asarray(feature)[is_split].astype(np.int64)
    if ((used < 0) | (used >= features)).any():
        yield "A tree splits on a feature that does not exist."


def parts_of(model: Any) -> Iterator[Any]:
    """Yield every object inside a model once, through attributes, mappings, sequences and object arrays."""
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float | type):
            continue
        seen.add(id(part))
        yield part
        waiting += _children(part)


def _children(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, list | tuple | set):
        return list(part)
    if type(part).__name__ == "ndarray":
        return list(part.ravel()) if part.dtype == object else []
    return list(getattr(part, "__dict__", {}).values())
