"""The clock of points: values of one metric and step are logged in different milliseconds, so that their order is not lost.

MLflow keeps whole milliseconds, and of two values of one step and millisecond it shows the larger, not the later.
"""

from __future__ import annotations

import time
from collections.abc import Set

_PAUSE_S = 0.0002
# A notebook may have stopped its clock; two milliseconds are over by then.
_MOST_PAUSES = 20


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def wait_past(time_ms: int) -> None:
    """Return when a millisecond is over that is now or next (a clock may round up); at once when it is another one."""
    for _ in range(_MOST_PAUSES):
        if not 0 <= time_ms - now_ms() <= 1:
            return
        time.sleep(_PAUSE_S)


class PointClock:
    """Gives each point the time it is logged; only one of the same metric and step waits until the millisecond is another one."""

    def __init__(self) -> None:
        self._time_ms = -1
        self._given: Set[tuple[str, int]] = frozenset()

    def stamp(self, names: Set[tuple[str, int]]) -> int:
        """Return the time of points, each named by its metric and step."""
        if names & self._given:
            wait_past(self._time_ms)
        time_ms = now_ms()
        self._given = names | self._given if time_ms == self._time_ms else names
        self._time_ms = time_ms
        return time_ms
