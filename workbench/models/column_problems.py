"""What a column holds that no request could carry, said when the model is logged: by name, with what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from workbench.models.contract import LARGEST_INTEGER, LARGEST_NUMBER, ColumnType, is_encodable
from workbench.records.iso8601 import find_time_type

KINDS: Mapping[str, ColumnType] = {
    "f": "number",
    "i": "integer",
    "u": "integer",
    "b": "boolean",
    "M": "datetime",
    "m": "duration",
}
# numpy's own scalars inside of a column of objects
_NATIVE: Mapping[str, type] = {"bool_": bool, "bool": bool, "str_": str, "float64": float, "int64": int}
_INSTEAD: Mapping[str, str] = {
    "decimal.Decimal": "take .astype(float)",
    "pandas.Interval": "take .astype(str), or the number it was cut from",
    "list": "give each place a column of its own",
    "tuple": "give each place a column of its own",
    "dict": "give each key a column of its own",
    "numpy.ndarray": "give each place a column of its own",
    "bytes": "decode it to text",
    "datetime.date": "take pd.to_datetime(...)",
    "datetime.datetime": "take pd.to_datetime(...)",
    "datetime.timedelta": "take pd.to_timedelta(...)",
    "pandas.Timestamp": "take pd.to_datetime(...)",
    "pandas.Timedelta": "take pd.to_timedelta(...)",
    "pandas.Period": "take .astype(str)",
    "uuid.UUID": "take .astype(str)",
}


def name_type(value: Any) -> str:
    """Return a type by the package it is imported from and its name, as people write it: `polars.DataFrame`."""
    kind = value if isinstance(value, type) else type(value)
    package = kind.__module__.partition(".")[0]
    return kind.__qualname__ if package == "builtins" else f"{package}.{kind.__qualname__}"


def name_foreign(table: Any) -> str:
    """Return the type of what is no pandas DataFrame, with the way out."""
    ways = {"to_pandas": "use .to_pandas()", "to_frame": "use .to_frame()"}
    way = next((advice for method, advice in ways.items() if hasattr(table, method)), "")
    is_array = type(table).__name__ == "ndarray"
    return "; ".join(
        filter(None, [name_type(table), way or ("use pd.DataFrame(array, columns=[...])" if is_array else "")])
    )


def find_column_problems(
    name: str, columns: Sequence[Any], longest_text: int, *, as_text: bool = False
) -> Iterator[str]:
    """Yield what is wrong with a column, in the features and, if they are there, in the training rows.

    `as_text` says that requests carry it as text.
    """
    if any(hasattr(column, "columns") for column in columns):
        yield f"Two columns are named {name!r}."
        return
    finders = [_find_not_whole] if as_text else _FINDERS
    for column in columns:
        for find in finders:
            if problem := find(column, longest_text):
                yield f"Column {name!r} holds {problem}."
                break
    if len(gaps := {type(value).__name__ for column in columns for value in _list_gaps(column)}) > 1:
        yield (
            f"Column {name!r} has several kinds of missing values ({', '.join(sorted(gaps))}), and a request has one: make "
            "them one before fitting, such as .where(column.notna(), None)."
        )
    is_time = any(column.dtype.kind in "mM" for column in columns)
    if is_time and len({column.dtype.kind + str(getattr(column.dtype, "tz", "")) for column in columns}) > 1:
        others = ", ".join(sorted({str(column.dtype) for column in columns}))
        yield f"Column {name!r} holds {others} in the features and in the training rows: make them one."


def _list_gaps(column: Any) -> list[Any]:
    return list(column[column.isna()].tolist()) if column.dtype == object else []


def values_of(column: Any) -> list[Any]:
    """Return the values of a column that are there, each category once."""
    categories = getattr(column.dtype, "categories", None)
    return list((categories if categories is not None else present_of(column)).tolist())


def present_of(column: Any) -> Any:
    """Return the rows of a column whose value is there: most columns as they are, which costs a tenth of a copy."""
    return column.dropna() if column.hasnans else column


def ends_of(present: Any) -> tuple[Any, Any]:
    """Return the smallest and the largest of the values of a column of which none is missing; of numbers without pandas' detour."""
    import numpy as np

    is_plain = isinstance(present.dtype, np.dtype) and present.dtype.kind in "fiu"
    values = present.to_numpy() if is_plain else present
    return values.min(), values.max()


def kinds_of(values: Iterable[Any]) -> set[type]:
    """Return the types of values, numpy's as Python's."""
    return {_NATIVE.get(type(value).__name__, type(value)) for value in values}


def _is_loose(column: Any) -> bool:
    return bool(column.dtype == object or hasattr(column.dtype, "categories"))


def _find_foreign(column: Any, _: int) -> str | None:
    kinds = kinds_of(values_of(column)) if _is_loose(column) else set()
    strange = sorted(name_type(kind) for kind in kinds - {str, bool, int, float})
    return "; ".join(f"{each}: {_INSTEAD.get(each, 'turn it into numbers or text')}" for each in strange) or None


