"""Parallel coordinates of runs: an upright axis for each parameter and metric, a line for each row, its colour by a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.drawings.axis import spell
from workbench.widgets.axis_state import PlacedAxis, Scale, pick_columns, place_axis

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MOST_AXES = 24
LEVELS = 16
NO_LEVEL = 255
# Up to so many lines each is one of its own; of more it is counted how many cross each pixel.
MOST_LINES = 2_000
_MOST_NAMED = 5
TABLE = (
    "Column",
    "With a value",
    "Without",
    "Lowest",
    "Lower quarter",
    "Median",
    "Upper quarter",
    "Highest",
    "Commonest",
)


def place_axes(
    columns: Sequence[Mapping[str, Any]], scales: Mapping[str, Scale], *, is_grouped: bool
) -> tuple[list[PlacedAxis], int]:
    """Return the axes of the columns shown, parameters first, and how many there was no room for."""
    kinds = (("params.", "tags.", "run."), ("metrics.",)) if is_grouped else (("params.",), ("metrics.",))
    found = [column for of in kinds for column in pick_columns(columns, of, is_grouped=is_grouped)]
    drawn = found if len(found) <= MOST_AXES else [*found[: MOST_AXES - 1], found[-1]]
    axes = [place_axis(column, scales.get(column["name"], Scale()), is_downward=True) for column in drawn]
    return axes, len(found) - len(drawn)


def parallel_coordinates_state(axes: Sequence[PlacedAxis]) -> dict[str, Any]:
    """Return axes with the place of each row and the level of its colour, 0 to 15, or 255 where it has none."""
    coloured = axes[-1] if axes else None
    return {
        "axes": [axis.to_state() for axis in axes],
        "levels": find_levels(coloured).tobytes() if coloured else b"",
        "colour": _describe_colour(coloured) if coloured else None,
        "most_lines": MOST_LINES,
    }


def find_levels(axis: PlacedAxis) -> npt.NDArray[np.uint8]:
    """Return the level of colour of each row by its place on an axis."""
    import numpy as np

    there = ~np.isnan(axis.places)
    levels = np.full(len(axis.places), NO_LEVEL, np.uint8)
    levels[there] = np.minimum(axis.places[there] * LEVELS, LEVELS - 1).astype(np.uint8)
    return levels


def _describe_colour(axis: PlacedAxis) -> dict[str, str]:
    import numpy as np

    placed = axis.values[~np.isnan(axis.places)]
    if axis.axis is None or not len(placed):
        names = axis.names or ("none",)
        return {"label": axis.label, "low": names[0], "high": names[-1]}
    ends = np.clip((placed.min(), placed.max()), axis.axis.low, axis.axis.high)
    low, high = (spell(float(end)) for end in ends)
    return {"label": axis.label, "low": low, "high": high}


def describe_parallel_coordinates(
    axes: Sequence[PlacedAxis], rows: npt.NDArray[np.int64] | None, what: str, left_out: int = 0
) -> dict[str, Any]:
    """Return in words and as a table what some of the rows are like, or all.

    `what` is run or group, `left_out` how many columns there was no room for.
    """
    count = (len(axes[0].places) if axes else 0) if rows is None else len(rows)
    return {
        "count": count,
        "says": _say(axes, count, what, left_out),
        "columns": TABLE,
        "rows": [_describe(axis, rows) for axis in axes],
    }


def _say(axes: Sequence[PlacedAxis], count: int, what: str, left_out: int) -> str:
    if not axes:
        return "None of the columns is a parameter or a metric."
    if len(axes) == 1:
        return f"{axes[0].label} is the one axis, so there is no line across: choose more columns."
    every = len(axes[0].places)
    lanes = [axis.label for axis in axes if axis.none]
    without = (
        f" Lines through the lane below an axis are {what}s without a value there ({', '.join(lanes)})."
        if lanes
        else ""
    )
    more = f" {left_out} more columns have no room here: choose fewer of them." if left_out else ""
    return (
        f"Each line is a {what}: {count:,} {f'of {every:,} ' if count < every else ''}across {len(axes)} axes. "
        f"Its colour is {axes[-1].label}: blue is low, orange is high.{without}{more}"
    )


def _describe(axis: PlacedAxis, rows: npt.NDArray[np.int64] | None) -> tuple[str, ...]:
    import numpy as np

    values = axis.values if rows is None else axis.values[rows]
    there = values[~np.isnan(values)]
    counts = (axis.label, f"{len(there):,}", f"{len(values) - len(there):,}")
    if axis.axis is None:
        return (*counts, *["\N{EN DASH}"] * 5, _name_commonest(axis.names, there))
    if not len(there):
        return (*counts, *["\N{EN DASH}"] * 6)
    quarters = np.quantile(there, (0, 0.25, 0.5, 0.75, 1), method="closest_observation")
    return (*counts, *(spell(float(value), 4) for value in quarters), "\N{EN DASH}")


def _name_commonest(names: Sequence[str], values: npt.NDArray[np.float64]) -> str:
    import numpy as np

    counts = np.bincount(values.astype(np.int64), minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    there = [number for number in order if counts[number]]
    said = ", ".join(f"{names[number]} {counts[number]:,}" for number in there[:_MOST_NAMED])
    return f"{said}, {len(there) - _MOST_NAMED:,} more" if len(there) > _MOST_NAMED else said or "\N{EN DASH}"
