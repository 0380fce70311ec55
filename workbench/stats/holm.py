"""Few tests at once: p values adjusted so that with the stated probability not one difference is called that is none."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p values in the order given: those at most alpha are found at a family-wise error rate of alpha.

    Holm 1979, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6:65-70, as step-down adjusted
    values. It is never less powerful than Bonferroni's.
    """
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, position in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        largest = max(largest, min(1.0, p_values[position] * (len(p_values) - rank)))
        adjusted[position] = largest
    return adjusted
