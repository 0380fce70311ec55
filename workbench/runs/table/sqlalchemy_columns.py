"""Columns out of our own store: runs that have another number than in the copy are read again, all others stay as they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa

from workbench.ledger.sqlalchemy_database import Database
from workbench.runs.finding.outline import Outline
from workbench.runs.finding.sqlalchemy_outlines import build_outlines, select_outlines
from workbench.runs.run import FINAL_STATES
from workbench.runs.sqlalchemy_tables import ANNOTATIONS, ATTEMPTS, RUNS
from workbench.runs.table.columns import KINDS, OWN, Columns, build_columns, replace_rows

_FINAL = [str(state) for state in FINAL_STATES]
_LATEST = (
    sa.select(sa.func.max(ATTEMPTS.c.number)).where(ATTEMPTS.c.run_id == RUNS.c.id).correlate(RUNS).scalar_subquery()
)
_JOINED = RUNS.join(ATTEMPTS, sa.and_(ATTEMPTS.c.run_id == RUNS.c.id, ATTEMPTS.c.number == _LATEST)).outerjoin(
    ANNOTATIONS, ANNOTATIONS.c.run_id == RUNS.c.id
)
_IS_THERE = RUNS.c.deleted.is_(None)
_THERE = sa.select(RUNS.c.id, RUNS.c.changed).where(_IS_THERE)
_OPEN = sa.select(ATTEMPTS.c.run_id).where(ATTEMPTS.c.state.not_in(_FINAL))
# So many runs are looked up by their ids; of more, all are read.
_MOST_CHANGED, _MOST_IN_QUERY = 2_000, 500


class StoreColumns:
    """The runs of a project's own store as columns; `find_loss` says why nobody runs an attempt any more."""

    def __init__(self, database: Database, find_loss: Callable[[Any], str | None]) -> None:
        self._database = database
        self._find_loss = find_loss

    @property
    def place(self) -> str:
        """What tells the store from every other one."""
        return f"runs of {self._database.place}" if self._database.place else ""

    def refresh(self, kept: Columns | None, asked: Sequence[str]) -> Columns:
        """Return the columns as the store has them now; raises Unavailable where it does not answer."""
        names = list(dict.fromkeys([*(kept.asked if kept else ()), *asked]))
        since = kept if kept and len(names) == len(kept.asked) else None
        with self._database.transaction() as connection:
            # Read before the rows: who writes meanwhile leaves a number in the copy that is none of theirs.
            there: dict[str, int | None] = dict(connection.execute(_THERE).all())
            fresh = find_changed(connection, since, there) if since else None
            if since and fresh == [] and len(since) == len(there):
                return since
            outlines = self._read(connection, fresh)
        before = since if since and fresh is not None else _build_none(names)
        found = _replace(before, outlines, names, there)
        return kept if kept and found.is_same(kept) else found

    def _read(self, connection: sa.Connection, run_ids: Sequence[str] | None) -> list[Outline]:
        parts = ("metrics", "datasets", "replay_of", "pairing")
        query = select_outlines(_JOINED, parts, is_sqlite=self._database.is_sqlite).where(_IS_THERE)
        queries = [query] if run_ids is None else [query.where(RUNS.c.id.in_(some)) for some in split_ids(run_ids)]
        rows = chain.from_iterable(connection.execute(each).all() for each in queries)
        return build_outlines(rows, lambda row: None if row.state in _FINAL else self._find_loss(row))


def _build_none(names: Sequence[str]) -> Columns:
    """Return the columns of no runs."""
    return Columns(build_columns({**_tabulate([], names), "run.changed": []}))


def find_changed(connection: sa.Connection, kept: Columns, there: Mapping[str, int | None]) -> list[str] | None:
    """Return the runs that were not copied as they are, and those that go on; None where they are too many to be looked up."""
    numbers = dict(zip(kept.arrays["run.id"].to_pylist(), kept.arrays["run.changed"].to_pylist(), strict=True))
    fresh = {run_id for run_id, number in there.items() if numbers.get(run_id, _NONE) != number}
    fresh |= {*connection.execute(_OPEN).scalars()} & there.keys()
    return sorted(fresh) if len(fresh) <= _MOST_CHANGED else None


def split_ids(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ids as many at a time as a query takes."""
    return (run_ids[start : start + _MOST_IN_QUERY] for start in range(0, len(run_ids), _MOST_IN_QUERY))


def _replace(
    kept: Columns, outlines: Sequence[Outline], names: Sequence[str], there: Mapping[str, int | None]
) -> Columns:
    """Put runs as they are now in the place of what was kept of them; what is not there any more goes."""
    known = {of: set(kept.names.get(of, ())) for of in KINDS}
    for of, keys in known.items():
        keys.update(chain.from_iterable(_parse_all(outlines, of)))
    fresh = _tabulate(outlines, names) | {"run.changed": [there.get(each.id) for each in outlines]}
    gone = [run_id for run_id in kept.arrays["run.id"].to_pylist() if run_id not in there]
    arrays = replace_rows(kept.arrays, build_columns(fresh), gone)
    return Columns(arrays, {}, {of: sorted(keys) for of, keys in known.items()})


def _tabulate(outlines: Sequence[Outline], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the columns of outlines; None where one has no value."""
    columns: dict[str, list[Any]] = {f"run.{name}": [_READ[name](each) for each in outlines] for name in OWN}
    parsed = {of: _parse_all(outlines, of) for of in KINDS}
    for name in names:
        of, _, key = name.partition(".")
        found = [values.get(key, _NONE) for values in parsed[of]]
        columns[name] = [None if value is _NONE else _SPELL[of](value) for value in found]
    return columns


_NONE = object()
_SPELL: Mapping[str, Callable[[Any], Any]] = {
    "metrics": lambda value: None if value is None else float(value),
    "params": lambda value: json.dumps(value, ensure_ascii=False),
    "tags": str,
}
_READ: Mapping[str, Callable[[Outline], Any]] = {
    **{name: lambda each, name=name: getattr(each, name) or None for name in OWN if name in Outline.__slots__},  # type: ignore[misc]
    "name": lambda each: each.annotations.name,
    "note": lambda each: each.annotations.note,
    "archived": lambda each: each.annotations.archived,
    "holdout": lambda each: each.holdout,
    "scored_rows": lambda each: each.scored_rows,
    "experiment": lambda _: None,
}


def _parse_all(outlines: Sequence[Outline], of: str) -> list[Mapping[str, Any]]:
    """Parse the values of many runs at once: of ten thousand short texts the calls would take longer than the reading."""
    match of:
        case "tags":
            return [each.annotations.tags for each in outlines]
        case "params":
            texts = [each.parameters for each in outlines]
        case _:
            texts = [each.metrics or "{}" for each in outlines]
    found: list[Mapping[str, Any]] = json.loads(f"[{','.join(texts)}]")
    return found
