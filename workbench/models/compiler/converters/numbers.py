"""What turns numbers into numbers: scaling, filling gaps, powers, bins, projections and choosing columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.models.compiler.converters.tables import (
    BOOL,
    MISSING_TEXT,
    CannotCompileError,
    Table,
    as_double,
    join,
    spread,
    spread_whole,
    spread_wild,
)
from workbench.models.compiler.onnx_graph import ML, Graph


def convert_standard_scaler(step: Any, table: Table) -> Table:
    """Minus the mean, by the deviation."""
    return _shift_and_scale(table, step.mean_ if step.with_mean else None, step.scale_ if step.with_std else None)


def convert_robust_scaler(step: Any, table: Table) -> Table:
    """Minus the median, by the range of the quartiles."""
    centre = step.center_ if step.with_centering else None
    return _shift_and_scale(table, centre, step.scale_ if step.with_scaling else None)


def convert_max_abs_scaler(step: Any, table: Table) -> Table:
    """By the largest absolute value."""
    return _shift_and_scale(table, None, step.scale_)


def _shift_and_scale(table: Table, centre: Any, scale: Any) -> Table:
    graph, rows = table.graph, table.numbers()
    if centre is not None:
        rows = graph.add("Sub", rows, graph.constant(centre))
    if scale is not None:
        rows = graph.add("Div", rows, graph.constant(scale))
    return spread(graph, rows, table.width)


def convert_min_max_scaler(step: Any, table: Table) -> Table:
    """Times a factor, plus an offset, clipped if that is wanted."""
    graph = table.graph
    rows = graph.add("Add", graph.add("Mul", table.numbers(), graph.constant(step.scale_)), graph.constant(step.min_))
    if step.clip:
        low, high = (graph.constant(float(each)) for each in step.feature_range)
        rows = keep_missing(graph, rows, graph.add("Clip", rows, low, high))
    return spread(graph, rows, table.width)


def keep_missing(graph: Graph, rows: str, changed: str) -> str:
    """Return the changed numbers, missing where they were missing before."""
    return graph.add("Where", graph.add("IsNaN", rows), rows, changed)


def convert_normalizer(step: Any, table: Table) -> Table:
    """Each row by its own length."""
    graph, rows = table.graph, table.numbers()
    if step.norm not in ("l1", "l2"):
        raise CannotCompileError(f"its norm {step.norm} is not known here")
    sizes = graph.add("Abs", rows) if step.norm == "l1" else graph.add("Mul", rows, rows)
    length = graph.add("ReduceSum", sizes, graph.constant([1], "int64"), keepdims=1)
    length = graph.add("Sqrt", length) if step.norm == "l2" else length
    is_zero = graph.add("Less", length, graph.constant([10 * _SMALLEST]))
    length = graph.add("Where", is_zero, graph.constant([1.0]), length)
    return spread(graph, graph.add("Div", rows, length), table.width)


def convert_binarizer(step: Any, table: Table) -> Table:
    """One above a threshold, else zero."""
    graph = table.graph
    above = graph.add("Greater", table.numbers(), graph.constant([float(step.threshold)]))
    return spread_whole(table, as_double(graph, above))


# Filling gaps


def convert_imputer(step: Any, table: Table) -> Table:
    """Put a number or a text where one is missing, and say where if that is wanted."""
    if table.is_text:
        return _impute_texts(step, table)
    graph, rows = table.graph, table.numbers()
    missing = _find_missing(graph, rows, step.missing_values)
    statistics = np.array(step.statistics_, dtype=float)
    kept = np.flatnonzero(~np.isnan(statistics)) if not step.keep_empty_features else np.arange(table.width)
    filled = graph.add("Where", missing, graph.constant(np.nan_to_num(statistics, nan=0.0)), rows)
    stays_whole = step.strategy in ("most_frequent", "constant")
    whole = spread_whole(table, filled) if stays_whole else spread(graph, filled, table.width)
    tables = [whole.select(kept.tolist())]
    if step.add_indicator:
        flags = spread(graph, as_double(graph, missing), table.width)
        tables.append(flags.select(step.indicator_.features_.tolist()))
    return join(graph, tables)


def _find_missing(graph: Graph, rows: str, marker: Any) -> str:
    if isinstance(marker, float) and np.isnan(marker):
        return graph.add("IsNaN", rows)
    if isinstance(marker, int | float) and not isinstance(marker, bool):
        return graph.add("Equal", rows, graph.constant([float(marker)]))
    raise CannotCompileError(f"it takes {marker!r} for missing among numbers")


def _impute_texts(step: Any, table: Table) -> Table:
    graph = table.graph
    filled = [_impute_text(step, table, place, fill) for place, fill in enumerate(step.statistics_.tolist())]
    flags = [_is_text(graph, table.one(place), _marker(step)) for place in range(table.width)]
    tables = [spread(graph, each, 1, table.columns[place]) for place, each in enumerate(filled) if each is not None]
    if step.add_indicator:
        places = step.indicator_.features_.tolist()
        tables += [spread(graph, as_double(graph, flags[place]), 1) for place in places]
    return join(graph, tables)


def _impute_text(step: Any, table: Table, place: int, fill: Any) -> str | None:
    column, graph = table.columns[place], table.graph
    if fill is None or fill != fill:  # NaN is not itself: the column was empty, and is left out
        if step.keep_empty_features:
            raise CannotCompileError("it keeps a column of texts that was empty")
        return None
    if not isinstance(fill, str):
        raise CannotCompileError(f"it puts {fill!r} among texts")
    is_seen = isinstance(step.missing_values, str) or _kind_of(step.missing_values) == column.missing
    if not is_seen:
        return table.one(place)
    is_missing = _is_text(graph, table.one(place), _marker(step))
    return graph.add("Where", is_missing, graph.text_constant([fill]), table.one(place))


def _marker(step: Any) -> str:
    return step.missing_values if isinstance(step.missing_values, str) else MISSING_TEXT


def _kind_of(marker: Any) -> str:
    return "none" if marker is None else "nan"


def _is_text(graph: Graph, column: str, text: str) -> str:
    # Not by Equal with a stored text: onnxruntime 1.31 cuts those at a null character, which the marker is.
    known = {"keys_strings": [text], "values_int64s": [1], "default_int64": 0}
    return graph.add("Cast", graph.add("LabelEncoder", column, domain=ML, **known), to=BOOL)


def convert_missing_indicator(step: Any, table: Table) -> Table:
    """One where a number is missing."""
    graph = table.graph
    flags = as_double(graph, _find_missing(graph, table.numbers(), step.missing_values))
    return spread(graph, flags, table.width).select(step.features_.tolist())


# Powers and bins


def convert_polynomial(step: Any, table: Table) -> Table:
    """Products of columns, each made of one of a degree less, in scikit-learn's order of multiplying."""
    graph, columns = table.graph, table.width
    table.numbers()  # single precision is refused
    known: dict[tuple[int, ...], str] = {(place,): table.one(place) for place in range(columns)}
    products = [_product(graph, powers, table, known) for powers in step.powers_.tolist()]
    return join(graph, [spread_wild(graph, each, 1) for each in products])


