"""A picture: a drawing of SVG elements with a title, how to read it, and a table that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from workbench.drawings.markup import Markup, element

Line = TypeVar("Line")
_MOST_LINES = 12


@dataclass(frozen=True)
class Node:
    """An SVG element; whatever stands in it that is no element is text."""

    tag: str
    attributes: Mapping[str, str]
    children: tuple[Node | str, ...] = ()

    def to_markup(self) -> Markup:
        """Return it as markup, escaped."""
        return element(self.tag, *map(_to_markup, self.children), **self.attributes)

    def to_state(self) -> dict[str, Any]:
        """Return it as JSON, which a view draws the same."""
        children = [child if isinstance(child, str) else child.to_state() for child in self.children]
        return {"tag": self.tag, "attributes": dict(self.attributes), "children": children}


def _to_markup(child: Node | str) -> Markup | str:
    return child if isinstance(child, str) else child.to_markup()


@dataclass(frozen=True)
class Picture:
    """A drawing, or none where its table is all there is; `says` is how to read it, `rows` have a cell for each of the columns."""

    title: str
    says: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    drawing: Node | None = None
    is_curve: bool = False  # whose points tell nobody anything where it cannot be seen

    def to_state(self) -> dict[str, Any]:
        """Return it as JSON."""
        drawing = self.drawing.to_state() if self.drawing else None
        return {"title": self.title, "says": self.says, "columns": self.columns, "rows": self.rows, "drawing": drawing}


def show_pictures(pictures: Sequence[Picture]) -> Markup | None:
    """Return pictures side by side as far as there is room; None of none."""
    return element("div", *map(_show_picture, pictures), class_="wb-pictures") if pictures else None


def _show_picture(picture: Picture) -> Markup:
    said = element("figcaption", element("strong", picture.title), " ", picture.says)
    if picture.drawing is None:
        return element("figure", said, _show_table(picture))
    # Where drawings are not allowed what is left of this one is hidden; the style sheet shows it.
    drawn = element("div", picture.drawing.to_markup(), class_="wb-drawn", hidden=True)
    return element("figure", said, drawn, element("details", element("summary", "As a table"), _show_table(picture)))


def _show_table(picture: Picture) -> Markup:
    head = element("tr", *(element("th", name, scope="col") for name in picture.columns))
    rows = (
        element("tr", element("th", first, scope="row"), *(element("td", text) for text in others))
        for first, *others in picture.rows
    )
    table = element("table", element("thead", head), element("tbody", *rows), class_="wb-said")
    return element(
        "div", table, class_="wb-wide", tabindex="0", role="group", aria_label=f"{picture.title}, as a table"
    )


def pick_lines(rows: Sequence[Line]) -> tuple[Line, ...]:
    """Return at most twelve of the lines of a table, evenly, the first and the last among them."""
    last = len(rows) - 1
    if last < _MOST_LINES:
        return tuple(rows)
    return tuple(rows[last * at // (_MOST_LINES - 1)] for at in range(_MOST_LINES))
