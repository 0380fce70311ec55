"""What LightGBM writes of a booster as text, read as a forest: double precision, `x <= threshold`, three kinds of missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.errors import Refused
from workbench.models.boosters.booster import Booster, Link
from workbench.models.boosters.forest import Real, Tree, Whole, grow_forest, require

END = "end of trees"
_NUMBERS = re.compile(r"[-+0-9.eE]+( [-+0-9.eE]+)*")
_THRESHOLDS = re.compile(r"([-+0-9.eE]+|-?inf)( ([-+0-9.eE]+|-?inf))*")
_WHOLES = re.compile(r"-?[0-9]{1,18}( -?[0-9]{1,18})*")
_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_NONE, _ZERO = 0, 1
_BITS = 32

_LINKS: Mapping[str, Link] = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "multiclassova": "sigmoids",
    "cross_entropy": "sigmoid",
    "cross_entropy_lambda": "softplus",
    **dict.fromkeys(("gamma", "poisson", "tweedie"), "exp"),
    **dict.fromkeys(("fair", "huber", "mape", "quantile", "regression", "regression_l1"), "identity"),
    **dict.fromkeys(("lambdarank", "rank_xendcg"), "identity"),
}


def read_lightgbm(text: bytes) -> Booster:
    """Return the booster in LightGBM's text; raises Refused, naming the setting, for what is not computed here."""
    header, *blocks = _split(text)
    sums, features = (_one_whole(header, name) for name in ("num_tree_per_iteration", "max_feature_idx"))
    features += 1
    require(0 < sums <= len(blocks) and len(blocks) % sums == 0, "Its trees are not one for each sum.")
    trees = [_read_tree(block, at % sums) for at, block in enumerate(blocks)]
    link, slope = _find_link(header, sums)
    return Booster(
        forest=grow_forest([tree for tree, _ in trees], features, sums),
        features=features,
        base=(0.0,) * sums,
        link=link,
        slope=slope,
        flushes=True,
        divisor=len(blocks) / sums if "average_output" in header else 1.0,
        zero_missing=_find_features(trees, features, "zero"),
        whole=_find_features(trees, features, "categorical"),
        toward_zero=True,
    )


def _unsupported(setting: str, instead: str) -> Refused:
    return Refused(f"LightGBM's {setting} cannot be served.", next_step=f"Instead: {instead}")


# Lines and blocks


def _split(text: bytes) -> list[dict[str, str]]:
    """Return the keys and values of the header and of each tree."""
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError as exc:
        raise Refused("The booster's text is not sound.", why="It is no UTF-8.") from exc
    require(lines[0] == "tree" and END in lines, "It is no text of LightGBM, or is cut off.")
    blocks: list[dict[str, str]] = [{}]
    for line in lines[1 : lines.index(END)]:
        if line.startswith("Tree="):
            require(line == f"Tree={len(blocks) - 1}", "Its trees are not numbered one by one.")
            blocks.append({})
        elif line:
            key, _, value = line.partition("=")
            require(key not in blocks[-1], f"It says {key[:50]!r} twice.")
            blocks[-1][key] = value
    return blocks


def _get(block: Mapping[str, str], name: str) -> str:
    require(name in block, f"It has no {name}.")
    return block[name]


def _wholes(block: Mapping[str, str], name: str) -> Whole:
    require(_WHOLES.fullmatch(_get(block, name)) is not None, f"{name} is no list of whole numbers.")
    return np.array([int(each) for each in block[name].split(" ")], dtype=np.int64)


def _numbers(block: Mapping[str, str], name: str, form: re.Pattern[str] = _NUMBERS) -> Real:
    require(form.fullmatch(_get(block, name)) is not None, f"{name} is no list of finite numbers.")
    try:
        return np.array([float(each) for each in block[name].split(" ")])
    except ValueError as exc:
        raise Refused("The booster's text is not sound.", why=f"{name} is no list of numbers.") from exc


def _one_whole(block: Mapping[str, str], name: str) -> int:
    found = _wholes(block, name)
    require(len(found) == 1, f"{name} is no whole number.")
    return int(found[0])


# Trees