def _product(graph: Graph, powers: list[int], table: Table, known: dict[tuple[int, ...], str]) -> str:
    places = tuple(place for place, power in enumerate(powers) for _ in range(int(power)))
    if not places:
        first = table.one(0)
        return graph.add("Add", graph.add("Mul", first, graph.constant([0.0])), graph.constant([1.0]))
    return _multiply(graph, places, known)


def _multiply(graph: Graph, places: tuple[int, ...], known: dict[tuple[int, ...], str]) -> str:
    if places not in known:
        known[places] = graph.add("Mul", _multiply(graph, places[1:], known), known[places[:1]])
    return known[places]


def convert_bins(step: Any, table: Table) -> Table:
    """The number of the bin, counted from its inner edges; or one column a bin."""
    from workbench.models.compiler.converters.categories import convert_one_hot

    graph = table.graph
    table.numbers()
    numbered = join(graph, [spread(graph, _bin(table, place, edges), 1) for place, edges in enumerate(step.bin_edges_)])
    return numbered if step.encode == "ordinal" else convert_one_hot(step._encoder, numbered)


def _bin(table: Table, place: int, edges: Any) -> str:
    graph, inner = table.graph, np.asarray(edges, dtype=float)[1:-1]
    if not len(inner):
        return graph.add("Mul", table.one(place), graph.constant([0.0]))
    beyond = as_double(graph, graph.add("GreaterOrEqual", table.one(place), graph.constant(inner)))
    return graph.add("ReduceSum", beyond, graph.constant([1], "int64"), keepdims=1)


def convert_power(step: Any, table: Table) -> Table:
    """Yeo and Johnson's or Box and Cox's power of each column, then scaled."""
    graph = table.graph
    rows = table.numbers()
    if step.method == "box-cox":
        _refuse_below(graph, rows)
    power = _yeo_johnson if step.method == "yeo-johnson" else _box_cox
    raised = [power(graph, table.one(place), float(each)) for place, each in enumerate(step.lambdas_)]
    joined = join(graph, [spread_wild(graph, each, 1) for each in raised])
    return convert_standard_scaler(step._scaler, joined) if step.standardize else joined


def _refuse_below(graph: Graph, rows: str) -> None:
    """Give no score to rows that hold a number that is not positive, of which nobody knows the power."""
    below = as_double(graph, graph.add("LessOrEqual", rows, graph.constant([0.0])))
    graph.refuse(
        graph.add("Greater", graph.add("ReduceMax", below, graph.constant([1], "int64")), graph.constant([0.5]))
    )


