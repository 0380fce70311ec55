"""Boosted trees as arrays that were looked at: how they are put together from a text, and what they add up to for rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.errors import Refused

MOST_NODES, MOST_DEPTH = 10_000_000, 2_000
MOST_FEATURES, MOST_TARGETS = 100_000, 1_000
LARGEST_CATEGORY = 2**31 - 1
_AT_ONCE = 1_000_000  # places of rows in trees
_OF_A_LEAF = -1

Whole = NDArray[np.int64]
Real = NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """One tree as a text has it: arrays over its nodes, the first of them its root; children are -1 where it is a leaf.

    A row goes left where its value is not above the threshold, or, in nodes with `members`, where it is one of them.
    `leaves` (nodes, targets of this tree) is what a leaf adds, `target` the first sum it adds to.
    """

    feature: Whole
    threshold: Real
    left: Whole
    right: Whole
    missing_left: NDArray[np.bool_]
    leaves: Real
    target: int = 0
    members: Mapping[int, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Forest:
    """Trees side by side in one array of nodes; a leaf's children are itself, so whoever walks on stays there."""

    feature: Whole
    threshold: Real
    left: Whole
    right: Whole
    missing_left: NDArray[np.bool_]
    leaves: Real
    roots: Whole
    targets: Whole
    members: Mapping[int, Sequence[int]]
    depth: int

    def trees(self) -> list[tuple[slice, dict[int, Sequence[int]]]]:
        """Return which nodes each tree has, and the members of those that have some, counted from the tree's first node."""
        starts, asking = self.roots.tolist(), sorted(self.members)
        spans = [slice(start, end) for start, end in zip(starts, [*starts[1:], len(self.feature)], strict=True)]
        places = [np.searchsorted(asking, [nodes.start, nodes.stop]) for nodes in spans]
        return [
            (nodes, {node - nodes.start: self.members[node] for node in asking[low:high]})
            for nodes, (low, high) in zip(spans, places, strict=True)
        ]

    def is_leaf(self) -> NDArray[np.bool_]:
        """Return which nodes are leaves."""
        return self.left == np.arange(len(self.left))


def grow_forest(trees: Sequence[Tree], features: int, targets: int) -> Forest:
    """Return the trees as one forest; raises Refused for what leads out of bounds, leads back, or is no number."""
    require(bool(trees), "It has no trees.")
    require(0 < features <= MOST_FEATURES, f"It has {features:,} features; the limit is {MOST_FEATURES:,}.")
    require(0 < targets <= MOST_TARGETS, f"It has {targets:,} sums; the limit is {MOST_TARGETS:,}.")
    total = sum(len(each.feature) for each in trees)
    require(total <= MOST_NODES, f"It has {total:,} nodes; the limit is {MOST_NODES:,}.")
    for tree in trees:
        _require_sound(tree, features, targets)
    return _lay_out(trees)


def require(holds: bool, why: str) -> None:
    """Raise Refused unless something holds."""
    if not holds:
        raise Refused("The booster's text is not sound.", why=why)


def _require_sound(tree: Tree, features: int, targets: int) -> None:
    nodes = len(tree.feature)
    arrays = (tree.threshold, tree.left, tree.right, tree.missing_left, tree.leaves)
    require(nodes > 0 and all(len(each) == nodes for each in arrays), "A tree's arrays differ in length.")
    inner = tree.left != _OF_A_LEAF
    require(bool((inner == (tree.right != _OF_A_LEAF)).all()), "A node has one child only.")
    for child in (tree.left[inner], tree.right[inner]):
        require(bool(((child > 0) & (child < nodes)).all()), "A tree has a child that does not exist.")
        require(bool((child != np.flatnonzero(inner)).all()), "A tree has a child that leads back to itself.")
    used = tree.feature[inner]
    require(bool(((used >= 0) & (used < features)).all()), "A tree splits on a feature that does not exist.")
    # LightGBM writes inf where only what is missing goes to the right.
    sound = not np.isnan(tree.threshold).any() and np.isfinite(tree.leaves).all()
    require(bool(sound), "A threshold is no number, or a leaf no finite one.")
    require(0 <= tree.target <= targets - tree.leaves.shape[1], "A tree adds to a sum that does not exist.")
    require(all(inner[node] for node in tree.members), "A leaf asks for categories.")
    require(all(map(_are_categories, tree.members.values())), "A category is no whole number of 31 bits.")


def _are_categories(members: Sequence[int]) -> bool:
    return len(members) > 0 and min(members) >= 0 and max(members) <= LARGEST_CATEGORY


