"""The difference of two runs, as the terminal, a page and a view show it: every text decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.comparisons.difference.part import DiffTable, Excerpt, Likeness, Part
from workbench.comparisons.difference.run_difference import DiffedRun, RunDifference
from workbench.words.changes import line_state
from workbench.words.findings import prose
from workbench.words.numbers import MISSING, read_time, sentence_case

_STATUSES = {
    Likeness.DIFFERENT: {"word": "Different", "shape": "≠", "tone": "fair"},
    Likeness.UNKNOWN: {"word": "Not known", "shape": "?", "tone": "open"},
    Likeness.SAME: {"word": "The same", "shape": "=", "tone": "plain"},
}
_TITLES = {"source": "Source of the notebook", "code": "Own code"}
# Their sign says in which direction.
_SIGNED = ("B \N{MINUS SIGN} A", "better by", "from", "to")
_LONGEST, _SHORT, _MOST_VALUES = 200, 20, 6


def difference_state(difference: RunDifference, most_rows: int = 200) -> dict[str, Any]:
    """Return everything that is shown of a difference, as JSON; of each table so many rows at most."""
    parts = [_part(part, most_rows) for part in difference.parts]
    return {
        "headline": difference.headline,
        "runs": [_run("A", difference.a), _run("B", difference.b)],
        "parts": [part for part in parts if not part["is_same"]],
        "same": [part for part in parts if part["is_same"]],
        "command": f"workbench diff {difference.a.id} {difference.b.id}",
    }


def _run(key: str, run: DiffedRun) -> dict[str, str]:
    attempt = f", attempt {run.attempt}" if run.attempt > 1 else ""
    told = [
        f"“{run.name}”" if run.name else "",
        run.notebook,
        run.state.lower() + attempt,
        read_time(run.created),
        run.author,
    ]
    return {"key": key, "id": run.id, "text": ", ".join(filter(None, told)), "error": _cut(run.error or "")}


def _part(part: Part, most_rows: int) -> dict[str, Any]:
    title = _TITLES.get(part.name, sentence_case(part.name))
    return {
        "name": part.name,
        "title": title,
        "is_same": part.likeness is Likeness.SAME,
        "status": _STATUSES[part.likeness],
        "says": part.says,
        "unknown": [{"text": text, "parts": prose(text)} for text in part.unknown],
        "tables": [_table(table, title, most_rows) for table in part.tables],
        "excerpts": [_excerpt(excerpt) for excerpt in part.excerpts],
    }


def _table(table: DiffTable, part: str, most_rows: int) -> dict[str, Any]:
    names = [name for name in table.columns if name not in table.values[_MOST_VALUES:]]
    columns = [_column(name, table) for name in names]
    return {
        "title": table.title,
        "is_headed": table.title != part,
        "note": table.note,
        "columns": columns,
        "rows": [[_spell(name, row[name], table) for name in names] for row in table.rows[:most_rows]],
        "left_out": table.left_out + max(len(table.rows) - most_rows, 0),
        "values": len(table.values),
        "columns_left": say_columns_left(len(table.columns) - len(names)),
    }


def say_columns_left(count: int) -> str:
    """Say how many columns of the holdout are not shown; nothing for none."""
    return f"{count:,} more column{'' if count == 1 else 's'} of the holdout; --json has all." if count else ""


def _column(name: str, table: DiffTable) -> dict[str, Any]:
    column: dict[str, Any] = {"label": name, "kind": "number" if _is_numeric(name, table.rows) else "text"}
    if not table.values:
        return column
    # Of many columns short ones are not broken within a word.
    is_short = all(len(_spell(name, row[name], table)) <= _SHORT for row in table.rows)
    return column | ({"is_value": True} if name in table.values else {}) | ({"is_short": True} if is_short else {})


def _spell(name: str, value: Any, table: DiffTable) -> str:
    """Return a value as it is shown; one of the holdout as it stands there: a year has no thousands separator."""
    if name in table.values and isinstance(value, int | float):
        return (
            str(value).lower()
            if isinstance(value, bool)
            else f"{value:.6g}"
            if isinstance(value, float)
            else str(value)
        )
    return _value(name, value)


def _is_numeric(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    values = [row[name] for row in rows if row[name] is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _value(name: str, value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, float):
        signed = name in _SIGNED and value
        return f"{value:{'+' if signed else ''}.4g}".replace("-", "\N{MINUS SIGN}") if value else "0"
    return f"{value:,}" if isinstance(value, int) else _cut(str(value))


def _cut(text: str) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _excerpt(excerpt: Excerpt) -> dict[str, Any]:
    lines = [line_state(line[:1] or " ", line[1:] if line else "…") for line in excerpt.lines]
    is_cell = excerpt.title.startswith(("cell ", "markdown ", "raw "))
    title = sentence_case(excerpt.title) if is_cell else excerpt.title
    return {"title": title, "lines": lines, "cut": f"{sentence_case(excerpt.cut)}." if excerpt.cut else ""}
