"""A comparison as static HTML: the twin kept in the notebook, and a page that stands alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from workbench.comparisons.comparison import Comparison
from workbench.drawings.markup import Markup, element, join
from workbench.widgets.comparison_state import comparison_state
from workbench.widgets.interval_chart import draw_interval, draw_ticks
from workbench.widgets.other_tables import show_other_tables
from workbench.widgets.snapshot import (
    cell,
    describe_facts,
    explain_words,
    page,
    show_interval,
    show_status,
    show_word,
)


def comparison_page(comparison: Comparison, at: datetime | None = None) -> str:
    """Return a complete HTML document that shows the comparison without script, network or kernel."""
    body = comparison_body(comparison_state(comparison), len(comparison.runs))
    return page("Comparison", body, at or datetime.now(UTC))


def comparison_body(state: dict[str, Any], count: int) -> Markup:
    """Return what a state of `comparison_state` shows of so many runs as HTML, without the frame of a page or a twin."""
    head = element("p", element("strong", state["headline"]), class_="wb-headline")
    if state["empty"]:
        return join(head, _hint(state["empty"]))
    legend = element("p", state["legend"], class_="wb-quiet wb-legend")
    table = join(describe_facts(state["facts"]), _table(state), legend, _cut(state, count))
    others = show_other_tables(state["others"])
    return join(head, table, _hint(state["next"]), others, explain_words(state["words"]))


def _hint(hint: dict[str, str]) -> Markup:
    return element("p", hint["text"], " ", element("code", hint["command"]))


def _table(state: dict[str, Any]) -> Markup:
    header = element("tr", *(_header_cell(column, state["axis"]) for column in state["columns"]))
    rows = [_row(row, state) for row in state["rows"]]
    return element("table", element("thead", header), element("tbody", *rows), class_="wb-table wb-compared")


def _header_cell(column: dict[str, Any], axis: dict[str, Any]) -> Markup:
    note = element("span", ", ", column["note"], class_="wb-note") if column["note"] else None
    ticks = draw_ticks(axis) if column["kind"] == "chart" else None
    label = show_word(column["label"], column["help"])
    return cell(column["kind"], label, note, ticks, tag="th", scope="col")


def _row(row: dict[str, Any], state: dict[str, Any]) -> Markup:
    name = element("div", row["name"], class_="wb-note wb-name") if row["name"] else None
    cells = [
        cell("text", element("code", row["run"]), name, tag="th", scope="row"),
        *(cell(item["kind"], item["text"], title=item["full"] or None) for item in row["cells"]),
        cell("number", row["value"]),
        cell("text", show_status(row["verdict"])),
        cell("chart", draw_interval(state["axis"], row["mark"], f"run {row['run']}")),
        cell("number", show_interval(row["interval"])),
        *(_beside(each) for each in row["beside"]),
    ]
    tone = row["verdict"]["tone"]
    return element("tr", *cells, class_=f"wb-tone-{tone} wb-reference" if row["is_reference"] else f"wb-tone-{tone}")


def _beside(cell_state: dict[str, Any]) -> Markup:
    verdict, text = cell_state["verdict"], cell_state["text"]
    if verdict is None:
        return cell("number", text)
    word = verdict["word"]
    sign = element("span", verdict["shape"], class_=f"wb-status wb-tone-{verdict['tone']}", role="img", aria_label=word)
    return cell("number", text, "\N{NO-BREAK SPACE}", sign, title=f"{word}: {cell_state['full']}")


def _cut(state: dict[str, Any], count: int) -> Markup | None:
    if state["sight"] is None:
        return None
    return element("p", f"The snapshot shows {len(state['rows']) - 1:,} of {count:,} runs.", class_="wb-quiet")
