"""What a long ledger costs: verifying it, and appending to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.benchmarks.line import Line, alternate
from workbench import ledger_verifier
from workbench.ledger.ledger import Entry, Event, seal_entry
from workbench.ledger.ledger_export import write_export
from workbench.runs.sqlalchemy_store import Store

_ENTRIES = 100_000


def make_store(path: Path, count: int) -> Store:
    """Make a store whose ledger has so many entries; they are written at once."""
    Store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(f"insert into ledger values ({', '.join('?' * 8)})", map(_row, make_chain(count)))
    return Store(f"sqlite:///{path}", last_seen=path.with_name(f"{path.name}-seen"))


def make_chain(count: int) -> Iterator[Entry]:
    """Return a chain of answers."""
    entry = None
    for number in range(count):
        body = {"question": "harm", "answer": "Somebody may get a newsletter that does not interest them. " * 3}
        subject, time = f"shop/{number % 50 + 1}", "2026-11-20T09:12:31.123456+00:00"
        entry = seal_entry(
            entry, time=time, event=Event.ANSWERED, actor="grace@example.org", subject=subject, body=body
        )
        yield entry


def _row(entry: Entry) -> tuple[object, ...]:
    fields = {**vars(entry), "event": str(entry.event), "body": json.dumps(entry.body)}
    return tuple(fields.values())


def measure_verifying(folder: Path) -> Iterator[Line]:
    """Verify 100,000 entries: from the database, and their export with the second verifier."""
    store = make_store(folder / "long.db", _ENTRIES)
    content = write_export(store.read_ledger())
    ours, theirs = alternate(store.inspect_ledger, lambda: ledger_verifier.verify(content), 3)
    store.close()
    yield Line(f"verify a ledger of {_ENTRIES:,} entries", ours, "the second verifier, on its export", theirs)


def measure_appending(folder: Path) -> Iterator[Line]:
    """Append to a ledger that has 1,000 or 100,000 entries, and to one that has none."""
    empty = make_store(folder / "none.db", 0)
    for count in (1_000, _ENTRIES):
        store = make_store(folder / f"{count}.db", count)
        store.read_ledger()
        ours, theirs = alternate(lambda store=store: _append(store), lambda: _append(empty), 20)  # type: ignore[misc]
        store.close()
        yield Line(f"append to a ledger of {count:,} entries", ours, "to one that was empty", theirs)
    empty.close()


def _append(store: Store) -> None:
    store.append_entry(Event.ANSWERED, actor="grace@example.org", subject="shop/1", body={"question": "harm"})
