"""Writing an ONNX graph node by node, in double precision, with no more in it than its outputs need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ML = "ai.onnx.ml"
# The first release with trees in double precision, and what every onnxruntime that has them reads.
_ML_OPSET, _OPSET, _IR = 5, 21, 10
_DOUBLE = 11  # ONNX's number for the type


class Graph:
    """A graph that grows: each `add` returns the name of what the node computes, each `constant` that of a stored array."""

    def __init__(self, *, is_sketch: bool = False) -> None:
        self.is_sketch = is_sketch  # only names, to learn whether a model can be written
        self._inputs: list[Any] = []
        self._nodes: list[Any] = []
        self._constants: dict[Any, tuple[str, Any]] = {}
        self.widths: dict[str, int] = {}  # of the tensors whose columns are known
        self._refusals: list[str] = []
        self._known: dict[Any, str] = {}

    def add_input(self, name: str, width: int, *, text: bool) -> str:
        """Declare an input of shape (rows, width), of doubles or of text."""
        self._inputs.append((name, width, "STRING" if text else "DOUBLE"))
        self.widths[name] = width
        return name

    def constant(self, values: Any, dtype: str = "float64") -> str:
        """Store an array, once however often it is asked for, and return its name."""
        import numpy as np

        if self.is_sketch:
            return "constant"
        array = np.ascontiguousarray(np.asarray(values, dtype=dtype))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self._constants[key] = (name, store(name, array))
        return self._constants[key][0]

    def text_constant(self, texts: Sequence[str]) -> str:
        """Store a list of texts and return its name."""
        key = ("text", *texts)
        if self.is_sketch:
            return "constant"
        from onnx import TensorProto, helper

        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            encoded = [text.encode() for text in texts]
            self._constants[key] = (name, helper.make_tensor(name, TensorProto.STRING, [len(encoded)], encoded))
        return self._constants[key][0]

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        if self.is_sketch:
            self._nodes.append(None)
            return name
        from onnx import helper

        self._nodes.append(helper.make_node(operator, list(inputs), [name], name=name, domain=domain, **attributes))
        return name

    def once(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node unless there is the same one, and return its name."""
        key = (operator, inputs, *sorted(attributes.items()))
        if key not in self._known:
            self._known[key] = self.add(operator, *inputs, **attributes)
        return self._known[key]

    def gather(self, values: str, places: Sequence[int]) -> str:
        """Take columns by their places, in that order."""
        return self.add("Gather", values, self.constant(list(places), "int64"), axis=1)

    def refuse(self, rows: str) -> None:
        """Give no score to the rows that are flagged, shape (rows, 1): on those the model itself raises."""
        self._refusals.append(rows)

    def refuse_infinite(self, numbers: str) -> None:
        """Give no score to rows that hold an infinite number."""
        infinite = self.once("Cast", self.once("IsInf", numbers), to=_DOUBLE)
        most = self.once("ReduceMax", infinite, self.constant([1], "int64"))
        self.refuse(self.once("Greater", most, self.constant([0.5])))

    def without_refused(self, scores: str) -> str:
        """Return the scores, NaN for every row that was refused on the way."""
        refused = self._refusals
        while len(refused) > 1:
            refused = [self.add("Or", *refused[:2]), *refused[2:]]
        return self.add("Where", refused[0], self.constant([float("nan")]), scores) if refused else scores

    def to_bytes(self, outputs: Sequence[tuple[str, str, str, int]]) -> bytes:
        """Return the model with these outputs: each a name, a tensor, ONNX's element type, and its columns (0: a plain list)."""
        from onnx import TensorProto, helper

        self._nodes += [helper.make_node("Identity", [tensor], [name], name=name) for name, tensor, _, _ in outputs]
        declared = [
            helper.make_tensor_value_info(name, getattr(TensorProto, kind), [None, width] if width else [None])
            for name, _, kind, width in outputs
        ]
        nodes = self._find_needed([name for name, *_ in outputs])
        used = {each for node in nodes for each in node.input}
        constants = [tensor for name, tensor in self._constants.values() if name in used]
        inputs = [
            helper.make_tensor_value_info(name, getattr(TensorProto, kind), [None, width])
            for name, width, kind in self._inputs
            if name in used
        ]
        graph = helper.make_graph(nodes, "model", inputs, declared, constants)
        versions = [helper.make_opsetid("", _OPSET), helper.make_opsetid(ML, _ML_OPSET)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=_IR, producer_name="workbench")
        return bytes(model.SerializeToString(deterministic=True))

    def _find_needed(self, outputs: Sequence[str]) -> list[Any]:
        needed, kept = set(outputs), []
        for node in reversed(self._nodes):
            if needed & set(node.output):
                kept.append(node)
                needed.update(node.input)
        return kept[::-1]


def store(name: str, array: NDArray[np.generic]) -> Any:
    """Return an array as a tensor of ONNX."""
    from onnx import numpy_helper

    return numpy_helper.from_array(array, name)
