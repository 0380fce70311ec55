"""The frame a model is asked with is the frame it was fitted on: from a frame to the columns of a contract, and from rows back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from workbench.errors import UsageError
from workbench.models.column_problems import KINDS, ends_of, find_column_problems, kinds_of, present_of, values_of
from workbench.models.contract import LONGEST_STRING, Column, ColumnType, Contract, End
from workbench.records.iso8601 import TimeType, count_time, find_time_type, spell_time

Rows = Sequence[Mapping[str, Any]]
_LEGACY: Mapping[str, str] = {"number": "float64", "integer": "int64", "boolean": "bool", "string": "str"}
LONGEST_TEXT = 100_000


def describe_columns(
    features: Any, training: Any = None, *, longest_text: int = LONGEST_TEXT, as_text: Collection[str] = ()
) -> tuple[Column, ...]:
    """Return the columns of a frame as a contract has them; `training` is a frame with the same columns the model was fitted on.

    What may be missing, what was seen, how long a text may be and which type a column has is told by both. Those named in `as_text`
    hold whole numbers that requests carry as text. Raises UsageError naming every column that no JSON value could stand for, with
    what it holds and what to write instead.
    """
    seen = [
        (str(name), [frame[name] for frame in (features, training) if frame is not None]) for name in features.columns
    ]
    problems = {
        problem
        for name, columns in seen
        for problem in find_column_problems(name, columns, longest_text, as_text=name in as_text)
    }
    problems |= {f"There is no column {name!r} to carry as text." for name in {*as_text} - {name for name, _ in seen}}
    if problems:
        raise UsageError(
            "No contract can be made of these columns.",
            why=sorted(problems),
            next_step="Do what is said of each; what must be converted is converted before training, and the model fitted again.",
        )
    return tuple(_describe_column(name, columns, longest_text, as_text=name in as_text) for name, columns in seen)


def _describe_column(name: str, columns: Sequence[Any], longest_text: int, *, as_text: bool) -> Column:
    fitted = _find_fitted(columns)
    categories = getattr(fitted.dtype, "categories", None)
    kind: ColumnType = "integer_text" if as_text else _find_type(fitted)
    lowest, highest = (None, None) if categories is not None else _find_ends(columns, kind, fitted.dtype)
    return Column(
        name=name,
        type=kind,
        nullable=any(bool(column.hasnans) for column in columns),
        dtype="category" if categories is not None else str(fitted.dtype),
        missing=_find_missing(columns),
        categories=None if categories is None else tuple(categories.tolist()),
        ordered=bool(getattr(fitted.dtype, "ordered", False)),
        longest=min(longest_text, max(LONGEST_STRING, 2 * _find_longest(columns)))
        if kind == "string"
        else LONGEST_STRING,
        lowest=lowest,
        highest=highest,
        values=_find_members(columns, categories) if categories is not None else _find_values(columns, kind),
    )


def _find_fitted(columns: Sequence[Any]) -> Any:
    """Return the column whose type the model knows: the training rows', unless that cannot hold the numbers it was judged on."""
    judged, fitted = columns[0], columns[-1]
    if judged.dtype == fitted.dtype or judged.dtype.kind != "f" or fitted.dtype.kind not in "fiu":
        return fitted
    present = judged.dropna()
    narrowed = present.astype(fitted.dtype).astype(present.dtype)
    return fitted if bool((narrowed == present).all()) else judged


def _find_ends(columns: Sequence[Any], kind: ColumnType, dtype: Any) -> tuple[End | None, End | None]:
    """Return the smallest and the largest value that was seen, as a caller would write them; None where there are no ends."""
    import pandas as pd

    present = [column for each in columns if len(column := present_of(each))]
    if kind in ("string", "boolean") or not present:
        return None, None
    lows, highs = zip(*map(ends_of, present), strict=True)
    ends = [min(lows), max(highs)]
    if kind in ("datetime", "duration"):
        low, high = _spell_times(pd.Series(ends, dtype=dtype))
        return low, high
    if kind == "number":
        return float(ends[0]), float(ends[1])
    return (str(int(ends[0])), str(int(ends[1]))) if kind == "integer_text" else (int(ends[0]), int(ends[1]))


def _find_members(columns: Sequence[Any], categories: Any) -> tuple[Any, ...] | None:
    """Return the categories that were seen, None when that is all of them."""
    seen = {value for column in columns for value in column.dropna().unique().tolist()}
    members = tuple(value for value in categories.tolist() if value in seen)
    return members if len(members) < len(categories) else None


def _find_values(columns: Sequence[Any], kind: ColumnType) -> tuple[str, ...] | None:
    """Return the texts that were seen where they are the names of few kinds, None where they are not."""
    if kind != "string":
        return None
    texts = [text for column in columns for text in values_of(column)]
    kinds = sorted({*texts})
    is_few = len(kinds) <= _MOST_KINDS and 2 * len(kinds) <= len(texts)
    return tuple(kinds) if is_few and all(len(kind) <= _LONGEST_KIND for kind in kinds) else None


