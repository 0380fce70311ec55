"""Answering with a compiled model: needs onnxruntime and numpy, and neither scikit-learn nor pandas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.domain.contract import Contract, Predict
from workbench.errors import Refused

Rows = Sequence[Mapping[str, Any]]

_DTYPES = {"tensor(double)": "float64", "tensor(float)": "float32", "tensor(int64)": "int64", "tensor(bool)": "bool"}


def load_onnx_predictor(content: bytes, contract: Contract) -> Predict:
    """Return the function from rows to scores of the ONNX model in these bytes.

    The model takes either one (rows, columns) tensor or one (rows, 1) tensor a column, as `onnx_compiler` writes it.
    Raises Refused when onnxruntime cannot run it or it takes something else.
    """
    session = _open_session(content)
    feeds = _make_feeds(session.get_inputs(), contract)
    output = session.get_outputs()[0].name
    score_column = -1 if contract.task == "classification" else 0

    def predict(rows: Rows) -> list[float]:
        scores = session.run([output], {name: make(rows) for name, make in feeds})[0]
        return scores.reshape(len(rows), -1)[:, score_column].tolist()

    return predict


def _open_session(content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One request is microseconds of work: more threads cost more than they bring, and workers share the machine.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as exc:
        raise Refused("The compiled model cannot be run.", why=" ".join(str(exc).split())[:300]) from exc


def _make_feeds(inputs: Sequence[Any], contract: Contract) -> list[tuple[str, Callable[[Rows], Any]]]:
    import numpy as np

    names = contract.names
    if len(inputs) == 1 and inputs[0].shape[1:] == [len(names)]:
        dtype = _DTYPES.get(inputs[0].type, "object")
        return [(inputs[0].name, lambda rows: np.array([[row[name] for name in names] for row in rows], dtype=dtype))]
    if {each.name for each in inputs} - set(names):
        raise Refused("The compiled model takes other columns than its contract.")
    return [(each.name, _column_feed(each.name, each.type)) for each in inputs]


def _column_feed(name: str, tensor_type: str) -> Callable[[Rows], Any]:
    import numpy as np

    dtype = _DTYPES.get(tensor_type, "object")
    return lambda rows: np.array([[row[name]] for row in rows], dtype=dtype)
