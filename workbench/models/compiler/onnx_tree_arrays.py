"""Are the trees in a compiled model those of the model, bit for bit? For forests with more nodes than rows can reach one by one.

The nodes are read from the bytes of the compiled model, by what ONNX says of them and not by how they were written, and walked
together with the model's own from the root of each tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.models.compiler.reached_nodes import MOST_NODES
from workbench.models.compiler.split_points import Tree, find_questions
from workbench.models.model_facts import ComparedRows, FormFact

NODES = "nodes of trees"
_MEMBER = 6  # ONNX's number for "is it one of these?"


@dataclass(frozen=True)
class _Ensemble:
    """The trees of one node of ONNX: arrays over questions and leaves, and where each tree begins."""

    arrays: Mapping[str, Any]
    members: Mapping[int, NDArray[np.float64]]
    roots: NDArray[np.int64]

    @property
    def is_stump(self) -> NDArray[np.bool_]:
        """Which questions are none, because both answers lead to one leaf."""
        found = self.arrays
        same = found["nodes_truenodeids"] == found["nodes_falsenodeids"]
        return np.asarray(same & (found["nodes_trueleafs"] == 1) & (found["nodes_falseleafs"] == 1))


def add_arrays(fact: FormFact, content: bytes, model: Any, *, most: int = MOST_NODES) -> FormFact:
    """Return what was found of a form, with its trees compared node by node where the model has more than rows were made for."""
    asked = sum(int(tree.asks.sum()) for tree in _trees_of(model))
    if not fact.served or asked <= most:
        return fact
    found = compare_arrays(content, model)
    if found is None:
        said = f"Rows were made for {most:,} of its {asked:,} questions; its trees cannot be compared one by one."
        return replace(fact, reason=f"{fact.reason} {said}")
    rows = (*fact.rows, found)
    if found.differing:
        return replace(
            fact, served=False, reason=f"{found.differing:,} of its trees are none of the model's.", rows=rows
        )
    said = f"{fact.reason} All {found.rows:,} nodes of its trees are the model's, bit for bit."
    return replace(fact, reason=said, rows=rows)


def compare_arrays(content: bytes, model: Any) -> ComparedRows | None:
    """Hold every tree of a compiled model against those of the model; None where either has none to be compared."""
    ensembles, trees = list(_read_ensembles(content)), list(_trees_of(model))
    if not ensembles or not trees or any(tree.leaves is None for tree in trees):
        return None
    known: dict[bytes, list[int]] = {}
    for at, tree in enumerate(trees):
        if tree.asks.any():
            known.setdefault(_sign(tree.feature[tree.asks], tree.threshold[tree.asks]), []).append(at)
    met: set[int] = set()
    wrong = nodes = 0
    for ensemble in ensembles:
        for root, end in zip(ensemble.roots, [*ensemble.roots[1:], len(ensemble.is_stump)], strict=True):
            if ensemble.is_stump[root]:
                continue
            inner = slice(root, end)
            candidates = known.get(_sign(*(ensemble.arrays[name][inner] for name in _ASKED)), [])
            same = [at for at in candidates if _is_same(ensemble, int(root), trees[at])]
            met.update(same)
            wrong += not same
            nodes += int(end - root)
    missed = {at for found in known.values() for at in found} - met
    return ComparedRows(NODES, nodes, nodes, wrong + len(missed), 0, 0.0)


_ASKED = ("nodes_featureids", "nodes_splits")


def _trees_of(model: Any) -> Iterator[Tree]:
    for question in find_questions(model):
        yield from (tree for tree in question.trees if tree.is_grown)


def _sign(features: Any, thresholds: Any) -> bytes:
    """Return what finds a tree among others: all it asks, in whatever order."""
    pairs = np.array([features, np.nan_to_num(thresholds)], dtype=float)
    return bytes(pairs[:, np.lexsort(pairs)].tobytes())


def _read_ensembles(content: bytes) -> Iterator[_Ensemble]:
    import onnx
    from onnx import helper, numpy_helper

    for node in onnx.load_from_string(content).graph.node:
        if node.op_type == "TreeEnsemble":
            read = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            arrays = {
                name: numpy_helper.to_array(value) if hasattr(value, "raw_data") else np.asarray(value)
                for name, value in read.items()
            }
            yield _Ensemble(arrays, _read_members(arrays), arrays["tree_roots"])


def _read_members(arrays: Mapping[str, Any]) -> dict[int, NDArray[np.float64]]:
    """Return the categories of each question that asks for some: they stand in a row, with a NaN after each list."""
    asking = np.flatnonzero(arrays["nodes_modes"] == _MEMBER)
    values = arrays.get("membership_values", np.array([]))
    lists = np.split(values, np.flatnonzero(np.isnan(values)) + 1)
    return {int(at): listed[:-1] for at, listed in zip(asking, lists, strict=False)}


def _is_same(ensemble: _Ensemble, root: int, tree: Tree) -> bool:
    """Walk both from the root, all nodes of a depth at once."""
    found, theirs, own = ensemble.arrays, np.array([root]), np.array([0])
    while len(theirs):
        if not _ask_the_same(ensemble, theirs, tree, own):
            return False
        theirs_next, own_next = [], []
        for side, children in (("true", tree.left), ("false", tree.right)):
            below, is_leaf = found[f"nodes_{side}nodeids"][theirs], found[f"nodes_{side}leafs"][theirs] == 1
            ours = children[own]
            if not (is_leaf == ~tree.asks[ours]).all():
                return False
            if not _weigh_the_same(found, below[is_leaf], tree, ours[is_leaf]):
                return False
            theirs_next.append(below[~is_leaf])
            own_next.append(ours[~is_leaf])
        theirs, own = np.concatenate(theirs_next), np.concatenate(own_next)
    return True


def _ask_the_same(ensemble: _Ensemble, theirs: NDArray[np.int64], tree: Tree, own: NDArray[np.int64]) -> bool:
    found, by_kind = ensemble.arrays, np.isin(own, list(tree.kinds))
    numeric = ~by_kind
    same = [
        found["nodes_featureids"][theirs] == tree.feature[own],
        found["nodes_missing_value_tracks_true"][theirs] == tree.missing_left[own],
        found["nodes_splits"][theirs][numeric] == tree.threshold[own][numeric],
        (found["nodes_modes"][theirs] == _MEMBER) == by_kind,
    ]
    kinds = zip(theirs[by_kind].tolist(), own[by_kind].tolist(), strict=True)
    return all(each.all() for each in same) and all(
        np.array_equal(ensemble.members[a][ensemble.members[a] >= 0], tree.kinds[b]) for a, b in kinds
    )


def _weigh_the_same(found: Mapping[str, Any], leaves: Any, tree: Tree, own: Any) -> bool:
    weights: Sequence[Any] = found["leaf_weights"][leaves]
    return tree.leaves is not None and bool((weights == tree.leaves[own, found["leaf_targetids"][leaves]]).all())
