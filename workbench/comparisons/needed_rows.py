"""Needed rows: what would decide where an interval did not, for each run that cannot be told apart from its reference."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.comparisons.drawn_rows import count_drawn
from workbench.stats.detectable_difference import detectable_difference, rows_to_decide
from workbench.stats.interval import Interval
from workbench.stats.units import DrawnUnits


@dataclass(frozen=True)
class NeededRows:
    """The smallest difference that `there` rows tell in 80 % of draws (MDE), and about how many would decide by the margin.

    `drawn` says of what there must be more: rows, or the groups or times that they are drawn in.
    """

    difference: float
    there: int
    needed: int
    drawn: str


def find_needed_rows(interval: Interval, rows: int, units: DrawnUnits | None, margin: float) -> NeededRows | None:
    """Return what would decide; None where nobody can say."""
    there, drawn = count_drawn(rows, units)
    difference, needed = detectable_difference(interval), rows_to_decide(interval, there, margin)
    if difference is None or needed is None:
        return None
    return NeededRows(difference, there, _round_up(needed), drawn)


def describe_needed_rows(needed: NeededRows, margin: float) -> str:
    """Say which difference the rows can tell, and how many would decide."""
    least = (
        f"{needed.there:,} {needed.drawn} tell a difference of {needed.difference:.2g} or more (MDE, in 80 % of draws)"
    )
    return f"{least}; about {needed.needed:,} would decide by the margin of {margin:.3g}."


def _round_up(count: int) -> int:
    """Return a count to two digits, never less than it: what is planned is no more exact than that."""
    step = 10 ** max(len(str(count)) - 2, 0)
    return -(-count // step) * step
