"""A run that goes on as static HTML: the twin kept in the notebook."""

from __future__ import annotations

from typing import Any

from workbench.drawings.markup import Markup, element, join
from workbench.widgets.snapshot import cell, table


def follow_body(state: dict[str, Any]) -> Markup:
    """Return what a state of `follow_state` says as HTML, without the frame of a twin."""
    rows = [
        element("tr", cell("text", each["name"], tag="th", scope="row"), cell("number", each["value"]))
        for each in state["metrics"]
    ]
    return join(
        element("p", element("strong", state["headline"]), class_=f"wb-headline wb-tone-{state['tone']}"),
        element("p", state["reason"]) if state["reason"] else None,
        element("p", state["progress"], class_="wb-quiet") if state["progress"] else None,
        table({"Metric": "text", "So far": "number"}, rows) if rows else None,
        element("pre", "\n".join(state["lines"]), class_="wb-lines") if state["lines"] else None,
        element("p", state["empty"], class_="wb-quiet") if state["empty"] else None,
        element("p", "On the command line: ", element("code", state["command"]), class_="wb-quiet"),
    )
