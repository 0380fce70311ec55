"""The rows a compiled model is compared on: those there are, and those made to find where it might answer otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.models.compiler.effects import NoDriverError
from workbench.models.compiler.reached_nodes import Reached, count_questions, reach_nodes
from workbench.models.contract import (
    LARGEST_INTEGER,
    LARGEST_NUMBER,
    Column,
    Contract,
    find_row_problems,
)
from workbench.models.frames import Rows

HOLDOUT, TRAINING, THRESHOLDS, SPECIAL, DRAWN = "holdout", "training", "thresholds", "special values", "drawn"
_MOST_TRAINING, _MOST_BASES, _MOST_SPECIAL, _DRAWN, _EXTREMES = 5_000, 500, 2_000, 1_000, 30
_MOST_CATEGORIES = 300
_SEED = 0


@dataclass(frozen=True)
class RowSet:
    """Rows of one kind that keep the contract; `of` says how many there would be where only some were drawn.

    `untried` says why there are fewer than there must be, empty where there are enough.
    """

    kind: str
    rows: list[dict[str, Any]]
    of: int
    untried: str = ""


def make_row_sets(model: Any, contract: Contract, holdout: Rows, training: Rows) -> list[RowSet]:
    """Return the rows to compare on: holdout, training, beside every threshold, special values, and drawn from the data's ranges.

    The same model and data give the same rows.
    """
    generator = np.random.default_rng(_SEED)
    data = [*holdout, *training]
    bases = [data[at] for at in np.sort(generator.permutation(len(data))[:_MOST_BASES])]
    try:
        (reached, asked), untried = reach_nodes(model, contract, bases), ""
    except NoDriverError as exc:
        reached, asked, untried = [], count_questions(model), str(exc)
    # Whatever a step raises on rows made for this: what nobody could try is not proved.
    except Exception as exc:
        reached, asked, untried = (
            [],
            count_questions(model),
            f"{type(exc).__name__}: {' '.join(str(exc).split())[:200]}",
        )
    beside = [row for each in reached for row in _beside(each)]
    special = [(column.name, value) for column in contract.columns for value in _special_values(column, data)]
    tried = _choose_special(contract, special, generator)
    sets = [
        RowSet(HOLDOUT, list(map(dict, holdout)), len(holdout)),
        RowSet(TRAINING, list(map(dict, training[:_MOST_TRAINING])), len(training)),
        RowSet(THRESHOLDS, beside, asked * len(beside) // len(reached) if reached else 2 * asked, untried),
        RowSet(SPECIAL, [*_place(tried, bases, generator), *_extreme_rows(contract, special)], len(special)),
        RowSet(DRAWN, _draw(contract, data, generator), _DRAWN),
    ]
    return [_keep(each, contract) for each in sets]


def _keep(found: RowSet, contract: Contract) -> RowSet:
    kept = found.rows
    if any(find_row_problems(contract, kept[at : at + 1000]) for at in range(0, len(kept), 1000)):
        kept = [row for row in kept if not find_row_problems(contract, [row])]
    return RowSet(found.kind, kept, max(found.of, len(kept)), found.untried)


def _beside(reached: Reached) -> list[dict[str, Any]]:
    """Return a row that reaches a question with each value beside its threshold, and without any where that is allowed."""
    column, gap = reached.column, [None] if reached.column.nullable else []
    values = [*reached.values, *gap] if None not in reached.values else reached.values
    is_number = column.categories is None and column.type in ("number", "integer")
    if len(reached.values) == 2 and is_number and None not in reached.values:
        values = [*_near(column, *map(float, reached.values)), *gap]
    others = [{**row, column.name: value} for row in reached.others for value in (*reached.values[:2], *gap[:1])]
    return [*({**reached.row, column.name: value} for value in values), *others]


def _near(column: Column, one: float, other: float) -> list[Any]:
    """Return the values on both sides of a threshold, and those a step of double and of single precision away."""
    low, high = min(one, other), max(one, other)
    if column.type == "integer":
        whole = {math.floor(low), math.ceil(high), math.floor(high)}
        return [value for value in sorted(whole) if abs(value) <= LARGEST_INTEGER]
    near = {low, high, float(np.nextafter(low, -np.inf)), float(np.float32(low)), float(np.float32(high))}
    return [value for value in sorted(near) if abs(value) <= LARGEST_NUMBER]


def _choose_special(
    contract: Contract, special: Sequence[tuple[str, Any]], generator: np.random.Generator
) -> list[tuple[str, Any]]:
    """Return every category, gap and text, and of the numbers of a wide table some."""
    numbers = {
        column.name for column in contract.columns if column.categories is None and column.type in ("number", "integer")
    }
    free = [at for at, (name, value) in enumerate(special) if name in numbers and value is not None]
    left_out = {free[at] for at in generator.permutation(len(free))[_MOST_SPECIAL:].tolist()}
    return [each for at, each in enumerate(special) if at not in left_out]


def _place(values: Sequence[tuple[str, Any]], bases: Rows, generator: np.random.Generator) -> list[dict[str, Any]]:
    """Put each value into a row of the data."""
    places = generator.integers(0, len(bases), len(values)).tolist()
    return [{**bases[at], name: value} for at, (name, value) in zip(places, values, strict=True)]


# Special values


def _special_values(column: Column, data: Rows) -> list[Any]:
    present = [row[column.name] for row in data if row[column.name] is not None]
    values = _SPECIAL[column.type](present)
    if column.type == "string":
        values = [*values, "x" * column.longest]
    if column.categories is not None:
        values = [*column.categories, *values]
    return [*values, *([None] if column.nullable else [])]


def _special_numbers(present: Sequence[float]) -> list[Any]:
    ends = [min(present), max(present)] if present else []
    sizes = [1.0, 0.1 + 0.2, 2.0**24 + 1, 2.0**53 - 1, 1e-45, 1e-320, 1e30, LARGEST_NUMBER]
    return [0.0, -0.0, *sizes, *(-size for size in sizes), *ends, *(2 * end for end in ends)]


def _special_integers(present: Sequence[int]) -> list[Any]:
    ends = [int(min(present)), int(max(present))] if present else []
    sizes = [1, 2, 127, 128, 255, 2**15, 2**24 + 1, 2**31, LARGEST_INTEGER]
    common = sorted(set(present))[:_MOST_CATEGORIES] if len(set(present)) <= _MOST_CATEGORIES else []
    return [0, *sizes, *(-size for size in sizes), *ends, *(end + step for end in ends for step in (-1, 1)), *common]


def _special_texts(present: Sequence[str]) -> list[Any]:
    known = sorted(set(present))[:_MOST_CATEGORIES]
    changed = [known[0].upper(), known[0] + " "] if known else []
    return [*known, *changed, "", "never seen before", "nan", "日本"]


_SPECIAL: Mapping[str, Callable[[Sequence[Any]], list[Any]]] = {
    "number": _special_numbers,
    "integer": _special_integers,
    "boolean": lambda _: [True, False],
    "string": _special_texts,
    **dict.fromkeys(("datetime", "duration", "integer_text"), lambda present: sorted({*present})[:_EXTREMES]),
}


def _extreme_rows(contract: Contract, special: Sequence[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Return rows in which every column has a special value at once, the missing ones among them."""
    by_name = {name: [value for other, value in special if other == name] for name in contract.names}
    longest = max(map(len, by_name.values()))
    rows = [
        {name: values[at % len(values)] for name, values in by_name.items()} for at in range(min(longest, _EXTREMES))
    ]
    return [*rows, {name: None if None in values else values[0] for name, values in by_name.items()}]


# Drawn rows


def _draw(contract: Contract, data: Rows, generator: np.random.Generator) -> list[dict[str, Any]]:
    columns = {column.name: _draw_column(column, data, generator) for column in contract.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _draw_column(column: Column, data: Rows, generator: np.random.Generator) -> list[Any]:
    """Draw values: half of them those of the data, half of them, where they are numbers, anywhere in their range."""
    seen = [data[int(at)][column.name] for at in generator.integers(0, len(data), _DRAWN)]
    present = [value for value in seen if value is not None]
    if column.type not in ("number", "integer") or not present:
        return seen
    drawn = generator.uniform(min(present), max(present), _DRAWN).tolist()
    if column.type == "integer":
        drawn = [round(value) for value in drawn]
    return [
        own if flip else other for own, other, flip in zip(seen, drawn, generator.random(_DRAWN) < 0.5, strict=True)
    ]
