"""Series: which of six colours a run has, by its id, so that it has the same in every picture, view and page."""

from __future__ import annotations

from collections.abc import Sequence

SERIES = 6  # so many colours there are, each with a pattern of its own


def choose_series(run_ids: Sequence[str]) -> list[int]:
    """Return the number of the colour of each of at most six runs, in their order.

    A run has the colour that follows from its id (FNV-1a); where another one drawn beside it has that, whose id comes first keeps
    it, and the other has the next that is free. In whichever order runs are selected, each looks the same.
    """
    chosen: dict[str, int] = {}
    for run_id in sorted(set(run_ids)):
        wanted = _hash(run_id) % SERIES
        free = ((wanted + step) % SERIES for step in range(SERIES))
        chosen[run_id] = next((number for number in free if number not in chosen.values()), wanted)
    return [chosen[run_id] for run_id in run_ids]


def _hash(text: str) -> int:
    """Return the 32 bits of FNV-1a, which a browser computes the same."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value