def _lay_out(trees: Sequence[Tree]) -> Forest:
    starts = np.cumsum([0, *(len(each.feature) for each in trees)])
    itself = np.arange(starts[-1])
    at = np.repeat(starts[:-1], [len(each.feature) for each in trees])
    left, right = (np.concatenate([getattr(each, side) for each in trees]) for side in ("left", "right"))
    is_leaf = left == _OF_A_LEAF
    left, right = np.where(is_leaf, itself, left + at), np.where(is_leaf, itself, right + at)
    kept, depth = _walk(starts[:-1], left, right)
    number = np.cumsum(kept) - 1
    members = {
        int(number[start + node]): tuple(found)
        for start, tree in zip(starts.tolist(), trees, strict=False)
        for node, found in tree.members.items()
        if kept[start + node]
    }
    joined = {name: np.concatenate([getattr(each, name) for each in trees])[kept] for name in _JOINED}
    return Forest(
        feature=np.where(is_leaf[kept], 0, joined["feature"]),
        threshold=joined["threshold"],
        left=number[left[kept]],
        right=number[right[kept]],
        missing_left=joined["missing_left"],
        leaves=joined["leaves"],
        roots=number[starts[:-1]],
        targets=np.array([each.target for each in trees], dtype=np.int64),
        members=members,
        depth=depth,
    )


_JOINED = ("feature", "threshold", "missing_left", "leaves")


def _walk(roots: Whole, left: Whole, right: Whole) -> tuple[NDArray[np.bool_], int]:
    """Return which nodes are reached and how deep the deepest is; every node is reached once, so whoever goes on arrives."""
    reached = np.zeros(len(left), dtype=bool)
    reached[roots] = True
    frontier, depth = roots, 0
    while len(inner := frontier[left[frontier] != frontier]):
        frontier = np.concatenate([left[inner], right[inner]])
        twice = reached[frontier].any() or len(np.unique(frontier)) != len(frontier)
        require(not twice, "A tree has a child that leads back, or that two nodes share.")
        reached[frontier] = True
        depth += 1
        require(depth <= MOST_DEPTH, f"A tree is deeper than {MOST_DEPTH:,} nodes.")
    return reached, depth


# Adding up


def add_up(forest: Forest, rows: Real, targets: int) -> Real:
    """Return the sums of the leaves that each row arrives at, shape (rows, targets)."""
    return _sum_leaves(forest, forest.leaves, rows, targets)


def add_up_sizes(forest: Forest, rows: Real, targets: int) -> Real:
    """Return the sums of the leaves' sizes, which bound what rounding can do to their sums; shape (rows, targets)."""
    return _sum_leaves(forest, np.abs(forest.leaves), rows, targets)


def _sum_leaves(forest: Forest, leaves: Real, rows: Real, targets: int) -> Real:
    step = max(1, _AT_ONCE // len(forest.roots))
    parts = [_sum_some(forest, leaves, rows[at : at + step], targets) for at in range(0, len(rows), step)]
    return np.concatenate(parts) if parts else np.zeros((0, targets))


def _sum_some(forest: Forest, leaves: Real, rows: Real, targets: int) -> Real:
    found = leaves[_descend(forest, rows)]
    width = leaves.shape[1]
    sums = [
        np.ascontiguousarray(found[:, forest.targets == first, place]).sum(axis=1)
        for first in range(0, targets, width)
        for place in range(width)
    ]
    return np.column_stack(sums)


def _descend(forest: Forest, rows: Real) -> Whole:
    """Return the leaf that each row arrives at in each tree."""
    at = np.tile(forest.roots, (len(rows), 1))
    row = np.arange(len(rows))[:, None]
    codes = _code_members(forest)
    for _ in range(forest.depth):
        values = rows[row, forest.feature[at]]
        goes_left = values <= forest.threshold[at]
        if len(codes):
            _ask_members(forest, codes, at, values, goes_left)
        goes_left = np.where(np.isnan(values), forest.missing_left[at], goes_left)
        at = np.where(goes_left, forest.left[at], forest.right[at])
    return at


def _code_members(forest: Forest) -> Whole:
    """Return each (node, category) as one number, sorted."""
    pairs = [(node << 31) | member for node, found in forest.members.items() for member in found]
    return np.sort(np.array(pairs, dtype=np.int64))


def _ask_members(forest: Forest, codes: Whole, at: Whole, values: Real, goes_left: NDArray[np.bool_]) -> None:
    asks = np.isin(at, list(forest.members))
    asked = values[asks]
    known = (asked >= 0) & (asked <= LARGEST_CATEGORY)
    wanted = (at[asks] << 31) | np.where(known, asked, 0).astype(np.int64)
    goes_left[asks] = known & np.isin(wanted, codes)
