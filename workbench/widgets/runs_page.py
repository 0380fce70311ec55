"""Runs as static HTML: the first of them, with how many there are, as the twin kept in the notebook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isinf
from typing import Any

from workbench.drawings.markup import Markup, element, join
from workbench.drawings.picture import show_pictures
from workbench.widgets.rows_page import Rows, rows_policy, rows_script, show_rows
from workbench.widgets.run_pictures import RunPictures
from workbench.widgets.snapshot import cell, page
from workbench.words.numbers import MISSING, format_number, format_time, format_value

_MOST_ROWS = 100
# Of so many rows all are a table on a page; of more these are, and all stand below it to be searched and sorted.
_MOST_PLAIN = 25


def runs_page(state: Mapping[str, Any], pictures: RunPictures, at: datetime | None = None) -> str:
    """Return a complete HTML document of all the runs or groups of a state, without network or kernel.

    Of many the first are a plain table; all are searched and sorted by a script that its policy knows by its digest.
    """
    count, at = state["rows"], at or datetime.now(UTC)
    if count <= _MOST_PLAIN:
        return page("Runs", _body(state, pictures, _show_table(state, count)), at)
    what = "group" if state["is_grouped"] else "run"
    rows = Rows(state["columns"], state["ids"], count, what)
    cut = element("p", f"These are the first {_MOST_PLAIN} of {count:,} {what}s.", class_="wb-quiet")
    shown = show_rows(rows, join(_show_table(state, _MOST_PLAIN), cut))
    return page("Runs", _body(state, pictures, shown), at, policy=rows_policy(), script=rows_script(rows))


def runs_body(state: Mapping[str, Any], pictures: RunPictures) -> Markup:
    """Return runs or groups as HTML, without the frame of a page or a twin."""
    count, rows = min(state["rows"], _MOST_ROWS), state["rows"]
    what = "groups" if state["is_grouped"] else "runs"
    shown = f"The snapshot shows {count} of {rows:,} {what}. A page of all, to search and sort: "
    command = element("code", f"{state['command']} --html FILE")
    cut = element("p", shown, command, class_="wb-quiet") if count < rows else None
    return _body(state, pictures, join(_show_table(state, count), cut))


def _body(state: Mapping[str, Any], pictures: RunPictures, table: Markup | None) -> Markup:
    return join(
        element("p", element("strong", state["headline"]), class_="wb-headline"),
        element("p", state["place"], class_="wb-quiet"),
        show_pictures(pictures.draw()),
        table,
        element("p", state["legend"], class_="wb-quiet") if state["legend"] else None,
    )


def _show_table(state: Mapping[str, Any], count: int) -> Markup | None:
    return element("div", _table(state, count), class_="wb-wide") if count else None


def _table(state: Mapping[str, Any], count: int) -> Markup:
    columns, ids = state["columns"], state["ids"][:count]
    head = [*([cell("text", "run", tag="th", scope="col")] if ids else []), *map(_head, columns)]
    cells = [_read_cells(column, count) for column in columns]
    rows = [
        element(
            "tr",
            cell("text", element("code", ids[row][:12]), tag="th", scope="row") if ids else None,
            *(cell(_kind(column), texts[row]) for column, texts in zip(columns, cells, strict=True)),
        )
        for row in range(count)
    ]
    body = element("tbody", *rows)
    return element("table", element("thead", element("tr", *head)), body, class_="wb-table wb-compared")


def _head(column: Mapping[str, Any]) -> Markup:
    label = f"{column['of']} {column['label']}" if column["of"] else column["label"]
    return cell(_kind(column), label, tag="th", scope="col")


def _kind(column: Mapping[str, Any]) -> str:
    return "number" if column["kind"] == "number" else "text"


def _read_cells(column: Mapping[str, Any], count: int) -> list[str]:
    import numpy as np

    if column["kind"] == "text":
        codes = np.frombuffer(column["codes"], dtype="<i4")[:count]
        return [MISSING if code < 0 else column["texts"][code] for code in codes]
    values = np.frombuffer(column["values"], dtype="<f8")[:count].tolist()
    if column["kind"] == "number":
        return [MISSING if value != value else _spell(value, column["decimals"]) for value in values]
    return [MISSING if value != value else format_time(datetime.fromtimestamp(value / 1000, UTC)) for value in values]


def _spell(value: float, decimals: int | None) -> str:
    """Return a number as the view has it: a whole one in full, for it may be a seed."""
    if isinf(value):
        return "\N{INFINITY}" if value > 0 else "\N{MINUS SIGN}\N{INFINITY}"
    if decimals is None:
        is_whole = abs(value) < 1e15 and (value.is_integer() or abs(value) >= 1e4)
        return format_value(round(value) if is_whole else value)
    return format_number(value, decimals)
