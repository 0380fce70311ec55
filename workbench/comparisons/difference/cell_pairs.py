"""Matching cells: which cell of one notebook is which of another, by content first, then by likeness; never quadratic."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.notebooks.notebook import INJECTED, cell_source, number_cells, tags_of

_LEAST_ALIKE = 0.5
# Each cell that is left is held against so many of the other side, the nearest; of fewer than that against all.
_BESIDE = 25
_MOST_WORDS = 2_000
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Cell:
    """A cell somebody wrote: its number as its author counts code, its type, its source and what it showed."""

    number: int
    kind: str
    source: str
    outputs: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    @property
    def called(self) -> str:
        """What people call it."""
        return f"cell {self.number}" if self.kind == "code" else f"{self.kind} by cell {self.number}"


@dataclass(frozen=True)
class Matched:
    """A cell of both notebooks: it was moved where the others between which it stood are not where they were."""

    before: Cell
    after: Cell
    is_moved: bool

    @property
    def is_changed(self) -> bool:
        """True where its source is another one."""
        return self.before.source != self.after.source


@dataclass(frozen=True)
class MatchedCells:
    """The cells of two notebooks: those that are in both, in the order of the second, and those of one alone."""

    matched: tuple[Matched, ...]
    removed: tuple[Cell, ...]
    added: tuple[Cell, ...]


def list_cells(document: Mapping[str, Any]) -> list[Cell]:
    """Return the cells of an executed notebook that somebody wrote: neither empty nor put there by whoever ran it."""
    numbered = zip(number_cells(document), document["cells"], strict=True)
    return [
        Cell(number, cell["cell_type"], cell_source(cell), _outputs_of(cell))
        for number, cell in numbered
        if cell_source(cell).strip()
        and not any(tag == INJECTED or tag.startswith("papermill") for tag in tags_of(cell))
    ]


def _outputs_of(cell: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    outputs = cell.get("outputs")
    return outputs if isinstance(outputs, list) else ()


def match_cells(before: Sequence[Cell], after: Sequence[Cell]) -> MatchedCells:
    """Match the cells of two notebooks; by the same text, of the rest by half of the words in common."""
    pairs = dict(_match_same(before, after))
    taken = {*pairs.values()}
    left = [place for place in range(len(before)) if place not in pairs]
    right = [place for place in range(len(after)) if place not in taken]
    pairs |= dict(_match_alike(before, after, left, right))
    staying = _find_staying(pairs)
    matched = [
        Matched(before[one], after[pairs[one]], one not in staying) for one in sorted(pairs, key=pairs.__getitem__)
    ]
    found = {*pairs.values()}
    return MatchedCells(
        tuple(matched),
        tuple(cell for place, cell in enumerate(before) if place not in pairs),
        tuple(cell for place, cell in enumerate(after) if place not in found),
    )


def _match_same(before: Sequence[Cell], after: Sequence[Cell]) -> Iterator[tuple[int, int]]:
    places = defaultdict(list)
    for place, cell in reversed([*enumerate(after)]):
        places[cell.kind, cell.source].append(place)
    for place, cell in enumerate(before):
        if found := places.get((cell.kind, cell.source)):
            yield place, found.pop()


def _match_alike(
    before: Sequence[Cell], after: Sequence[Cell], left: Sequence[int], right: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of the cells that are left, the most alike first, among equal ones the nearest."""
    ours, theirs = (
        {place: _count_words(cells[place]) for place in places} for cells, places in ((before, left), (after, right))
    )
    found = sorted(
        (-likeness, abs(one - other), one, other)
        for one, other in _pair_near(left, right)
        if before[one].kind == after[other].kind
        and (likeness := _measure_likeness(ours[one], theirs[other])) >= _LEAST_ALIKE
    )
    taken: tuple[set[int], set[int]] = set(), set()
    for _, _, one, other in found:
        if one not in taken[0] and other not in taken[1]:
            taken[0].add(one)
            taken[1].add(other)
            yield one, other


def _pair_near(left: Sequence[int], right: Sequence[int]) -> Iterator[tuple[int, int]]:
    for one in left:
        middle = bisect_left(right, one)
        yield from ((one, other) for other in right[max(middle - _BESIDE, 0) : middle + _BESIDE])


def _count_words(cell: Cell) -> Counter[str]:
    return Counter(_WORD.findall(cell.source[: 10 * _MOST_WORDS])[:_MOST_WORDS])


def _measure_likeness(one: Counter[str], other: Counter[str]) -> float:
    """Return the share of words in common (Dice), 0 to 1."""
    total = one.total() + other.total()
    if 2 * min(one.total(), other.total()) < _LEAST_ALIKE * total:  # it cannot be
        return 0.0
    return 2 * sum(min(count, other[word]) for word, count in one.items() if word in other) / total


def _find_staying(pairs: Mapping[int, int]) -> set[int]:
    """Return the cells that are in the same order in both, as many as can be: the longest increasing subsequence."""
    ends: list[int] = []
    owners: list[int] = []
    before: dict[int, int | None] = {}
    for one in sorted(pairs):
        place = bisect_left(ends, pairs[one])
        before[one] = owners[place - 1] if place else None
        ends[place : place + 1], owners[place : place + 1] = [pairs[one]], [one]
    staying, last = set(), owners[-1] if owners else None
    while last is not None:
        staying.add(last)
        last = before[last]
    return staying
