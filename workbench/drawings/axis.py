"""An axis: its name, from where to where it goes, and the round numbers that stand along it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

_LARGEST = 1e150  # beyond, a span would overflow
_LARGE, _SMALL = 1e5, 1e-3


@dataclass(frozen=True)
class Axis:
    """An axis, linear or by powers of ten; `name` says what is counted along it, and in which unit."""

    name: str
    low: float
    high: float
    most_ticks: int = 5
    is_log: bool = False

    def place(self, value: float) -> float:
        """Return where a value stands: 0 at the low end, 1 at the high one, held inside."""
        low, high, at = (log10(each) for each in (self.low, self.high, value)) if self.is_log else self._ends(value)
        return min(max((at - low) / (high - low), 0.0), 1.0)

    def _ends(self, value: float) -> tuple[float, float, float]:
        return self.low, self.high, value

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Return round numbers along it, each with its text."""
        return (self._list_powers() if self.is_log else []) or self._list_steps()

    def _list_powers(self) -> list[tuple[float, str]]:
        """Return powers of ten, or of few their doubles and halves, too; none where there are not three."""
        first, last = floor(log10(self.low)), ceil(log10(self.high))
        each = max(1, ceil((last - first) / self.most_ticks))
        for factors in ((1,), (1, 2, 5)):
            found = [factor * 10.0**power for power in range(first, last + 1, each) for factor in factors]
            inside = [value for value in found if self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)]
            if len(inside) > 2:
                return [(value, spell(value)) for value in inside]
        return []

    def _list_steps(self) -> list[tuple[float, str]]:
        rough = (self.high - self.low) / self.most_ticks
        power = 10.0 ** floor(log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
        numbers = range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)
        return [(number * step, _spell_tick(number * step, step)) for number in numbers]


@dataclass(frozen=True)
class PlacedTicks:
    """An axis whose values are places already, from 0 to 1, with ticks that were chosen before."""

    name: str
    ticks: tuple[tuple[float, str], ...]
    low: float = 0.0
    high: float = 1.0

    def place(self, value: float) -> float:
        """Return the place itself, held inside."""
        return min(max(value, 0.0), 1.0)


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
