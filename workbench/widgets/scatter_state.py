"""A scatter of runs: one parameter against one metric, with the mean of the metric for each value and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.drawings.axis import spell
from workbench.runs.table.groups import Summary, summarize
from workbench.widgets.axis_state import (
    PlacedAxis,
    Scale,
    fit_ends,
    pick_columns,
    place_axis,
    place_category,
    spell_label,
)
from workbench.words.numbers import choose_decimals, format_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# So many values of a parameter have a mean each; more of a number are put together in bins.
MOST_VALUES, BINS = 20, 10
MOST_POINTS = 2_000


@dataclass(frozen=True)
class Choice:
    """What a person looks at: a parameter and a metric by their columns (empty: the first and the last), drawn by powers or not."""

    x: str = ""
    y: str = ""
    x_is_log: bool | None = None
    y_is_log: bool | None = None
    fits_means: bool = False  # the axis of the metric shows the means and their intervals, with the rows in between


@dataclass(frozen=True)
class Part:
    """The rows with one value of a parameter, or in a bin: `place` is where its mean stands, `low` and `high` where a bin ends."""

    name: str
    place: float
    low: float
    high: float
    summary: Summary


@dataclass(frozen=True)
class Scatter:
    """Two axes with the places of all rows; `params` and `metrics` are what there is to choose from, by column and label."""

    x: PlacedAxis
    y: PlacedAxis
    params: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, str], ...]
    fits_means: bool = False


def place_scatter(columns: Sequence[Mapping[str, Any]], choice: Choice) -> Scatter | None:
    """Return the axes of a scatter; None where there is no parameter or no metric among the columns."""
    params = pick_columns(columns, ("params.",), is_grouped=False)
    metrics = [each for each in pick_columns(columns, ("metrics.",), is_grouped=False) if each["kind"] == "number"]
    if not params or not metrics:
        return None
    first = next((each for each in params if each["kind"] == "number"), params[0])
    x = next((each for each in params if each["name"] == choice.x), first)
    y = next((each for each in metrics if each["name"] == choice.y), metrics[-1])
    names = [tuple((each["name"], spell_label(each)) for each in found) for found in (params, metrics)]
    across, up = Scale(is_log=choice.x_is_log), Scale(is_log=choice.y_is_log)
    scatter = Scatter(place_axis(x, across), place_axis(y, up), names[0], names[1])
    return _fit_means(scatter, y) if choice.fits_means else scatter


def _fit_means(scatter: Scatter, column: Mapping[str, Any]) -> Scatter:
    """Return the scatter near its means; rows beyond have no place in it."""
    import numpy as np

    summaries = [part.summary for part in measure_parts(scatter)]
    ends = [end for each in summaries for end in (each.low, each.mean, each.high) if end is not None]
    axis = scatter.y.axis
    if axis is None or not ends or min(ends) == max(ends) or (axis.is_log and min(ends) <= 0):
        return scatter
    low, high = fit_ends(np.asarray(ends), is_log=axis.is_log)
    y = place_axis(column, Scale(low, high, axis.is_log))
    beyond = (y.values < low) | (y.values > high)
    return replace(scatter, y=replace(y, places=np.where(beyond, np.nan, y.places).astype("<f4")), fits_means=True)


def scatter_state(scatter: Scatter | None) -> dict[str, Any] | None:
    """Return both axes with the place of each row, and what there is to choose from."""
    if scatter is None:
        return None
    return {
        "x": scatter.x.to_state(),
        "y": scatter.y.to_state(),
        "params": [list(pair) for pair in scatter.params],
        "metrics": [list(pair) for pair in scatter.metrics],
        "fits_means": scatter.fits_means,
        "most_points": MOST_POINTS,
    }


def measure_parts(scatter: Scatter, rows: npt.NDArray[np.int64] | None = None) -> list[Part]:
    """Return the means of the metric for each value or bin of the parameter, over all rows or over some, in the axis's order.

    Of more than twenty categories those with most rows. Each interval is Student's, as that of a group.
    """
    import numpy as np

    x, y = (axis.values if rows is None else axis.values[rows] for axis in (scatter.x, scatter.y))
    there = np.isfinite(x) & np.isfinite(y)
    x, y = x[there], y[there]
    if scatter.x.axis is None:
        return _measure_categories(scatter.x, x, y)
    values = np.unique(x)
    return _measure_values(scatter.x, values, x, y) if len(values) <= MOST_VALUES else _measure_bins(scatter.x, x, y)


def _measure_categories(axis: PlacedAxis, x: Any, y: Any) -> list[Part]:
    import numpy as np

    counts = np.bincount(x.astype(np.int64), minlength=len(axis.names))
    most = sorted(number for number in np.argsort(-counts, kind="stable")[:MOST_VALUES] if counts[number])
    parts = []
    for number in most:
        place = place_category(int(number), len(axis.names))
        parts.append(Part(axis.names[number], place, place, place, summarize(y[x == number].tolist())))
    return parts


def _measure_values(axis: PlacedAxis, values: Any, x: Any, y: Any) -> list[Part]:
    assert axis.axis is not None
    drawn = [float(value) for value in values if value > 0 or not axis.axis.is_log]
    places = [axis.axis.place(value) for value in drawn]
    return [
        Part(spell(value, 4), place, place, place, summarize(y[x == value].tolist()))
        for value, place in zip(drawn, places, strict=True)
    ]


def _measure_bins(axis: PlacedAxis, x: Any, y: Any) -> list[Part]:
    """Return bins of equal width as the axis is drawn; empty ones are left out."""
    import numpy as np

    assert axis.axis is not None
    drawn = x > 0 if axis.axis.is_log else np.ones(len(x), dtype=bool)
    ends = _spread(x[drawn], is_log=axis.axis.is_log)
    bins = np.clip(np.searchsorted(ends, x, side="right") - 1, 0, BINS - 1)
    parts = []
    for number in range(BINS):
        inside = drawn & (bins == number)
        if inside.any():
            low, high = float(ends[number]), float(ends[number + 1])
            name = f"{spell(low)} to {spell(high)}"
            left, right = axis.axis.place(low), axis.axis.place(high)
            parts.append(Part(name, (left + right) / 2, left, right, summarize(y[inside].tolist())))
    return parts


def _spread(values: Any, *, is_log: bool) -> Any:
    import numpy as np

    low, high = values.min(), values.max()
    return np.geomspace(low, high, BINS + 1) if is_log else np.linspace(low, high, BINS + 1)


def describe_scatter(scatter: Scatter | None, rows: npt.NDArray[np.int64] | None = None) -> dict[str, Any]:
    """Return means as they are drawn, in words and as a table, over all rows or over some."""
    if scatter is None:
        return {
            "says": "It needs a parameter and a metric of numbers among the columns.",
            "columns": (),
            "rows": [],
            "marks": [],
        }
    parts = measure_parts(scatter, rows)
    x, y = scatter.x, scatter.y
    decimals = choose_decimals(end for part in parts for end in (part.summary.min, part.summary.max))
    return {
        "says": say_scatter(scatter, parts, len(x.values) if rows is None else len(rows)),
        "columns": (x.label, "Rows", f"Mean {y.label}", "95 % from", "to", "Lowest", "Highest"),
        "rows": [_describe(part, decimals) for part in parts],
        "marks": [_mark(y, part) for part in parts if not _is_beyond(y, part)],
    }


def say_scatter(scatter: Scatter, parts: Sequence[Part], count: int) -> str:
    """Return how to read it: what a point is, over what the means are, and how many rows are not in it."""
    x, y = scatter.x, scatter.y
    with_both = sum(part.summary.n for part in parts)
    is_binned = any(part.low != part.high for part in parts)
    of = f"each of {len(parts)} bins of equal width" if is_binned else f"each value of {x.label}"
    if x.axis is None and len(parts) == MOST_VALUES < len(x.names):
        of = f"the {MOST_VALUES} of {len(x.names):,} values of {x.label} that most rows have"
    lost = count - with_both
    without = f" {lost:,} row{' is' if lost == 1 else 's are'} in no mean." if lost else ""
    if scatter.fits_means:
        without += f" The axis ends near the means: {y.beyond:,} rows lie beyond it and are in the means all the same."
        lost = sum(_is_beyond(y, part) for part in parts)
        without += f" So do {lost} means of the rows in sight." if lost else ""
    return (
        f"Each dot is a run. A diamond is the mean of {y.label} for {of}, over {with_both:,} of {count:,} rows, its line the "
        f"95 % interval of that mean (Student's t).{_say_best(parts)}{without}"
    )


def _say_best(parts: Sequence[Part]) -> str:
    if len(parts) < 2:
        return ""
    most = max(parts, key=lambda part: part.summary.mean)
    least = min(parts, key=lambda part: part.summary.mean)
    low, high = most.summary.low, least.summary.high
    are_apart = low is not None and high is not None and low > high
    overlap = (
        "their intervals do not overlap" if are_apart else "their intervals overlap or are unknown: that may be chance"
    )
    return (
        f" The mean is highest at {most.name} ({spell(most.summary.mean, 4)}) and lowest at {least.name} "
        f"({spell(least.summary.mean, 4)}); {overlap}."
    )


def _describe(part: Part, decimals: int) -> tuple[str, ...]:
    said = part.summary
    values = (said.mean, said.low, said.high, said.min, said.max)
    return (part.name, f"{said.n:,}", *(format_number(value, decimals) for value in values))


def _mark(y: PlacedAxis, part: Part) -> dict[str, Any]:
    """Return a mean as places along both axes; an end that the axis does not reach is held at its end."""
    assert y.axis is not None
    said = part.summary
    low, mean, high = (_place(y, value) for value in (said.low, said.mean, said.high))
    words = f"{part.name}: mean {spell(said.mean, 4)}, {said.n:,} row{'' if said.n == 1 else 's'}"
    return {
        "at": part.place,
        "left": part.low,
        "right": part.high,
        "low": low,
        "mean": mean,
        "high": high,
        "text": words,
    }


def _is_beyond(y: PlacedAxis, part: Part) -> bool:
    return y.axis is None or not y.axis.low <= part.summary.mean <= y.axis.high


def _place(y: PlacedAxis, value: float | None) -> float | None:
    assert y.axis is not None
    if value is None:
        return None
    return 0.0 if y.axis.is_log and value <= 0 else y.axis.place(value)
