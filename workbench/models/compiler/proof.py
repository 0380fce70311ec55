"""Is what was compiled the model? Answered by comparing answers, row by row, with limits relative to the model's own scale.

The estimator itself is the measure. A row on which it raises, or has no finite score, must not get a number from anybody else.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.models.compiler.proof_rows import HOLDOUT, RowSet
from workbench.models.contract import MOST_ROWS, Predict
from workbench.models.frames import Rows
from workbench.models.model_facts import ComparedRows, FormFact
from workbench.models.serving_trial import LAST_BITS, find_gap, is_finite
from workbench.stats.task import Label

SCORE_LIMIT = 1e-9
_ALONE, _ALONE_OTHERS = 25, 10
_LONGEST_S, _FEWEST_ROWS = 20.0, 2_000


@dataclass(frozen=True)
class Expected:
    """What the estimator answers to a set of rows: scores (n,), of several classes (n, classes), and labels where it has classes.

    Where it has no answer, scores are NaN.
    """

    kind: str
    rows: list[dict[str, Any]]
    of: int
    scores: NDArray[np.float64]
    labels: list[Label | None] | None
    untried: str = ""


@dataclass(frozen=True)
class Measure:
    """The estimator as a measure: its answers and their spread."""

    expected: tuple[Expected, ...]
    spread: float
    alone: tuple[tuple[float, float], ...]
    """Of rows asked alone the largest of their numbers, and how far the answer is from the one among others; by size."""

    @property
    def own_difference(self) -> float:
        """The most that an answer alone is from the one among others."""
        return max((gap for _, gap in self.alone), default=0.0)

    def find_own_differences(self, rows: Rows) -> NDArray[np.float64]:
        """Return how far the estimator may be from itself on each row, shape (n,): the most it was where numbers are no larger.

        Sums over huge numbers that cancel say nothing of ordinary rows.
        """
        sizes = np.array([size for size, _ in self.alone])
        most = np.maximum.accumulate(np.array([0.0, *(gap for _, gap in self.alone)]))
        return most[np.searchsorted(sizes, [_size_of(row) for row in rows], side="right")]


def measure_estimator(predict: Predict, row_sets: Sequence[RowSet]) -> Measure:
    """Ask the estimator for all rows; of a slow one as many as it answers in 20 s, but 2,000 of each kind at least."""
    holdout = next(each for each in row_sets if each.kind == HOLDOUT)
    began = time.process_time()
    first = _expect(predict, holdout)
    a_row_s = (time.process_time() - began) / max(len(holdout.rows), 1)
    rest = [each for each in row_sets if each.kind != HOLDOUT and (each.rows or each.untried)]
    most = max(_FEWEST_ROWS, int(_LONGEST_S / max(a_row_s, 1e-9) / max(len(rest), 1)))
    expected = (first, *(_expect(predict, _thin(each, most)) for each in rest))
    spread = find_spread(first.scores)
    return Measure(expected, spread, tuple(sorted(gap for each in expected for gap in _differ_alone(predict, each))))


def _size_of(row: Mapping[str, Any]) -> float:
    return max((abs(float(value)) for value in row.values() if isinstance(value, (int, float))), default=0.0)


def _thin(found: RowSet, most: int) -> RowSet:
    if len(found.rows) <= most:
        return found
    kept = np.linspace(0, len(found.rows) - 1, most).astype(int)
    return replace(found, rows=[found.rows[at] for at in kept])


def find_spread(scores: NDArray[np.float64]) -> float:
    """Return how far scores lie apart, the unit of every limit; for a constant score its own size."""
    finite = scores[np.isfinite(scores)]
    if not len(finite):
        return 1.0
    return float(np.ptp(finite)) or float(np.abs(finite).max()) or 1.0


def _expect(predict: Predict, found: RowSet) -> Expected:
    scores, labels = ask(predict, found.rows)
    return Expected(found.kind, found.rows, found.of, scores, labels, found.untried)


def ask(predict: Predict, rows: Rows) -> tuple[NDArray[np.float64], list[Label | None] | None]:
    """Return scores, NaN where there is no answer, and labels, None there; rows that raise are found by halving."""
    with warnings.catch_warnings():
        # What a model warns of is its own affair: it answers.
        warnings.simplefilter("ignore")
        parts = [_ask_some(predict, rows[at : at + MOST_ROWS]) for at in range(0, len(rows), MOST_ROWS)]
    answers = [answer for part in parts for answer in part]
    labels = [label for _, label in answers]
    scores = _stack([score for score, _ in answers])
    scores[~_are_finite(scores)] = np.nan
    return scores, labels if any(label is not None for label in labels) else None


def _stack(scores: list[Any]) -> NDArray[np.float64]:
    """Return scores as an array; a row without an answer has none for any of several classes."""
    width = max((len(score) for score in scores if isinstance(score, Sequence)), default=0)
    if not width:
        return np.array(scores, dtype=float)
    return np.array([score if isinstance(score, Sequence) else [score] * width for score in scores], dtype=float)


def _are_finite(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each row whether all of its scores are numbers, shape (n,)."""
    finite: NDArray[np.bool_] = np.isfinite(_as_table(scores))
    return np.logical_and.reduce(finite, axis=1)


