"""Parts of a holdout: all of its rows, or those of one slice that runs named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import UsageError
from workbench.records.digest import sha256_hex
from workbench.runs.run import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.models.predictions import Predictions
    from workbench.stats.units import Units

# The value of each slice that a run named, row by row; raises UsageError where that cannot be read.
ReadSlices = Callable[[Run], Mapping[str, Sequence[str]]]
_MOST_NAMED = 8


def read_no_slices(_: Run) -> Mapping[str, Sequence[str]]:
    """Say that a run named no slice."""
    return {}


@dataclass(frozen=True, eq=False)
class HoldoutPart:
    """The rows that are scored: those at `places`, None: all; `name` says which, and `digest` tells them apart."""

    name: str = ""
    places: NDArray[np.int64] | None = None
    digest: str = ""

    def take(self, predictions: Predictions) -> Predictions:
        """Return what was predicted for these rows."""
        return predictions if self.places is None else predictions.take(self.places)

    def take_units(self, units: Units) -> Units:
        """Return the units of these rows."""
        return units if self.places is None else units.take(self.places)


WHOLE = HoldoutPart()


def find_part(runs: Sequence[Run], asked: str, read_slices: ReadSlices) -> HoldoutPart:
    """Return the rows of a slice, asked for as `size=small`, as the newest of the runs (the oldest first) that named it has it.

    Raises UsageError where the text is none, no run named the slice, or no row has the value.
    """
    import numpy as np

    name, is_given, value = asked.partition("=")
    name, value = name.strip(), value.strip()
    if not (name and is_given and value):
        raise UsageError(f"{asked!r} is no slice.", why="It has no name and value.", next_step="Say `size=small`.")
    known: dict[str, None] = {}
    for run in reversed(runs):
        slices = _read(read_slices, run)
        if name in slices:
            labels = np.array(slices[name], dtype=object)
            if not (found := np.flatnonzero(labels == value)).size:
                raise _refuse(f"No row has {name} = {value}.", "There are", sorted({*slices[name]}))
            return HoldoutPart(f"{name} = {value}", found.astype(np.int64), sha256_hex(found.astype("<i8").tobytes()))
        known |= dict.fromkeys(slices)
    raise _refuse(f"No run here named the slice {name}.", "They named", sorted(known))


def _read(read_slices: ReadSlices, run: Run) -> Mapping[str, Sequence[str]]:
    try:
        return read_slices(run)
    except UsageError:
        return {}


def _refuse(what: str, says: str, names: Sequence[str]) -> UsageError:
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    why = f"{says} {', '.join(names[:_MOST_NAMED]) or 'none'}{more}."
    return UsageError(what, why=why, next_step="Name one of these; `wb.log_predictions(…, slices={…})` names slices.")
