"""What changed since the version that is served, as static HTML: the diff is text that is marked, never markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.drawings.markup import Content, Markup, element
from workbench.widgets.snapshot import cell, table

_TAGS = {"added": "ins", "removed": "del", "same": "span"}


def show_changes(changes: dict[str, Any]) -> Markup:
    """Return the section on what changed."""
    parts: list[Content] = [element("p", changes["text"])]
    if changes["rows"]:
        labels = dict.fromkeys(changes["columns"], "text")
        parts.append(table(labels, [_row(row) for row in changes["rows"]]))
    if changes["code"]:
        parts.append(show_code(changes["code"]))
    return element("section", element("h3", changes["title"]), *parts)


def _row(row: dict[str, str]) -> Markup:
    return element(
        "tr",
        cell("text", row["name"], tag="th", scope="row"),
        *(cell("text", row[key]) for key in ("before", "after")),
    )


def show_code(code: dict[str, Any]) -> Markup:
    """Return a diff, folded when it is long."""
    if not code["hunks"]:
        return element("p", code["summary"])
    more = element("p", code["more"], class_="wb-quiet") if code["more"] else None
    hunks = [show_hunk(hunk["title"], hunk["lines"]) for hunk in code["hunks"]]
    return element("details", element("summary", code["summary"]), *hunks, more, class_="wb-fold", open=code["open"])


def show_hunk(title: str, lines: Sequence[dict[str, str]]) -> Markup:
    """Return lines of a diff under their title."""
    shown = [
        element(_TAGS[line["kind"]], f"{line['mark']} {line['text']}", class_=f"wb-line wb-{line['kind']}")
        for line in lines
    ]
    # Line ends stand between the lines: without the style sheet, and when copied, each line is still one.
    separated = [part for line in shown for part in (line, "\n")]
    return element("div", element("div", title, class_="wb-quiet"), element("pre", *separated, class_="wb-diff"))
