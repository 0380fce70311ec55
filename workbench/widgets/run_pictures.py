"""The pictures of the rows that a view of runs shows, as somebody wants them drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from workbench.drawings.of_runs import Mean, Upright, draw_means, draw_parallel_coordinates
from workbench.drawings.picture import Picture
from workbench.errors import UsageError
from workbench.widgets.axis_state import PlacedAxis, Scale
from workbench.widgets.parallel_coordinates_state import (
    describe_parallel_coordinates,
    parallel_coordinates_state,
    place_axes,
)
from workbench.widgets.scatter_state import (
    Choice,
    Scatter,
    describe_scatter,
    measure_parts,
    place_scatter,
    scatter_state,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class RunPictures:
    """Pictures of the columns of a state; `scales` are those of axes by their column, `choice` that of the scatter."""

    columns: Sequence[Mapping[str, Any]]
    rows: int
    is_grouped: bool
    scales: Mapping[str, Scale] = field(default_factory=lambda: MappingProxyType({}))
    choice: Choice = field(default_factory=Choice)

    @cached_property
    def axes(self) -> list[PlacedAxis]:
        """The axes of the parallel coordinates."""
        return self._placed[0]

    @cached_property
    def _placed(self) -> tuple[list[PlacedAxis], int]:
        return place_axes(self.columns, self.scales, is_grouped=self.is_grouped)

    @cached_property
    def scatter(self) -> Scatter | None:
        """The axes of the scatter; groups have none, for their table has the means."""
        return None if self.is_grouped else place_scatter(self.columns, self.choice)

    def to_state(self) -> dict[str, Any]:
        """Return what is drawn."""
        parallel = parallel_coordinates_state(self.axes)
        return {"parallel": parallel, "scatter": scatter_state(self.scatter)}

    def describe(self, rows: npt.NDArray[np.int64] | None = None) -> dict[str, Any]:
        """Return what all rows are like, or some by their numbers, in words and tables."""
        parallel = describe_parallel_coordinates(
            self.axes, rows, "group" if self.is_grouped else "run", self._placed[1]
        )
        count = self.rows if rows is None else len(rows)
        return {"count": count, "parallel": parallel, "scatter": describe_scatter(self.scatter, rows)}

    def draw(self) -> list[Picture]:
        """Return the same of all rows as pictures that need no script: lines as bands, and the means with their intervals."""
        if self.rows < 2:
            return []
        told, scatter = self.describe(), self.scatter
        if scatter and scatter.fits_means:  # rows are not drawn here, so none of them lies beyond
            scatter = place_scatter(self.columns, replace(self.choice, fits_means=False))
        uprights = [Upright(axis.title, axis.ticks, axis.places, axis.say_lane()) for axis in self.axes]
        says = f"{told['parallel']['says']} Lines are drawn as bands between tenths of neighbouring axes."
        lines = draw_parallel_coordinates(says, uprights, told["parallel"]["columns"], tuple(told["parallel"]["rows"]))
        return [lines, *([self._draw_means(scatter)] if scatter else [])]

    def _draw_means(self, scatter: Scatter) -> Picture:
        x, y, told = scatter.x, scatter.y, describe_scatter(scatter)
        means = [
            Mean(part.place, part.low, part.high, part.summary.mean, part.summary.low, part.summary.high)
            for part in measure_parts(scatter)
        ]
        title, says = f"{y.label} by {x.label}", told["says"].replace("Each dot is a run. A diamond", "A dot")
        drawing = draw_means(title, says, (x.title, f"mean {y.label}"), x.ticks, means) if means else None
        return Picture(title, says, told["columns"], tuple(told["rows"]), drawing)

    def scale(self, asked: Mapping[str, Any]) -> RunPictures:
        """Return the pictures with another scale of an axis; raises UsageError where it cannot be drawn."""
        ends = [_read_end(asked.get(end)) for end in ("low", "high")]
        scale = Scale(ends[0], ends[1], asked.get("is_log"))
        changed = replace(self, scales={**self.scales, str(asked["axis"]): scale})
        return changed if changed.axes else self

    def choose(self, asked: Mapping[str, Any]) -> RunPictures:
        """Return the pictures with another choice of what the scatter shows."""
        logs = asked.get("x_is_log"), asked.get("y_is_log")
        choice = Choice(str(asked["x"]), str(asked["y"]), *logs, fits_means=bool(asked.get("fits_means")))
        return replace(self, choice=choice)


def read_rows(buffers: Sequence[Any], rows: int) -> npt.NDArray[np.int64] | None:
    """Return the numbers of the rows that a view shows, sent as 32-bit integers; None is all of them."""
    import numpy as np

    if not buffers:
        return None
    found = np.frombuffer(buffers[0], "<i4").astype(np.int64)
    return found[(found >= 0) & (found < rows)]


def _read_end(text: Any) -> float | None:
    said = str(text if text is not None else "").strip().replace(",", "").replace("\N{MINUS SIGN}", "-")
    try:
        return float(said) if said else None
    except ValueError as exc:
        raise UsageError(
            f"{said!r} is no number.",
            why="An axis goes from a number to a number.",
            next_step="Write it as 0.25 or 1e-3, or leave the field empty: then the axis fits all values.",
        ) from exc
