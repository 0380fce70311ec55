"""Shift: how far the columns of a table that two runs kept are distributed otherwise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.comparisons.difference.part import count_of
from workbench.runs.tables import parse_columns
from workbench.stats.same_rows import read_number

# Of larger tables so many rows are looked at, evenly drawn, and of wide ones so many values.
MOST_ROWS, MOST_VALUES = 5_000, 1_000_000
_ALPHA, _LONGEST = 0.05, 40


@dataclass(frozen=True)
class Shifts:
    """The columns that shifted, what came of it in a sentence, and why nothing can be told where that is so."""

    rows: tuple[dict[str, Any], ...] = ()
    says: str = ""
    fault: str = ""


def list_shifts(name: str, before: bytes, after: bytes) -> Shifts:
    """Return the columns of both tables (Parquet) that shifted by more than chance, the largest shift first."""
    from workbench.stats.population_stability import measure_stability

    tables = parse_columns(before), parse_columns(after)
    if tables[0] is None or tables[1] is None:
        return Shifts(
            fault=f"How the columns of {name} are distributed is not known: a file of its rows cannot be read."
        )
    shared = [column for column in tables[1].schema.names if column in tables[0].schema.names]
    if not shared:
        return Shifts(fault=f"The tables of {name} have no column in common.")
    rows = []
    for column in shared:
        ours, theirs = (_draw(table, column, len(shared)) for table in tables)
        found = measure_stability(ours, theirs, level=1 - _ALPHA / len(shared))
        if found and found.index > found.by_chance:
            shown = {"table": name, "column": column, "PSI": found.index, "by chance up to": found.by_chance}
            rows.append({**shown, "A": _describe(ours), "B": _describe(theirs)})
    rows.sort(key=lambda row: -row["PSI"])
    many = f"{len(rows):,}" if rows else "none"
    says = f" Of {count_of(len(shared), 'column')} of {name} rows {many} shifted by more than chance."
    return Shifts(tuple(rows), says)


def _draw(table: Any, column: str, columns: int) -> list[Any]:
    """Return evenly drawn values of a column: numbers, texts, None for missing."""
    most = min(MOST_ROWS, max(MOST_VALUES // columns, 1))
    step = max(-(-table.num_rows // most), 1)
    values = table.column(column)
    drawn = values.take(list(range(0, table.num_rows, step))) if step > 1 else values
    return [_read(value) for value in drawn.to_pylist()]


def _read(value: Any) -> Any:
    """Return a value as a number where it is one; those of a holdout are spelled as JSON."""
    if value is None or value == "null":
        return None
    if isinstance(value, bool | int | float):
        return None if math.isnan(value) else float(value)
    text = str(value)
    number = read_number({"true": "1", "false": "0"}.get(text, text))
    return text.strip('"') if math.isnan(number) else number


def _describe(values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not None]
    if not known:
        return None
    if all(isinstance(value, float) for value in known):
        return math.fsum(known) / len(known) if all(map(math.isfinite, known)) else "infinite values"
    value, count = Counter(map(str, known)).most_common(1)[0]
    return f"{value[:_LONGEST]} ({100 * count / len(values):.0f} %)"
