"""Example rows: what stands in the rows that are shown, so that one sees who they are and not only their number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.comparisons.difference.matched_holdouts import read_holdout
from workbench.comparisons.difference.pair import Pair, Side
from workbench.comparisons.difference.part import DiffTable
from workbench.runs.folder import HOLDOUT

# Of a larger holdout nothing is read for a few examples.
MOST_VALUES = 20_000_000
_BATCH = 10_000


@dataclass(frozen=True)
class ExampleValues:
    """The values of rows by their ids, by column, the telling ones first; `fault` says why there are none."""

    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fault: str = ""


def add_values(pair: Pair, tables: Sequence[DiffTable]) -> tuple[tuple[DiffTable, ...], str]:
    """Return tables of rows with the columns of the holdout beside them, and why these are not there; empty where they are."""
    wanted = {str(row["row"]) for table in tables for row in table.rows}
    side = next((each for each in reversed(pair.sides) if HOLDOUT in each.files), None)
    found = _read_values(side, wanted) if side is not None and wanted else ExampleValues()
    return tuple(_widen(table, found.rows) for table in tables), found.fault


def _widen(table: DiffTable, found: Mapping[str, Mapping[str, Any]]) -> DiffTable:
    names = {
        name: f"{name} (column)" if name in table.columns else name
        for name in next((found[row["row"]] for row in table.rows if row["row"] in found), {})
    }
    if not names:
        return table
    rows = tuple(
        {**row, **{shown: found.get(row["row"], {}).get(name) for name, shown in names.items()}} for row in table.rows
    )
    return replace(table, columns=(*table.columns, *names.values()), rows=rows, values=tuple(names.values()))


def _read_values(side: Side, wanted: set[str]) -> ExampleValues:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if (table := read_holdout(side)) is None:
        return ExampleValues()
    places = {place: row for place, row in enumerate(table.row_ids) if row in wanted}
    try:
        file = pq.ParquetFile(pa.BufferReader(side.files[HOLDOUT]))
        if file.metadata.num_rows * file.metadata.num_columns > MOST_VALUES:
            size = f"{file.metadata.num_rows:,} rows of {file.metadata.num_columns:,} columns"
            return ExampleValues(fault=f"What stands in these rows is not shown: the holdout has {size}.")
        read = dict(_take_rows(file, places))
    except (pa.ArrowException, OSError, ValueError):
        return ExampleValues(fault="What stands in these rows is not shown: the holdout that was kept cannot be read.")
    names = _order_names(side, [name for name in file.schema_arrow.names if name != table.target])
    return ExampleValues({row: {name: _read(values[name]) for name in names} for row, values in read.items()})


def _take_rows(file: Any, places: Mapping[int, str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows at places, a part of the file at a time: of a large one no more is held."""
    begin = 0
    for batch in file.iter_batches(_BATCH):
        inside = [place for place in places if begin <= place < begin + batch.num_rows]
        rows = batch.take([place - begin for place in inside]).to_pylist() if inside else []
        yield from zip((places[place] for place in inside), rows, strict=True)
        begin += batch.num_rows


def _order_names(side: Side, names: Sequence[str]) -> list[str]:
    """Return the columns that the model takes in its order, then the others in theirs."""
    first = [name for name in side.takes if name in names]
    return [*first, *(name for name in names if name not in first)]


def _read(text: Any) -> Any:
    """Return a value as it was, where it is spelled as JSON; what is no finite number, and what is none, as text."""
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, TypeError, RecursionError):
        return text
    return value if value is None or isinstance(value, str | int | float) else text
