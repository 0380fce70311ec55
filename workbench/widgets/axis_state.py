"""An axis of a picture of runs: where each row stands on it, its ticks or categories, and what of a column has no place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from workbench.drawings.axis import Axis, spell
from workbench.drawings.picture import pick_lines
from workbench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_ROOM = 0.02
_LARGEST = 1e150  # beyond, a span would overflow
# Positive values of which nine of ten lie over so many times are told apart by their powers alone.
_WIDE = 100


@dataclass(frozen=True)
class Scale:
    """What a person asks of an axis: from where to where it goes, and whether by powers of ten; None is what fits."""

    low: float | None = None
    high: float | None = None
    is_log: bool | None = None


@dataclass(frozen=True)
class PlacedAxis:
    """A column with the place of each row: 0 at the low end, 1 at the high one, NaN where it has none there.

    Of a category `names` are its values in their order and `values` their numbers in it; of a number `axis` is what it stands on,
    `beyond` how many rows lie outside and are held at an end, `unplaced` how many have a value that has no place.
    """

    name: str
    label: str
    values: npt.NDArray[np.float64]
    places: npt.NDArray[np.float32]
    names: tuple[str, ...] = ()
    axis: Axis | None = None
    can_log: bool = False
    beyond: int = 0
    unplaced: int = 0

    @property
    def none(self) -> int:
        """How many rows have no place on it."""
        import numpy as np

        return int(np.isnan(self.places).sum())

    @property
    def title(self) -> str:
        """What stands on the axis: its label, and that it goes by powers of ten."""
        return f"{self.label} (log)" if self.axis and self.axis.is_log else self.label

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Return places with their text; of very many categories some, evenly."""
        if self.axis:
            return [(self.axis.place(value), text) for value, text in self.axis.ticks]
        return [
            (place_category(number, len(self.names)), self.names[number])
            for number in pick_lines(range(len(self.names)))
        ]

    def to_state(self) -> dict[str, Any]:
        """Return it as a view draws it."""
        axis = self.axis
        return {
            "name": self.name,
            "label": self.label,
            "title": self.title,
            "names": list(self.names),
            "low": axis.low if axis else 0.0,
            "high": axis.high if axis else 1.0,
            "is_log": bool(axis and axis.is_log),
            "can_log": self.can_log,
            "ticks": [{"at": at, "text": text} for at, text in self.ticks],
            "places": self.places.tobytes(),
            "none": self.none,
            "lane": self.say_lane(),
            "says": self.say(),
        }

    def say_lane(self) -> str:
        """Return what the lane of rows without a place is called; nothing where there are none."""
        if not self.none:
            return ""
        return "none" if not self.unplaced else "no place" if self.unplaced == self.none else "none, or no place"

    def say(self) -> str:
        """Return in words what the axis shows, and what it does not."""
        rows = [
            f"{len(self.names):,} values" if not self.axis else f"{spell(self.axis.low)} to {spell(self.axis.high)}"
        ]
        if self.axis and self.axis.is_log:
            rows.append("by powers of ten")
        if self.beyond:
            rows.append(f"{self.beyond:,} beyond it are drawn at its end")
        if self.none - self.unplaced:
            rows.append(f"{self.none - self.unplaced:,} without a value")
        if self.unplaced:
            rows.append(f"{self.unplaced:,} with a value that has no place on it ({self._say_unplaced()})")
        return ", ".join(rows)

    def _say_unplaced(self) -> str:
        return "infinite, or not above zero" if self.axis and self.axis.is_log else "infinite"


def place_category(number: int, count: int) -> float:
    """Return the place of a category: the middle of its part of the axis."""
    return (number + 0.5) / count


def place_axis(column: Mapping[str, Any], scale: Scale = Scale(), *, is_downward: bool = False) -> PlacedAxis:
    """Return a column of the run table as an axis; raises UsageError where a scale cannot be drawn.

    `is_downward` has the first category at the high end, where it is read first on an upright axis.
    """
    if column["kind"] == "text":
        return _place_categories(column, is_downward=is_downward)
    return _place_numbers(column, scale)


def spell_label(column: Mapping[str, Any]) -> str:
    """Return what an axis is called."""
    return f"{column['of']} {column['label']}" if column["of"] else str(column["label"])


