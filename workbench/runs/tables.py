"""Tables a notebook declared: which they are, and what stands in their columns."""

from __future__ import annotations

from dataclasses import dataclass


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
