"""Recognizing: whether a model was trained on a row, by the digests that are kept of its training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.records.row_digests import digest_encoded
from workbench.runs.rounding import round_texts
from workbench.runs.training_rows import TrainingTable


def find_missing_columns(training: Sequence[TrainingTable], columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns of training tables that rows lack: without them nobody can tell whether a row is one of theirs."""
    return sorted({name for table in training for name in table.steps} - columns.keys())


def find_trained_on(training: Sequence[TrainingTable], columns: Mapping[str, Sequence[str]]) -> list[bool]:
    """Return for each row whether it stands in a training table, as it is or once both are rounded alike.

    `columns` are values as they were spelled when they were digested (JSON); those that a table has not do not matter for it.
    """
    found = [_find_in(table, columns) for table in training]
    return [any(row) for row in zip(*found, strict=True)]


def _find_in(table: TrainingTable, columns: Mapping[str, Sequence[str]]) -> list[bool]:
    equal, alike = set(table.row_digests), set(table.rounded)
    rows = zip(*(columns[name] for name in sorted(table.steps)), strict=True)
    rounded = round_texts(columns, table.steps)
    return [digest_encoded(row).hex() in equal or each in alike for row, each in zip(rows, rounded, strict=True)]