_MOST_KINDS, _LONGEST_KIND = 50, 100


def _find_longest(columns: Sequence[Any]) -> int:
    return max((len(text) for column in columns for text in values_of(column) if isinstance(text, str)), default=0)


def _find_missing(columns: Sequence[Any]) -> Literal["nan", "none"]:
    """Say whether a column of objects holds Python's None where a value is missing."""
    objects = [column for column in columns if column.dtype == object]
    return "none" if any(value is None for column in objects for value in column.tolist()) else "nan"


def _find_type(column: Any) -> ColumnType:
    if column.dtype == object or hasattr(column.dtype, "categories"):
        return _OBJECT_TYPES.get(frozenset(kinds_of(values_of(column))), "string")
    return KINDS.get(column.dtype.kind, "string")


_OBJECT_TYPES: Mapping[frozenset[type], ColumnType] = {
    frozenset({bool}): "boolean",
    frozenset({int}): "integer",
    frozenset({float}): "number",
    frozenset({int, float}): "number",
}


def build_frame(rows: Rows, contract: Contract) -> Any:
    """Return rows, as parsed from JSON, as the frame the model knows, column by column of the type it was fitted on."""
    return build_frame_of_columns({name: [row[name] for row in rows] for name in contract.names}, contract)


def build_frame_of_columns(columns: Mapping[str, list[Any]], contract: Contract) -> Any:
    """Return the same of values column by column."""
    import pandas as pd

    # All at once: a frame that grows column by column is fragmented.
    return pd.DataFrame(
        {column.name: build_column(columns[column.name], column) for column in contract.columns},
        columns=list(contract.names),
        copy=False,
    )


def find_fitting(contract: Contract) -> Callable[[Mapping[str, Any]], bool]:
    """Return what says of a row whether its whole numbers fit the types of their columns: one that does not widens a frame."""
    import numpy as np

    narrow = {
        column.name: np.iinfo(column.dtype.lower())
        for column in contract.columns
        if column.type in ("integer", "integer_text") and column.categories is None and column.dtype.lower() in _NARROW
    }

    def fits(row: Mapping[str, Any]) -> bool:
        return all(row[name] is None or limits.min <= int(row[name]) <= limits.max for name, limits in narrow.items())

    return fits


_NARROW = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64")


def build_column(values: list[Any], column: Column) -> Any:
    """Return values as an array of the type the model was fitted on."""
    import numpy as np
    import pandas as pd

    if column.categories is not None:
        return _build_categories(values, column)
    if column.time is not None:
        return _build_times(values, column.time, column.dtype)
    if column.type == "integer_text":
        values = [None if value is None else int(value) for value in values]
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
    return pd.array(
        _whole(values) if column.type != "number" and "int" in dtype.lower() else values,
        dtype=_wide_enough(values, dtype),
    )


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
    if column.nullable and column.type == "integer_text":
        return dtype.replace("uint", "UInt").replace("int", "Int")  # a float would not hold what is carried as text
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


def _build_times(values: Sequence[Any], kind: TimeType, dtype: str) -> Any:
    import numpy as np
    import pandas as pd

    counts = [_NO_TIME if value is None else count_time(value, kind) for value in values]
    times = np.array(counts, dtype="int64").view(f"{'m8' if kind.is_duration else 'M8'}[{kind.unit}]")
    return pd.Series(times) if kind.zone is None else pd.Series(times).dt.tz_localize("UTC").astype(dtype)


_NO_TIME = -(2**63)


def to_rows(frame: Any, contract: Contract | None = None) -> list[dict[str, Any]]:
    """Return a frame as rows, the way a caller would send them under a contract: missing values are None."""
    import pandas as pd

    names = [column.name for column in contract.columns if column.type == "integer_text"] if contract else []
    spelled = {name: _spell_times(frame[name]) for name in frame.columns if frame[name].dtype.kind in "mM"}
    spelled |= {name: [None if pd.isna(value) else str(value) for value in frame[name].tolist()] for name in names}
    plain = frame.astype(object).where(frame.notna(), None)
    for name, texts in spelled.items():
        plain[name] = pd.Series(texts, index=frame.index, dtype=object)
    rows: list[dict[str, Any]] = plain.to_dict("records")
    return rows


def _spell_times(column: Any) -> list[str | None]:
    kind = find_time_type(str(column.dtype))
    if kind is None:
        raise TypeError(f"{column.dtype} is no dtype of dates or durations that is known")
    plain = column.dt.tz_convert("UTC").dt.tz_localize(None) if kind.zone is not None else column
    counts = plain.to_numpy().view("int64").tolist()
    return [None if count == _NO_TIME else spell_time(count, kind) for count in counts]
