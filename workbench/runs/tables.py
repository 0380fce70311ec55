"""Tables a notebook declared: which they are, what stands in their columns, and by what their rows are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.records.digest import sha256_hex, strict_json
from workbench.records.row_digests import digest_table, digest_unnamed
from workbench.runs.folder import DATASETS
from workbench.stats.units import KINDS, UnitKind

ROLES = ("train", "validation", "holdout")


@dataclass(frozen=True)
class ColumnProfile:
    """One column: how many values are missing, how many different ones there are, how many lie far outside.

    `outlying` counts numbers beyond three interquartile ranges of the quartiles (Tukey's outer fence); None where that has no
    meaning or nobody counted.
    """

    name: str
    missing: int
    distinct: int
    outlying: int | None = None


@dataclass(frozen=True)
class TableProfile:
    """A table that was logged: `duplicates` are rows that equal an earlier one, counted from the digests of the rows.

    `recomputed` says that its columns were counted here, from the feature rows that are kept, and not by the notebook's own
    kernel. None instead of columns: nobody counted.
    """

    name: str
    role: str
    rows: int
    duplicates: int
    recomputed: bool
    columns: tuple[ColumnProfile, ...] | None


@dataclass(frozen=True)
class DatasetFact:
    """A table the notebook declared: its role, its content digest and its size."""

    name: str
    role: str
    digest: str
    rows: int
    columns: int


@dataclass(frozen=True)
class LoggedTable:
    """A table that was logged: what is known of it, and what its rows are compared by; `target` is the column that was named.

    `units` are of the holdout the column that says which rows belong together, after its kind; None where nobody named one.

    `rounded` are digests of the rows once numbers are rounded, by column to `steps`, and texts lack case and blanks; None where
    nobody rounded.
    """

    fact: DatasetFact
    types: Sequence[Sequence[str]]
    row_ids: Sequence[str]
    row_digests: Sequence[str]
    profile: Sequence[ColumnProfile] | None = None
    target: str | None = None
    rounded: Sequence[str] | None = None
    steps: Mapping[str, float] | None = None
    units: tuple[UnitKind, str] | None = None


def read_tables(files: Mapping[str, bytes]) -> list[LoggedTable]:
    """Return the tables a run logged; raises ValueError or KeyError for what `wb.log_dataset` would not have written."""
    paths = sorted(path for path in files if path.startswith(f"{DATASETS}/"))
    tables = [read_table(path, strict_json(files[path])) for path in paths]
    if sum(table.fact.role == "holdout" for table in tables) > 1:
        raise ValueError("more than one holdout")
    return tables


def path_of_table(role: str, name: str) -> str:
    """Return which file of a run's folder holds a table; there is one holdout, by whatever name."""
    told = role if role == "holdout" else f"{role}/{name}"
    return f"{DATASETS}/{sha256_hex(told.encode(errors='replace'))[:16]}.json"


def names_its_rows(table: LoggedTable) -> bool:
    """True where the digest of a table is that of its row ids, too; of before it was that of their content alone."""
    return table.fact.digest == digest_table(table.types, table.row_ids, table.row_digests)


_FACTS = {"name": str, "role": str, "digest": str, "rows": int, "columns": int}


def read_table(path: str, document: Any) -> LoggedTable:
    """Return one table of them, from its parsed file; raises the same."""
    texts = (*document["types"], document["row_ids"], document["row_digests"])
    wrong = [key for key, kind in _FACTS.items() if type(document[key]) is not kind]
    if wrong or not all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in texts):
        raise ValueError(f"{path} holds values of other types than expected")
    counts = (document["rows"], len(document["row_ids"]), len(document["row_digests"]))
    if document["role"] not in ROLES or not document["name"].isprintable() or len(set(counts)) > 1:
        raise ValueError(f"{path} is no dataset: role {document['role']!r}, name {document['name']!r}, rows {counts}")
    names, digests = document["row_ids"], document["row_digests"]
    if document["digest"] not in (
        digest_table(document["types"], names, digests),
        digest_unnamed(document["types"], digests),
    ):
        raise ValueError(f"{path} names another table than its rows are")
    target = document.get("target")
    if target is not None and target not in [name for name, *_ in document["types"]]:
        raise ValueError(f"{path} names a target that is none of its columns")
    fact = DatasetFact(**{key: document[key] for key in _FACTS})
    profile = _read_profile(path, document)
    rounded, steps = _read_rounded(path, document), _read_steps(path, document)
    units = _read_units(path, document)
    return LoggedTable(fact, document["types"], names, digests, profile, target, rounded, steps, units)


