"""An estimate and how far it may be off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate with its lower and upper confidence bound; `level` is that of each bound, one-sided."""

    estimate: float
    low: float
    high: float
    level: float
