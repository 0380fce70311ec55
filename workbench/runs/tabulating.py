"""Tabulating: a table that a notebook logs, written down by what it is known and compared by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UsageError
from workbench.records.digest import canonical_json
from workbench.records.row_digests import digest_encoded, digest_table, encode_float, encode_value
from workbench.runs.folder import DATASETS, HOLDOUT
from workbench.runs.rounding import find_steps, round_rows
from workbench.runs.tables import ROLES, path_of_table
from workbench.stats.units import UnitKind, Units, UnreadableTimes, label_rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

LONGEST_NAME = 100
_DOUBLE_BYTES, _MISSING = 8, "null"


@dataclass(frozen=True)
class Named:
    """What a notebook says of a table: its role and name, and which of its columns are the target, and of the holdout its units."""

    role: str
    name: str = ""
    target: str | None = None
    group: str | None = None
    time: str | None = None

    @property
    def units(self) -> tuple[UnitKind, str] | None:
        """The kind of the units and the column that names them; None where nobody named one."""
        if self.group is not None:
            return "group", self.group
        return None if self.time is None else ("time", self.time)

    def spell_units(self) -> dict[str, str]:
        """Return that column by its kind, as the document of a table has it."""
        return {} if self.units is None else {str(self.units[0]): self.units[1]}


def require_table(table: pd.DataFrame, said: Named) -> Units | None:
    """Return the units of the rows; raises UsageError listing what is wrong with a table that is to be logged."""
    problems = [
        *_dataset_problems(table, said.role, said.name, _name_rows(table)),
        *_column_problems(table, said.target, "target", "nobody can be right or wrong there"),
        *_unit_problems(table, said),
    ]
    units, why = (None, "") if problems or said.units is None else _find_units(table, *said.units)
    if problems := [*problems, *([why] if why else [])]:
        raise UsageError(
            "The dataset cannot be logged.",
            why=problems,
            next_step="Correct it, and log it again; nothing was recorded of it.",
        )
    return units


def _find_units(table: pd.DataFrame, kind: UnitKind, name: str) -> tuple[Units | None, str]:
    """Return the units of the rows, or why nobody can tell them."""
    column = next(column for label, column in table.items() if str(label) == name)
    try:
        return label_rows(kind, _spell_column(column, column.isna().to_numpy())), ""
    except UnreadableTimes as exc:
        how = "give numbers, dates, or texts that begin with the year (2026-01-31)"
        return None, f"The {kind} {name} cannot be put in order: {exc}; {how}."


def _name_rows(table: pd.DataFrame) -> list[str]:
    return [str(row) for row in table.index] if hasattr(table, "itertuples") else []


def keep_table(table: pd.DataFrame, folder: Path, said: Named, *, is_run: bool) -> str:
    """Write down a table that can be logged in the folder of a run and return its digest.

    Where it is a run, it must not lose a table to another one of the same name, nor be judged on two holdouts: raises UsageError.
    """
    row_ids, missing = _name_rows(table), table.isna().to_numpy()
    spelled = _spell_table(table, missing)
    rows = [row.hex() for row in _digest_rows(spelled)]
    types = sorted([str(column), _kind(dtype)] for column, dtype in table.dtypes.items())
    before = _read_logged(folder)
    steps = find_steps(table, {name: step for each in before for name, step in each.get("steps", {}).items()})
    document = {
        "name": said.name or said.role,
        "role": said.role,
        "digest": digest_table(types, row_ids, rows),
        "rows": len(table),
        "columns": len(table.columns),
        "target": said.target,
        **said.spell_units(),
        "types": types,
        "row_ids": row_ids,
        "row_digests": rows,
        "steps": steps,
        "rounded": round_rows(table, steps),
        "profile": [
            _profile_column(name, column, gaps) for (name, column), gaps in zip(table.items(), missing.T, strict=True)
        ],
    }
    _write_dataset(document, folder, before if is_run else [])
    if said.role == "holdout":
        _write_texts(spelled, folder / HOLDOUT)
    return str(document["digest"])


def _read_logged(folder: Path) -> list[dict[str, Any]]:
    """Return the tables that were logged before."""
    return [json.loads(path.read_bytes()) for path in sorted((folder / DATASETS).glob("*.json"))]


def _profile_column(name: Any, column: pd.Series, missing: NDArray[np.bool_]) -> dict[str, Any]:
    """Count the missing and the different values of a column; what cannot be hashed is told apart by its spelling."""
    try:
        distinct = int(column.nunique())
    except TypeError:
        distinct = len({*_spell_column(column, missing)} - {_MISSING})
    return {"name": str(name), "missing": int(missing.sum()), "distinct": distinct}


def _dataset_problems(table: Any, role: str, name: str, row_ids: Sequence[str]) -> Iterator[str]:
    if role not in ROLES:
        yield f"{role!r} is no role of a dataset; it must be one of {', '.join(ROLES)}."
    if not name.isprintable() or len(name) > LONGEST_NAME:
        yield f"{name[:50]!r} is no name: it needs up to {LONGEST_NAME} printable characters."
    if not hasattr(table, "itertuples"):
        from workbench.models.column_problems import name_foreign

        yield f"It must be a pandas DataFrame, not {name_foreign(table)}."
    elif not len(table):
        yield "It has no rows."
    if len(set(row_ids)) < len(row_ids):
        yield f"Its index names rows more than once ({len(row_ids)} rows, {len(set(row_ids))} names): reset_index(drop=True)."


def _column_problems(table: Any, column: Any, what: str, why: str) -> Iterator[str]:
    """Yield why a column that was named cannot be it; `why` says what a row without a value would mean."""
    if column is None or not hasattr(table, "itertuples"):
        return
    places = [place for place, label in enumerate(table.columns) if str(label) == column]
    if len(places) != 1:
        names = ", ".join(str(label) for label in table.columns)
        found = "no column" if not places else "more than one column"
        yield f"The {what} {str(column)[:60]!r} is {found} of it: {names[:300]}."
    elif gaps := int(table.iloc[:, places[0]].isna().sum()):
        yield f"The {what} {column} is missing in {gaps} of {len(table)} rows; {why}."


def _unit_problems(table: Any, said: Named) -> Iterator[str]:
    if said.group is not None and said.time is not None:
        yield f"It names a group ({said.group}) and a time ({said.time}): rows are drawn by one of them."
    if said.units is None:
        return
    kind, column = said.units
    if said.role != "holdout":
        yield f"Only the holdout is resampled: a table with the role {said.role!r} has no {kind}."
    yield from _column_problems(table, column, kind, "every row is of one")


def _write_texts(columns: Sequence[tuple[str, list[str]]], path: Path) -> None:
    """Keep the rows of a table as they were spelled when they were digested: of whatever type, they are read back as the same."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [name for name, _ in columns]
    pq.write_table(pa.Table.from_arrays([pa.array(texts, pa.string()) for _, texts in columns], names=names), path)


