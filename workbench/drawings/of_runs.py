"""Pictures of very many runs: bands of lines across upright axes, and the means of a metric along a parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.drawings.axis import PlacedTicks, fit_axis
from workbench.drawings.picture import Node, Picture
from workbench.drawings.plot import Plot

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

COLOURS = 5  # so many classes of the mean of what is coloured by: wb-level-0, the lowest, to wb-level-4
_BANDS = 10  # an axis is cut into so many parts of equal length
_LANE = _BANDS  # rows without a place run through a part of their own
_WIDTH, _LEFT, _RIGHT, _TOP, _TALL, _LANE_TALL, _BOTTOM = 720, 84, 36, 30, 220, 14, 22
_MOST_TEXT, _LETTER = 13, 7


@dataclass(frozen=True)
class Upright:
    """An upright axis: ticks at places from 0 to 1, the place of each row (NaN: none), and what the lane of those is called."""

    label: str
    ticks: Sequence[tuple[float, str]]
    places: npt.NDArray[np.float32]
    lane: str = ""


@dataclass(frozen=True)
class Mean:
    """A mean at a place along the parameter, over a bin from `left` to `right`; its interval's ends, None of a single row."""

    place: float
    left: float
    right: float
    mean: float
    low: float | None
    high: float | None


def draw_parallel_coordinates(
    says: str, axes: Sequence[Upright], columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
) -> Picture:
    """Return all rows as bands between tenths of neighbouring axes, fuller the more rows; the colour is the last axis's mean."""
    title = "Parallel coordinates"
    if len(axes) < 2:
        return Picture(title, says, columns, rows)
    words = (Node("title", {}, (title,)), Node("desc", {}, (says,)))
    marks = (*_draw_bands(axes), *(node for number in range(len(axes)) for node in _draw_axis(axes, number)))
    box = f"0 0 {_WIDTH} {_TOP + _TALL + _LANE_TALL + _BOTTOM}"
    attributes = {"class": "wb-picture wb-parallel", "viewBox": box, "role": "img", "aria-label": title}
    return Picture(title, says, columns, rows, Node("svg", attributes, (*words, *marks)))


def _draw_bands(axes: Sequence[Upright]) -> Iterator[Node]:
    import numpy as np

    parts = [_cut(axis.places) for axis in axes]
    last = axes[-1].places
    for number, (one, other) in enumerate(pairwise(parts)):
        pairs, band, counts = np.unique(one * (_BANDS + 1) + other, return_inverse=True, return_counts=True)
        there = ~np.isnan(last)
        coloured = np.bincount(band[there], minlength=len(pairs))
        sums = np.bincount(band[there], last[there], minlength=len(pairs))
        for pair, count, having, total in zip(pairs.tolist(), counts, coloured, sums, strict=True):
            class_ = f"wb-flow wb-level-{min(int(total / having * COLOURS), COLOURS - 1)}" if having else "wb-flow"
            fullness = 0.04 + 0.36 * float(count / counts.max())
            left, right = divmod(pair, _BANDS + 1)
            yield _draw_band(_x(number, len(axes)), _x(number + 1, len(axes)), left, right, class_, fullness)


def _cut(places: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return the part of the axis each row lies in; the last is the lane."""
    import numpy as np

    parts = np.minimum(np.nan_to_num(places, nan=0.0) * _BANDS, _BANDS - 1).astype(np.int64)
    return np.where(np.isnan(places), _LANE, parts)


def _draw_band(x1: float, x2: float, left: int, right: int, class_: str, fullness: float) -> Node:
    (top1, bottom1), (top2, bottom2) = _ends(left), _ends(right)
    points = f"{x1:.0f},{top1:.0f} {x1:.0f},{bottom1:.0f} {x2:.0f},{bottom2:.0f} {x2:.0f},{top2:.0f}"
    return Node("polygon", {"class": class_, "points": points, "fill-opacity": f"{fullness:.2f}"})


def _ends(part: int) -> tuple[float, float]:
    if part == _LANE:
        return _TOP + _TALL + 6, _TOP + _TALL + _LANE_TALL
    return _TOP + _TALL * (1 - (part + 0.75) / _BANDS), _TOP + _TALL * (1 - (part + 0.25) / _BANDS)


def _x(number: int, count: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * number / (count - 1)


def _draw_axis(axes: Sequence[Upright], number: int) -> Iterator[Node]:
    axis, x = axes[number], _x(number, len(axes))
    most = max(int((_WIDTH - _LEFT - _RIGHT) / (len(axes) - 1) / _LETTER), 4)
    yield _line(x, x, _TOP, _TOP + _TALL)
    for place, text in axis.ticks:
        y = _TOP + _TALL * (1 - place)
        yield _line(x - 4, x, y, y)
        yield _text(_shorten(text, _MOST_TEXT if number == 0 else min(most - 1, _MOST_TEXT)), x - 6, y + 4, "end")
    if axis.lane:
        yield _text(axis.lane, x, _TOP + _TALL + _LANE_TALL + 14, "middle")
    yield _text(_shorten(axis.label, most), x, 16, "middle", "wb-name")


def draw_means(
    title: str, says: str, names: tuple[str, str], ticks: Sequence[tuple[float, str]], means: Sequence[Mean]
) -> Node:
    """Return the means along a parameter with their intervals; `names` are those of both axes, `ticks` those of the parameter."""
    ends = (end for each in means for end in (each.mean, each.low, each.high) if end is not None)
    shown = [(place, _shorten(text, _fit(len(ticks)))) for place, text in ticks]
    plot = Plot(PlacedTicks(names[0], tuple(shown)), fit_axis(names[1], ends))
    marks = []
    for each in means:
        if each.low is not None and each.high is not None:
            marks.append(plot.whisker(each.place, each.low, each.high))
        if each.left < each.right:
            marks.append(plot.line([(each.left, each.mean), (each.right, each.mean)], 0, "whisker"))
    dots = plot.dots([(each.place, each.mean) for each in means])
    return plot.draw(title, says, [*marks, *dots])


def _fit(ticks: int) -> int:
    return max(4, 290 // (_LETTER * max(ticks, 1)))


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _line(x1: float, x2: float, y1: float, y2: float) -> Node:
    return Node(
        "line", {"class": "wb-axis", "x1": f"{x1:.0f}", "x2": f"{x2:.0f}", "y1": f"{y1:.0f}", "y2": f"{y2:.0f}"}
    )


def _text(text: str, x: float, y: float, anchor: str, class_: str = "wb-tick-text") -> Node:
    return Node("text", {"class": class_, "x": f"{x:.0f}", "y": f"{y:.0f}", "text-anchor": anchor}, (text,))
