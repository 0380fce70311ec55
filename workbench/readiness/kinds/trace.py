"""A trace: where a hindrance shows, what it is, what to do; and what every kind's function looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workbench.readiness.notebook_code import NotebookCode, Place
from workbench.readiness.surroundings import Surroundings


@dataclass(frozen=True)
class Trace:
    """What is in the way, what to do about it, and where it shows; `place` is None where it is the notebook as a whole."""

    what: str
    advice: str
    place: Place | None = None


Find = Callable[[NotebookCode, Surroundings], Iterator[Trace]]
