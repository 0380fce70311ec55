"""Attempts out of our own store as columns: every one of every run, of its record only what comparing thousands asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from workbench.ledger.sqlalchemy_database import Database
from workbench.runs.finding.annotations import NOTHING_SAID, Annotations
from workbench.runs.folder import PREDICTIONS
from workbench.runs.parsed_later import ParsedLater
from workbench.runs.run import FINAL_STATES, Run, RunState
from workbench.runs.sqlalchemy_tables import ANNOTATIONS, ATTEMPTS, RUNS
from workbench.runs.table.columns import Columns, build_columns, join_columns, replace_rows
from workbench.runs.table.sqlalchemy_columns import find_changed, split_ids

_FINAL = [str(state) for state in FINAL_STATES]
_JOINED = RUNS.join(ATTEMPTS, ATTEMPTS.c.run_id == RUNS.c.id).outerjoin(ANNOTATIONS, ANNOTATIONS.c.run_id == RUNS.c.id)
_OWN: Mapping[str, Any] = {
    **{name: RUNS.c[name] for name in ("id", "created", "notebook", "notebook_digest", "author", "sweep", "deleted")},
    **{name: ATTEMPTS.c[name] for name in ("state", "started", "ended", "error")},
    "attempt": ATTEMPTS.c.number,
    "changed": RUNS.c.changed,
    "name": ANNOTATIONS.c.name,
    "archived": ANNOTATIONS.c.archived,
    "parameters": RUNS.c.parameters,
}
# What lies within JSON texts, by where it stands there.
_IN_RECORD: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("metrics", "datasets", "predicted", "written_files", "scores")},
    "stored": ("files", PREDICTIONS),
}
_PARTS = (*_IN_RECORD, "replay_of")


_AT_ONCE = 1_000


class StoreAttempts:
    """All attempts of a project's own store; `find_loss` says why nobody runs an attempt any more."""

    def __init__(self, database: Database, find_loss: Callable[[Any], str | None]) -> None:
        self._database = database
        self._find_loss = find_loss

    @property
    def place(self) -> str:
        """What tells the store from every other one."""
        return f"attempts of {self._database.place}" if self._database.place else ""

    def refresh(self, kept: Columns | None, asked: Sequence[str]) -> Columns:  # noqa: ARG002 - all columns are always there
        """Return the attempts as the store has them now; raises Unavailable where it does not answer."""
        with self._database.transaction() as connection:
            # Read before the rows: who writes meanwhile leaves a number in the copy that is none of theirs.
            there: dict[str, int | None] = dict(connection.execute(sa.select(RUNS.c.id, RUNS.c.changed)).all())
            fresh = find_changed(connection, kept, there) if kept else None
            if kept and fresh == [] and {*kept.arrays["run.id"].to_pylist()} == there.keys():
                return kept
            found = join_columns([*map(_build_batch, self._read(connection, fresh))] or [_build_batch([])])
        if kept is None or fresh is None:
            return Columns(found)
        gone = [run_id for run_id in kept.arrays["run.id"].to_pylist() if run_id not in there]
        return Columns(replace_rows(kept.arrays, found, gone))

    def _read(self, connection: sa.Connection, run_ids: Sequence[str] | None) -> Iterator[list[dict[str, Any]]]:
        """Yield the attempts of these runs, or of all, a few at a time: as Python has them they take ten times the room."""
        query = _select(is_sqlite=self._database.is_sqlite)
        queries = [query] if run_ids is None else [query.where(RUNS.c.id.in_(some)) for some in split_ids(run_ids)]
        for each in queries:
            for rows in connection.execution_options(yield_per=_AT_ONCE).execute(each).partitions():
                yield [self._build(row) for row in rows]

    def _build(self, row: Any) -> dict[str, Any]:
        found = dict(zip((*_OWN, *_PARTS), row, strict=False))
        if found["state"] not in _FINAL and (loss := self._find_loss(row)):
            found |= {"state": str(RunState.LOST), "error": loss}
        if row.record is not None:
            record = json.loads(row.record)
            found |= {name: _spell(_find(record, path)) for name, path in _IN_RECORD.items()}
        if row.provenance is not None:
            found["replay_of"] = json.loads(row.provenance).get("replay_of")
        return found


