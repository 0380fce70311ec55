"""Removals in the store: a run is marked as deleted first; its rows go, or become the mark of its look, once its files are gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from workbench.errors import Refused
from workbench.ledger.sqlalchemy_database import Database
from workbench.ledger.sqlalchemy_ledger import GUARD
from workbench.runs.run import FINAL_STATES
from workbench.runs.sqlalchemy_tables import ANNOTATIONS, ATTEMPTS, RUNS, note_change

_FINAL = [str(state) for state in FINAL_STATES]


@dataclass(frozen=True)
class Begun:
    """A run that is marked as deleted and of which files may be left: its id, and MLflow's for it."""

    run_id: str
    tracked_as: str | None


class KeptRemovals:
    """Which runs of a database are deleted, and how far."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, run_ids: Sequence[str], *, by: str, at: str, require: Callable[[], None]) -> None:
        """Mark runs as deleted, all or none; raises Refused for one that runs, and what `require` raises.

        Nobody nominates and no attempt begins meanwhile.
        """
        with self._database.transaction(writes=(RUNS, ATTEMPTS, GUARD.table)) as connection:
            alive = ATTEMPTS.c.run_id.in_(run_ids) & ATTEMPTS.c.state.not_in(_FINAL)
            if found := sorted(connection.execute(sa.select(ATTEMPTS.c.run_id).where(alive)).scalars()):
                raise Refused("Nothing is deleted.", why=[f"Run {run_id} goes on." for run_id in found])
            require()
            values = {"deleted": at, "deleted_by": by, "emptied": False}
            connection.execute(RUNS.update().where(RUNS.c.id.in_(run_ids)).values(values))
            note_change(connection, *run_ids)

    def list_begun(self) -> list[Begun]:
        """Return the runs that are marked, and of which something may still be there."""
        query = sa.select(RUNS.c.id, RUNS.c.tracked_as).where(RUNS.c.emptied.is_(False))
        with self._database.transaction() as connection:
            return [Begun(*row) for row in connection.execute(query)]

    def finish(self, run_id: str, *, is_look: bool) -> None:
        """Note that the files of a run are gone: of one that was a look its rows stay as the mark of that, else they go too."""
        this = RUNS.c.id == run_id
        with self._database.transaction(writes=(RUNS, ATTEMPTS, ANNOTATIONS)) as connection:
            connection.execute(ANNOTATIONS.delete().where(ANNOTATIONS.c.run_id == run_id))
            if is_look:
                connection.execute(RUNS.update().where(this).values(emptied=True))
                return
            connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.run_id == run_id))
            connection.execute(RUNS.delete().where(this))
