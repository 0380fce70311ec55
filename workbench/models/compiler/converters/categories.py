"""What turns categories into numbers: each category is looked up, and what it becomes is asked of the fitted encoder itself.

An encoder treats its columns apart, so one row for each category of a column, one for a missing value and one for a value it never
saw say all there is to know: what is dropped, what is infrequent, what stands for the unknown.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.models.compiler.converters.tables import MISSING_TEXT, CannotCompileError, Column, Table, join, spread
from workbench.models.compiler.onnx_graph import ML, Graph


def convert_one_hot(step: Any, table: Table) -> Table:
    """A column for each category that is kept."""
    return _convert(step, table, [int(each) for each in step._n_features_outs])


def convert_ordinal(step: Any, table: Table) -> Table:
    """The number of the category."""
    return _convert(step, table, [1] * table.width)


def convert_target(step: Any, table: Table) -> Table:
    """The mean of the target for the category, of each class where there are several."""
    classes = len(step.classes_) if step.target_type_ == "multiclass" else 1
    return _convert(step, table, [classes] * table.width)


def _convert(step: Any, table: Table, widths: Sequence[int]) -> Table:
    starts = np.cumsum([0, *widths])
    return join(
        table.graph,
        [
            _look_up(step, table, place, slice(int(starts[place]), int(starts[place + 1])))
            for place in range(table.width)
        ],
    )


_LARGEST_TABLE = 1_000_000  # numbers: what each category becomes stands in the graph


def _look_up(step: Any, table: Table, place: int, outputs: slice) -> Table:
    graph, column = table.graph, table.columns[place]
    known, width = (
        [each for each in step.categories_[place].tolist() if not _is_missing(each)],
        outputs.stop - outputs.start,
    )
    if len(known) * width > _LARGEST_TABLE:
        raise CannotCompileError(f"it tells {len(known):,} categories apart, with a column for each")
    if graph.is_sketch:
        return spread(graph, "categories", width)
    answers = _ask_encoder(step, place, known, column)[:, outputs]
    code = _number_texts(table, place, known) if column.text else _number_numbers(table, place, known)
    raises = np.isinf(answers).any(axis=1, keepdims=True)
    if raises.any():
        graph.refuse(graph.add("Gather", graph.constant(raises.ravel(), "bool"), code, axis=0))
    found = graph.add("Gather", graph.constant(np.where(raises, 0.0, answers)), code, axis=0)
    return spread(graph, graph.add("Reshape", found, graph.constant([-1, width], "int64")), width)


def _is_missing(value: Any) -> bool:
    return value is None or value != value  # NaN is not itself


def _ask_encoder(step: Any, place: int, known: Sequence[Any], column: Column) -> NDArray[np.float64]:
    """Return what the encoder makes of a value it never saw, of a missing one and of each category, a row each; inf: it raises."""
    missing = None if column.missing == "none" else np.nan
    values = [_never_seen(known, column), missing, *known]
    first = [next((each for each in kind.tolist() if not _is_missing(each)), None) for kind in step.categories_]
    return np.array([_ask_one(step, [*first[:place], value, *first[place + 1 :]]) for value in values])


def _never_seen(known: Sequence[Any], column: Column) -> Any:
    if column.text:
        return "".join(["never seen", *map(str, known)])[: max(map(len, map(str, known)), default=0) + 11]
    return float(max([abs(float(each)) for each in known], default=0.0) * 2 + 1.5)


def _ask_one(step: Any, row: Sequence[Any]) -> NDArray[np.float64]:
    is_text = any(kind.dtype.kind in "OUT" for kind in step.categories_)
    kind = object if is_text or any(isinstance(each, str) for each in row) else np.float64
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = step.transform(np.array([row], dtype=kind))
        except ValueError:
            return np.full(_width_of(step), np.inf)
    dense = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
    return np.asarray(dense, dtype=np.float64).ravel()


def _width_of(step: Any) -> int:
    if hasattr(step, "_n_features_outs"):
        return int(sum(step._n_features_outs))
    return len(getattr(step, "encodings_", step.categories_))


def _number_texts(table: Table, place: int, known: Sequence[Any]) -> str:
    if not all(isinstance(each, str) for each in known):
        raise CannotCompileError("its categories are not all text where the column is")
    keys = [MISSING_TEXT, *known]
    return table.graph.add(
        "LabelEncoder",
        table.one(place),
        domain=ML,
        keys_strings=keys,
        values_int64s=list(range(1, len(keys) + 1)),
        default_int64=0,
    )


def _number_numbers(table: Table, place: int, known: Sequence[Any]) -> str:
    if not all(isinstance(each, int | float) for each in known):
        raise CannotCompileError("its categories are text where the column holds numbers")
    graph, column = table.graph, table.one(place)
    hits = [graph.add("IsNaN", column)]
    if known:
        hits.append(graph.add("Equal", column, graph.constant([float(each) for each in known])))
    flags = _as_double(graph, hits)
    weights = np.arange(1, len(known) + 2, dtype=float).reshape(-1, 1)
    return graph.add("Cast", graph.add("MatMul", flags, graph.constant(weights)), to=_INT64)


_INT64, _DOUBLE = 7, 11


def _as_double(graph: Graph, hits: Sequence[str]) -> str:
    joined = hits[0] if len(hits) == 1 else graph.add("Concat", *hits, axis=1)
    return graph.add("Cast", joined, to=_DOUBLE)


TRANSFORMERS: Mapping[str, Callable[[Any, Table], Table]] = {
    "OneHotEncoder": convert_one_hot,
    "OrdinalEncoder": convert_ordinal,
    "TargetEncoder": convert_target,
}
