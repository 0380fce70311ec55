"""The picture of permutation importance: how much each column is worth to the metric, with its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.drawings.axis import fit_axis, spell
from workbench.drawings.picture import Node, Picture

_WIDTH, _LEFT, _RIGHT, _TOP, _LINE = 360, 150, 14, 8, 20
_MOST_SHOWN, _LONGEST_NAME = 12, 20


@dataclass(frozen=True)
class Worth:
    """By how much the metric became worse when a column was shuffled, with the bounds of that."""

    column: str
    loss: float
    low: float
    high: float


def draw_importance(
    metric: str, says: str, columns: Sequence[Worth], title: str = "What each column is worth", of: str = "Column"
) -> Picture:
    """Return the columns, or what else was shuffled, the most important first; the drawing has the first twelve, the table all."""
    ordered = sorted(columns, key=lambda each: (-each.loss, each.column))
    name = f"{metric} becomes worse by"
    rows = tuple((each.column, spell(each.loss), f"{spell(each.low)} to {spell(each.high)}") for each in ordered)
    drawing = _draw(title, name, says, ordered[:_MOST_SHOWN])
    return Picture(title, says, (f"{of} shuffled", name, "95 % bounds"), rows, drawing)


def _draw(title: str, name: str, says: str, columns: Sequence[Worth]) -> Node:
    axis = fit_axis(name, [0.0, *(end for each in columns for end in (each.low, each.high))], most_ticks=5)
    bottom = _TOP + _LINE * len(columns)

    def across(value: float) -> str:
        return f"{_LEFT + (_WIDTH - _LEFT - _RIGHT) * axis.place(value):.1f}"

    marks = [Node("title", {}, (title,)), Node("desc", {}, (says,))]
    for value, text in axis.ticks:
        at = across(value)
        marks.append(_line("wb-grid", at, at, _TOP, bottom))
        marks.append(_text(text, at, bottom + 16, "middle"))
    marks.append(_line("wb-axis", across(0.0), across(0.0), _TOP, bottom))
    for number, each in enumerate(columns):
        y = _TOP + _LINE * number + _LINE // 2
        ends = f"{across(each.low)},{y} {across(each.high)},{y}"
        marks.append(_text(_shorten(each.column), str(_LEFT - 8), y + 4, "end"))
        marks.append(Node("polyline", {"class": "wb-whisker wb-series-0", "points": ends}))
        marks.append(Node("circle", {"class": "wb-point wb-series-0", "cx": across(each.loss), "cy": str(y), "r": "4"}))
    marks.append(_text(name, str(_WIDTH - _RIGHT), bottom + 34, "end", "wb-name"))
    box = f"0 0 {_WIDTH} {bottom + 42}"
    return Node("svg", {"class": "wb-picture", "viewBox": box, "role": "img", "aria-label": title}, tuple(marks))


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _line(class_: str, x1: str, x2: str, y1: int, y2: int) -> Node:
    return Node("line", {"class": class_, "x1": x1, "x2": x2, "y1": str(y1), "y2": str(y2)})


def _text(text: str, x: str, y: int, anchor: str, class_: str = "wb-tick-text") -> Node:
    return Node("text", {"class": class_, "x": x, "y": str(y), "text-anchor": anchor}, (text,))