def _build_batch(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return build_columns({f"run.{name}": [row[name] for row in rows] for name in (*_OWN, *_PARTS)})


def _find(record: Any, path: Sequence[str]) -> Any:
    for key in path:
        record = record.get(key, {})
    return record or None


def _spell(part: Any) -> str | None:
    return part if part is None or isinstance(part, str) else json.dumps(part)


def _select(*, is_sqlite: bool) -> Any:
    """Return the query: parts as SQLite reads them, which knows no NaN, or the texts whole."""
    record, provenance = ATTEMPTS.c.record, RUNS.c.provenance
    parts = [_select_part(record, path, is_sqlite=is_sqlite) for path in _IN_RECORD.values()]
    parts.append(_select_part(provenance, ("replay_of",), is_sqlite=is_sqlite))
    whole = [sa.case((sa.func.json_valid(text) == 0, text)) if is_sqlite else text for text in (record, provenance)]
    texts = [text.label(name) for text, name in zip(whole, ("record", "provenance"), strict=True)]
    lease = [ATTEMPTS.c[name] for name in ("owner", "lease_until", "lease_until_monotonic")]
    own = [column.label(name) for name, column in _OWN.items()]
    named = [part.label(name) for part, name in zip(parts, _PARTS, strict=True)]
    return sa.select(*own, *named, *texts, *lease).select_from(_JOINED)


def _select_part(text: Any, path: Sequence[str], *, is_sqlite: bool) -> Any:
    if not is_sqlite:
        return sa.null()
    place = "$" + "".join(f'."{key}"' for key in path)
    return sa.case((sa.func.json_valid(text) == 1, sa.func.json_extract(text, place)))


# Runs of columns


def list_deleted(columns: Columns) -> set[str]:
    """Return the ids of runs that were deleted: their looks count."""
    pairs = zip(*(columns.arrays[f"run.{name}"].to_pylist() for name in ("id", "deleted")), strict=True)
    return {run_id for run_id, deleted in pairs if deleted is not None}


def build_attempts(columns: Columns) -> list[Run]:
    """Return attempts as the runs they are of, the newest run and its latest attempt first; what was long is parsed when asked for.

    Of their records that is there which this module reads, and no more.
    """
    read = {name: columns.arrays[f"run.{name}"].to_pylist() for name in (*_OWN, *_PARTS)}
    read |= {name: _parse_all(read[name]) for name in ("predicted", "scores")}
    rows = zip(*read.values(), strict=True)
    found = [_build_run(dict(zip(read, row, strict=True))) for row in rows]
    return sorted(found, key=lambda run: (run.created, run.id, run.attempt), reverse=True)


def _parse_all(texts: Sequence[str | None]) -> list[Any]:
    """Parse many texts at once: of ten thousand short ones the calls would take longer than the reading."""
    found: list[Any] = json.loads(f"[{','.join('null' if text is None else text for text in texts)}]")
    return found


# Runs of one sweep logged the same tables.
_parse_once = lru_cache(maxsize=64)(json.loads)
_PARSE: Mapping[str, Callable[[str], Any]] = {
    "datasets": _parse_once,
    "written_files": json.loads,
    "metrics": ParsedLater,
}


def _build_run(row: Mapping[str, Any]) -> Run:
    record: dict[str, Any] = {name: parse(row[name]) for name, parse in _PARSE.items() if row[name] is not None}
    record |= {name: row[name] for name in ("predicted", "scores") if row[name] is not None}
    if row["stored"] is not None:
        record["files"] = {PREDICTIONS: row["stored"]}
    is_said = row["name"] is not None or row["archived"] is not None
    return Run(
        id=row["id"],
        notebook=row["notebook"],
        notebook_digest=row["notebook_digest"],
        parameters=ParsedLater(row["parameters"]),
        provenance={} if row["replay_of"] is None else {"replay_of": row["replay_of"]},
        author=row["author"],
        created=row["created"],
        state=RunState(row["state"]),
        attempt=row["attempt"],
        started=row["started"],
        ended=row["ended"],
        sweep=row["sweep"],
        error=row["error"],
        record=record,
        annotations=Annotations(name=row["name"], archived=row["archived"]) if is_said else NOTHING_SAID,
    )
