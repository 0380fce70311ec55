"""Slices: rows of the holdout that share a value, and how the model does there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SliceValue:
    """The rows of the holdout that share a value: the metric there, the reference's, and whether it is worse beyond chance.

    `advantage` is positive where the model is better. `p_value` is one-sided, small where it is worse; `adjusted` is that of
    Benjamini and Hochberg over the slices the policy names. None: too few rows, or the metric is not defined on them.
    """

    slice: str
    value: str
    rows: int
    rarer_class: int | None
    score: float | None
    reference_score: float | None
    advantage: float | None
    p_value: float | None
    adjusted: float | None


@dataclass(frozen=True)
class SlicesFact:
    """The slices that were logged with the predictions, each value held against a reference on the same rows.

    `left_out` are slices with more values than are looked at.
    """

    metric: str
    direction: str
    reference: str
    values: tuple[SliceValue, ...]
    left_out: tuple[str, ...] = ()
