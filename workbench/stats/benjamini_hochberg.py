"""Many tests at once: p values adjusted so that of what is called a difference only a stated share is none."""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p values in the order given: those at most q are the ones found at a false discovery rate of q.

    Benjamini and Hochberg 1995, "Controlling the false discovery rate", JRSS B 57:289-300, as step-up adjusted values.
    """
    order = sorted(range(len(p_values)), key=lambda position: p_values[position])
    adjusted, smallest = [1.0] * len(p_values), 1.0
    for rank in range(len(order), 0, -1):
        position = order[rank - 1]
        smallest = min(smallest, p_values[position] * len(order) / rank)
        adjusted[position] = smallest
    return adjusted
