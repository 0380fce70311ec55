"""Exporting: runs written as CSV or Parquet for other tools, whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench.errors import UsageError
from workbench.files.disk import disk_answers
from workbench.files.whole_files import write_file
from workbench.runs.finding.run_table import Column, tabulate_runs
from workbench.runs.run import Run


def export_runs(runs: Sequence[Run], path: Path) -> None:
    """Write runs to a file by what its name ends with (.csv, .parquet); raises UsageError for another ending.

    A file of that name is replaced; whoever reads it meanwhile has the old one or the new one.
    """
    write = _FORMATS.get(path.suffix.lower())
    if write is None:
        raise UsageError(
            f"{path.name} is not written.", why=f"It ends with none of {', '.join(_FORMATS)}.", next_step="Name it so."
        )
    content = write(tabulate_runs(runs))
    with disk_answers(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content)


def _write_csv(columns: Sequence[Column]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows(
        [_spell(value) for value in row] for row in zip(*(column.values for column in columns), strict=True)
    )
    return text.getvalue().encode()


def _spell(value: Any) -> str:
    """Return a value as text; a text that a spreadsheet would take for a formula begins with a quote, as it asks for."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat()
        case str():
            return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    return repr(value)


def _write_parquet(columns: Sequence[Column]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "text": pa.string(),
        "number": pa.float64(),
        "whole": pa.int64(),
        "flag": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    arrays = [pa.array(column.values, types[column.kind]) for column in columns]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=[column.name for column in columns]), sink)
    return sink.getvalue()


_FORMATS: Mapping[str, Callable[[Sequence[Column]], bytes]] = {".csv": _write_csv, ".parquet": _write_parquet}
