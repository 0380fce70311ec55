"""Rows as they were spelled when they were digested, read as a caller would send them under a model's contract."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from workbench.errors import Refused
from workbench.models.contract import MOST_ROWS, Column, Contract, find_row_problems
from workbench.records.iso8601 import TimeType, spell_time

_NANOSECONDS = TimeType(is_duration=True, unit="ns")
# As pandas and Python write a duration down: 1 days 02:03:04.5, -1 day, 23:00:00.
_DURATION = re.compile(r"(?:(-?\d+) days?,? ?)?\+?(?:(\d{1,2}):(\d\d):(\d\d)(\.\d{1,9})?)?")


def read_spelled(columns: Mapping[str, Sequence[str]], contract: Contract) -> list[dict[str, Any]]:
    """Return the rows of spelled columns as a request has them, in the contract's columns.

    Raises Refused where a column is missing, and ValueError for a text that is no JSON. Whether the values keep the contract is not
    asked here: what is another type stays it.
    """
    if missing := sorted(set(contract.names) - set(columns)):
        raise Refused(f"The rows have no column {', '.join(missing)[:300]}, which the model takes.")
    values = [_read_column(columns[column.name], column) for column in contract.columns]
    return [dict(zip(contract.names, row, strict=True)) for row in zip(*values, strict=True)]


def _read_column(texts: Sequence[str], column: Column) -> list[Any]:
    read = {text: _read_value(json.loads(text), column) for text in set(texts)}
    return [read[text] for text in texts]


def _read_value(value: Any, column: Column) -> Any:
    """Return a value in the type of its column, where only its spelling is another: a flag is 1, a long number a number."""
    if column.type == "boolean" and value in (0, 1) and type(value) is int:
        return bool(value)
    if column.type == "integer_text" and type(value) is int:
        return str(value)
    if column.time is not None and type(value) is str:
        return _spell_duration(value) if column.time.is_duration else value.replace(" ", "T", 1)
    return value


def _spell_duration(text: str) -> str:
    """Return a duration in ISO 8601; what is none stays as it is, for the contract to refuse."""
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        return text
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups()[:4])
    whole = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds) // timedelta(seconds=1)
    fraction = int((found[5] or ".0")[1:].ljust(9, "0"))
    return spell_time(whole * 10**9 + fraction, _NANOSECONDS)


def require_rows(rows: list[dict[str, Any]], contract: Contract) -> None:
    """Raise Refused with the first value that no caller could send, asked in requests of the largest size allowed."""
    for start in range(0, len(rows), MOST_ROWS):
        if problems := find_row_problems(contract, rows[start : start + MOST_ROWS]):
            first = problems[0]
            raise Refused(
                "The holdout does not keep the contract.",
                why=f"Row {start + (first.row or 0)}, column {first.column!r}: expected {first.expected}, got {first.got}.",
            )
