"""Where intervals stand on a shared axis, as fractions of its width; drawn alike by the live view and its twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import Any

from workbench.comparisons.verdict import Verdict
from workbench.drawings.markup import Markup, element
from workbench.stats.interval import Interval
from workbench.words.numbers import format_signed

# Beyond this many spans of the others, one hopeless run would flatten every interval people care about.
_MOST_STRETCH = 2.0
_PADDING = 0.06
_TICKS = 4


@dataclass(frozen=True)
class Axis:
    """A linear axis from `low` to `high`, in units of the metric."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where a value stands: 0 at the left end, 1 at the right, held inside."""
        return round(min(max((value - self.low) / (self.high - self.low), 0.0), 1.0), 4)


@dataclass(frozen=True)
class JudgedInterval:
    """An interval and what it was judged to be."""

    interval: Interval
    verdict: Verdict | None


def choose_axis(judged: Sequence[JudgedInterval], margin: float) -> Axis:
    """Return an axis that shows zero, the margin and all intervals, save those far worse than the rest."""
    inner = [item for item in judged if item.verdict is not Verdict.WORSE] or judged
    low, high = _span(inner, margin)
    full_low, full_high = _span(judged, margin)
    room = _MOST_STRETCH * (high - low)
    low, high = max(full_low, low - room), min(full_high, high + room)
    padding = _PADDING * (high - low)
    return Axis(low - padding, high + padding)


def _span(judged: Sequence[JudgedInterval], margin: float) -> tuple[float, float]:
    bounds = [bound for item in judged for bound in (item.interval.low, item.interval.high) if isfinite(bound)]
    low, high = min([*bounds, -margin]), max([*bounds, margin])
    return (low, high) if low < high else (low - 1.0, high + 1.0)


def choose_ticks(axis: Axis) -> tuple[float, range]:
    """Return a round step and its multiples along the axis, zero among them when it is inside."""
    rough = (axis.high - axis.low) / _TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return step, range(ceil(axis.low / step), floor(axis.high / step) + 1)


def axis_state(axis: Axis, margin: float) -> dict[str, Any]:
    """Return the axis for drawing: zero, the band of the margin, and its ticks with their text."""
    step, numbers = choose_ticks(axis)
    decimals = max(-floor(log10(step) + 1e-9), 0)
    return {
        "zero": axis.place(0.0),
        "band": [axis.place(-margin), axis.place(margin)],
        "ticks": [_tick_state(axis, number, step, decimals) for number in numbers],
    }


def _tick_state(axis: Axis, number: int, step: float, decimals: int) -> dict[str, Any]:
    """Return one tick; every second one, counted from zero, may be left out where there is little room."""
    text = format_signed(number * step, decimals) if number else "0"
    return {"at": axis.place(number * step), "text": text, "minor": number % 2 == 1}


def mark_state(axis: Axis, interval: Interval) -> dict[str, Any]:
    """Return one interval for drawing; `cut` names the ends that lie outside the axis."""
    cut = [side for side, is_out in (("left", interval.low < axis.low), ("right", interval.high > axis.high)) if is_out]
    caps = [axis.place(bound) for bound in (interval.low, interval.high) if axis.low <= bound <= axis.high]
    return {
        "low": axis.place(interval.low),
        "high": axis.place(interval.high),
        "estimate": axis.place(interval.estimate),
        "shown": axis.low <= interval.estimate <= axis.high,
        "caps": caps,
        "cut": cut,
    }


def draw_interval(axis: dict[str, Any], mark: dict[str, Any] | None, of: str) -> Markup:
    """Return the picture of one interval with the margin band and the zero line behind it."""
    band, width = axis["band"], axis["band"][1] - axis["band"][0]
    behind = [
        element("rect", class_="wb-band", x=percent(band[0]), y="0", width=percent(width), height="100%"),
        element("line", class_="wb-zero", x1=percent(axis["zero"]), x2=percent(axis["zero"]), y1="0", y2="100%"),
    ]
    return element("svg", *behind, *_draw_mark(mark), class_="wb-chart", role="img", aria_label=f"Interval of {of}")


def _draw_mark(mark: dict[str, Any] | None) -> list[Markup]:
    if mark is None:
        return []
    low, high = percent(mark["low"]), percent(mark["high"])
    drawn = [element("line", class_="wb-line", x1=low, x2=high, y1="50%", y2="50%")]
    caps = [percent(at) for at in mark["caps"]]
    drawn += [element("line", class_="wb-cap", x1=at, x2=at, y1="38%", y2="62%") for at in caps]
    drawn += [_draw_arrow(side) for side in mark["cut"]]
    if mark["shown"]:
        drawn.append(element("circle", class_="wb-dot", cx=percent(mark["estimate"]), cy="50%", r="4.5"))
    return drawn


def _draw_arrow(side: str) -> Markup:
    at, head = ("0%", "M0 0 L9 -5 V5 Z") if side == "left" else ("100%", "M0 0 L-9 -5 V5 Z")
    # A nested drawing is placed in per cent, which a path itself cannot be.
    return element("svg", element("path", class_="wb-arrow", d=head), x=at, y="50%", overflow="visible")


def draw_ticks(axis: dict[str, Any]) -> Markup:
    """Return the labels of an axis as text that stands under its ticks."""
    labels = [
        element("span", tick["text"], " ", class_=_tick_class(tick), style=f"left:{percent(tick['at'])}")
        for tick in axis["ticks"]
    ]
    return element("div", *labels, class_="wb-ticks")


def _tick_class(tick: dict[str, Any]) -> str:
    return "wb-tick wb-minor" if tick["minor"] else "wb-tick"


def percent(fraction: float) -> str:
    """Return a fraction as a length for SVG and CSS."""
    return f"{100 * fraction:.2f}%"
