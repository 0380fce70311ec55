"""Other splits: looks at other holdouts that had rows of this one at hand, and which of them are tries on it all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.runs.looks import Look, count_distinct

# Who had at least so many of the rows of a holdout at hand, to train on or to score, split the same data anew.
LEAST_AT_HAND = 0.5


@dataclass(frozen=True)
class OtherSplits:
    """Looks at other holdouts that had rows of this one at hand.

    `anew` had at least half of them: to look for a lucky split is to try, so each counts as if it had been at these very rows.
    `beside` had fewer, and some of them held out. `scored_rows` of this holdout stood in a holdout of either.
    """

    anew: tuple[Look, ...] = ()
    beside: tuple[Look, ...] = ()
    scored_rows: int = 0

    def count_more(self, looks: Sequence[Look]) -> int:
        """Return how many tries they are besides those on just these rows."""
        return count_distinct([*looks, *self.anew]) - count_distinct(looks) if self.anew else 0


NO_SPLITS = OtherSplits()


@dataclass(frozen=True)
class RowsAtHand:
    """Which rows of a holdout, by their places, other looks had at hand, and which of these they held out."""

    looks: tuple[Look, ...]
    at_hand: Sequence[bool]
    held_out: Sequence[bool]


def judge_splits(found: Sequence[RowsAtHand]) -> OtherSplits:
    """Return which looks are tries on a holdout, and which share too few of its rows for that."""
    anew = [each for each in found if sum(each.at_hand) >= LEAST_AT_HAND * len(each.at_hand) > 0]
    beside = [each for each in found if each not in anew and any(each.held_out)]
    scored = zip(*(each.held_out for each in (*anew, *beside)), strict=True)
    return OtherSplits(_list_looks(anew), _list_looks(beside), sum(map(any, scored)))


def _list_looks(found: Sequence[RowsAtHand]) -> tuple[Look, ...]:
    return tuple(look for each in found for look in each.looks)
