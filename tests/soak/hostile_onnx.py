"""ONNX files that reach outside, need foreign code, never end or fill the memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.soak.hostile_skops import Canary

_COLUMNS = 4


def _model(nodes: list[Any], initializers: list[Any] = (), **more: Any) -> bytes:  # type: ignore[assignment]
    """Return a model from rows to one score, made of these nodes; it takes what the sound one takes."""
    from onnx import TensorProto, helper

    rows = helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, [None, _COLUMNS])
    score = helper.make_tensor_value_info("scores", TensorProto.DOUBLE, None)
    graph = helper.make_graph(nodes, "model", [rows], [score], initializers)
    opsets = [helper.make_opsetid("", 18), *(helper.make_opsetid(name, 1) for name in more.pop("domains", ()))]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9, **more).SerializeToString())


def _external(where: str) -> Callable[[Canary], bytes]:
    def make(canary: Canary) -> bytes:
        from onnx import TensorProto, helper

        outside = canary.path.with_name("outside")
        outside.write_bytes(bytes(8 * _COLUMNS))
        weights = TensorProto(name="weights", data_type=TensorProto.DOUBLE, dims=[_COLUMNS])
        weights.data_location = TensorProto.EXTERNAL
        for key, value in (("location", where.format(outside=outside)), ("offset", "0"), ("length", str(8 * _COLUMNS))):
            weights.external_data.add(key=key, value=value)
        return _model([helper.make_node("Add", ["numbers", "weights"], ["scores"])], [weights])

    return make


def _custom_operator(_: Canary) -> bytes:
    from onnx import helper

    node = helper.make_node("PyOp", ["numbers"], ["scores"], domain="ai.onnx.contrib", module="os", class_name="system")
    return _model([node], domains=("ai.onnx.contrib",))


def _unending_loop(_: Canary) -> bytes:
    """Return a loop of 2^62 rounds."""
    from onnx import TensorProto, helper

    def info(name: str, kind: int) -> Any:
        return helper.make_tensor_value_info(name, kind, None)

    nodes = [
        helper.make_node("Identity", ["go"], ["still"]),
        helper.make_node("Sin", ["value"], ["next"]),
    ]
    inputs = [info("round", TensorProto.INT64), info("go", TensorProto.BOOL), info("value", TensorProto.DOUBLE)]
    body = helper.make_graph(nodes, "body", inputs, [info("still", TensorProto.BOOL), info("next", TensorProto.DOUBLE)])
    rounds = helper.make_tensor("rounds", TensorProto.INT64, [], [2**62])
    go = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    return _model([helper.make_node("Loop", ["rounds", "yes", "numbers"], ["scores"], body=body)], [rounds, go])


def _vast(when: str) -> Callable[[Canary], bytes]:
    """Return a model that asks for 64 GiB of zeros: as a constant when it is opened, or for its rows."""

    def make(_: Canary) -> bytes:
        from onnx import TensorProto, helper

        size = helper.make_tensor("size", TensorProto.INT64, [2], [2**20, 2**13])
        zero = helper.make_tensor("zero", TensorProto.DOUBLE, [1], [0.0])
        nodes = [helper.make_node("ConstantOfShape", ["size"], ["vast"], value=zero)]
        if when == "numbers":
            nodes = [
                helper.make_node("ReduceSum", ["numbers"], ["sum"], keepdims=0),
                helper.make_node("Reshape", ["sum", "one"], ["single"]),
                helper.make_node("Expand", ["single", "size"], ["vast"]),
            ]
        nodes += [
            helper.make_node("ReduceSum", ["vast"], ["total"], keepdims=0),
            helper.make_node("Add", ["numbers", "total"], ["scores"]),
        ]
        return _model(nodes, [size, helper.make_tensor("one", TensorProto.INT64, [1], [1])])

    return make


def _recursive_function(_: Canary) -> bytes:
    """Return a model whose function calls itself."""
    from onnx import helper

    own = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    inner = helper.make_node("Twice", ["x"], ["y"], domain="own")
    function = helper.make_function("own", "Twice", ["x"], ["y"], [inner], own)
    return _model(
        [helper.make_node("Twice", ["numbers"], ["scores"], domain="own")], domains=("own",), functions=[function]
    )


def _deep(_: Canary) -> bytes:
    """Return messages within messages, 100,000 deep: a graph in an attribute of a node of a graph."""
    content = b""
    for _number in range(20_000):
        content = bytes([0x0A]) + _varint(len(content)) + content
    return b"\x08\x09" + bytes([0x3A]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


ONNX_MODELS: Mapping[str, Callable[[Canary], bytes]] = {
    "reads_by_absolute_path": _external("{outside}"),
    "reads_by_relative_path": _external("../../../../../../../../../../../../../../../..{outside}"),
    "reads_the_environment": _external("/proc/self/environ"),
    "needs_foreign_code": _custom_operator,
    "never_ends": _unending_loop,
    "takes_all_memory_when_opened": _vast("opened"),
    "takes_all_memory_for_rows": _vast("numbers"),
    "calls_itself": _recursive_function,
    "deep": _deep,
    "garbage": lambda canary: b"\x08\x09" + canary.shell.encode() * 100,
}
