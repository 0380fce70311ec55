"""Answering with a compiled model: needs onnxruntime and numpy, and neither scikit-learn nor pandas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.errors import Refused
from workbench.models.contract import Answers, Column, Contract, Predict

Rows = Sequence[Mapping[str, Any]]

NUMBERS, TEXTS, SCORES, PLACE, TABLE = "numbers", "texts", "scores", "place", "table"
# How a missing text is handed over: no text of a request can be this one, for none holds a null character.
MISSING_TEXT = "\0"


def load_onnx_predictor(content: bytes, contract: Contract) -> Predict:
    """Return the function from rows to answers of the ONNX model in these bytes.

    The model takes the columns of numbers and those of text as one tensor each, `numbers` and `texts` (rows, columns), and gives
    `scores` and, of classes, the `place` of each label. Raises Refused when onnxruntime cannot run it or it takes or gives others.
    """
    session = _open_session(content)
    feeds = _make_feeds(session.get_inputs(), contract)
    outputs = [each.name for each in session.get_outputs()]
    answer = _find_reader(outputs, contract)

    def predict(rows: Rows) -> Answers:
        return answer(session.run(outputs, {name: make(rows) for name, make in feeds}), len(rows))

    return predict


def load_onnx_preparation(content: bytes, contract: Contract) -> Callable[[Rows], Any]:
    """Return the function from rows to the table (rows, columns) of doubles that a compiled preparation makes of them."""
    session = _open_session(content)
    feeds = _make_feeds(session.get_inputs(), contract)
    return lambda rows: session.run([TABLE], {name: make(rows) for name, make in feeds})[0]


def import_runtime() -> None:
    """Import what runs a compiled model, while that may still be done."""
    import onnxruntime  # noqa: F401


def _open_session(content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One request is microseconds of work: more threads cost more than they bring, and workers share the machine.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        # A scale fused into a product of matrices is kept in single precision.
        fusions = ["MatMulScaleFusion"]
        return onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], disabled_optimizers=fusions
        )
    except Exception as exc:
        raise Refused("The compiled model cannot be run.", why=" ".join(str(exc).split())[:300]) from exc


# What goes in


def _make_feeds(inputs: Sequence[Any], contract: Contract) -> list[tuple[str, Callable[[Rows], Any]]]:
    if not {each.name for each in inputs} <= {NUMBERS, TEXTS}:
        raise _other_columns()
    return [_feed_table(each, contract) for each in inputs]


def _other_columns() -> Refused:
    return Refused("The compiled model takes other columns than its contract.")


def _feed_table(wanted: Any, contract: Contract) -> tuple[str, Callable[[Rows], Any]]:
    is_text = wanted.name == TEXTS
    columns = [column.name for column in contract.columns if is_text_column(column) is is_text]
    if wanted.shape[1:] != [len(columns)]:
        raise _other_columns()
    return wanted.name, _feed_texts(columns) if is_text else _feed_numbers(columns)


def is_text_column(column: Column) -> bool:
    """Whether a compiled model gets a column among its texts."""
    return column.type not in ("number", "integer", "boolean")


def _feed_numbers(names: Sequence[str]) -> Callable[[Rows], Any]:
    import numpy as np

    return lambda rows: np.array([[row[name] for name in names] for row in rows], dtype="float64")


def _feed_texts(names: Sequence[str]) -> Callable[[Rows], Any]:
    import numpy as np

    def feed(rows: Rows) -> Any:
        texts = [[MISSING_TEXT if row[name] is None else row[name] for name in names] for row in rows]
        return np.array(texts, dtype=object)

    return feed


# What comes out


def _find_reader(outputs: Sequence[str], contract: Contract) -> Callable[[Sequence[Any], int], Answers]:
    """Return what makes answers of the outputs: a score for each row and, of classes, the label."""
    classes = contract.classes
    if {*outputs} - {PLACE} != {SCORES} or (classes and PLACE not in outputs):
        raise Refused("The compiled model gives other answers than its contract names.")
    score, take = outputs.index(SCORES), _score_reader(contract)
    if classes is None:
        return lambda found, rows: Answers(take(found[score], rows))
    place = outputs.index(PLACE)
    return lambda found, rows: Answers(take(found[score], rows), [classes[each] for each in found[place].tolist()])


def _score_reader(contract: Contract) -> Callable[[Any, int], list[Any]]:
    if contract.task == "regression":
        return lambda scores, rows: scores.reshape(rows, -1)[:, 0].tolist()
    if contract.task == "multiclass":
        width = len(contract.classes or ())
        return lambda scores, rows: scores.reshape(rows, width).tolist()
    positive = contract.positive_place
    if contract.response == "decision_function":
        sign = 1 if positive else -1
        return lambda scores, rows: (sign * scores.reshape(rows, -1)[:, 0]).tolist()
    last = -1 if positive else 0
    return lambda scores, rows: scores.reshape(rows, -1)[:, last].tolist()
