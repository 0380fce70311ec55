"""The time of a ledger: it never goes back, and what people sign is never older than what they sign.

A clock that was set back would date a signature to when an expired key still held, so every time is held against those that
stand before it. What nobody can see in a ledger is a time between its last entry and now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from workbench.ledger.ledger import Checkpoint, Entry, Event
from workbench.records.clock import MOST_AHEAD, TOLERANCE, find_moment, is_since, read_moment

_TOLERANCE_S, _AHEAD_MIN = TOLERANCE.seconds, MOST_AHEAD.seconds // 60


def find_latest(entries: Iterable[Entry], known: Entry | None = None) -> Entry | None:
    """Return the entry that says the latest time, `known` among them; None when none says any."""
    dated = [entry for entry in (known, *entries) if entry is not None and find_moment(entry.time)]
    return max(dated, key=lambda entry: read_moment(entry.time), default=None)


def find_clock_fault(latest: Entry | None, now: str) -> str | None:
    """Return why no entry may follow the latest by a clock that says `now`: it would be dated back; None when one may."""
    if latest is None or is_since(now, latest.time):
        return None
    return (
        f"It says {now}, and entry {latest.sequence} of {latest.actor} is of {latest.time},"
        f" more than {_TOLERANCE_S} seconds later."
    )


class Timeline:
    """When the entries of a ledger were written, each held against the latest time that stands before it."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._moments = [find_moment(entry.time) for entry in entries]
        # By position: where the latest time up to there stands.
        self._latest = list(accumulate(range(len(entries)), self._later_of))
        nominated = [at for at, entry in enumerate(entries) if entry.event is Event.NOMINATED]
        self._nominated = {entries[at].subject: at for at in reversed(nominated)}
        self._faults = {entry.sequence: fault for at, entry in enumerate(entries) if (fault := self._find_fault(at))}

    def _later_of(self, one: int, other: int) -> int:
        first, second = self._moments[one], self._moments[other]
        return other if first is None or (second is not None and second >= first) else one

    def _find_fault(self, at: int) -> str | None:
        entry, moment = self._entries[at], self._moments[at]
        if moment is None:
            return f"its time {entry.time!r} is none that names its zone"
        before = self._latest[at - 1] if at else at
        latest, ended = self._moments[before], _end_of_run(entry)
        if latest is not None and latest - moment > TOLERANCE:
            other = self._entries[before]
            return f"it is dated back: it says {entry.time}, and entry {other.sequence} before it says {other.time}"
        if ended is not None and not is_since(entry.time, ended):
            return f"it is dated back: it says {entry.time}, and the run that it nominates ended at {ended}"
        return None

    def find_faults(self, now: str | None = None) -> list[str]:
        """Return which entries are dated back and, where a clock says `now` (ISO 8601; None: none is asked), far ahead of it."""
        faults = [f"Entry {number}: {fault}." for number, fault in self._faults.items()]
        return [*faults, *(self._find_ahead(now) if now else ())]

    def _find_ahead(self, now: str) -> Iterator[str]:
        end = read_moment(now) + MOST_AHEAD
        for entry, moment in zip(self._entries, self._moments, strict=True):
            if moment is not None and moment > end:
                yield (
                    f"Entry {entry.sequence}: it is dated ahead: it says {entry.time}, and this machine's clock says"
                    f" {now}, more than {_AHEAD_MIN} minutes less."
                )

    def find_statement_fault(self, entry: Entry, issued: str, head: Checkpoint | None) -> str | None:
        """Return why a statement kept in an entry was not issued when it says (ISO 8601); None when nothing speaks against it.

        `head` is the last entry that the statement names (None: it names none).
        """
        if fault := self._faults.get(entry.sequence):
            return f"it is kept in an entry that counts for nothing that is signed: {fault}"
        late = [f"{what} is of {time}" for what, time in self._before(entry, head) if not is_since(issued, time)]
        return f"it says it was issued at {issued}, and {late[0]}" if late else None

    def _before(self, entry: Entry, head: Checkpoint | None) -> Iterator[tuple[str, str]]:
        """Yield what a statement comes after, in words, and when that was."""
        if head is not None and 0 < head.sequence <= len(self._entries):
            yield f"entry {head.sequence}, which it names,", self._time_at(head.sequence - 1)
        at = self._nominated.get(entry.subject)
        if at is not None:
            yield f"entry {self._entries[at].sequence}, which nominated {entry.subject},", self._time_at(at)
            ended = _end_of_run(self._entries[at])
            yield from [] if ended is None else [("the end of the run it signs", ended)]

    def _time_at(self, at: int) -> str:
        """Return how late it was at a position by all that stands up to it."""
        return self._entries[self._latest[at]].time


def _end_of_run(entry: Entry) -> str | None:
    """Return when the run ended that an entry nominates; None for any other, and for those from before it was kept."""
    ended = entry.body.get("ended") if entry.event is Event.NOMINATED else None
    return None if ended is None else str(ended)