def _read_tree(block: Mapping[str, str], target: int) -> tuple[Tree, dict[str, Whole]]:
    """Return a tree and which features it asks for categories, for numbers with zero missing, and for others."""
    if block.get("is_linear", "0") != "0":
        raise _unsupported("linear_tree", "linear_tree=False.")
    leaves = _numbers(block, "leaf_value")
    require(_one_whole(block, "num_leaves") == len(leaves), "A tree has not as many leaves as it says.")
    inner = len(leaves) - 1
    if not inner:
        return _leaf_only(leaves, target), {}
    feature, kind, left, right = (_wholes(block, name) for name in _INNER)
    threshold = _numbers(block, "threshold", _THRESHOLDS)
    lengths = {len(each) for each in (feature, kind, left, right, threshold)}
    require(lengths == {inner}, "A tree's arrays differ in length.")
    require(bool(((kind >= 0) & (kind < 16)).all()), "A node asks in a way that is not known.")
    is_category, missing = (kind & _CATEGORICAL) == 1, kind >> 2
    members = _read_categories(block, is_category, threshold)
    # A missing number is zero unless it is told apart; a missing category is none.
    is_left = np.where(missing == _NONE, threshold >= 0.0, (kind & _DEFAULT_LEFT) != 0) & ~is_category
    tree = Tree(
        feature=_extend(feature, inner + 1),
        threshold=_extend(np.where(is_category, 0.0, threshold), inner + 1),
        left=_extend(_place(left, inner), inner + 1, -1),
        right=_extend(_place(right, inner), inner + 1, -1),
        missing_left=_extend(is_left, inner + 1).astype(bool),
        leaves=np.concatenate([np.zeros(inner), leaves]).reshape(-1, 1),
        target=target,
        members=members,
    )
    is_zero = (missing == _ZERO) & ~is_category
    used = {"categorical": feature[is_category], "zero": feature[is_zero]}
    return tree, {**used, "other": feature[~is_category & ~is_zero]}


_INNER = ("split_feature", "decision_type", "left_child", "right_child")


def _leaf_only(leaves: Real, target: int) -> Tree:
    none = np.zeros(1, dtype=np.int64)
    return Tree(none, np.zeros(1), none - 1, none - 1, none == 1, leaves.reshape(1, 1), target)


def _extend(values: Any, leaves: int, fill: int = 0) -> Any:
    return np.concatenate([values, np.full(leaves, fill, dtype=values.dtype)])


def _place(child: Whole, inner: int) -> Whole:
    """Return where a child stands: inner nodes as they are numbered, leaves, which are counted from -1 downward, after them."""
    leaf = ~child
    is_inside = np.where(child >= 0, child < inner, leaf <= inner)
    require(bool(is_inside.all()), "A tree has a child that does not exist.")
    return np.where(child >= 0, child, inner + leaf)


def _read_categories(block: Mapping[str, str], asks: Any, threshold: Real) -> dict[int, list[int]]:
    if not asks.any():
        return {}
    ends, words = _wholes(block, "cat_boundaries"), _wholes(block, "cat_threshold")
    in_order = ends[0] == 0 and bool((np.diff(ends) > 0).all()) and ends[-1] == len(words)
    require(in_order and bool(((words >= 0) & (words < 2**_BITS)).all()), "A tree's categories lead out of their list.")
    found = {}
    for node in np.flatnonzero(asks).tolist():
        place = threshold[node]
        require(place.is_integer() and 0 <= place < len(ends) - 1, "A node asks for categories that do not exist.")
        found[node] = _set_bits(words[ends[int(place)] : ends[int(place) + 1]].tolist())
    return found


def _set_bits(words: list[int]) -> list[int]:
    return [_BITS * at + bit for at, word in enumerate(words) for bit in range(_BITS) if word >> bit & 1]


def _find_features(trees: list[tuple[Tree, dict[str, Whole]]], features: int, kind: str) -> Any:
    """Return which features are asked in one way; a feature is asked in one way by all trees."""
    asked = {way: np.zeros(features, dtype=bool) for way in ("categorical", "zero", "other")}
    for _, used in trees:
        for way, found in used.items():
            asked[way][found[(found >= 0) & (found < features)]] = True
    others = np.logical_or.reduce([flags for way, flags in asked.items() if way != kind])
    require(not (asked[kind] & others).any(), "Its trees ask of one feature in different ways.")
    return asked[kind] if asked[kind].any() else None


# What the sums mean


def _find_link(header: Mapping[str, str], sums: int) -> tuple[Link, float]:
    if "objective" not in header:  # one of the user's own: the sums are the answers
        return "identity", 1.0
    name, *words = header["objective"].split(" ")
    if name not in _LINKS:
        raise _unsupported(f"objective {name[:50]!r}", f"objective= one of {', '.join(sorted(_LINKS))}.")
    said = dict(word.partition(":")[::2] for word in words)
    link = "signed square" if "sqrt" in said and _LINKS[name] == "identity" else _LINKS[name]
    require((sums > 1) == (link in ("softmax", "sigmoids")), "Its objective does not fit its number of classes.")
    return link, float(_numbers(said, "sigmoid")[0]) if "sigmoid" in said else 1.0
