"""One line of the report: both sides of a comparison, timed in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One comparison: seconds (or another unit, named in `unit`) of ours and of the alternative, by repetition."""

    what: str
    ours: list[float]
    other: str
    theirs: list[float]
    unit: str = "s"
    more_is_better: bool = False

    @property
    def ratio(self) -> float:
        """How many times better ours is; below 1 it is worse."""
        ours, theirs = statistics.median(self.ours), statistics.median(self.theirs)
        return ours / theirs if self.more_is_better else theirs / ours


def timed(action: Callable[[], object]) -> float:
    """Return the seconds an action took."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def alternate(ours: Callable[[], object], theirs: Callable[[], object], times: int) -> tuple[list[float], list[float]]:
    """Time both actions in turn, after one of each that does not count."""
    ours(), theirs()
    pairs = [(timed(ours), timed(theirs)) for _ in range(times)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
