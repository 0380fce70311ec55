"""A view of nothing: why there is nothing to show, where it was looked for, what to do about it."""

from __future__ import annotations

from typing import Any, NoReturn

from workbench.drawings.markup import Markup, element, join, style_sheet
from workbench.errors import WorkbenchError
from workbench.widgets.snapshot import read_style, show_prose
from workbench.words.findings import prose


class EmptyView:
    """Shows an error as what it is to whoever looks: nothing is there yet. Code that goes on with it is told the same, raised."""

    def __init__(self, error: WorkbenchError, looked_in: str) -> None:
        self._error, self._looked_in = error, looked_in

    def body(self) -> Markup:
        """Return what it shows."""
        return empty_body(self._error, self._looked_in)

    def _repr_mimebundle_(self, **_wanted: Any) -> dict[str, str]:
        style = style_sheet(read_style())
        html = join(style, element("div", self.body(), class_="wb-view wb-empty")).html
        return {"text/html": html, "text/plain": f"{self._error}\n  Looked in {self._looked_in}."}

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise self._error


def empty_body(error: WorkbenchError, looked_in: str) -> Markup:
    """Return an error, and where was looked, as HTML without a frame."""
    reasons = [element("li", show_prose(prose(reason))) for reason in error.reasons if reason]
    return join(
        element("p", error.what, class_="wb-headline"),
        element("ul", *reasons) if reasons else None,
        element("p", "Next: ", show_prose(prose(error.next_step))) if error.next_step else None,
        element("p", f"Looked in {looked_in}.", class_="wb-quiet"),
    )
