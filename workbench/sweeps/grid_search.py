"""Grid search: every combination of the values."""

from __future__ import annotations

from typing import Any

from workbench.notebooks.parameters import expand_grid
from workbench.sweeps.search import Interval, Space, distinct_values


def propose(space: Space, _trials: int = 0, _seed: int = 0) -> list[dict[str, Any]]:
    """Return every combination once, the last parameter changing fastest; raises UsageError for none or far too many."""
    return list(expand_grid({name: distinct_values(_values(axis)) for name, axis in space.items()}))


def _values(axis: list[Any] | Interval) -> list[Any]:
    if isinstance(axis, Interval):
        raise TypeError("A grid has no intervals.")
    return axis
