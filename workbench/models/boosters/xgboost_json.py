"""What XGBoost writes of a booster as JSON, read as a forest: single precision, `x < threshold`, a side for missing values."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.errors import Refused
from workbench.models.boosters.booster import Booster, Link
from workbench.models.boosters.forest import Real, Tree, Whole, grow_forest, require
from workbench.models.boosters.json_reading import (
    read_json,
    real_numbers,
    single_numbers,
    take,
    whole_in,
    whole_numbers,
)


def _logit(mean: float) -> float:
    require(0 < mean < 1, "Its base score is no probability.")
    return -math.log(1 / mean - 1)


def _log(mean: float) -> float:
    require(mean > 0, "Its base score is not positive.")
    return math.log(mean)


def _itself(mean: float) -> float:
    return mean


# What is made of the sums, and how the base score, which is a mean, is turned into a start for them.
_OBJECTIVES: Mapping[str, tuple[Link, Callable[[float], float]]] = {
    "binary:logistic": ("sigmoid", _logit),
    "reg:logistic": ("sigmoid", _logit),
    "multi:softprob": ("softmax", _itself),
    "multi:softmax": ("softmax", _itself),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), ("exp", _log)),
    **{
        f"reg:{name}": ("identity", _itself)
        for name in ("absoluteerror", "pseudohubererror", "quantileerror", "squarederror", "squaredlogerror")
    },
    **{f"rank:{name}": ("identity", _itself) for name in ("map", "ndcg", "pairwise")},
}


def read_xgboost(text: bytes) -> Booster:
    """Return the booster in XGBoost's JSON; raises Refused, naming the setting, for what is not computed here."""
    learner = take(read_json(text), "learner")
    model, weights = _read_trees(take(learner, "gradient_booster"))
    said = take(learner, "learner_model_param")
    targets = max(1, whole_in(take(said, "num_class"), "num_class"))
    if whole_in(said.get("num_target", "1"), "num_target") > 1:
        raise _unsupported("several targets", "fit one regressor for each target.")
    features = whole_in(take(said, "num_feature"), "num_feature")
    link, start = _find_objective(take(learner, "objective", "name"))
    require(_is_for(link, targets), "Its objective does not fit its number of classes.")
    trees = [_read_tree(*each) for each in _pair_up(model, weights, targets)]
    return Booster(
        forest=grow_forest([tree for tree, _ in trees], features, targets),
        features=features,
        base=_read_base(take(said, "base_score"), targets, start),
        link=link,
        single=True,
        sums_single=True,
        finite=True,
        whole=_find_categorical(trees, features),
    )


def _unsupported(setting: str, instead: str) -> Refused:
    return Refused(f"XGBoost's {setting} cannot be served.", next_step=f"Instead: {instead}")


def _is_for(link: Link, targets: int) -> bool:
    return (targets > 1) if link == "softmax" else targets == 1


def _find_objective(name: Any) -> tuple[Link, Callable[[float], float]]:
    if not isinstance(name, str) or name not in _OBJECTIVES:
        raise _unsupported(f"objective {str(name)[:50]!r}", f"objective= one of {', '.join(sorted(_OBJECTIVES))}.")
    return _OBJECTIVES[name]


def _read_trees(booster: Any) -> tuple[Any, Any]:
    """Return the trees' part of a booster and, of dart, a weight for each tree."""
    name = take(booster, "name")
    if name == "dart":
        return take(booster, "gbtree", "model"), take(booster, "weight_drop")
    if name != "gbtree":
        raise _unsupported(f"booster {str(name)[:50]!r}", 'booster="gbtree" or "dart".')
    return take(booster, "model"), None


