"""ONNX files that nobody compiled here: somebody brought them along, and they are refused whatever they compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.soak.hostile_skops import Canary

_COLUMNS = 4


def _model(node: Any, *domains: str) -> bytes:
    """Return a model of one node, from rows to scores; it takes what the sound one takes."""
    from onnx import TensorProto, helper

    rows = helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, [None, _COLUMNS])
    score = helper.make_tensor_value_info("scores", TensorProto.DOUBLE, None)
    graph = helper.make_graph([node], "model", [rows], [score])
    opsets = [helper.make_opsetid("", 18), *(helper.make_opsetid(name, 1) for name in domains)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


def _brought_along(_: Canary) -> bytes:
    from onnx import helper

    return _model(helper.make_node("Identity", ["numbers"], ["scores"]))


def _custom_operator(_: Canary) -> bytes:
    from onnx import helper

    return _model(helper.make_node("Own", ["numbers"], ["scores"], domain="own"), "own")


ONNX_MODELS: Mapping[str, Callable[[Canary], bytes]] = {
    "brought_along": _brought_along,
    "needs_foreign_code": _custom_operator,
    "garbage": lambda canary: b"\x08\x09" + canary.shell.encode() * 100,
}
