"""Shared rows: which rows of two holdouts are known to be the same; a position that two tables have in common is no row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.runs.tables import LoggedTable
from workbench.stats.same_rows import DigestedRows, find_shared_rows


@dataclass(frozen=True)
class SharedRows:
    """What two runs were scored on in common: all where it is one holdout (`is_one`), else the rows of these `ids`.

    `are_others` says that the others are known for different. `says` is a sentence: why not all are the same, or on what it rests
    that they are.
    """

    is_one: bool = False
    ids: frozenset[str] = frozenset()
    are_others: bool = False
    says: str = "Which of the rows they were scored on are the same is not known."


UNKNOWN = "whether any row is the same is not known"
NOTHING_KNOWN = SharedRows()
ONE_HOLDOUT = SharedRows(is_one=True, says="")


def count_common(before: LoggedTable, after: LoggedTable) -> tuple[int, str] | None:
    """Return how many rows are in both tables, one for one, and by what that is told; None where it cannot be."""
    found = _choose_digests(before, after)
    return (_count_equal(found[0], found[1]), found[2]) if found else None


def count_ids(before: LoggedTable, after: LoggedTable) -> int:
    """Return how many row ids are in both tables; that these are the same rows has to be known otherwise."""
    return _count_equal(before.row_ids, after.row_ids)


def judge_tables(before: LoggedTable, after: LoggedTable) -> SharedRows:
    """Return which rows two holdouts have under one id with the same values, beyond what independent draws may have."""
    sizes = f"{before.fact.rows:,} and {after.fact.rows:,} rows"
    found = _choose_digests(before, after)
    if found is None:
        return SharedRows(says=f"They were scored on other holdouts, of {sizes} with other columns; {UNKNOWN}.")
    common, others = _count_equal(found[0], found[1]), "They were scored on other holdouts"
    if not common:
        return SharedRows(are_others=True, says=f"{others}: of {sizes} none is the same.")
    ours, theirs = DigestedRows(before.row_ids, found[0]), DigestedRows(after.row_ids, found[1])
    shared = find_shared_rows(ours, theirs)
    ids = _find_ids(ours, theirs, shared)
    says = f"{others}: of {sizes} {common:,} {_say_how_alike(common, len(ids), is_by_chance=not any(shared))}."
    are_others = not any(shared) or common < max(before.fact.rows, after.fact.rows)
    return SharedRows(ids=frozenset(ids), are_others=are_others, says=says)


def _say_how_alike(common: int, named: int, *, is_by_chance: bool) -> str:
    """Say of rows whose values are in both tables how many have one id in both."""
    verb = "is" if common == 1 else "are"
    if is_by_chance:
        return f"{'holds' if common == 1 else 'hold'} the same values, as independent draws may"
    if named == common:
        return f"{verb} the same"
    return (
        f"{verb} the same, {named:,} of them under the same row id"
        if named
        else f"{verb} the same, under other row ids"
    )


def _find_ids(ours: DigestedRows, theirs: DigestedRows, shared: Sequence[bool]) -> set[str]:
    """Return the ids under which both tables hold the same row, of those that are shared by more than chance."""
    named = dict(zip(theirs.names, theirs.digests, strict=True))
    found = zip(ours.names, ours.digests, shared, strict=True)
    return {name for name, digest, is_shared in found if is_shared and named.get(name) == digest}


def _choose_digests(before: LoggedTable, after: LoggedTable) -> tuple[Sequence[str], Sequence[str], str] | None:
    """Return by what the rows of both tables can be known again: every value, or rounded ones; None for neither."""
    if before.types == after.types:
        return before.row_digests, after.row_digests, "every value"
    if before.steps == after.steps and before.rounded is not None and after.rounded is not None:
        return before.rounded, after.rounded, "rounded values"
    return None


def _count_equal(ours: Sequence[str], theirs: Sequence[str]) -> int:
    return (Counter(ours) & Counter(theirs)).total()
