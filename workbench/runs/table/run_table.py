"""The run table: very many runs as rows, of which a condition, a text, an order and columns choose what is seen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from workbench.errors import UsageError
from workbench.records.clock import count_seconds
from workbench.runs.finding.conditions import read_name
from workbench.runs.finding.names import find_meanings, say_no_such_name
from workbench.runs.finding.outline import FIELDS, MISSING
from workbench.runs.table.columns import Columns


class RunTable:
    """Runs as rows, newest first unless they were sorted; values are read by the column, `MISSING` where a run has none.

    A column is named `run.state`, `metrics.roc_auc`, `params.family`, `tags.team`; without its kind where that is clear.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._read: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        return len(self._columns)

    @cached_property
    def ids(self) -> list[str]:
        """The id of each row."""
        ids: list[str] = self._columns.arrays["run.id"].to_pylist()
        return ids

    def id_at(self, place: int) -> str:
        """Return the id of a row."""
        return self.ids[place]

    def list_keys(self, of: str) -> set[str]:
        """Return the names of something in the store: of run, metrics, params or tags, whether or not they are columns here."""
        return {*FIELDS} if of == "run" else {*self._columns.names.get(of, ())}

    def read(self, of: str, key: str) -> list[Any]:
        """Return a value of each row; what is no number among the metrics is none."""
        name = f"{of}.{key}"
        if name not in self._read:
            self._read[name] = self._build(of, key)
        return self._read[name]

    def read_column(self, name: str) -> list[Any]:
        """Return the values of a column by its full name."""
        of, _, key = name.partition(".")
        return self.read(of, key)

    def has_any(self, name: str) -> bool:
        """True where any row has a value in a column."""
        return any(value is not MISSING for value in self.read_column(name))

    def differs(self, name: str) -> bool:
        """True where a column is not the same in all rows; a row without a value is not like one that has one."""
        of, _, key = name.partition(".")
        if of in ("params", "tags", "metrics") or FIELDS[key].kind == "text":
            return len(self._columns.arrays[name].unique()) > 1
        return len({spell(value) for value in self.read(of, key)}) > 1

    def _build(self, of: str, key: str) -> list[Any]:
        if of == "run":
            return self._build_own(key)
        values = self._columns.arrays[f"{of}.{key}"]
        if of == "metrics":
            return [MISSING if value is None or value != value else value for value in values.to_pylist()]
        texts = values.to_pylist()
        if of == "tags":
            return [MISSING if text is None else text for text in texts]
        return _parse_json(texts) if self._columns.spelling == "json" else _parse_plain(texts)

    def _build_own(self, key: str) -> list[Any]:
        if key == "took_s":
            begun, ended = (self._columns.arrays[f"run.{name}"].to_pylist() for name in ("started", "ended"))
            took = (count_seconds(one, other) for one, other in zip(begun, ended, strict=True))
            return [MISSING if seconds is None else seconds for seconds in took]
        values: list[Any] = self._columns.arrays[f"run.{key}"].to_pylist()
        if key == "archived":
            return [value is not None for value in values]
        if FIELDS[key].kind == "time":
            values = [datetime.fromisoformat(value) if value else None for value in values]
        return [MISSING if value is None else value for value in values]

    def find_column(self, text: str) -> str:
        """Return the full name of the column that a text means; raises UsageError where none or several are called so."""
        name = read_name(text)
        found = find_meanings(name, self)
        if len(found) != 1:
            raise UsageError(
                f"There is no column {text!r}." if not found else f"{text!r} means more than one column.",
                why=_capitalize(say_no_such_name(name, found, self)),
                next_step="Name one of them; with its kind before it (metrics.NAME, params.NAME, tags.NAME, run.NAME) it is clear.",
            )
        return f"{found[0]}.{name.key}"

    def take(self, places: Sequence[int]) -> RunTable:
        """Return the rows at some places, in that order."""
        import pyarrow as pa

        chosen = pa.array(places, pa.int64())
        arrays = {name: array.take(chosen) for name, array in self._columns.arrays.items()}
        return RunTable(replace(self._columns, arrays=arrays))

    def search(self, text: str, columns: Iterable[str]) -> RunTable:
        """Return the rows in which any of the columns holds a text, in whichever letters."""
        wanted, found = text.casefold(), set[int]()
        for name in columns:
            values = self.read_column(name)
            found.update(place for place, value in enumerate(values) if wanted in spell(value).casefold())
        return self.take(sorted(found))

    def sort(self, column: str, *, descending: bool = False) -> RunTable:
        """Return the rows in the order of a column, those without a value last; equal ones stay in the order they were in."""
        values = self.read_column(column)
        there = [place for place, value in enumerate(values) if value is not MISSING]
        there.sort(key=lambda place: order_of(values[place]), reverse=descending)
        return self.take([*there, *(place for place, value in enumerate(values) if value is MISSING)])


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def spell(value: Any) -> str:
    """Return a value as a text that people search in; nothing where there is none."""
    match value:
        case str():
            return value
        case datetime():
            return value.isoformat(" ", "seconds")
        case bool() | list() | dict() | None:
            return json.dumps(value, ensure_ascii=False)
    return "" if value is MISSING else str(value)


def order_of(value: Any) -> tuple[int, Any]:
    """Where a value stands: none, flags, numbers, what is no number, texts, times, all else as it is spelled, what is missing."""
    if value is MISSING:
        return 7, 0
    match value:
        case None:
            return 0, 0
        case bool():
            return 1, value
        case int() | float():
            return (2, value) if value == value else (3, 0)
        case str():
            return 4, value.casefold()
        case datetime():
            return 5, value
    return 6, spell(value)


def _parse_json(texts: Sequence[str | None]) -> list[Any]:
    there: list[Any] = json.loads(f"[{','.join(text for text in texts if text is not None)}]")
    values = iter(there)
    return [MISSING if text is None else next(values) for text in texts]


_CONSTANTS = {"True": True, "False": False, "None": None}
# As numbers are written: `007`, `1_000` and ` 12` are names, which would be another's.
_NUMBER = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|nan|[-+]?inf(?:inity)?", re.IGNORECASE
)


def _parse_plain(texts: Sequence[str | None]) -> list[Any]:
    """Return parameters as MLflow has them, as texts: a column of numbers, flags and None is one, any other stays."""
    parsed: dict[str, Any] = {}
    for text in dict.fromkeys(text for text in texts if text is not None):
        try:
            parsed[text] = _CONSTANTS[text] if text in _CONSTANTS else _parse_number(text)
        except ValueError:
            return [MISSING if each is None else each for each in texts]
    return [MISSING if text is None else parsed[text] for text in texts]


def _parse_number(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return int(text) if text.lstrip("-+").isdigit() else float(text)
