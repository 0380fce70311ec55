"""Pictures of what was predicted: counts by class, ROC and precision-recall curves, calibration, residuals, importance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.drawings.axis import Axis, fit_axis, spell
from workbench.drawings.picture import Picture, pick_lines
from workbench.drawings.plain_counts import are_few, name_class
from workbench.drawings.plot import Plot, Point
from workbench.models.diagnostics import ClassCurve, Diagnostics
from workbench.stats.reliability import ReliabilityBin
from workbench.stats.residuals import Residuals

_CORNERS = ((0.0, 0.0), (1.0, 1.0))
_MOST_CONFUSED = 10  # mistakes that are listed where there are too many classes for a table


def draw_counts(names: Sequence[str], confusion: Sequence[Sequence[int]]) -> Picture:
    """Return the confusion matrix in plain counts; of many classes the commonest mistakes."""
    if not are_few(names):
        return _list_mistakes(names, confusion)
    rows = tuple(
        (name, *(f"{n:,}" for n in line), f"{sum(line):,}") for name, line in zip(names, confusion, strict=True)
    )
    called = (f"called {name}" for name in names)
    says = "Each line is what rows are; the columns are what they were called."
    return Picture("What was called what", says, ("Is", *called, "rows"), rows)


def _list_mistakes(names: Sequence[str], confusion: Sequence[Sequence[int]]) -> Picture:
    mistakes = [
        (count, is_, called)
        for is_, line in enumerate(confusion)
        for called, count in enumerate(line)
        if count and called != is_
    ]
    mistakes.sort(key=lambda each: (-each[0], *each[1:]))
    rows = tuple(
        (names[is_], names[called], f"{count:,} of {sum(confusion[is_]):,}") for count, is_, called in mistakes
    )[:_MOST_CONFUSED]
    says = f"The commonest of {len(mistakes):,} mistakes among {len(names):,} classes."
    return Picture("What was mistaken for what", says, ("Is", "Called", "Rows"), rows)


def draw_diagnostics(found: Diagnostics, decided: Sequence[Sequence[int]] | None = None) -> list[Picture]:
    """Return a picture of each part there is; `decided` counts what each class was called: of two it is a point of the curves."""
    called = _find_call(decided) if decided is not None and len(decided) == 2 else None
    pictures = [*(_draw_curves(found.curves, called) if found.curves else ())]
    if found.reliability:
        pictures.append(_draw_reliability(found))
    if found.residuals:
        pictures += [_draw_residuals(found.residuals), _draw_histogram(found.residuals)]
    return pictures


def _find_call(confusion: Sequence[Sequence[int]]) -> tuple[Point, Point] | None:
    """Return where the decision stands on the ROC and on the precision-recall curve."""
    (negatives, false), (missed, true) = confusion
    if not (true + missed and negatives + false and true + false):
        return None
    recall = true / (true + missed)
    return (false / (negatives + false), recall), (recall, true / (true + false))


def _draw_curves(curves: Sequence[ClassCurve], called: tuple[Point, Point] | None) -> Iterator[Picture]:
    several = len(curves) > 1
    whose = "of each class" if several else f"of {name_class(curves[0].name)}"
    said = " The dot is where it decides." if called else ""
    says = f"How many {whose} are found, for how many false alarms. The dashed line is chance; up and left is better.{said}"
    axes = Axis("False alarms, share of the others", 0, 1), Axis("Found, share of the class", 0, 1)
    lines = [[(float(x), float(y)) for x, y in curve.roc] for curve in curves]
    yield _draw_lines("ROC curve", says, axes, curves, lines, [_CORNERS], called and called[0])
    says = f"Of those called so how many are right, for how many {whose} are found."
    says += (" Up and right is better." if several else " The dashed line is chance; up and right is better.") + said
    axes = Axis("Found (recall)", 0, 1), Axis("Right among those called (precision)", 0, 1)
    lines = [[(float(x), float(y)) for x, y in curve.precision_recall] for curve in curves]
    chance = [] if several else [((0.0, curves[0].share), (1.0, curves[0].share))]
    yield _draw_lines("Precision-recall curve", says, axes, curves, lines, chance, called and called[1])


def _draw_lines(
    title: str,
    says: str,
    axes: tuple[Axis, Axis],
    curves: Sequence[ClassCurve],
    lines: Sequence[Sequence[Point]],
    chance: Sequence[Sequence[Point]],
    dot: Point | None,
) -> Picture:
    plot, several = Plot(*axes), len(curves) > 1
    marks = [*(plot.line(each, kind="chance") for each in chance), *(plot.line(p, at) for at, p in enumerate(lines))]
    marks += plot.dots([dot], 1, 5) if dot else []
    keys = [curve.name for curve in curves] if several else []
    rows = [
        (*([curve.name] if several else []), spell(x), spell(y))
        for curve, points in zip(curves, lines, strict=True)
        for x, y in pick_lines(points)
    ]
    columns = (*(["Class"] if several else []), axes[0].name, axes[1].name)
    return Picture(title, says, columns, tuple(rows), plot.draw(title, says, marks, keys), is_curve=True)


def _draw_reliability(found: Diagnostics) -> Picture:
    bins = found.reliability
    said = (
        f"Probability of {name_class(found.curves[0].name)}"
        if len(found.curves) == 1
        else "Probability of the class called"
    )
    plot = Plot(Axis(f"{said}, as predicted", 0, 1), Axis("Came true, share of the rows", 0, 1))
    says = "Where both agree (the dashed line) probabilities mean what they say; where less comes true they promise too much."
    whiskers = [plot.whisker(each.said, each.low, each.high) for each in bins]
    places = [(each.said, each.true) for each in bins]
    marks = [plot.line(_CORNERS, kind="chance"), *whiskers, plot.line(places), *plot.dots(places)]
    columns = ("Predicted, on average", "Came true", "95 % bounds", "Rows")
    rows = tuple(map(_spell_bin, bins))
    return Picture("Calibration", says, columns, rows, plot.draw("Calibration", says, marks))


def _spell_bin(each: ReliabilityBin) -> tuple[str, ...]:
    return spell(each.said), spell(each.true), f"{each.low:.2f} to {each.high:.2f}", f"{each.rows:,}"


def _draw_residuals(found: Residuals) -> Picture:
    bands, title = found.bands, "Residuals along the predictions"
    ends = [end for band in bands for end in (band.low, band.high)]
    plot = Plot(
        fit_axis("Predicted, in the target's unit", [b.predicted for b in bands]),
        fit_axis("Truth minus prediction", [0.0, *ends]),
    )
    says = (
        "Above zero the truth is higher than predicted. The line is the middle of rows of like predictions; "
        "eight of ten lie in the band or on the bars."
    )
    zero = plot.line([(plot.x.low, 0.0), (plot.x.high, 0.0)], kind="chance")
    middle = [(band.predicted, band.middle) for band in bands]
    area = plot.area([(b.predicted, b.low) for b in bands], [(b.predicted, b.high) for b in bands])
    marks = [
        area,
        zero,
        *(plot.whisker(b.predicted, b.low, b.high) for b in bands),
        plot.line(middle),
        *plot.dots(middle),
    ]
    columns = ("Predicted, on average", "Lowest tenth", "Middle", "Highest tenth", "Rows")
    rows = tuple((*map(spell, (b.predicted, b.low, b.middle, b.high)), f"{b.rows:,}") for b in bands)
    return Picture(title, says, columns, rows, plot.draw(title, says, marks))


def _draw_histogram(found: Residuals) -> Picture:
    title, pairs = "How far off", list(zip(found.edges, found.edges[1:], found.counts, strict=False))
    plot = Plot(
        fit_axis("Truth minus prediction, in the target's unit", found.edges), Axis("Rows", 0, 1.05 * max(found.counts))
    )
    says = "How many rows are off by how much; the outermost bars hold also what is farther."
    marks = [plot.bar(left, right, 0, count) for left, right, count in pairs]
    zero = plot.line([(0.0, 0.0), (0.0, plot.y.high)], kind="chance") if plot.x.low < 0 < plot.x.high else None
    rows = tuple((f"{spell(left)} to {spell(right)}", f"{count:,}") for left, right, count in pairs)
    return Picture(
        title,
        says,
        ("Truth minus prediction", "Rows"),
        rows,
        plot.draw(title, says, [*marks, *([zero] if zero else [])]),
    )
