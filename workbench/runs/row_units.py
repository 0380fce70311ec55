"""Row units: of which group or time each row of the holdout is, kept in the kernel until something is predicted for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.stats.units import Units

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Named:
    """The rows of a holdout by their ids, and what they are units of."""

    places: Mapping[str, int]
    units: Units


_NAMED: dict[Path, _Named] = {}


def note_units(folder: Path, table: pd.DataFrame, units: Units | None) -> bool:
    """Note the units of the holdout a folder has at hand; True where they are others than before."""
    before = _NAMED.pop(folder, None)
    if units is None:
        return before is not None
    _NAMED[folder] = now = _Named({str(row): place for place, row in enumerate(table.index)}, units)
    return before is None or before.places != now.places or before.units.spell() != units.spell()


def find_units(folder: Path, rows: Sequence[str]) -> Units | None:
    """Return the units of rows by their ids; None where the holdout named none, or has not all of these rows."""
    import numpy as np

    named = _NAMED.get(folder)
    places = [named.places.get(row) for row in rows] if named else [None]
    if named is None or None in places:
        return None
    return named.units.take(np.array(places, dtype=np.int64))


def describe_few(name: str, units: Units) -> str:
    """Say that there are too few units for an interval; empty where there are enough."""
    from workbench.stats.resamples import FEWEST_DRAWS

    drawn = units.count()
    if drawn.draws >= FEWEST_DRAWS:
        return ""
    found = (
        f"{drawn.count:,} groups" if drawn.kind == "group" else f"{drawn.count:,} times, {drawn.draws} blocks of them"
    )
    return (
        f"Column {name} of the holdout has {found}. Fewer than {FEWEST_DRAWS} carry no interval, so no run will be called better "
        "or worse on these rows: hold out more of them."
    )