def _write_dataset(document: Mapping[str, Any], run_folder: Path, known: Sequence[Mapping[str, Any]]) -> None:
    """Keep a dataset; a run, which has these already, must not lose one to another of its name, nor be judged on two holdouts."""
    role, name, digest = document["role"], document["name"], document["digest"]
    path = run_folder / path_of_table(role, name)
    path.parent.mkdir(exist_ok=True)
    others = [item for item in known if item["role"] == role and item["digest"] != digest]
    clash = next((item for item in others if role == "holdout" or item["name"] == name), None)
    if clash:
        raise UsageError(
            f"The run logged other rows as {role} {clash['name']!r} before.",
            why=f"{clash['rows']:,} rows then, {document['rows']:,} rows now.",
            next_step="Give each training table a name of its own (`name=`); there can be one holdout only.",
        )
    path.write_bytes(canonical_json(document))


def _digest_rows(columns: Sequence[tuple[str, list[str]]]) -> list[bytes]:
    """Return a digest of each row that is the same in every table with these columns, in whatever order and number type."""
    return [digest_encoded(row) for row in zip(*(texts for _, texts in columns), strict=True)]


def _spell_table(table: pd.DataFrame, missing: NDArray[np.bool_]) -> list[tuple[str, list[str]]]:
    """Return the columns in the order of their names, each value spelled alike in every table, whatever its number type."""
    columns = sorted(enumerate(table.items()), key=lambda numbered: str(numbered[1][0]))
    return [(str(name), _spell_column(column, missing[:, number])) for number, (name, column) in columns]


def _spell_column(column: pd.Series, missing: NDArray[np.bool_]) -> list[str]:
    """Return the values of a column by `spell`, each as JSON."""
    column = column.sparse.to_dense() if str(column.dtype).startswith("Sparse") else column
    is_plain = column.dtype.kind == "f" and column.dtype.itemsize <= _DOUBLE_BYTES
    encode = encode_float if is_plain else encode_value
    values = zip(column.tolist(), missing.tolist(), strict=True)
    return [_MISSING if is_missing else encode(value) for value, is_missing in values]


def _kind(dtype: Any) -> str:
    """Return what two columns must have in common for equal values to have equal digests; a narrow float rounds them."""
    if dtype.kind == "f" and getattr(dtype, "itemsize", _DOUBLE_BYTES) != _DOUBLE_BYTES:
        return f"f{dtype.itemsize}"
    return "number" if dtype.kind in "biuf" else str(dtype.kind)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the columns of a table as Parquet, without its index."""
    plain = table.copy(deep=False)
    plain.attrs = {}  # notes of its owner's, which Parquet takes as JSON only
    plain.to_parquet(path, index=False)
