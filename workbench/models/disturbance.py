"""A disturbance: one way in which rows were changed before a model was asked, and what was wrong with its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNDISTURBED, PERMUTED = "undisturbed", "permuted"
MOST_DISTURBED = 500
_SEED = 0


@dataclass(frozen=True)
class Disturbed:
    """One way in which rows were disturbed (`column`: where), and what was wrong with the answers.

    `refused` rows no longer kept the contract and were not asked; their answers are NaN.
    """

    name: str
    column: str | None
    refused: int
    not_finite: int
    error: str | None


def choose_rows(rows: int) -> NDArray[np.int64]:
    """Return which of the holdout's rows are disturbed: at most 500, always the same ones."""
    import numpy as np

    if rows <= MOST_DISTURBED:
        return np.arange(rows)
    return np.sort(np.random.default_rng(_SEED).choice(rows, MOST_DISTURBED, replace=False))
