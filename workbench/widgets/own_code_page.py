"""The code beside the notebook, a model's own and that which ran with it, as static HTML."""

from __future__ import annotations

from typing import Any

from workbench.drawings.markup import Markup, element
from workbench.widgets.changes_page import show_code


def show_own_code(own: dict[str, Any]) -> Markup | None:
    """Return a section on code beside the notebook, None where there is none."""
    if not own["modules"]:
        return None
    text = [element("p", own["text"], class_="wb-cautions")] if own["text"] else []
    return element("section", element("h3", own["title"]), *text, *(_show_module(module) for module in own["modules"]))


def _show_module(module: dict[str, Any]) -> Markup:
    detail = element("div", module["detail"], class_="wb-quiet") if module["detail"] else None
    return element("div", *(show_code(code) for code in module["code"]), detail)
