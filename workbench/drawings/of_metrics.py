"""Pictures of metrics that were logged step by step; training and validation of one metric share a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from workbench.drawings.axis import fit_axis, is_drawable, spell
from workbench.drawings.picture import Picture, pick_lines
from workbench.drawings.plot import Plot, Point
from workbench.drawings.series import SERIES

MOST_PICTURES = 12
_MOST_POINTS = 200
_PART = re.compile(r"(?:^|(?<=[_/ .-]))(?:train|training|val|valid|validation|test|eval|holdout)(?:$|[_/ .-])")


def draw_courses(courses: Mapping[str, Sequence[Point]]) -> list[Picture]:
    """Return a picture for each metric with points at several steps, each (step, value); beyond twelve the others are left out."""
    drawable = {name: [point for point in points if is_drawable(point[1])] for name, points in courses.items()}
    several = {name: points for name, points in drawable.items() if len({step for step, _ in points}) > 1}
    groups: dict[str, list[str]] = {}
    for name in several:
        groups.setdefault(_PART.sub("", name).strip("_/ .-") or name, []).append(name)
    parts = [(base, names[at : at + SERIES]) for base, names in groups.items() for at in range(0, len(names), SERIES)]
    return [_draw(base, {name: several[name] for name in names}) for base, names in parts[:MOST_PICTURES]]


def _draw(base: str, courses: Mapping[str, Sequence[Point]]) -> Picture:
    names, lines = list(courses), [thin(points) for points in courses.values()]
    points = [point for line in lines for point in line]
    title = names[0] if len(names) == 1 else base
    plot = Plot(fit_axis("Step", [step for step, _ in points]), fit_axis(title, [value for _, value in points]))
    says = " ".join(_say_course(name, line, alone=len(names) == 1) for name, line in zip(names, lines, strict=True))
    marks = [plot.line(line, at) for at, line in enumerate(lines)]
    rows = tuple(
        (*([name] if len(names) > 1 else []), spell(float(step)), spell(value, 4))
        for name, line in zip(names, lines, strict=True)
        for step, value in pick_lines(line)
    )
    columns = (*(["Metric"] if len(names) > 1 else []), "Step", "Value")
    keys = names if len(names) > 1 else []
    return Picture(title, says, columns, rows, plot.draw(f"{title} by step", says, marks, keys))


def _say_course(name: str, line: Sequence[Point], *, alone: bool) -> str:
    (first, begin), (last, end) = line[0], line[-1]
    moved = f"from {spell(begin, 4)} at step {first:,.0f} to {spell(end, 4)} at step {last:,.0f}"
    return f"{moved[:1].upper()}{moved[1:]}." if alone else f"{name}: {moved}."


def thin(points: Sequence[Point]) -> list[Point]:
    """Return at most two hundred points of a course: the first and the last, and of each stretch the lowest and the highest."""
    if len(points) <= _MOST_POINTS:
        return list(points)
    inner, stretches = points[1:-1], _MOST_POINTS // 2 - 1
    parts = (inner[len(inner) * at // stretches : len(inner) * (at + 1) // stretches] for at in range(stretches))
    extremes = ((min(part, key=_value), max(part, key=_value)) for part in parts)
    return [points[0], *(point for pair in extremes for point in sorted(pair)), points[-1]]


def _value(point: Point) -> float:
    return point[1]
