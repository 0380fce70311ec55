"""A trial of what will be served: asked row by row, disturbed, and timed. Runs inside of the confined process."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.models.contract import MOST_ROWS, Column, Contract, Predict, find_row_problems
from workbench.models.disturbance import MOST_DISTURBED, PERMUTED, UNDISTURBED, Disturbed, choose_rows
from workbench.models.model_facts import CostFact, NumericsFact
from workbench.stats.task import Label

Rows = Sequence[Mapping[str, Any]]

NOISE, MISSING, UNIT, UNSEEN = "noise", "missing", "unit", "unseen category"
SIGMAS, UNIT_FACTOR, NOISE_DRAWS = 0.1, 1000, 5
_MOST_COLUMNS, _ASKED_SINGLY = 20, 50
_CALLS, _LONGEST_S = 200, 20.0
_SEED = 0
LAST_BITS = 1e-12  # of a score's own size


def ask_singly(predict: Predict, rows: Rows, spread: float) -> NumericsFact:
    """Return whether the answers are numbers, and how far they are from those that rows get alone, in units of the spread."""
    answers = ask_all(predict, rows)
    asked = [int(at) for at in choose_rows(len(rows))[:: max(1, min(len(rows), MOST_DISTURBED) // _ASKED_SINGLY)]]
    gaps = [find_gap(predict([rows[at]]).scores[0], answers[at]) / spread for at in asked]
    largest = max(gaps) if gaps and all(map(math.isfinite, gaps)) else None
    return NumericsFact(len(rows), sum(not is_finite(answer) for answer in answers), len(asked), largest)


Score = float | Sequence[float]


def is_finite(score: Score) -> bool:
    """True for a number, and for a number for each of several classes."""
    return all(map(math.isfinite, score)) if isinstance(score, Sequence) else math.isfinite(score)


def find_gap(one: Any, other: Any) -> float:
    """Return how far two scores (of several classes the farthest) are apart beyond their last bits, in which sums differ."""
    if isinstance(one, Sequence):
        gaps = [find_gap(*pair) for pair in zip(one, other, strict=True)]
        return max(gaps) if all(map(math.isfinite, gaps)) else math.nan
    gap = float(abs(one - other) - LAST_BITS * abs(other))
    return gap if gap > 0 or math.isnan(gap) else 0.0


def ask_all(predict: Predict, rows: Rows) -> list[Any]:
    """Return the score of every row, asked in requests of the largest size allowed."""
    return [score for at in range(0, len(rows), MOST_ROWS) for score in predict(rows[at : at + MOST_ROWS]).scores]


def ask_labels(predict: Predict, rows: Rows) -> list[Label]:
    """Return the label of every row, asked in the same way; none of a model that gives none."""
    return [label for at in range(0, len(rows), MOST_ROWS) for label in predict(rows[at : at + MOST_ROWS]).labels or ()]


def measure_cost(load: Callable[[], Predict], rows: Rows, model_bytes: int) -> CostFact:
    """Time loading and 200 requests of one row; fewer only when they take longer than 20 seconds."""
    import numpy as np

    start = time.perf_counter()
    predict = load()
    loaded = time.perf_counter()
    times: list[float] = []
    while len(times) < _CALLS and time.perf_counter() - loaded < _LONGEST_S:
        before = time.perf_counter()
        predict([rows[len(times) % len(rows)]])
        times.append((time.perf_counter() - before) * 1000)
    p50, p95, p99 = (float(each) for each in np.quantile(times, [0.5, 0.95, 0.99]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return CostFact(loaded - start, len(times), p50, p95, p99, peak, model_bytes)


# Disturbing


def disturb(predict: Predict, contract: Contract, rows: Rows) -> tuple[list[Disturbed], list[list[Any]]]:
    """Return every way the rows were disturbed with the answers to them; the first is how they are undisturbed."""
    found, answers = [], []
    for name, column, disturbed in _disturbances(contract, rows):
        nothing = [math.nan] * len(contract.classes) if contract.task == "multiclass" and contract.classes else math.nan
        said, scores = _ask(predict, _find_kept(contract, column, disturbed), disturbed, nothing)
        found.append(Disturbed(name, column, *said))
        answers.append(scores)
    return found, answers


def _disturbances(contract: Contract, rows: Rows) -> Iterator[tuple[str, str | None, Rows]]:
    import numpy as np

    generator = np.random.default_rng(_SEED)
    numbers = _first(column for column in contract.columns if column.type in ("number", "integer"))
    yield UNDISTURBED, None, rows
    if numbers:
        for _ in range(NOISE_DRAWS):
            yield NOISE, None, _add_noise(contract, rows, generator)
    for column in numbers:
        if column.nullable:
            yield MISSING, column.name, _put(rows, column, [None] * len(rows))
        yield UNIT, column.name, _put(rows, column, [_times(row[column.name], UNIT_FACTOR) for row in rows])
    for column in _first(contract.columns):
        shuffled = [rows[at][column.name] for at in generator.permutation(len(rows))]
        yield PERMUTED, column.name, _put(rows, column, shuffled)
    for column in _first(column for column in contract.columns if column.type == "string"):
        yield UNSEEN, column.name, _put(rows, column, ["never seen before"] * len(rows))


def _first(columns: Any) -> list[Column]:
    return list(columns)[:_MOST_COLUMNS]


def _put(rows: Rows, column: Column, values: Sequence[Any]) -> Rows:
    return [{**row, column.name: value} for row, value in zip(rows, values, strict=True)]


def _times(value: Any, factor: int) -> Any:
    return None if value is None else value * factor


def _add_noise(contract: Contract, rows: Rows, generator: Any) -> Rows:
    for column in contract.columns:
        if column.type not in ("number", "integer"):
            continue
        noise = generator.normal(size=len(rows)) * SIGMAS * _sigma([row[column.name] for row in rows])
        moved = [_move(row[column.name], step, column) for row, step in zip(rows, noise.tolist(), strict=True)]
        rows = _put(rows, column, moved)
    return rows


def _sigma(values: Sequence[Any]) -> float:
    import numpy as np

    present = [float(value) for value in values if value is not None]
    return float(np.std(present)) if present else 0.0


def _move(value: Any, step: float, column: Column) -> Any:
    if value is None:
        return None
    return round(value + step) if column.type == "integer" else value + step


def _find_kept(contract: Contract, column: str | None, rows: Rows) -> list[int]:
    """Return which rows keep the contract; where one column was disturbed the others still do."""
    changed = tuple(each for each in contract.columns if column is None or each.name == column)
    narrow = replace(contract, columns=changed)
    seen = [{each.name: row[each.name] for each in changed} for row in rows]
    if not find_row_problems(narrow, seen):
        return list(range(len(rows)))
    return [at for at, row in enumerate(seen) if not find_row_problems(narrow, [row])]


def _ask(
    predict: Predict, kept: Sequence[int], rows: Rows, nothing: Any
) -> tuple[tuple[int, int, str | None], list[Any]]:
    """Return (refused, not finite, error) and one answer a row, `nothing` (NaN) for those that were refused."""
    answers = [nothing] * len(rows)
    try:
        scores = ask_all(predict, [rows[at] for at in kept]) if kept else []
    # What a model raises on rows that keep the contract is what is looked for.
    except Exception as exc:
        said = f"{type(exc).__name__}: {' '.join(str(exc).split())[:200]}"
        return (len(rows) - len(kept), 0, said), answers
    for at, score in zip(kept, scores, strict=True):
        answers[at] = score
    return (len(rows) - len(kept), sum(not is_finite(score) for score in scores), None), answers
