"""Copying: columns kept in one Arrow file a source, mapped into memory, and brought up to date whenever they are read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from workbench.files.whole_files import open_folder, replace_file
from workbench.runs.table.columns import Columns, ColumnSource, type_of

# A copy that was written in another way is none.
_FORMAT = "3"
_META = b"workbench.run_table"


def read_columns(source: ColumnSource, asked: Sequence[str], folder: Path) -> Columns:
    """Return the columns of a source as it is now: what was copied before is read on from its mark, and what is new is kept.

    A copy that cannot be read or written costs time and nothing else.
    """
    path = _path_of(source, folder)
    kept = _load(path) if path else None
    found = source.refresh(kept, asked)
    if path and found is not kept:
        with suppress(OSError):
            _save(found, path)
    return found


def _path_of(source: ColumnSource, folder: Path) -> Path | None:
    if not source.place:
        return None
    return folder / f"{hashlib.sha256(source.place.encode()).hexdigest()[:16]}.arrow"


def _load(path: Path) -> Columns | None:
    import pyarrow as pa

    with suppress(OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        with pa.memory_map(str(path)) as file:
            table = pa.ipc.open_file(file).read_all()
        said = json.loads(table.schema.metadata[_META])
        arrays = {name: table.column(name).combine_chunks() for name in table.column_names}
        if said["format"] == _FORMAT and all(array.type == type_of(name) for name, array in arrays.items()):
            for array in arrays.values():
                # What lies at a place that is none would end this process.
                array.validate(full=True)
            return Columns(arrays, said["mark"], said["names"], said["spelling"])
    return None


def _save(columns: Columns, path: Path) -> None:
    import pyarrow as pa

    said = {"format": _FORMAT, "mark": columns.mark, "names": columns.names, "spelling": columns.spelling}
    table = pa.table(dict(columns.arrays)).replace_schema_metadata({_META: json.dumps(said).encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = open_folder(path.parent)
    try:
        replace_file(folder, path.name, sink.getvalue().to_pybytes())
    finally:
        os.close(folder)
