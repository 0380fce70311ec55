"""Columns out of our own store: runs that changed since the mark are read again, all others stay as they were copied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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
_NEWEST = sa.select(sa.func.coalesce(sa.func.max(RUNS.c.changed), 0))
_COUNT = sa.select(sa.func.count()).select_from(RUNS).where(_IS_THERE)


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
        if kept is None or len(names) > len(kept.asked):
            return self._read_all(names)
        mark = kept.mark["changed"]
        with self._database.transaction() as connection:
            newest = connection.execute(_NEWEST).scalar_one()
            is_open = ATTEMPTS.c.state.not_in(_FINAL)
            changed = self._read(connection, sa.or_(RUNS.c.changed > mark, is_open))
            gone = connection.execute(sa.select(RUNS.c.id).where(~_IS_THERE, RUNS.c.changed > mark)).scalars().all()
            count = connection.execute(_COUNT).scalar_one()
        if not changed and not gone and count == len(kept):
            return kept
        found = _replace(kept, changed, names, gone, newest)
        # What was deleted for good since the mark nobody can name any more, but it is missed.
        return found if len(found) == count else self._read_all(names)

    def _read_all(self, names: Sequence[str]) -> Columns:
        with self._database.transaction() as connection:
            newest = connection.execute(_NEWEST).scalar_one()
            outlines = self._read(connection, sa.true())
        return _replace(Columns(build_columns(_tabulate([], names))), outlines, names, (), newest)

    def _read(self, connection: sa.Connection, condition: Any) -> list[Outline]:
        parts = ("metrics", "datasets", "replay_of")
        query = select_outlines(_JOINED, parts, is_sqlite=self._database.is_sqlite).where(_IS_THERE, condition)
        rows = connection.execute(query).all()
        return build_outlines(rows, lambda row: None if row.state in _FINAL else self._find_loss(row))


def _replace(
    kept: Columns, outlines: Sequence[Outline], names: Sequence[str], gone: Iterable[str], newest: int
) -> Columns:
    """Put runs as they are now in the place of what was kept of them."""
    known = {of: set(kept.names.get(of, ())) for of in KINDS}
    for of, keys in known.items():
        keys.update(chain.from_iterable(_parse_all(outlines, of)))
    arrays = replace_rows(kept.arrays, build_columns(_tabulate(outlines, names)), gone)
    return Columns(arrays, {"changed": newest}, {of: sorted(keys) for of, keys in known.items()})


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
