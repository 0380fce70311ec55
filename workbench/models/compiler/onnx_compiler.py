"""Compiling a fitted scikit-learn model to ONNX by converters of our own, whole or up to its last step."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from workbench.models.compiler.converters.composition import convert_predictor, convert_transformer
from workbench.models.compiler.converters.tables import DOUBLE, FLOAT, CannotCompileError, Responses, Table, require
from workbench.models.compiler.converters.tables import Column as TableColumn
from workbench.models.compiler.onnx_graph import Graph
from workbench.models.contract import Column, Contract
from workbench.models.onnx_predictor import NUMBERS, PLACE, SCORES, TABLE, TEXTS, is_text_column

OWN = "compiled by own converters, in double precision"
PREPARED = "scikit-learn itself behind a compiled preparation"


@dataclass(frozen=True)
class Form:
    """A way a model was compiled: its name, its bytes or why there are none.

    `whole` is False where only what stands before its last step was compiled.
    """

    name: str
    content: bytes | None
    reason: str = ""
    whole: bool = True


def compile_forms(model: Any, contract: Contract) -> Iterator[Form]:
    """Yield each way the model can be compiled, or why it cannot, the preferred way first; each is made when it is asked for.

    That it compiles does not say that it answers the same: the caller compares before it serves.
    """
    yield _compile(OWN, lambda: compile_own(model, contract))
    yield replace(_compile(PREPARED, lambda: compile_preparation(model, contract)), whole=False)


def _compile(name: str, make: Callable[[], bytes]) -> Form:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Form(name, make())
    except CannotCompileError as exc:
        return Form(name, None, str(exc))
    # What a converter did not think of; a model that does not compile is served as it is.
    except Exception as exc:
        return Form(name, None, f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}")


def compile_own(model: Any, contract: Contract) -> bytes:
    """Return the ONNX bytes of a fitted model by our own converters: scores and, of classes, the place of the label.

    Raises CannotCompileError where a part of the model has no converter.
    """
    graph = Graph()
    outputs = _write(graph, model, contract)
    return graph.to_bytes(outputs)


def find_obstacle(model: Any, contract: Contract) -> str | None:
    """Say why our own converters will not compile a model, without compiling it; None where they will."""
    try:
        _write(Graph(is_sketch=True), model, contract)
    except CannotCompileError as exc:
        return str(exc)
    # What a converter did not think of is no reason not to log a model.
    except Exception as exc:
        return f"a converter failed with {type(exc).__name__}"
    return None


def can_prepare(model: Any, contract: Contract) -> bool:
    """True where the steps of a pipeline before its last will likely be compiled."""
    try:
        _write_preparation(Graph(is_sketch=True), model, contract)
    except Exception:  # whatever stands in the way, it stands in the way
        return False
    return True


def _write(graph: Graph, model: Any, contract: Contract) -> list[tuple[str, str, str, int]]:
    answer = convert_predictor(model, _make_table(graph, model, contract))
    if contract.task == "regression":
        value = graph.without_refused(require(answer.value, "prediction"))
        return [(SCORES, value, "DOUBLE", answer.outputs)]
    label = require(answer.label, "label")
    score, width = _find_score(answer, contract)
    return [(SCORES, graph.without_refused(score), "DOUBLE", width), (PLACE, label, "INT64", 0)]


def compile_preparation(model: Any, contract: Contract) -> bytes:
    """Return the ONNX bytes of all steps of a pipeline but the last: from rows to the table that the last one is asked with.

    Raises CannotCompileError where a step has no converter, or there is none before the last.
    """
    graph = Graph()
    return graph.to_bytes([_write_preparation(graph, model, contract)])


def _write_preparation(graph: Graph, model: Any, contract: Contract) -> tuple[str, str, str, int]:
    if type(model).__name__ != "Pipeline" or len(model.steps) < 2:
        raise CannotCompileError("nothing stands before its last step")
    table = _make_table(graph, model, contract)
    for _, step in model.steps[:-1]:
        table = convert_transformer(step, table)
    return TABLE, graph.without_refused(table.numbers()), "DOUBLE", table.width


def _find_score(answer: Responses, contract: Contract) -> tuple[str, int]:
    if contract.response == "predict_proba":
        return require(answer.probabilities, "probabilities"), answer.classes
    if contract.response == "decision_function":
        return require(answer.decision, "decision function"), 1 if answer.classes == 2 else answer.classes
    raise CannotCompileError("it gives labels only")


def _make_table(graph: Graph, model: Any, contract: Contract) -> Table:
    """Return the columns of a request in the order the model knows them."""
    tensors = {
        is_text: graph.add_input(TEXTS if is_text else NUMBERS, len(group), text=is_text)
        for is_text in (False, True)
        if (group := [column for column in contract.columns if is_text_column(column) is is_text])
    }
    places = {False: 0, True: 0}
    columns = {}
    for column in contract.columns:
        is_text = is_text_column(column)
        tensor = _round(graph, tensors[is_text]) if _is_single(column) else tensors[is_text]
        columns[column.name] = _table_column(column, tensor, places[is_text])
        places[is_text] += 1
    names = [str(name) for name in getattr(model, "feature_names_in_", contract.names)]
    if unknown := sorted(set(names) - set(columns)):
        raise CannotCompileError(f"it was fitted on columns that are not logged: {', '.join(unknown[:5])}")
    return Table(graph, tuple(columns[name] for name in names))


# What numpy widens to single precision, and no further, beside a column of it.
_NARROW = ("int8", "int16", "uint8", "uint16", "bool", "boolean")


def _is_single(column: Column) -> bool:
    if column.dtype.lower() == "float16":
        raise CannotCompileError("its numbers are of half precision")
    return column.dtype.lower() == "float32"


def _round(graph: Graph, numbers: str) -> str:
    """Return numbers as a column of single precision holds them."""
    rounded = graph.once("Cast", graph.once("Cast", numbers, to=FLOAT), to=DOUBLE)
    graph.widths[rounded] = graph.widths[numbers]
    return rounded


def _table_column(column: Column, tensor: str, place: int) -> TableColumn:
    is_narrow = column.dtype.lower() in _NARROW
    is_text = is_text_column(column)
    unread = "" if column.type in ("string", "number", "integer", "boolean") else column.type
    wraps = column.dtype.lower() in ("int32", "uint32", "int64", "uint64")
    own = TableColumn(tensor, place, is_text, _is_single(column), column.missing, narrow=is_narrow)
    return replace(own, unread=unread, wraps=wraps)
