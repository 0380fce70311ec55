"""An axis: its name, from where to where it goes, and the round numbers that stand along it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

_LARGEST = 1e150  # beyond, a span would overflow
_LARGE, _SMALL = 1e5, 1e-3


@dataclass(frozen=True)
class Axis:
    """A linear axis; `name` says what is counted along it, and in which unit."""

    name: str
    low: float
    high: float
    most_ticks: int = 5

    def place(self, value: float) -> float:
        """Return where a value stands: 0 at the low end, 1 at the high one, held inside."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Return round numbers along it, each with its text."""
        rough = (self.high - self.low) / self.most_ticks
        power = 10.0 ** floor(log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
        numbers = range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)
        return [(number * step, _spell_tick(number * step, step)) for number in numbers]


def _spell_tick(value: float, step: float) -> str:
    if abs(value) >= _LARGE or step < _SMALL:
        return spell(value)
    return f"{value:,.{max(0, -floor(log10(step) + 1e-9))}f}".replace("-", "\N{MINUS SIGN}")


def spell(value: float, digits: int = 3) -> str:
    """Return a number as it stands in a picture and its table."""
    if value.is_integer() and abs(value) < _LARGE:
        return f"{int(value):,}".replace("-", "\N{MINUS SIGN}")
    return f"{value:.{digits}g}".replace("-", "\N{MINUS SIGN}")


def is_drawable(value: float) -> bool:
    """True for a number that has a place on an axis."""
    return isfinite(value) and abs(value) < _LARGEST


def fit_axis(name: str, values: Iterable[float], *, most_ticks: int = 5) -> Axis:
    """Return an axis on which all of these values stand, with a little room."""
    known = [value for value in values if is_drawable(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = abs(high) / 2 or 1.0
        return Axis(name, low - room, high + room, most_ticks)
    room = 0.04 * (high - low)
    return Axis(name, low - room, high + room, most_ticks)
