"""Parts of a holdout: all of its rows, or those of one slice that runs named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
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
_MOST_NAMED, _MOST_ASKED = 8, 10


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

    def take_all(
        self, predictions: Predictions, slices: Mapping[str, Sequence[str]]
    ) -> tuple[Predictions, dict[str, list[str]]]:
        """Return what was predicted for these rows, and the slices they are in."""
        places = range(len(predictions.rows)) if self.places is None else self.places.tolist()
        return self.take(predictions), {name: [values[place] for place in places] for name, values in slices.items()}

    def take_units(self, units: Units) -> Units:
        """Return the units of these rows."""
        return units if self.places is None else units.take(self.places)


WHOLE = HoldoutPart()


def find_part(runs: Sequence[Run], asked: str, read_slices: ReadSlices) -> HoldoutPart:
    """Return the rows of a slice, asked for as `size=small`, as the newest of the runs (the oldest first) that named it has it.

    Its name says so where one of the next ten names other rows. Raises UsageError where the text is none, no run named the slice,
    or no row has the value.
    """
    pairs = _split(asked)
    if not pairs:
        raise UsageError(
            f"{asked!r} is no slice.", why="It has no name and value.", next_step=_say_how(runs, read_slices)
        )
    newest_first, known = iter(reversed(runs)), dict[str, None]()
    for run in newest_first:
        slices = _read(read_slices, run)
        if pair := next((pair for pair in pairs if pair[0] in slices), None):
            name, value = pair[0], _find_value(slices[pair[0]], pair)
            places = _find_places(slices[name], value)
            others = [_read(read_slices, other).get(name) for other in islice(newest_first, _MOST_ASKED)]
            is_one = all(other is None or _find_places(other, value).tolist() == places.tolist() for other in others)
            said = (
                f"{name} = {value}" if is_one else f"{name} = {value} (as run {run.id} has it; others name other rows)"
            )
            return HoldoutPart(said, places, sha256_hex(places.astype("<i8").tobytes()))
        known |= dict.fromkeys(slices)
    raise _refuse(f"No run here named the slice {pairs[0][0]}.", "They named", sorted(known))


def _say_how(runs: Sequence[Run], read_slices: ReadSlices) -> str:
    """Return how a slice is named, by one of those there are."""
    found = next(
        (slices for run in reversed(runs[-_MOST_ASKED:]) if (slices := _read(read_slices, run))), {"size": ["small"]}
    )
    name, labels = next(iter(sorted(found.items())))
    return f"Say `{name}={sorted({*labels})[0]}`."


def _split(asked: str) -> list[tuple[str, str]]:
    """Return what may be meant as a slice and its value, the likeliest first: either may hold the sign itself, or blanks."""
    parts = [(asked[:place], asked[place + 1 :]) for place, sign in enumerate(asked) if sign == "="]
    spelled = [*parts, *((name.strip(), value.strip()) for name, value in parts)]
    return list(dict.fromkeys((name, value) for name, value in spelled if name.strip() and value.strip()))


def _find_value(labels: Sequence[str], pair: tuple[str, str]) -> str:
    """Return the label that is meant: this one, or the one that is it but for blanks at its ends."""
    there = {*labels}
    alike = sorted(label for label in there if label.strip() == pair[1].strip())
    if pair[1] in there or len(alike) == 1:
        return pair[1] if pair[1] in there else alike[0]
    raise _refuse(f"No row has {pair[0]} = {pair[1]}.", "There are", sorted(there))


def _find_places(labels: Sequence[str], value: str) -> NDArray[np.int64]:
    import numpy as np

    return np.flatnonzero(np.array(labels, dtype=object) == value).astype(np.int64)


def _read(read_slices: ReadSlices, run: Run) -> Mapping[str, Sequence[str]]:
    try:
        return read_slices(run)
    except UsageError:
        return {}


def _refuse(what: str, says: str, names: Sequence[str]) -> UsageError:
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    why = f"{says} {', '.join(names[:_MOST_NAMED]) or 'none'}{more}."
    return UsageError(what, why=why, next_step="Name one of these; `wb.log_predictions(…, slices={…})` names slices.")