_NO_ANSWER: tuple[Any, Label | None] = (math.nan, None)


def _ask_some(predict: Predict, rows: Rows) -> list[tuple[Any, Label | None]]:
    try:
        answers = predict(rows)
    # Whatever a model raises on rows that keep the contract: there is no answer to one of them at least.
    except Exception:
        if len(rows) == 1:
            return [_NO_ANSWER]
        half = len(rows) // 2
        return [*_ask_some(predict, rows[:half]), *_ask_some(predict, rows[half:])]
    labels: list[Label | None] = [*answers.labels] if answers.labels else [None] * len(rows)
    return [(score, label if is_finite(score) else None) for score, label in zip(answers.scores, labels, strict=True)]


def _differ_alone(predict: Predict, expected: Expected) -> list[tuple[float, float]]:
    """Return the largest number of rows spread through the set, and how far the answer alone is from the one among others."""
    most = _ALONE if expected.kind == HOLDOUT else _ALONE_OTHERS
    places = sorted({round(at) for at in np.linspace(0, len(expected.rows) - 1, most)}) if expected.rows else []
    asked = [expected.rows[at] for at in places]
    pairs = [
        (ask(predict, [row])[0][0].tolist(), expected.scores[at].tolist())
        for at, row in zip(places, asked, strict=True)
    ]
    # An answer of another width is none to the same question.
    fits = [all(map(is_finite, pair)) and len({*map(np.shape, pair)}) == 1 for pair in pairs]
    return [(_size_of(row), find_gap(*pair)) for row, pair, fit in zip(asked, pairs, fits, strict=True) if fit]


# Comparing


def compare_form(name: str, predict: Predict, measure: Measure, *, largest: float, largest_batch: float) -> FormFact:
    """Return how a compiled form answers beside the estimator: `served` where it is one with it.

    A score (each of several) may differ by 1e-9 of the spread of scores (never more than `largest`), by its last bits, or by twice
    what the estimator differs from itself on rows of its size. Labels may not. Asked alone a row may get a score `largest_batch` of
    the spread away. Where a set of rows could not be made, nothing is proved.
    """
    compared = tuple(_compare_set(predict, each, measure, min(SCORE_LIMIT, largest)) for each in measure.expected)
    holdout = next(each for each in measure.expected if each.kind == HOLDOUT)
    alone = max((gap for _, gap in _differ_alone(predict, holdout)), default=0.0) / measure.spread
    differing = sum(each.differing + each.labels for each in compared)
    untried = [f"Its {each.kind} could not be tried: {each.untried}." for each in measure.expected if each.untried]
    reason = untried[0] if untried else _describe(compared, alone, largest_batch)
    is_same = not differing and bool(alone <= largest_batch)
    return FormFact(name, served=is_same and not untried, reason=reason, rows=compared)


def _compare_set(predict: Predict, expected: Expected, measure: Measure, limit: float) -> ComparedRows:
    scores, labels = ask(predict, expected.rows)
    answered, given = _are_finite(expected.scores), _are_finite(scores)
    own, others = _as_table(expected.scores), _as_table(scores)
    allowed = np.maximum(limit * measure.spread, 2 * measure.find_own_differences(expected.rows))[:, np.newaxis]
    allowed = np.maximum(allowed, LAST_BITS * np.nan_to_num(np.abs(own)))
    if own.shape != others.shape:
        others = np.full(own.shape, np.nan)
    gaps = np.abs(others - own)
    # Written so that an answer where there is none, or none where there is one, is a difference.
    differs = np.where(answered, ~(gaps <= allowed).all(axis=1), given)
    flips = sum(a != b for a, b in zip(labels or [], expected.labels or [], strict=False)) if expected.labels else 0
    both = answered & given
    relative = gaps[both] / np.maximum(measure.spread, np.abs(own[both]))
    return ComparedRows(
        kind=expected.kind,
        rows=len(expected.rows),
        of=expected.of,
        differing=int(differs.sum()),
        labels=flips if labels is not None or not expected.labels else len(expected.labels),
        largest_difference=float(relative.max(initial=0.0)),
    )


def _as_table(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return scores.reshape(len(scores), -1 if len(scores) else 1)


def _describe(compared: Sequence[ComparedRows], alone: float, largest_batch: float) -> str:
    wrong = [
        f"{each.differing:,} of {each.rows:,} scores and {each.labels:,} labels on {each.kind} rows"
        for each in compared
        if each.differing or each.labels
    ]
    if wrong:
        return f"It answers otherwise: {'; '.join(wrong)}."
    if not alone <= largest_batch:
        return f"A row alone gets a score {alone:.2g} of the spread away from the one among others; asked is {largest_batch:g}."
    total = sum(each.rows for each in compared)
    return f"It answers like the model on {total:,} rows."