def _place_categories(column: Mapping[str, Any], *, is_downward: bool) -> PlacedAxis:
    import numpy as np

    codes, texts = np.frombuffer(column["codes"], "<i4"), column["texts"]
    order = sorted(range(len(texts)), key=lambda code: order_category(texts[code]), reverse=is_downward)
    ranks = np.full(len(texts) + 1, np.nan)  # the last is that of code -1: none
    ranks[order] = np.arange(len(texts))
    values = ranks[codes]
    places = ((values + 0.5) / max(len(texts), 1)).astype("<f4")
    return PlacedAxis(column["name"], spell_label(column), values, places, tuple(texts[code] for code in order))


def order_category(text: str) -> tuple[bool, float, str]:
    """Where a category stands among others: numbers by their value, then texts by the alphabet."""
    try:
        value = float(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return True, 0.0, text.casefold()
    return (False, value, text.casefold()) if isfinite(value) else (True, 0.0, text.casefold())


def _place_numbers(column: Mapping[str, Any], scale: Scale) -> PlacedAxis:
    import numpy as np

    values = np.frombuffer(column["values"], "<f8")
    finite = np.isfinite(values) & (np.abs(values) < _LARGEST)
    can_log = bool((values[finite] > 0).any())
    is_log = can_log and (_is_wide(values[finite]) if scale.is_log is None else scale.is_log)
    drawn = finite & (values > 0) if is_log else finite
    axis = _fit(spell_label(column), values[drawn], scale, is_log=is_log)
    places, beyond = _bend(values, drawn, axis)
    unplaced = int((~np.isnan(values) & ~drawn).sum())
    return PlacedAxis(column["name"], axis.name, values, places, (), axis, can_log, beyond, unplaced)


def _bend(values: Any, drawn: Any, axis: Axis) -> tuple[Any, int]:
    """Return the place of each value that is drawn, and how many of them lie beyond the axis."""
    import numpy as np

    low, high = (np.log10(end) if axis.is_log else end for end in (axis.low, axis.high))
    places = np.full(len(values), np.nan)
    places[drawn] = ((np.log10(values[drawn]) if axis.is_log else values[drawn]) - low) / (high - low)
    beyond = int(((places < -1e-9) | (places > 1 + 1e-9)).sum())
    return np.clip(places, 0.0, 1.0).astype("<f4"), beyond


def _is_wide(values: Any) -> bool:
    import numpy as np

    if not len(values) or values.min() <= 0:
        return False
    low, high = np.quantile(values, (0.05, 0.95))
    return bool(high >= _WIDE * low)


def _fit(name: str, values: Any, scale: Scale, *, is_log: bool) -> Axis:
    """Return the axis that shows all values with a little room, or goes where a person wants it."""
    low, high = fit_ends(values, is_log=is_log)
    low, high = low if scale.low is None else scale.low, high if scale.high is None else scale.high
    if not low < high or not all(isfinite(end) and abs(end) < _LARGEST for end in (low, high)):
        raise UsageError(
            f"The axis of {name} cannot go from {spell(low)} to {spell(high)}.",
            why="It goes from a smaller number to a larger one.",
            next_step="Give two numbers in that order, or leave both fields empty: then it fits all values.",
        )
    if is_log and low <= 0:
        raise UsageError(
            f"The axis of {name} cannot go from {spell(low)} by powers of ten.",
            why="Zero and what is below have no power of ten.",
            next_step="Let it begin above zero, or take the tick from `log`.",
        )
    return Axis(name, low, high, 6, is_log)


def fit_ends(values: Any, *, is_log: bool) -> tuple[float, float]:
    """Return from where to where an axis goes that shows all of these values, with a little room."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = abs(high) / 2 or 1.0
        return low - room, high + room
    if is_log:
        room = (high / low) ** _ROOM
        return low / room, high * room
    room = _ROOM * (high - low)
    return low - room, high + room


def pick_columns(
    columns: Sequence[Mapping[str, Any]], of: tuple[str, ...], *, is_grouped: bool
) -> list[Mapping[str, Any]]:
    """Return the columns of parameters, metrics or tags; of groups' metrics their means."""
    found = [column for column in columns if column["name"].startswith(of) and column["kind"] != "time"]
    if not is_grouped:
        return found
    return [each for each in found if not each["name"].startswith("metrics.") or each["name"].endswith(" mean")]
