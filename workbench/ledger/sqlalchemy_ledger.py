"""The ledger in the store's database: appended to by one at a time, never changed, and never shorter than it was seen before."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from workbench.errors import Refused
from workbench.ledger.last_seen import LastSeen, find_first_fault
from workbench.ledger.ledger import (
    Checkpoint,
    Entry,
    Event,
    find_chain_faults,
    head_of,
    read_entry,
    require_whole,
    seal_entry,
)
from workbench.ledger.sqlalchemy_database import METADATA, Database, Guard
from workbench.ledger.timeline import Timeline, find_clock_fault, find_latest
from workbench.records.clock import utc_now

_ledger = sa.Table(
    "ledger",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("time", sa.String(32), nullable=False),
    sa.Column("event", sa.String(32), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False, unique=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
)
# What is written to find out whether anything can be: as much as a large entry, so that a disk that takes this takes that.
_trial = sa.Table(
    "ledger_trial",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("filler", sa.Text, nullable=False),
)
_TRIAL_BYTES = 65_536
GUARD = Guard(
    _ledger,
    "The ledger is append-only: entries are never changed or removed (`workbench ledger verify` shows any change).",
)


class Ledger:
    """Every decision in order. What this process has verified it does not verify again to append, only to read.

    `clock` says the time now (ISO 8601 UTC), by which entries are dated.
    """

    def __init__(self, database: Database, last_seen: LastSeen | None, clock: Callable[[], str] = utc_now) -> None:
        self._database = database
        self._last_seen = last_seen
        self.clock = clock
        self._verified: list[Entry] = []
        self._latest: Entry | None = None

    def append(
        self,
        event: Event,
        *,
        actor: str,
        subject: str,
        body: Mapping[str, Any],
        require: Callable[[list[Entry]], None],
    ) -> Entry:
        """Append one decision, unless the chain is broken, lacks what was seen here before, or `require` raises.

        It is dated when nobody else can write any more; raises Refused where the clock is behind what stands there already.
        """
        if self._last_seen:
            self._last_seen.require_writable()
        with self._database.transaction(writes=(_ledger,)) as connection:
            entries, latest = self._read_on(connection)
            self._require_as_seen(entries)
            require(list(entries))
            last, time = entries[-1] if entries else None, self.clock()
            _require_clock(latest, time)
            entry = seal_entry(last, time=time, event=event, actor=actor, subject=subject, body=body)
            connection.execute(_ledger.insert().values({**vars(entry), "body": json.dumps(body)}))
        entries.append(entry)
        self._verified, self._latest = entries, find_latest([entry], latest)
        if self._last_seen:
            self._last_seen.note(entries)
        return entry

    def _read_on(self, connection: sa.Connection) -> tuple[list[Entry], Entry | None]:
        """Return all entries and the one of the latest time.

        Those verified before stay verified while the last of them still stands; what came after is verified now.
        """
        known, latest = self._verified, self._latest
        if known and not _stands(connection, known[-1]):
            known, latest = [], None
        newer = _read_entries(connection, after=known[-1].sequence if known else None)
        require_whole(newer, after=known[-1] if known else None)
        return [*known, *newer], find_latest(newer, latest)

    def read(self) -> list[Entry]:
        """Return every decision in order; raises Refused with every fault when their chain is broken."""
        entries, fault = self._look()
        require_whole(entries)
        self._verified, self._latest = list(entries), find_latest(entries)
        if self._last_seen and fault is None:
            self._last_seen.note(entries)
        return entries

    def inspect(self) -> tuple[list[Entry], list[str]]:
        """Return every decision in order and what is wrong with them: to be looked at, never to decide by."""
        entries, fault = self._look()
        faults = find_chain_faults(entries)
        if self._last_seen and not faults and fault is None:
            self._last_seen.note(entries)
        return entries, [*faults, *Timeline(entries).find_faults(self.clock()), *([fault] if fault else [])]

    def recall(self) -> Checkpoint | None:
        """Return what this machine saw last of the ledger, None when it never saw it."""
        with suppress(OSError, ValueError):  # what cannot be read is a fault, and `inspect` says so
            seen = self._last_seen.recall(self._read()) if self._last_seen else []
            return seen[0] if seen else None
        return None

    def accept(self, expected: Checkpoint) -> None:
        """Take the ledger that ends with `expected` for the one to be seen from now on; raises Refused when it ends elsewhere."""
        entries = self._read()
        require_whole(entries)
        now = head_of(entries)
        if now != expected:
            raise Refused(
                "Refused: this is not the ledger that was to be accepted.",
                why=f"It ends with entry {now.sequence}, digest {now.digest}; named was {expected.sequence},"
                f" {expected.digest}.",
                next_step=f"Look at it; if you want to go on with it: `workbench ledger accept --head {now.digest}`.",
            )
        if self._last_seen:
            self._last_seen.accept(entries)

    def require_privilege(self, *, writable: bool = True) -> None:
        """Raise unless a decision could be recorded now: it holds what was seen here before, and it can be written to."""
        entries, fault = self._look()
        require_whole(entries)
        if fault:
            raise _refuse_rollback(fault, entries)
        if not writable:
            return
        _require_clock(find_latest(entries), self.clock())
        if self._last_seen:
            self._last_seen.require_writable()
        with self._database.transaction(writes=(_ledger, _trial)) as connection:
            connection.execute(_trial.delete())
            # What is there already would be written as nothing: the filler is another one each time.
            connection.execute(_trial.insert().values(number=1, filler=os.urandom(_TRIAL_BYTES // 2).hex()))

    def _look(self) -> tuple[list[Entry], str | None]:
        """Return the entries and how they differ from what was seen: of what was noted while they were read, nothing counts."""
        entries = self._read()
        fault = self._last_seen.find_fault(entries) if self._last_seen else None
        if fault is None or self._last_seen is None:
            return entries, None
        with suppress(OSError, ValueError):
            seen = self._last_seen.recall(entries)
            entries = self._read()
            fault = find_first_fault(entries, seen)
        return entries, fault

    def _require_as_seen(self, entries: list[Entry]) -> None:
        fault = self._last_seen.find_fault(entries) if self._last_seen else None
        if fault:
            raise _refuse_rollback(fault, entries)

    def _read(self) -> list[Entry]:
        with self._database.transaction() as connection:
            return _read_entries(connection)


def _refuse_rollback(fault: str, entries: list[Entry]) -> Refused:
    head = head_of(entries)
    return Refused(
        "Refused: the ledger was rolled back or rewritten.",
        why=fault,
        next_step="Put the newer copy of the store back. If you went back on purpose:"
        f" `workbench ledger accept --head {head.digest}`.",
    )


def _require_clock(latest: Entry | None, now: str) -> None:
    """Raise Refused where an entry dated now would be dated back."""
    fault = find_clock_fault(latest, now)
    if latest is not None and fault:
        raise Refused(
            "Refused: this machine's clock is behind the ledger.",
            why=fault,
            next_step=f"Set it right, or wait until it says {latest.time}. If it is right and the entry is far ahead of it:"
            f" put back a copy of the store from before entry {latest.sequence}.",
        )


def _stands(connection: sa.Connection, entry: Entry) -> bool:
    query = sa.select(_ledger.c.digest).where(_ledger.c.sequence == entry.sequence)
    return connection.execute(query).scalar() == entry.digest


def _read_entries(connection: sa.Connection, after: int | None = None) -> list[Entry]:
    query = sa.select(_ledger).order_by(_ledger.c.sequence)
    rows = connection.execute(query if after is None else query.where(_ledger.c.sequence > after))
    return [read_entry(dict(row._mapping)) for row in rows]
