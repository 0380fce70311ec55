"""The frame a model is asked with is the frame it was fitted on: from a frame to the columns of a contract, and from rows back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from workbench.domain.contract import Column, ColumnType, Contract
from workbench.errors import UsageError

Rows = Sequence[Mapping[str, Any]]
_LEGACY: Mapping[str, str] = {"number": "float64", "integer": "int64", "boolean": "bool", "string": "str"}
_KINDS: Mapping[str, ColumnType] = {"f": "number", "i": "integer", "u": "integer", "b": "boolean"}


def describe_columns(features: Any, training: Any = None) -> tuple[Column, ...]:
    """Return the columns of a frame as a contract has them; `training` is a frame with the same columns the model was fitted on.

    What may be missing and which type a column has is told by both. Raises UsageError naming every column that no JSON value could
    stand for, with what it holds.
    """
    seen = [
        (str(name), features[name], None if training is None or name not in training else training[name])
        for name in features.columns
    ]
    problems = [problem for name, *frames in seen for problem in _find_problems(name, frames)]
    if problems:
        raise UsageError(
            "No contract can be made of these columns.",
            why=sorted(set(problems)),
            next_step="Convert them before training: to float, int, bool or text, times to numbers.",
        )
    return tuple(_describe_column(name, own, fitted) for name, own, fitted in seen)


def _describe_column(name: str, own: Any, fitted: Any) -> Column:
    column = own if fitted is None else fitted
    nullable = any(bool(each.isna().any()) for each in (own, fitted) if each is not None)
    categories = getattr(column.dtype, "categories", None)
    return Column(
        name=name,
        type=_find_type(column),
        nullable=nullable,
        dtype="category" if categories is not None else str(column.dtype),
        missing=_find_missing(own, fitted),
        categories=None if categories is None else tuple(categories.tolist()),
        ordered=bool(getattr(column.dtype, "ordered", False)),
    )


def _find_missing(*columns: Any) -> Literal["nan", "none"]:
    """Say whether a column of objects holds Python's None where a value is missing."""
    objects = [each for each in columns if each is not None and each.dtype == object]
    return "none" if any(value is None for each in objects for value in each.tolist()) else "nan"


def _find_type(column: Any) -> ColumnType:
    if column.dtype == object or hasattr(column.dtype, "categories"):
        kinds = _kinds_of(_values(column))
        return _OBJECT_TYPES.get(frozenset(kinds), "string")
    return _KINDS.get(column.dtype.kind, "string")


_OBJECT_TYPES: Mapping[frozenset[type], ColumnType] = {
    frozenset({bool}): "boolean",
    frozenset({int}): "integer",
    frozenset({float}): "number",
    frozenset({int, float}): "number",
}


def _values(column: Any) -> Iterable[Any]:
    categories = getattr(column.dtype, "categories", None)
    return (categories if categories is not None else column.dropna()).tolist()


def _kinds_of(values: Iterable[Any]) -> set[type]:
    return {_NATIVE.get(type(value).__name__, type(value)) for value in values}


# numpy's own scalars inside of a column of objects
_NATIVE: Mapping[str, type] = {"bool_": bool, "bool": bool, "str_": str, "float64": float, "int64": int}


def _find_problems(name: str, columns: Sequence[Any]) -> Iterable[str]:
    for column in columns:
        if column is None:
            continue
        if hasattr(column, "columns"):
            yield f"Two columns are named {name!r}."
        elif problem := _find_problem(column):
            yield f"Column {name!r} holds {problem}."


def _find_problem(column: Any) -> str | None:
    """Say what a column holds that no JSON value stands for; None: nothing."""
    if getattr(column, "sparse", None) is not None and str(column.dtype).startswith("Sparse"):
        return f"sparse values ({column.dtype}); make them dense with .sparse.to_dense()"
    if column.dtype == object or hasattr(column.dtype, "categories"):
        kinds = _kinds_of(_values(column))
        strange = kinds - {str, bool, int, float}
        if strange:
            return f"{', '.join(sorted(f'{kind.__module__}.{kind.__qualname__}' for kind in strange))}"
        mixed = {kind for kind in kinds if kind is not int or float not in kinds}
        return None if len(mixed) < 2 else f"values of several types ({', '.join(sorted(k.__name__ for k in kinds))})"
    kind = column.dtype.kind
    return None if kind in (*_KINDS, "O", "U", "T") else f"{column.dtype}"


def build_frame(rows: Rows, contract: Contract) -> Any:
    """Return rows, as parsed from JSON, as the frame the model knows, column by column of the type it was fitted on."""
    import pandas as pd

    # All at once: a frame that grows column by column is fragmented.
    return pd.DataFrame(
        {column.name: build_column([row[column.name] for row in rows], column) for column in contract.columns},
        columns=list(contract.names),
        copy=False,
    )


def build_column(values: list[Any], column: Column) -> Any:
    """Return values as an array of the type the model was fitted on."""
    import numpy as np
    import pandas as pd

    if column.categories is not None:
        return _build_categories(values, column)
    dtype = _dtype(column)
    if dtype == "object":
        missing = None if column.missing == "none" or not column.dtype else float("nan")
        array = np.empty(len(values), dtype=object)
        array[:] = [missing if value is None else value for value in values]
        return pd.Series(array, dtype=object)  # of an array pandas would make a column of text
    if dtype[:1].islower() and dtype not in ("str", "string", "boolean"):
        return (
            np.array(_whole(values), dtype=_wide_enough(values, dtype))
            if "int" in dtype
            else np.array(values, dtype=dtype)
        )
    return pd.array(_whole(values) if column.type == "integer" else values, dtype=_wide_enough(values, dtype))


def _whole(values: list[Any]) -> list[Any]:
    # As JSON has it, 1.0 is a whole number.
    return [int(value) if type(value) is float else value for value in values]


def _wide_enough(values: list[Any], dtype: str) -> str:
    """Return a type of whole numbers that holds the values: a column of `int8` becomes one of `int64`, as in pandas."""
    import numpy as np

    if "int" not in dtype.lower():
        return dtype
    limits = np.iinfo(dtype.lower())
    holds = all(value is None or limits.min <= value <= limits.max for value in values)
    return dtype if holds else ("int64" if dtype[0].islower() else "Int64")


def _dtype(column: Column) -> str:
    # A missing whole number makes a float column in a training table, a missing boolean an object column.
    dtype = column.dtype or _LEGACY[column.type]
    if column.nullable and dtype[:1].islower() and ("int" in dtype or dtype == "bool"):
        return "object" if dtype == "bool" else "float64"
    return dtype


def _build_categories(values: list[Any], column: Column) -> Any:
    """Return a column of categories; what is none of them is one more, and the model says what it makes of that."""
    import pandas as pd

    known = list(column.categories or ())
    place = {value: at for at, value in enumerate(known)}
    for value in values:
        if value is not None and value not in place:
            place[value] = len(known)
            known.append(value)
    codes = [-1 if value is None else place[value] for value in values]
    return pd.Categorical.from_codes(codes, categories=pd.Index(known), ordered=column.ordered)


def to_rows(frame: Any) -> list[dict[str, Any]]:
    """Return a frame as rows, the way a caller would send them: missing values are None."""
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows
