"""Compiled models made wrong in one place: a threshold, a leaf, a child, a direction, a category, a weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

Values = dict[str, Any]


def mutate(content: bytes, change: Callable[[Any, np.random.Generator], bool], seed: int) -> bytes | None:
    """Return the model with one change; None where there is nothing of that kind to change."""
    model, draw = onnx.load_from_string(content), np.random.default_rng(seed)
    return model.SerializeToString() if change(model.graph, draw) else None


def _trees(graph: Any) -> Iterator[tuple[Any, Values]]:
    for node in graph.node:
        if node.op_type == "TreeEnsemble":
            read = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            yield node, {k: numpy_helper.to_array(v) if hasattr(v, "raw_data") else v for k, v in read.items()}


def _set(node: Any, name: str, values: Any) -> None:
    old = next(each for each in node.attribute if each.name == name)
    is_tensor = old.type == onnx.AttributeProto.TENSOR
    new = numpy_helper.from_array(np.asarray(values), name) if is_tensor else [int(each) for each in values]
    old.CopyFrom(helper.make_attribute(name, new))


def _pick(graph: Any, draw: np.random.Generator, suits: Callable[[Values], Any]) -> tuple[Any, Values, int] | None:
    found = [(node, values, np.flatnonzero(suits(values))) for node, values in _trees(graph)]
    found = [each for each in found if len(each[2])]
    if not found:
        return None
    node, values, places = found[draw.integers(len(found))]
    return node, {k: np.array(v) if np.ndim(v) else v for k, v in values.items()}, int(draw.choice(places))


def _asks(values: Values) -> Any:
    same = np.array(values["nodes_truenodeids"]) == np.array(values["nodes_falsenodeids"])
    stump = same & (np.array(values["nodes_trueleafs"]) == np.array(values["nodes_falseleafs"]))
    return (np.array(values["nodes_modes"]) == 0) & ~stump & np.isfinite(values["nodes_splits"]) & _is_served(values)


def _is_served(values: Values) -> Any:
    # Of two classes the score is that of the second, whose trees come last.
    roots = np.array(values["tree_roots"])
    first = roots[len(roots) - len(roots) // values["n_targets"]]
    return np.arange(len(values["nodes_splits"])) >= first


def _asks_first(values: Values) -> Any:
    """Say which nodes are the first on their way to ask for their column: what is missing comes to them."""
    feature, above = np.array(values["nodes_featureids"]), {}
    for side, leaf in (("nodes_truenodeids", "nodes_trueleafs"), ("nodes_falsenodeids", "nodes_falseleafs")):
        inner = np.flatnonzero(np.array(values[leaf]) == 0)
        above.update(zip(np.array(values[side])[inner].tolist(), inner.tolist(), strict=True))
    return _asks(values) & np.array([_is_first(at, feature, above) for at in range(len(feature))])


def _is_first(at: int, feature: Any, above: dict[int, int]) -> bool:
    asked, up = feature[at], above.get(at)
    while up is not None:
        if feature[up] == asked:
            return False
        up = above.get(up)
    return True


def move_threshold(single: bool) -> Callable[[Any, np.random.Generator], bool]:
    """Move a threshold by one step of what it is compared with: the next number goes to the other side."""

    def change(graph: Any, draw: np.random.Generator) -> bool:
        picked = _pick(graph, draw, _asks)
        if picked is None:
            return False
        node, values, at = picked
        old, up = values["nodes_splits"][at], bool(draw.integers(2))
        values["nodes_splits"][at] = _step_single(old, up) if single else np.nextafter(old, np.inf if up else -np.inf)
        _set(node, "nodes_splits", values["nodes_splits"])
        return True

    return change


def _step_single(threshold: float, up: bool) -> float:
    low = np.float32(threshold)
    low = np.nextafter(low, np.float32(-np.inf)) if float(low) > threshold else low
    return float(np.nextafter(low, np.float32(np.inf if up else -np.inf)))


def change_leaf(graph: Any, draw: np.random.Generator) -> bool:
    """Make a leaf a millionth more."""
    picked = _pick(graph, draw, lambda values: np.array(values["leaf_targetids"]) == values["n_targets"] - 1)
    if picked is None:
        return False
    node, values, at = picked
    values["leaf_weights"][at] += 1e-6 * max(1.0, float(np.abs(values["leaf_weights"]).max()))
    _set(node, "leaf_weights", values["leaf_weights"])
    return True


def swap_children(graph: Any, draw: np.random.Generator) -> bool:
    """Let a node lead to the left where it led to the right."""
    picked = _pick(graph, draw, _asks)
    if picked is None:
        return False
    node, values, at = picked
    for one, other in (("nodes_truenodeids", "nodes_falsenodeids"), ("nodes_trueleafs", "nodes_falseleafs")):
        values[one][at], values[other][at] = int(values[other][at]), int(values[one][at])
        _set(node, one, values[one])
        _set(node, other, values[other])
    return True


def flip_missing(graph: Any, draw: np.random.Generator) -> bool:
    """Send what is missing the other way at one node."""
    picked = _pick(graph, draw, _asks_first)
    if picked is None:
        return False
    node, values, at = picked
    values["nodes_missing_value_tracks_true"][at] ^= 1
    _set(node, "nodes_missing_value_tracks_true", values["nodes_missing_value_tracks_true"])
    return True


def change_kind(graph: Any, draw: np.random.Generator) -> bool:
    """Let a node that asks for categories take another one."""
    picked = _pick(graph, draw, lambda values: ~np.isnan(values.get("membership_values", np.array([]))))
    if picked is None:
        return False
    node, values, at = picked
    values["membership_values"][at] = 200.0
    _set(node, "membership_values", values["membership_values"])
    return True


def change_constant(graph: Any, draw: np.random.Generator) -> bool:
    """Change one number of a stored table, of weights or of what categories become, by a millionth of the largest of it."""
    tables = [each for each in graph.initializer if each.data_type == onnx.TensorProto.DOUBLE and len(each.dims)]
    # A single number is one of a formula's, and that of 1 - p is for a class whose score is not served.
    tables = [each for each in tables if numpy_helper.to_array(each).size > 1 and np.any(numpy_helper.to_array(each))]
    if not tables:
        return False
    table = tables[draw.integers(len(tables))]
    values = numpy_helper.to_array(table).copy()
    values.flat[draw.integers(values.size)] += 1e-6 * float(np.abs(values).max())
    table.CopyFrom(numpy_helper.from_array(values, table.name))
    return True


def swap_texts(graph: Any, draw: np.random.Generator) -> bool:
    """Take one category for another."""
    nodes = [node for node in graph.node if node.op_type == "LabelEncoder"]
    if not nodes:
        return False
    node = nodes[draw.integers(len(nodes))]
    numbers = next(each for each in node.attribute if each.name == "values_int64s")
    if len(numbers.ints) < 3:  # one stands for what is missing
        return False
    one, other = 1 + draw.permutation(len(numbers.ints) - 1)[:2]
    numbers.ints[one], numbers.ints[other] = numbers.ints[other], numbers.ints[one]
    return True