def _read_units(path: str, document: Any) -> tuple[UnitKind, str] | None:
    named = [(kind, document[kind]) for kind in KINDS if kind in document]
    if not named:
        return None
    if len(named) > 1 or document["role"] != "holdout" or named[0][1] not in [name for name, *_ in document["types"]]:
        raise ValueError(f"{path} names groups or times that cannot be")
    return named[0]


def _read_rounded(path: str, document: Any) -> list[str] | None:
    rounded = document.get("rounded")
    if rounded is None:
        return None
    if len(rounded) != document["rows"] or not all(isinstance(text, str) for text in rounded):
        raise ValueError(f"{path} holds digests of rounded rows that cannot be")
    return list(rounded)


def _read_steps(path: str, document: Any) -> dict[str, float] | None:
    steps = document.get("steps")
    if steps is None:
        return None
    if (
        not isinstance(steps, dict)
        or set(steps) != {name for name, *_ in document["types"]}
        or not all(map(_is_step, steps.values()))
    ):
        raise ValueError(f"{path} was rounded to steps that cannot be")
    return dict(steps)


def _is_step(value: Any) -> bool:
    return type(value) in (int, float) and value >= 0


def _read_profile(path: str, document: Any) -> list[ColumnProfile] | None:
    """Return what was counted of each column; None for a table that was logged before anything was."""
    if "profile" not in document:
        return None
    profile = [ColumnProfile(**item) for item in document["profile"]]
    most = document["rows"]
    wrong = [
        item
        for item in profile
        if type(item.name) is not str or not all(_is_count(each, most) for each in (item.missing, item.distinct))
    ]
    if wrong or len(profile) != document["columns"]:
        raise ValueError(f"{path} holds counts of columns that cannot be")
    return profile


def _is_count(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def parse_columns(content: bytes) -> Any:
    """Return the table that Parquet bytes are, None where they cannot be read or columns share a name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
    except (pa.ArrowException, OSError):
        return None
    names = table.schema.names
    return table if len(set(names)) == len(names) else None


def parse_texts(content: bytes) -> dict[str, list[str]] | None:
    """Return a table of spelled values by its columns, None for any other."""
    import pyarrow as pa

    table = parse_columns(content)
    if table is None or not {pa.string(), pa.large_string()}.issuperset(table.schema.types):
        return None
    return {name: table.column(name).to_pylist() for name in table.schema.names}


def count_shared_rows(tables: Sequence[LoggedTable]) -> int | None:
    """Count the holdout's rows that stand in another table too; None when one has other columns or types, so nobody can."""
    holdout, others = _part(tables)
    if any(table.types != holdout.types for table in others):
        return None
    return _count_found(holdout.row_digests, [table.row_digests for table in others])


def count_alike_rows(tables: Sequence[LoggedTable]) -> int | None:
    """Count the same once numbers are rounded and texts lack case and blanks; types do not matter then, columns do."""
    holdout, others = _part(tables)
    rounded = [table.rounded for table in others if table.rounded is not None]
    names = [name for name, *_ in holdout.types]
    is_known = holdout.rounded is not None and len(rounded) == len(others)
    if not is_known or any([name for name, *_ in table.types] != names for table in others):
        return None
    return _count_found(holdout.rounded or (), rounded)


def _part(tables: Sequence[LoggedTable]) -> tuple[LoggedTable, list[LoggedTable]]:
    holdout = next(table for table in tables if table.fact.role == "holdout")
    return holdout, [table for table in tables if table is not holdout]


def _count_found(rows: Sequence[str], others: Sequence[Sequence[str]]) -> int:
    known = {digest for other in others for digest in other}
    return sum(digest in known for digest in rows)