def _pair_up(model: Any, weights: Any, targets: int) -> list[tuple[Any, float, int]]:
    if take(model.get("cats", {"enc": []}), "enc"):
        raise _unsupported(
            "categories of a pandas column (enable_categorical)",
            'number them with an OrdinalEncoder in a Pipeline and say feature_types=["c", "q", …].',
        )
    trees, info = take(model, "trees"), whole_numbers(take(model, "tree_info"), "tree_info")
    found = np.ones(len(info)) if weights is None else real_numbers(weights, "weight_drop")
    require(isinstance(trees, list) and len(trees) == len(info) == len(found), "Its trees are not as many as it says.")
    require(bool(((info >= 0) & (info < targets)).all()), "A tree adds to a sum that does not exist.")
    return list(zip(trees, found.tolist(), info.tolist(), strict=True))


def _read_tree(tree: Any, weight: float, target: int) -> tuple[Tree, Whole]:
    """Return a tree and the features that it asks for categories."""
    if whole_in(take(tree, "tree_param", "size_leaf_vector"), "size_leaf_vector") > 1:
        raise _unsupported('multi_strategy="multi_output_tree"', 'multi_strategy="one_output_per_tree".')
    left, right, feature, kind, default = (whole_numbers(take(tree, name), name) for name in _WHOLE)
    values = single_numbers(take(tree, "split_conditions"), "split_conditions")
    lengths = {len(each) for each in (left, right, feature, kind, default, values)}
    require(
        lengths == {whole_in(take(tree, "tree_param", "num_nodes"), "num_nodes")}, "A tree's arrays differ in length."
    )
    is_leaf = left == -1
    members = _read_categories(tree, ~is_leaf & (kind == 1))
    # Categories that are named go right here, and left everywhere else.
    swapped = np.isin(np.arange(len(left)), list(members))
    sides = np.where(swapped, right, left), np.where(swapped, left, right)
    # x < t in single precision is x <= the number before t.
    threshold = np.where(is_leaf | swapped, 0.0, np.nextafter(values, np.float32(-np.inf)).astype(float))
    leaves = np.where(is_leaf, values.astype(float) * weight, 0.0).reshape(-1, 1)
    missing_left = (default == 1) != swapped
    return Tree(feature, threshold, *sides, missing_left, leaves, target, members), feature[swapped]


_WHOLE = ("left_children", "right_children", "split_indices", "split_type", "default_left")


def _read_categories(tree: Any, asks: Any) -> dict[int, list[int]]:
    nodes, starts, sizes, all_of_them = (whole_numbers(take(tree, name), name) for name in _CATEGORIES)
    require(sorted(nodes.tolist()) == np.flatnonzero(asks).tolist(), "The nodes that ask for categories have none.")
    require(len(nodes) == len(starts) == len(sizes), "A tree's categories differ in length.")
    ends = starts + sizes
    is_inside = (starts >= 0) & (sizes > 0) & (ends <= len(all_of_them))
    require(bool(is_inside.all()), "A tree's categories lead out of their list.")
    spans = zip(nodes.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return {node: all_of_them[start:end].tolist() for node, start, end in spans}


_CATEGORIES = ("categories_nodes", "categories_segments", "categories_sizes", "categories")


def _find_categorical(trees: list[tuple[Tree, Whole]], features: int) -> Any:
    asked = np.zeros(features, dtype=bool)
    for _, found in trees:
        asked[found] = True
    for tree, _ in trees:
        numbers = np.setdiff1d(np.flatnonzero(tree.left != -1), list(tree.members))
        require(not asked[tree.feature[numbers]].any(), "A tree asks of one feature for categories and for numbers.")
    return asked if asked.any() else None


def _read_base(text: Any, targets: int, start: Callable[[float], float]) -> tuple[float, ...]:
    """Return what each sum starts from; one number in older versions, a list in newer ones."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError) as exc:
        raise Refused("The booster's text is not sound.", why="Its base score is no number.") from exc
    values: Real = real_numbers(found if isinstance(found, list) else [found], "base_score")
    require(len(values) in (1, targets) and bool(np.isfinite(values).all()), "Its base score is not one for each sum.")
    starts = [start(float(np.float32(value))) for value in values]
    return tuple(starts * targets if len(starts) == 1 else starts)
