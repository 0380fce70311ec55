"""The store in one database (SQLite by default, or PostgreSQL): runs with their attempts, and the ledger.

A state changes only through a compare-and-set on the state before, so two writers cannot both move an attempt.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from workbench.errors import NotFound
from workbench.ledger.last_seen import LastSeen
from workbench.ledger.ledger import Entry, Event
from workbench.ledger.sqlalchemy_database import Database
from workbench.ledger.sqlalchemy_ledger import GUARD, Ledger
from workbench.records.clock import utc_now
from workbench.runs.finding.annotations import can_name, say_not_one
from workbench.runs.finding.outline import Outline
from workbench.runs.finding.sqlalchemy_annotations import SAID, KeptAnnotations, pop_annotations, write_annotations
from workbench.runs.finding.sqlalchemy_outlines import build_outlines, join_latest, select_outlines
from workbench.runs.finding.sqlalchemy_removals import KeptRemovals
from workbench.runs.run import (
    FINAL_STATES,
    IllegalTransition,
    Run,
    RunState,
    is_run_prefix,
    new_run_id,
    require_transition,
)
from workbench.runs.sqlalchemy_tables import ANNOTATIONS, ATTEMPTS, RUNS, note_change
from workbench.runs.table.sqlalchemy_attempts import StoreAttempts
from workbench.runs.table.sqlalchemy_columns import StoreColumns

# Whoever runs an attempt says so this often; one that was silent for two of them has lost it.
HEARTBEAT_S = 10.0
LEASE_S = 2 * HEARTBEAT_S
# What a query takes at a time.
_MOST_IDS = 500
_IS_THERE = RUNS.c.deleted.is_(None)
_FINAL = [str(state) for state in FINAL_STATES]


class Store:
    """Runs, attempts and the ledger behind one SQLAlchemy URL.

    `last_seen` is the folder that remembers what this machine saw of each ledger (None: nothing is remembered); `clock` says
    the time now (ISO 8601 UTC), by which the ledger is dated.
    """

    def __init__(
        self,
        address: str,
        *,
        last_seen: Path | None = None,
        clock: Callable[[], str] = utc_now,
        explain: Callable[[str], NotFound | None] = lambda _: None,
    ) -> None:
        self._database, self._explain = Database(address), explain
        try:
            self._database.prepare([GUARD])
        except BaseException:
            self._database.close()
            raise
        place = self._database.place
        self.annotations = KeptAnnotations(self._database)
        self.removals = KeptRemovals(self._database)
        self.columns = StoreColumns(self._database, _find_loss)
        self.attempts = StoreAttempts(self._database, _find_loss)
        self.ledger = Ledger(self._database, LastSeen(last_seen, place) if last_seen and place else None, clock)

    def close(self) -> None:
        """Free the connections."""
        self._database.close()

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return self._database.transaction()

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        return self._database.transaction(writes=(RUNS, ATTEMPTS))

    # Runs and attempts

    def draw_run_id(self) -> str:
        """Return an id that no run has; one that is taken is drawn again."""
        with self._reading() as connection:
            while True:
                drawn = new_run_id()
                if connection.execute(sa.select(RUNS.c.id).where(RUNS.c.id == drawn)).first() is None:
                    return drawn

    def add_run(self, run: Run) -> None:
        """Write a run with its first attempt, QUEUED and held by this process."""
        columns = {each.name: getattr(run, each.name) for each in fields(run) if each.name in RUNS.c}
        columns |= {key: json.dumps(columns[key]) for key in ("parameters", "provenance")}
        with self._writing() as connection:
            connection.execute(RUNS.insert().values(columns))
            connection.execute(ATTEMPTS.insert().values(_new_attempt(run.id, 1)))
            if not run.annotations.is_empty:
                write_annotations(connection, run.id, run.annotations)
            note_change(connection, run.id)

    def add_attempt(self, run_id: str) -> int:
        """Add the next attempt of a run whose last one did not finish, held by this process, and return its number."""
        with self._writing() as connection:
            latest = _latest_attempt(connection, run_id)
            is_there = connection.execute(sa.select(RUNS.c.id).where(RUNS.c.id == run_id, _IS_THERE)).first()
            if RunState(latest.state) not in FINAL_STATES - {RunState.FINISHED} or not is_there:
                why = f"Its attempt {latest.number} is {latest.state}." if is_there else "It was deleted."
                raise IllegalTransition(f"Run {run_id} cannot be attempted again.", why=why)
            connection.execute(ATTEMPTS.insert().values(_new_attempt(run_id, latest.number + 1)))
            note_change(connection, run_id)
            return int(latest.number) + 1

    def move_run(self, run: Run) -> None:
        """Move the attempt of a run to the state the run has now, with its error, its record, MLflow's id for it and when that was.

        Raises IllegalTransition where the states do not allow it, or another attempt took this one's place.
        """
        with self._writing() as connection:
            latest = _latest_attempt(connection, run.id)
            if latest.number != run.attempt:
                raise IllegalTransition(
                    f"Attempt {run.attempt} of run {run.id} is over.", why=f"Attempt {latest.number} took its place."
                )
            require_transition(RunState(latest.state), run.state)
            values = {"state": run.state, "error": run.error, "record": json.dumps(run.record) if run.record else None}
            when, at = ("started", run.started) if run.state is RunState.RUNNING else ("ended", run.ended)
            values[when] = at or utc_now()
            connection.execute(RUNS.update().where(RUNS.c.id == run.id).values(tracked_as=run.tracked_as))
            this = (ATTEMPTS.c.run_id == run.id) & (ATTEMPTS.c.number == run.attempt)
            connection.execute(ATTEMPTS.update().where(this).values(values))
            note_change(connection, run.id)

    def renew_leases(self) -> frozenset[tuple[str, int]]:
        """Say that this process still runs what it runs, and return that as (run id, attempt)."""
        mine = (ATTEMPTS.c.owner == _own_name()) & ATTEMPTS.c.state.not_in(_FINAL)
        with self._writing() as connection:
            connection.execute(ATTEMPTS.update().where(mine).values(_new_lease()))
            held = connection.execute(sa.select(ATTEMPTS.c.run_id, ATTEMPTS.c.number).where(mine))
            return frozenset((row.run_id, row.number) for row in held)

    def request_stop(self, run_id: str, *, by: str) -> None:
        """Ask whoever holds the attempt of a run to end it; raises IllegalTransition when it has ended."""
        with self._writing() as connection:
            latest = _latest_attempt(connection, run_id)
            if latest.state in _FINAL:
                raise IllegalTransition(f"Run {run_id} cannot be stopped.", why=f"It is {latest.state} already.")
            this = (ATTEMPTS.c.run_id == run_id) & (ATTEMPTS.c.number == latest.number)
            connection.execute(ATTEMPTS.update().where(this).values(stop_asked=by))

    def list_stop_requests(self) -> dict[str, str]:
        """Return who asked for the end of what this process runs, by the id of the run."""
        mine = (ATTEMPTS.c.owner == _own_name()) & ATTEMPTS.c.state.not_in(_FINAL)
        query = sa.select(ATTEMPTS.c.run_id, ATTEMPTS.c.stop_asked).where(mine, ATTEMPTS.c.stop_asked.is_not(None))
        with self._reading() as connection:
            return {row.run_id: row.stop_asked for row in connection.execute(query)}

    def mark_published(self, run_id: str) -> None:
        """Note that MLflow was told how the run ended."""
        with self._writing() as connection:
            connection.execute(RUNS.update().where(RUNS.c.id == run_id).values(published=True))

    def list_unpublished_runs(self) -> list[Run]:
        """Return the runs that ended without MLflow being told."""
        query = _run_query().where(~RUNS.c.published, RUNS.c.tracked_as.is_not(None), ATTEMPTS.c.state.in_(_FINAL))
        with self._reading() as connection:
            return [_build_run(row) for row in connection.execute(query)]

    def list_runs(
        self,
        *,
        notebook: str | None = None,
        sweep: str | None = None,
        limit: int | None = None,
        archived: bool = True,
    ) -> list[Run]:
        """Return runs, newest first; one whose process is gone is LOST, whether or not anybody wrote that down yet.

        Without `archived` those that were put aside are left out.
        """
        query = _run_query().order_by(RUNS.c.created.desc()).limit(limit)
        query = query if archived else query.where(ANNOTATIONS.c.archived.is_(None))
        query = query.where(RUNS.c.notebook == notebook) if notebook else query
        query = query.where(RUNS.c.sweep == sweep) if sweep else query
        with self._reading() as connection:
            return [_build_run(row) for row in connection.execute(query)]

    def list_outlines(self, parts: Collection[str], *, notebook: str | None = None) -> list[Outline]:
        """Return what conditions ask of runs, of every run or of a notebook's, newest first.

        Of `metrics`, `datasets` and `replay_of`, which cost most, only those `parts` are read that are wanted.
        """
        query = select_outlines(join_latest(), parts, is_sqlite=self._database.is_sqlite)
        query = query.where(_IS_THERE).order_by(RUNS.c.created.desc())
        query = query.where(RUNS.c.notebook == notebook) if notebook else query
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return build_outlines(rows, lambda row: None if row.state in _FINAL else _find_loss(row))

    def list_notebooks(self) -> list[str]:
        """Return the paths of the notebooks that have runs."""
        with self._reading() as connection:
            return [*connection.execute(sa.select(RUNS.c.notebook).where(_IS_THERE).distinct()).scalars()]

    def list_runs_by_id(self, run_ids: Sequence[str]) -> list[Run]:
        """Return runs in the order of their ids; one that is gone is left out."""
        found: dict[str, Run] = {}
        with self._reading() as connection:
            for start in range(0, len(run_ids), _MOST_IDS):
                query = _run_query().where(RUNS.c.id.in_(run_ids[start : start + _MOST_IDS]))
                found |= {row.id: _build_run(row) for row in connection.execute(query)}
        return [found[run_id] for run_id in run_ids if run_id in found]

    def list_attempts(self) -> list[Run]:
        """Return every attempt as the run it was of, the newest run first, also of runs that were deleted and had seen a holdout.

        `list_runs` has the latest of each run that is there.
        """
        return self._list_attempts(lambda query: query.order_by(RUNS.c.created.desc(), ATTEMPTS.c.number.desc()))

    def list_attempts_naming(self, text: str, *, limit: int) -> list[Run]:
        """Return the attempts whose record holds a text, such as a digest, the oldest run first: not every record is read."""
        holds = ATTEMPTS.c.record.contains(text, autoescape=True)
        return self._list_attempts(lambda query: query.where(holds).order_by(RUNS.c.created).limit(limit))

    def _list_attempts(self, choose: Callable[[Any], Any]) -> list[Run]:
        query = choose(_select_runs(RUNS.join(ATTEMPTS, ATTEMPTS.c.run_id == RUNS.c.id)))
        with self._reading() as connection:
            return [_build_run(row) for row in connection.execute(query)]

    def find_run(self, text: str) -> Run:
        """Return the one run whose id is this text, or begins with it, or that is named so: a name is never like an id.

        Raises NotFound when there is none or more than one.
        """
        is_id = is_run_prefix(text)
        if not is_id and not can_name(text):
            raise say_not_one(text, [], is_id=is_id)
        chosen = RUNS.c.id.startswith(text) if is_id else ANNOTATIONS.c.name == text
        with self._reading() as connection:
            found = connection.execute(_run_query().where(chosen).order_by(RUNS.c.created.desc()).limit(4)).all()
        found = [row for row in found if row.id == text] or found
        if len(found) != 1:
            raise (None if found else self._explain(text)) or say_not_one(text, [row.id for row in found], is_id=is_id)
        return _build_run(found[0])

    def list_untold_runs(self) -> list[Run]:
        """Return the runs of which something else is said than MLflow was told."""
        query = _run_query().where(ANNOTATIONS.c.is_told.is_(False), RUNS.c.tracked_as.is_not(None))
        with self._reading() as connection:
            return [_build_run(row) for row in connection.execute(query)]

    def mark_lost_runs(self, describe: Callable[[str], Mapping[str, Any]] = lambda _: {}) -> list[str]:
        """Move to LOST every unfinished attempt whose process is gone or was silent for too long; return the run ids.

        `describe` returns what the record of such an attempt is to say, by the id of its run.
        """
        unfinished = sa.select(ATTEMPTS).where(ATTEMPTS.c.state.not_in(_FINAL))
        with self._reading() as connection:
            if not any(map(_find_loss, connection.execute(unfinished))):
                return []
        with self._writing() as connection:
            judged = [(row, _find_loss(row)) for row in connection.execute(unfinished).all()]
            lost = [(row, why) for row, why in judged if why]
            for row, why in lost:
                this = (ATTEMPTS.c.run_id == row.run_id) & (ATTEMPTS.c.number == row.number)
                record = json.dumps(found) if (found := describe(row.run_id)) else None
                values = {"state": RunState.LOST, "ended": utc_now(), "error": why, "record": record}
                connection.execute(ATTEMPTS.update().where(this).values(values))
                note_change(connection, row.run_id)
        return [row.run_id for row, _ in lost]

    def note_lost_files(self, run: Run) -> None:
        """Write down which files an attempt kept that was found lost: they are only looked at once nobody writes them any more."""
        this = (ATTEMPTS.c.run_id == run.id) & (ATTEMPTS.c.number == run.attempt)
        values = {"record": json.dumps(run.record) if run.record else None}
        with self._writing() as connection:
            connection.execute(ATTEMPTS.update().where(this, ATTEMPTS.c.state == RunState.LOST).values(values))
            note_change(connection, run.id)

    # The ledger

    def append_entry(
        self,
        event: Event,
        *,
        actor: str,
        subject: str,
        body: Mapping[str, Any],
        require: Callable[[list[Entry]], None] = lambda _: None,
    ) -> Entry:
        """Append one decision; `require` sees the whole ledger inside the same transaction and raises to forbid it.

        Raises Refused when the chain is broken or lacks what this machine saw: nothing is decided on top of what was changed;
        and when this machine's clock is behind the ledger.
        """
        return self.ledger.append(event, actor=actor, subject=subject, body=body, require=require)

    def read_ledger(self) -> list[Entry]:
        """Return every decision in order; raises Refused with every fault when their chain is broken."""
        return self.ledger.read()

    def inspect_ledger(self) -> tuple[list[Entry], list[str]]:
        """Return every decision in order and what is wrong with them: to be looked at, never to decide by."""
        return self.ledger.inspect()


def _new_attempt(run_id: str, number: int) -> dict[str, Any]:
    return {"run_id": run_id, "number": number, "state": RunState.QUEUED, "owner": _own_name(), **_new_lease()}


def _new_lease() -> dict[str, float]:
    return {"lease_until": time.time() + LEASE_S, "lease_until_monotonic": time.monotonic() + LEASE_S}


def _latest_attempt(connection: sa.Connection, run_id: str) -> Any:
    query = sa.select(ATTEMPTS).where(ATTEMPTS.c.run_id == run_id).order_by(ATTEMPTS.c.number.desc()).limit(1)
    return connection.execute(query).one()


def _find_loss(attempt: Any) -> str | None:
    """Return why nobody runs an unfinished attempt any more, None when somebody does."""
    if _is_gone(attempt.owner):
        return "The process that ran it is gone."
    # A clock that is set, or a laptop that slept, must not cost a run of this machine; across machines there is no other clock.
    if attempt.owner.rsplit("/", 2)[0] == socket.gethostname():
        silent_s = time.monotonic() - (attempt.lease_until_monotonic or 0) + LEASE_S
    else:
        silent_s = time.time() - (attempt.lease_until or 0) + LEASE_S
    if silent_s <= LEASE_S:
        return None
    return f"The process that ran it was silent for {silent_s:.0f} s; after {LEASE_S:.0f} s an attempt counts as lost."


def _run_query() -> Any:
    return _select_runs(join_latest(), *SAID).where(_IS_THERE)


def _select_runs(joined: Any, *more: Any) -> Any:
    columns = [column for column in ATTEMPTS.c if column.name != "run_id"]
    return sa.select(RUNS, *columns, *more).select_from(joined)


def _build_run(row: Any) -> Run:
    columns = dict(row._mapping)
    said = pop_annotations(columns)
    if columns["state"] not in _FINAL and (loss := _find_loss(row)):
        columns |= {"state": RunState.LOST, "error": loss}
    attempt, record = columns.pop("number"), columns.pop("record")
    columns.pop("owner")
    columns.pop("lease_until")
    columns.pop("lease_until_monotonic")
    columns.pop("published")
    for name in ("stop_asked", "deleted", "deleted_by", "emptied", "changed"):
        columns.pop(name)
    return Run(
        **{
            **columns,
            "parameters": json.loads(columns["parameters"]),
            "provenance": json.loads(columns["provenance"]),
            "state": RunState(columns["state"]),
            "attempt": attempt,
            "record": json.loads(record) if record else {},
            "annotations": said,
        }
    )


def _own_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}/{_start_ticks(os.getpid())}"


def _is_gone(owner: str) -> bool:
    host, pid, ticks = owner.rsplit("/", 2)
    return host == socket.gethostname() and _start_ticks(int(pid)) != ticks


def _start_ticks(pid: int) -> str:
    """When a process started, in clock ticks since boot: with the pid it names the process for good. Empty: it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
