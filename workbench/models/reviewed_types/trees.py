"""Decision trees and forests: scikit-learn follows node numbers unchecked, so a crafted file could read anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.models.reviewed_types.family import TREE, Family, named


def find_tree_faults(part: Any) -> Iterator[str]:
    """Yield what is wrong with the trees an estimator hands its own input to: those are bound by its number of features.

    Faults are children that do not exist or lead back (a loop), and splits on features that do not exist.
    """
    state = getattr(part, "__dict__", {})
    # A vote or a stack counts no features: its members look at what they are handed themselves.
    asks = isinstance(getattr(type(part), "n_features_in_", None), property)
    members = [] if asks else listed(state.get("estimators_"))
    held: list[Any] = [state.get("tree_"), *(getattr(each, "tree_", None) for each in members)]
    for tree in held:
        if type(tree).__name__ == "Tree":
            splits = tree.children_left != -1
            children = (tree.children_left, tree.children_right)
            yield from find_node_faults(children, tree.feature, splits, state.get("n_features_in_", 0))


def listed(value: Any) -> Iterator[Any]:
    """Yield what nested lists, tuples and arrays hold, masked or not, without None."""
    import numpy as np

    if isinstance(value, list | tuple | np.ndarray):
        for item in np.asarray(value).ravel() if isinstance(value, np.ndarray) else value:
            yield from listed(item)
    elif value is not None:
        yield value


def find_node_faults(children: tuple[Any, Any], feature: Any, is_split: Any, features: int) -> Iterator[str]:
    """Yield what is wrong with nodes: `is_split` says of each whether its children (two arrays) and its feature count."""
    import numpy as np

    if len(is_split) == 0:
        yield "A tree has no node."
    index = np.arange(len(is_split))[is_split]
    for child in (np.asarray(each)[is_split].astype(np.int64) for each in children):
        # Children are stored behind their parent; whoever goes only forward arrives.
        if ((child <= index) | (child >= len(is_split))).any():
            yield "A tree has a child that does not exist or leads back."
    used = np.asarray(feature)[is_split].astype(np.int64)
    if ((used < 0) | (used >= features)).any():
        yield "A tree splits on a feature that does not exist."


TREES = Family(
    "trees and forests",
    reason="Trees are arrays of nodes; native code goes from node to node, and only to nodes that were looked at.",
    estimators=named(
        "sklearn.tree._classes", "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor"
    )
    + named(
        "sklearn.ensemble._forest",
        "ExtraTreesClassifier ExtraTreesRegressor RandomForestClassifier RandomForestRegressor RandomTreesEmbedding",
    ),
    parts={TREE: ("sklearn.tree._tree.Tree",)},
    checked="every child is a later node, every feature is one of the model's",
    find_faults=find_tree_faults,
)
