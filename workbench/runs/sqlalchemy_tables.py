"""The tables of runs: what was written down of each, its attempts, and what people say of it."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from workbench.ledger.sqlalchemy_database import METADATA
from workbench.runs.run import RunState

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("created", sa.String(32), nullable=False, index=True),
    sa.Column("notebook", sa.Text, nullable=False),
    sa.Column("notebook_digest", sa.String(64), nullable=False),
    sa.Column("parameters", sa.Text, nullable=False),
    sa.Column("provenance", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("sweep", sa.String(12), index=True),
    sa.Column("tracked_as", sa.String(64)),
    sa.Column("published", sa.Boolean, nullable=False, default=False),
    # When somebody deleted it, who, and whether its files are gone: what is left then is its look at a holdout.
    sa.Column("deleted", sa.String(32)),
    sa.Column("deleted_by", sa.Text),
    sa.Column("emptied", sa.Boolean),
    # Another number whenever something of the run is written down, by which a copy of it is known to be old (optimistic lock).
    sa.Column("changed", sa.BigInteger),
)
# All that is read of runs that were copied before: in their rows it lies behind long texts.
sa.Index("runs_as_they_are", RUNS.c.deleted, RUNS.c.changed, RUNS.c.id)
ATTEMPTS = sa.Table(
    "attempts",
    METADATA,
    sa.Column("run_id", sa.String(12), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("lease_until", sa.Float),
    sa.Column("lease_until_monotonic", sa.Float),
    sa.Column("started", sa.String(32)),
    sa.Column("ended", sa.String(32)),
    sa.Column("error", sa.Text),
    sa.Column("record", sa.Text),
    # Who asked for its end, while it goes on.
    sa.Column("stop_asked", sa.Text),
)
_finished = ATTEMPTS.c.state == str(RunState.FINISHED)
sa.Index("one_finished_attempt", ATTEMPTS.c.run_id, unique=True, sqlite_where=_finished, postgresql_where=_finished)
sa.Index("attempts_by_state", ATTEMPTS.c.state)
ANNOTATIONS = sa.Table(
    "annotations",
    METADATA,
    sa.Column("run_id", sa.String(12), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("name", sa.Text, index=True),
    sa.Column("note", sa.Text),
    sa.Column("tags", sa.Text),
    sa.Column("said_by", sa.Text),
    sa.Column("said_at", sa.String(32)),
    sa.Column("archived", sa.String(32)),
    # What MLflow was told last, and whether that is what is said now.
    sa.Column("told", sa.Text),
    sa.Column("is_told", sa.Boolean),
)


def note_change(connection: sa.Connection, *run_ids: str) -> None:
    """Note that something of runs changed.

    The number is drawn, not counted: in a store that was brought back from a backup a count would say of other things what it
    said before.
    """
    connection.execute(RUNS.update().where(RUNS.c.id.in_(run_ids)).values(changed=secrets.randbits(63)))
