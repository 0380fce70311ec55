"""Pictures of several runs at once: their curves on one pair of axes, a colour and a pattern for each, and slices as a heat map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import floor, log10

from workbench.drawings.axis import Axis, fit_axis, is_drawable, spell
from workbench.drawings.of_metrics import thin
from workbench.drawings.picture import Node, Picture, pick_lines
from workbench.drawings.plain_counts import name_class
from workbench.drawings.plot import Plot, Point
from workbench.drawings.series import SERIES
from workbench.models.diagnostics import Diagnostics

_CORNERS = ((0.0, 0.0), (1.0, 1.0))
MOST_RUNS = SERIES
# Of so many points a course is smoothed, over so small a part of them.
_MANY_POINTS, _PART = 60, 20
_ROOM_OF_FOUR = 48  # a cell that is narrower has three digits
_MOST_CELLS, _WIDTH, _LEFT, _TOP, _LINE = 40, 360, 140, 26, 24


@dataclass(frozen=True)
class Calls:
    """What the rows of two and more classes were called: `confusion` has a line for each class, a column for what it was called."""

    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class SliceScores:
    """A part of the holdout: its name, how many rows it has, and the metric of each run there, None where it is not defined."""

    name: str
    rows: int
    scores: tuple[float | None, ...]


def draw_diagnostics_of(runs: Mapping[str, Diagnostics], series: Sequence[int]) -> list[Picture]:
    """Return one picture of each kind that two classes, or numbers, have: ROC, precision-recall, lift, calibration, residuals.

    `runs` are at most six, by what they are called, also those of which nothing is known: each keeps its colour, whose numbers
    `series` has. Of more than two classes only calibration is drawn: their curves would be as many for each run.
    """
    ranked = {name: each.curves[0] for name, each in runs.items() if len(each.curves) == 1}
    pictures = []
    names = dict(zip(runs, series, strict=True))
    if ranked:
        whose = name_class(next(iter(ranked.values())).name)
        roc = {name: [(float(x), float(y)) for x, y in curve.roc] for name, curve in ranked.items()}
        recall = {name: [(float(x), float(y)) for x, y in curve.precision_recall] for name, curve in ranked.items()}
        gains = {name: _gain(roc[name], curve.share) for name, curve in ranked.items()}
        share = next(iter(ranked.values())).share
        pictures += [
            _draw("ROC curve", f"How many {whose} are found, for how many false alarms: up and left is better.",
                  (Axis("False alarms, share of the others", 0, 1), Axis("Found, share of the class", 0, 1)), roc, names, _CORNERS),
            _draw("Precision-recall curve", f"Of those called {whose} how many are right, for how many are found: up is better.",
                  (Axis("Found (recall)", 0, 1), Axis("Right among those called (precision)", 0, 1)), recall,
                  names, ((0.0, share), (1.0, share))),
            _draw("Lift", f"How many {whose} are found among the rows with the highest scores: up and left is better.",
                  (Axis("Rows looked at, highest scores first", 0, 1), Axis("Found, share of the class", 0, 1)), gains, names,
                  _CORNERS),
        ]  # fmt: skip
    told = {
        name: [(bin_.said, bin_.true) for bin_ in each.reliability] for name, each in runs.items() if each.reliability
    }
    if told:
        says = "Where both agree (the dashed line) probabilities mean what they say; below it they promise too much."
        axes = Axis("Probability, as predicted", 0, 1), Axis("Came true, share of the rows", 0, 1)
        pictures.append(_draw("Calibration", says, axes, told, names, _CORNERS))
    off = {
        name: [(band.predicted, band.middle) for band in each.residuals.bands]
        for name, each in runs.items()
        if each.residuals and each.residuals.bands
    }
    if off:
        points = [point for line in off.values() for point in line]
        x = fit_axis("Predicted, in the target's unit", [place for place, _ in points])
        axes = x, fit_axis("Truth minus prediction, middle", [0.0, *(value for _, value in points)])
        says = "Above zero the truth is higher than predicted; the line is the middle of rows of like predictions."
        pictures.append(_draw("Residuals along the predictions", says, axes, off, names, ((x.low, 0.0), (x.high, 0.0))))
    return pictures


def draw_calls_of(runs: Mapping[str, Calls]) -> list[Picture]:
    """Return a table of how many rows each run names wrong; of two classes which way."""
    if not runs:
        return []
    first, second, *more = next(iter(runs.values())).classes
    ways = () if more else (f"{first} called {second}", f"{second} called {first}")
    rows = []
    for name, calls in runs.items():
        count = sum(map(sum, calls.confusion))
        wrong = count - sum(line[at] for at, line in enumerate(calls.confusion))
        each = () if more else (calls.confusion[0][1], calls.confusion[1][0])
        rows.append((name, f"{wrong:,} of {count:,}", *(f"{n:,}" for n in each)))
    says = "What each decides for, row by row, at its own threshold."
    return [Picture("How many are named wrong", says, ("Run", "Wrong", *ways), tuple(rows))]


def _gain(roc: Sequence[Point], share: float) -> list[Point]:
    """Return which share of the rows must be looked at to find which share of the class."""
    return [(share * found + (1 - share) * alarms, found) for alarms, found in roc]


def draw_courses_of(runs: Mapping[str, Mapping[str, Sequence[Point]]], series: Sequence[int]) -> list[Picture]:
    """Return a picture for each metric with several steps; of many points the mean of neighbours is drawn, and that is said."""
    names = dict.fromkeys(name for courses in runs.values() for name in courses)
    pictures = []
    colours = dict(zip(runs, series, strict=True))
    for metric in names:
        lines = {run: [p for p in courses.get(metric, ()) if is_drawable(p[1])] for run, courses in runs.items()}
        lines = {run: line for run, line in lines.items() if len({step for step, _ in line}) > 1}
        if not lines:
            continue
        most = max(map(len, lines.values()))
        width = 2 * (most // _PART // 2) + 1 if most > _MANY_POINTS else 1
        smooth = {run: thin(_smooth(line, width)) for run, line in lines.items()}
        points = [point for line in smooth.values() for point in line]
        axes = fit_axis("Step", [step for step, _ in points]), fit_axis(metric, [value for _, value in points])
        says = (
            f"Each point is the mean of {width} neighbours; single points scatter more."
            if width > 1
            else "As it was logged."
        )
        pictures.append(_draw(f"{metric} by step", says, axes, smooth, colours))
    return pictures


def _smooth(line: Sequence[Point], width: int) -> list[Point]:
    """Return each point as the mean of those around it, fewer at the ends."""
    if width == 1:
        return list(line)
    half = width // 2
    windows = ((step, line[max(at - half, 0) : at + half + 1]) for at, (step, _) in enumerate(line))
    return [(step, sum(value for _, value in window) / len(window)) for step, window in windows]


def _draw(
    title: str,
    says: str,
    axes: tuple[Axis, Axis],
    lines: Mapping[str, Sequence[Point]],
    runs: Mapping[str, int],
    beside: Sequence[Point] = (),
) -> Picture:
    """Return lines of runs on one pair of axes; the dashed one `beside` them is chance, or what should be.

    `runs` has the number of each one's colour, in every picture the same, also where others have no line there.
    """
    plot = Plot(*axes)
    marks = [plot.line(beside, kind="chance")] if beside else []
    marks += [plot.line(points, runs[name], name=name) for name, points in lines.items()]
    keys = [name if name in lines else f"{name}: none" for name in runs]
    rows = tuple((name, spell(x), spell(y)) for name, points in lines.items() for x, y in pick_lines(points))
    return Picture(
        title, says, ("Run", axes[0].name, axes[1].name), rows, plot.draw(title, says, marks, keys, list(runs.values()))
    )


def draw_slices(metric: str, better: str, runs: Mapping[str, int], slices: Sequence[SliceScores]) -> Picture:
    """Return a heat map: a line for each part of the holdout, a column for each run, darker where the metric is better.

    `runs` has the number of each one's colour, `better` is higher or lower. The number stands in each
    cell, so that nobody needs the shade; beyond forty parts the drawing has the first, the table all.
    """
    title = f"{metric} by part of the holdout"
    says = f"The {better} the better, and darker. Few rows say little: how many there are stands behind each."
    columns = ("Part", "Rows", *runs)
    rows = tuple((each.name, f"{each.rows:,}", *map(_spell_score, each.scores)) for each in slices)
    return Picture(title, says, columns, rows, _draw_cells(title, says, better, runs, slices[:_MOST_CELLS]))


def _spell_score(score: float | None, digits: int = 4) -> str:
    return "\N{EN DASH}" if score is None else spell(score, digits)


def _spell_alike(known: Sequence[float], digits: int) -> Callable[[float | None], str]:
    """Return what spells scores with the same decimals, to be read along; each by itself where they are large or small."""
    most = max(map(abs, known), default=0.0)
    if not 0.1 <= most < 1_000:
        return partial(_spell_score, digits=digits)
    decimals = digits if most <= 1 else max(digits - 1 - floor(log10(most)), 0)

    def spell_one(score: float | None) -> str:
        return _spell_score(None) if score is None else f"{score:.{decimals}f}".replace("-", "\N{MINUS SIGN}")

    return spell_one


def _draw_cells(title: str, says: str, better: str, runs: Mapping[str, int], slices: Sequence[SliceScores]) -> Node:
    known = [score for each in slices for score in each.scores if score is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    width, marks = (_WIDTH - _LEFT) / len(runs), [Node("title", {}, (title,)), Node("desc", {}, (says,))]
    spelled = _spell_alike(known, 4 if width >= _ROOM_OF_FOUR else 3)
    for at, series in enumerate(runs.values()):
        x = _LEFT + width * (at + 0.5)
        marks += [_text(f"{at + 1}", x, _TOP - 10, "middle", "wb-name"), _mark_colour(series, x - 6, _TOP - 6, 12, 3)]
    for line, each in enumerate(slices):
        y = _TOP + _LINE * line
        marks.append(_text(_shorten(f"{each.name} ({each.rows:,})"), _LEFT - 8, y + 16, "end"))
        for at, score in enumerate(each.scores):
            share = 0.0 if score is None or high == low else (score - low) / (high - low)
            shade = 0.0 if score is None else 0.08 + 0.42 * (share if better == "higher" else 1 - share)
            place = {
                "x": f"{_LEFT + width * at:.1f}",
                "y": str(y),
                "width": f"{width - 2:.1f}",
                "height": str(_LINE - 2),
            }
            marks.append(Node("rect", {"class": "wb-cell", "fill-opacity": f"{shade:.2f}", **place}))
            marks.append(_text(spelled(score), _LEFT + width * (at + 0.5), y + 16, "middle", "wb-cell-text"))
    bottom = _TOP + _LINE * len(slices)
    for at, name in enumerate(runs):
        y = bottom + 16 + 16 * at
        marks += [_mark_colour(runs[name], 6, y - 9, 10, 10), _text(f"{at + 1}  {name}", 22, y, "start")]
    box = f"0 0 {_WIDTH} {bottom + 16 * len(runs) + 12}"
    return Node("svg", {"class": "wb-picture", "viewBox": box, "role": "img", "aria-label": title}, tuple(marks))


def _mark_colour(series: int, x: float, y: float, width: float, height: float) -> Node:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:g}", "height": f"{height:g}"}
    return Node("rect", {"class": f"wb-key wb-series-{series}", **place})


def _shorten(text: str, longest: int = 22) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _text(text: str, x: float, y: float, anchor: str, class_: str = "wb-tick-text") -> Node:
    return Node("text", {"class": class_, "x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}, (text,))
