"""Drawn rows: in words, on how many rows runs are compared, and what of them is drawn at once."""

from __future__ import annotations

from workbench.stats.units import DrawnUnits

_FEWEST_DRAWS = 10


def describe_rows(rows: int, units: DrawnUnits | None, what: str = "rows") -> str:
    """Say how many rows there are, and in which groups or blocks of times they are drawn."""
    said = f"{rows:,} {what}"
    if units is None:
        return said
    if units.kind == "group":
        return f"{said} in {_count(units)}, each drawn whole"
    blocks = f", drawn in blocks of {units.length:,}" if units.length > 1 else ""
    return f"{said} at {_count(units)}{blocks}"


def say_too_few(units: DrawnUnits | None) -> str:
    """Say that there are too few groups or blocks for an interval; empty where there are enough, or rows are drawn."""
    if units is None or units.draws >= _FEWEST_DRAWS:
        return ""
    are = "is" if units.count == 1 else "are"
    blocks = f" {are} {units.draws:,} block{'' if units.draws == 1 else 's'}" if units.length > 1 else ""
    return f"{_count(units)}{blocks}, and fewer than {_FEWEST_DRAWS} carry none"


def count_drawn(rows: int, units: DrawnUnits | None) -> tuple[int, str]:
    """Return of what there must be more for more certainty: how many there are, and what they are."""
    if units is None:
        return rows, "rows"
    return units.count, "groups" if units.kind == "group" else "times"


def _count(units: DrawnUnits) -> str:
    noun = {"group": "group", "time": "different time"}[units.kind]
    return f"{units.count:,} {noun}{'' if units.count == 1 else 's'}"
