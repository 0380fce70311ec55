"""The difference of two runs as static HTML: the twin kept in the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.drawings.markup import Markup, element, join
from workbench.widgets.changes_page import show_hunk
from workbench.widgets.snapshot import cell, show_prose, show_status, table

MOST_ROWS = 20


def difference_body(state: Mapping[str, Any]) -> Markup:
    """Return what a state of `difference_state` says as HTML, without the frame of a twin."""
    return join(
        element("p", element("strong", state["headline"]), class_="wb-headline"),
        _show_runs(state["runs"]),
        *(_show_part(part, is_open=place == 0) for place, part in enumerate(state["parts"])),
        _show_same(state["same"]),
        element("p", "On the command line: ", element("code", state["command"]), class_="wb-quiet"),
    )


def _show_runs(runs: Sequence[Mapping[str, str]]) -> Markup:
    pairs = [
        element(
            "div",
            element("dt", f"Run {run['key']}"),
            element("dd", element("code", run["id"]), f" {run['text']}", _error(run)),
        )
        for run in runs
    ]
    return element("dl", *pairs, class_="wb-facts wb-two-runs")


def _error(run: Mapping[str, str]) -> Markup | None:
    return element("div", run["error"]) if run["error"] else None


def _show_part(part: Mapping[str, Any], *, is_open: bool) -> Markup:
    said = element("span", " ", part["says"], class_="wb-part-says")
    return element(
        "details",
        element("summary", element("strong", part["title"]), " ", show_status(part["status"]), said),
        *(_show_table(each) for each in part["tables"]),
        *(_show_excerpt(each) for each in part["excerpts"]),
        _show_unknown(part["unknown"]),
        class_="wb-part",
        open=is_open,
    )


def _show_table(shown: Mapping[str, Any]) -> Markup:
    kinds = [column["kind"] for column in shown["columns"]]
    labels = {column["label"]: column["kind"] for column in shown["columns"]}
    rows = [element("tr", *map(cell, kinds, row)) for row in shown["rows"][:MOST_ROWS]]
    left = max(len(shown["rows"]) - MOST_ROWS, 0) + shown["left_out"]
    return join(
        element("h4", shown["title"]) if shown["is_headed"] else None,
        table(labels, rows),
        element("p", f"And {left:,} more.", class_="wb-quiet") if left else None,
        *(element("p", text, class_="wb-quiet") for text in (shown["columns_left"], shown["note"]) if text),
    )


def _show_excerpt(excerpt: Mapping[str, Any]) -> Markup:
    cut = element("p", excerpt["cut"], class_="wb-quiet") if excerpt["cut"] else None
    return join(show_hunk(excerpt["title"], excerpt["lines"]), cut)


def _show_unknown(lines: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not lines:
        return None
    items = [element("li", show_prose(line["parts"])) for line in lines]
    return element(
        "div",
        element("strong", "Not known, or not shown", class_="wb-status wb-tone-open"),
        element("ul", *items),
        class_="wb-untold",
    )


def _show_same(parts: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not parts:
        return None
    items = [
        element("li", element("strong", part["title"]), f": {part['says']}", _show_unknown(part["unknown"]))
        for part in parts
    ]
    return element("section", element("h3", "The same"), element("ul", *items))
