"""A plot: two axes, and lines, points and bars between them, as SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.drawings.axis import Axis, PlacedTicks
from workbench.drawings.picture import Node
from workbench.drawings.series import SERIES

Point = tuple[float, float]

_WIDTH, _HEIGHT = 360, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 14, 26, 42
_ACROSS, _DOWN = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_KEY_HEIGHT, _KEY_COLUMNS, _LONGEST_KEY = 18, 2, 22


@dataclass(frozen=True)
class Plot:
    """Where values stand on the paper, 360 by 240 units and more for a key."""

    x: Axis | PlacedTicks
    y: Axis

    def line(self, points: Sequence[Point], series: int = 0, kind: str = "line", name: str = "") -> Node:
        """Return a line through the points; one with a name says it where it is pointed at."""
        placed = " ".join(f"{_px(x)},{_px(y)}" for x, y in map(self._place, points))
        named = {"data-name": name} if name else {}
        return _node("polyline", f"wb-{kind}{_of_series(series)}", points=placed, **named)

    def dots(self, points: Iterable[Point], series: int = 0, radius: float = 3.5) -> list[Node]:
        """Return a dot for each point."""
        places = map(self._place, points)
        return [
            _node("circle", f"wb-point{_of_series(series)}", cx=_px(x), cy=_px(y), r=f"{radius:g}") for x, y in places
        ]

    def whisker(self, x: float, low: float, high: float, series: int = 0) -> Node:
        """Return a line up from `low` to `high`."""
        return self.line([(x, low), (x, high)], series, "whisker")

    def bar(self, left: float, right: float, low: float, high: float) -> Node:
        """Return a bar between these values."""
        (x0, y0), (x1, y1) = self._place((left, high)), self._place((right, low))
        return _node("rect", "wb-bar", x=_px(x0), y=_px(y0), width=_px(max(x1 - x0 - 1, 0.5)), height=_px(y1 - y0))

    def area(self, lower: Sequence[Point], upper: Sequence[Point]) -> Node:
        """Return the area between two lines."""
        placed = " ".join(f"{_px(x)},{_px(y)}" for x, y in map(self._place, [*lower, *reversed(upper)]))
        return _node("polygon", "wb-area", points=placed)

    def draw(
        self, title: str, says: str, marks: Iterable[Node], keys: Sequence[str] = (), series: Sequence[int] = ()
    ) -> Node:
        """Return the whole drawing; `keys` name its series, where there are several, `series` their colours if not in order."""
        height = _HEIGHT + _KEY_HEIGHT * -(-len(keys) // _KEY_COLUMNS)
        words = (Node("title", {}, (title,)), Node("desc", {}, (says,)))
        attributes = {"class": "wb-picture", "viewBox": f"0 0 {_WIDTH} {height}", "role": "img", "aria-label": title}
        attributes |= self._spell_scales() if series else {}
        keyed = list(zip(keys, series or range(len(keys)), strict=True))
        return Node("svg", attributes, (*words, *self._draw_axes(), *marks, *_draw_keys(keyed)))

    def _spell_scales(self) -> dict[str, str]:
        """Return where on the paper which values stand, for whoever points at a line."""
        ends = ("x", self.x, _LEFT, _WIDTH - _RIGHT), ("y", self.y, _HEIGHT - _BOTTOM, _TOP)
        return {f"data-{of}": f"{axis.low!r} {axis.high!r} {low} {high}" for of, axis, low, high in ends}

    def _place(self, point: Point) -> Point:
        return _LEFT + _ACROSS * self.x.place(point[0]), _TOP + _DOWN * (1 - self.y.place(point[1]))

    def _draw_axes(self) -> Iterable[Node]:
        bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
        for value, text in self.y.ticks:
            y = _TOP + _DOWN * (1 - self.y.place(value))
            yield _node("line", "wb-grid", x1=_px(_LEFT), x2=_px(right), y1=_px(y), y2=_px(y))
            yield _text(text, _LEFT - 6, y + 4, "end")
        for value, text in self.x.ticks:
            x = _LEFT + _ACROSS * self.x.place(value)
            yield _node("line", "wb-axis", x1=_px(x), x2=_px(x), y1=_px(bottom), y2=_px(bottom + 4))
            yield _text(text, x, bottom + 17, "middle")
        yield _node("line", "wb-axis", x1=_px(_LEFT), x2=_px(right), y1=_px(bottom), y2=_px(bottom))
        yield _text(self.y.name, 2, 13, "start", "wb-name")
        yield _text(self.x.name, right, _HEIGHT - 8, "end", "wb-name")


def _draw_keys(keys: Sequence[tuple[str, int]]) -> Iterable[Node]:
    for at, (name, series) in enumerate(keys):
        x = 6 + (_WIDTH // _KEY_COLUMNS) * (at % _KEY_COLUMNS)
        y = _HEIGHT + 9 + _KEY_HEIGHT * (at // _KEY_COLUMNS)
        yield _node("line", f"wb-line{_of_series(series)}", x1=_px(x), x2=_px(x + 26), y1=_px(y), y2=_px(y))
        yield _text(name if len(name) <= _LONGEST_KEY else f"{name[: _LONGEST_KEY - 1]}…", x + 32, y + 4, "start")


def _of_series(number: int) -> str:
    return f" wb-series-{number % SERIES}"


def _node(tag: str, class_: str, **attributes: str) -> Node:
    return Node(tag, {"class": class_, **attributes})


def _text(text: str, x: float, y: float, anchor: str, class_: str = "wb-tick-text") -> Node:
    return Node("text", {"class": class_, "x": _px(x), "y": _px(y), "text-anchor": anchor}, (text,))


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