def _box_cox(graph: Graph, column: str, power: float) -> str:
    if power == 0:
        return graph.add("Log", column)
    raised = graph.add("Sub", graph.add("Pow", column, graph.constant([power])), graph.constant([1.0]))
    return graph.add("Div", raised, graph.constant([power]))


def _yeo_johnson(graph: Graph, column: str, power: float) -> str:
    one, zero = graph.constant([1.0]), graph.constant([0.0])
    up = graph.add("Add", graph.add("Max", column, zero), one)
    down = graph.add("Sub", one, graph.add("Min", column, zero))
    above = _box_cox(graph, up, power if abs(power) >= _TINY else 0.0)
    rest = 2 - power
    below = graph.add("Neg", _box_cox(graph, down, rest if abs(rest) > _TINY else 0.0))
    return graph.add("Where", graph.add("GreaterOrEqual", column, zero), above, below)


_TINY = float(np.spacing(1.0))


# Projections and choosing


def convert_projection(step: Any, table: Table) -> Table:
    """Principal components and truncated singular vectors: centred where it is, then weighted."""
    graph, rows = table.graph, table.numbers()
    components = np.asarray(step.components_, dtype=float)
    if getattr(step, "whiten", False):
        components = components / np.maximum(np.sqrt(step.explained_variance_), _SMALLEST)[:, None]
    projected = graph.add("MatMul", rows, graph.constant(components.T))
    if getattr(step, "mean_", None) is not None:
        offset = np.asarray(step.mean_, dtype=float).reshape(1, -1) @ components.T
        projected = graph.add("Sub", projected, graph.constant(offset))
    return spread(graph, projected, len(components))


_SMALLEST = float(np.finfo(np.float64).eps)


def convert_selection(step: Any, table: Table) -> Table:
    """The columns that were chosen."""
    return table.select(np.flatnonzero(step.get_support()).tolist())


def convert_function(step: Any, table: Table) -> Table:
    """A function applied to a table: none at all, scikit-learn's check of a table, or one of numpy's that ONNX has."""
    function = getattr(step.func, "func", step.func)
    name = f"{getattr(function, '__module__', '')}.{getattr(function, '__name__', '')}"
    if function is None or name == "sklearn.utils.validation.check_array":
        return table
    if step.kw_args:
        raise CannotCompileError("its function takes arguments")
    stays_whole = getattr(function, "__name__", "") in _STAYING_WHOLE
    if any(column.narrow or (column.wraps and stays_whole) for column in table.columns):
        raise CannotCompileError(
            "its function computes on whole numbers, which overflow or lose digits in numpy's types"
        )
    return spread_wild(table.graph, apply_function(table.graph, function, _unchecked(table)), table.width)


def _unchecked(table: Table) -> str:
    """Return the numbers of a table for a function that takes infinite ones as well."""
    calm = Table(table.graph, tuple(replace(column, wild=False) for column in table.columns))
    return calm.numbers()


def apply_function(graph: Graph, function: Any, values: str) -> str:
    """Return one of numpy's functions of a tensor, where ONNX has it."""
    name = getattr(function, "__name__", str(function))
    if not isinstance(function, np.ufunc) or name not in (*_FUNCTIONS, "log1p", "expm1", "square"):
        raise CannotCompileError(f"its function {name!r} is not known here")
    if name == "log1p":
        return graph.add("Log", graph.add("Add", values, graph.constant([1.0])))
    if name == "expm1":
        return graph.add("Sub", graph.add("Exp", values), graph.constant([1.0]))
    return graph.add("Mul", values, values) if name == "square" else graph.add(_FUNCTIONS[name], values)


_STAYING_WHOLE = ("square", "absolute", "negative")
_FUNCTIONS = {"sqrt": "Sqrt", "exp": "Exp", "log": "Log", "absolute": "Abs", "negative": "Neg", "tanh": "Tanh"}

TRANSFORMERS: Mapping[str, Callable[[Any, Table], Table]] = {
    "Binarizer": convert_binarizer,
    "FunctionTransformer": convert_function,
    "KBinsDiscretizer": convert_bins,
    "MaxAbsScaler": convert_max_abs_scaler,
    "MinMaxScaler": convert_min_max_scaler,
    "MissingIndicator": convert_missing_indicator,
    "Normalizer": convert_normalizer,
    "PCA": convert_projection,
    "PolynomialFeatures": convert_polynomial,
    "PowerTransformer": convert_power,
    "RobustScaler": convert_robust_scaler,
    "SimpleImputer": convert_imputer,
    "StandardScaler": convert_standard_scaler,
    "TruncatedSVD": convert_projection,
    **dict.fromkeys(
        (
            *("GenericUnivariateSelect", "RFE", "RFECV", "SelectFdr", "SelectFpr", "SelectFromModel", "SelectFwe"),
            *("SelectKBest", "SelectPercentile", "SequentialFeatureSelector", "VarianceThreshold"),
        ),
        convert_selection,
    ),
}
