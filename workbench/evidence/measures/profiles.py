"""Tables: what stands in their columns."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.evidence.features import FeatureColumn
from workbench.runs.tables import ColumnProfile, LoggedTable, TableProfile


def measure_profiles(
    tables: Sequence[LoggedTable], features: Sequence[FeatureColumn] | None
) -> tuple[TableProfile, ...]:
    """Return the profile of each table; the holdout's columns are counted here from the feature rows that were kept."""
    return tuple(_describe_table(table, features) for table in tables)


def _describe_table(table: LoggedTable, features: Sequence[FeatureColumn] | None) -> TableProfile:
    duplicates = len(table.row_digests) - len(set(table.row_digests))
    columns = None if table.profile is None else tuple(table.profile)
    recomputed = False
    if table.fact.role == "holdout" and features is not None:
        columns, recomputed = tuple(_describe_column(column) for column in features), True
    return TableProfile(table.fact.name, table.fact.role, table.fact.rows, duplicates, recomputed, columns)


def _describe_column(column: FeatureColumn) -> ColumnProfile:
    import numpy as np

    from workbench.stats.outliers import count_outlying

    if column.numbers is None:
        texts = [text for text in column.texts or () if text is not None]
        return ColumnProfile(column.name, len(column.texts or ()) - len(texts), len(set(texts)))
    present = column.numbers[~np.isnan(column.numbers)]
    missing, distinct = len(column.numbers) - len(present), len(np.unique(present))
    return ColumnProfile(column.name, missing, distinct, count_outlying(column.numbers))