def _find_mixed(column: Any, _: int) -> str | None:
    kinds = kinds_of(values_of(column)) if _is_loose(column) else set()
    if len(kinds) < 2 or kinds == {int, float}:
        return None
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    return f"values of several types ({names}): make them one, such as .astype(str)"


def _find_unknown_dtype(column: Any, _: int) -> str | None:
    dtype = str(column.dtype)
    if dtype.startswith("Sparse"):
        return f"sparse values ({dtype}): take .sparse.to_dense()"
    if dtype.endswith("string[pyarrow]"):
        return f"{dtype}: take .astype('str')"
    if dtype.endswith("[pyarrow]") and column.dtype.kind in "fiubmM":
        plain = column.dtype.numpy_dtype
        nullable = {"i": "Int64", "u": "UInt64", "b": "boolean"}.get(plain.kind, str(plain))
        return f"{dtype}: take .astype('{nullable}')"
    if dtype.startswith(("period", "interval")):
        return f"{dtype}: take .astype(str)"
    if column.dtype.kind in (*KINDS, "O", "U", "T") and not dtype.startswith(
        ("float16", "float128", "longdouble", "complex")
    ):
        return None
    return f"{dtype}: take .astype(float)"


def _find_unspelled(column: Any, _: int) -> str | None:
    """Find dates that ISO 8601 has no text for, or whose zone nobody else would know."""
    if column.dtype.kind not in "mM":
        return None
    import pandas as pd

    if find_time_type(str(column.dtype)) is None or pd.api.types.pandas_dtype(str(column.dtype)) != column.dtype:
        return f"{column.dtype}: take .dt.tz_convert('UTC')"
    years = column.dropna().dt.year if column.dtype.kind == "M" else None
    if years is not None and len(years) and not 1 <= years.min() <= years.max() <= 9999:
        return f"dates of the years {years.min()} to {years.max()}, which have no text in ISO 8601: cut them off before training"
    return None


def _find_not_whole(column: Any, _: int) -> str | None:
    """Find what cannot be carried as the text of a whole number."""
    return None if column.dtype.kind in "iu" else f"{column.dtype}, and only whole numbers can be carried as text"


def _find_beyond(column: Any, _: int) -> str | None:
    """Find numbers that JSON's readers would not all read alike, or that a tree would refuse."""
    kinds, ends = _find_ends(column)
    if float in kinds:
        return next((f"{_say(end)}: cut it off before training" for end in ends if abs(end) > LARGEST_NUMBER), None)
    if all(-LARGEST_INTEGER <= end <= LARGEST_INTEGER for end in ends):
        return None
    instead = f"log the model with as_text=[{column.name!r}]"
    if _is_loose(column):
        fitting = next((name for name, (low, high) in _WHOLE.items() if low <= ends[0] and ends[1] <= high), None)
        instead = f"take .astype({fitting!r}) and {instead}" if fitting else "take .astype(float), which rounds them"
    return (
        f"whole numbers beyond ±{LARGEST_INTEGER}, which JSON's readers read differently: if they are names, take "
        f".astype(str); if they are numbers, {instead}"
    )


def _find_ends(column: Any) -> tuple[set[type], list[Any]]:
    """Return the types of a column's numbers, and the smallest and the largest; none where there are others than numbers."""
    if _is_loose(column):
        loose = values_of(column)
        kinds = kinds_of(loose)
        return (kinds, [min(loose), max(loose)]) if kinds and kinds <= {int, float} else (set(), [])
    if column.dtype.kind not in "fiu":
        return set(), []
    values = present_of(column)
    return {float if column.dtype.kind == "f" else int}, [*ends_of(values)] if len(values) else []


_WHOLE: Mapping[str, tuple[int, int]] = {"int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1)}


def _say(end: Any) -> str:
    beyond = f"beyond ±{LARGEST_NUMBER:g}"
    return beyond if isinstance(end, int) and abs(end) > _LARGEST_SAID else f"{float(end):g}, {beyond}"


_LARGEST_SAID = 10**300


def _find_text(column: Any, longest_text: int) -> str | None:
    texts = (
        [value for value in values_of(column) if isinstance(value, str)] if column.dtype.kind not in "fiubmM" else []
    )
    longest = max(map(len, texts), default=0)
    if longest > longest_text:
        return (
            f"a text of {longest:,} characters; the longest allowed is {longest_text:,}: shorten it, or set longest_text (a line "
            "in workbench.toml, or WORKBENCH_LONGEST_TEXT)"
        )
    if any("\0" in text or not (text.isascii() or is_encodable(text)) for text in texts):
        return "a text with a null or half a character: take it out"
    return None


_FINDERS: Sequence[Callable[[Any, int], str | None]] = (
    *(_find_unknown_dtype, _find_unspelled, _find_foreign, _find_mixed),
    *(_find_beyond, _find_text),
)
