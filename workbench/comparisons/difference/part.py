"""A part of a difference: one kind of thing that two runs have, and how it differs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# More rows than anybody reads; how many are left out is said.
MOST_ROWS = 1_000


class Likeness(StrEnum):
    """How alike two runs are in one thing; what nobody can tell is never the same."""

    DIFFERENT = "different"
    UNKNOWN = "not known"
    SAME = "the same"


@dataclass(frozen=True)
class DiffTable:
    """Things that differ, the most consequential first; each row has a value for each column, None for none.

    `left_out` counts rows beyond those; `note` says how to read them. `values` are those of the columns that say what stands in a
    row, the most telling first: as many as fit are shown.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    left_out: int = 0
    note: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Excerpt:
    """Where two texts differ: lines that begin with +, - or a blank, an empty one where lines between are the same.

    `cut` says in words what of the difference is not shown; empty where all of it is.
    """

    title: str
    lines: tuple[str, ...]
    cut: str = ""


@dataclass(frozen=True)
class Part:
    """What two runs have in common of one kind, and what not.

    `says` is one sentence; `upshot` what of it belongs into the sentence on the whole, where anything does. `unknown` says, a
    line each, what nobody can tell, and why.
    """

    name: str
    likeness: Likeness
    says: str
    upshot: str = ""
    tables: tuple[DiffTable, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    unknown: tuple[str, ...] = ()


def lay_out(title: str, rows: Sequence[Mapping[str, Any]], note: str = "") -> tuple[DiffTable, ...]:
    """Return rows as a table, cut where they are very many; none for no rows."""
    if not rows:
        return ()
    shown = tuple(rows[:MOST_ROWS])
    return (DiffTable(title, tuple(shown[0]), shown, len(rows) - len(shown), note),)


def spell_number(value: Any) -> Any:
    """Return a value as JSON can have it: what is no finite number as text, so that it is not taken for missing."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "\N{MINUS SIGN}∞"
    return value


def count_of(count: int, noun: str, many: str = "") -> str:
    """Return a number of things in words."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def enumerate_all(parts: Sequence[str]) -> str:
    """Return things as a sentence names them."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
