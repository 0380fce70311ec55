"""What a model decides for, class by class, as static HTML."""

from __future__ import annotations

from typing import Any

from workbench.drawings.markup import Markup, element, join
from workbench.widgets.snapshot import cell


def show_classes(state: dict[str, Any] | None) -> Markup | None:
    """Return the section on the classes; None where there are none."""
    if state is None:
        return None
    return element(
        "section",
        element("h3", "Classes"),
        element("p", state["text"]),
        *(_table(found) for found in state["tables"]),
        element("p", join(state["metrics"], " ", state["note"]), class_="wb-quiet"),
    )


def _table(found: dict[str, Any]) -> Markup:
    # Two classes may bear a column's name: the labels are a list.
    header = element("tr", *(cell(kind, label, tag="th", scope="col") for label, kind in found["columns"]))
    rows = [
        element("tr", cell("text", row["name"], tag="th", scope="row"), *map(_cell, row["cells"]))
        for row in found["rows"]
    ]
    return element(
        "table",
        element("thead", header),
        element("tbody", *rows),
        class_="wb-table wb-classes",
        aria_label=found["name"],
    )


def _cell(found: dict[str, Any]) -> Markup:
    text = element("strong", found["text"]) if found["right"] else found["text"]
    bounds = element("span", found["bounds"], class_="wb-bounds") if found["bounds"] else None
    return cell(found["kind"], text, " " if bounds else None, bounds)
