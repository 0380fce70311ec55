"""Annotations in the store: what is said of a run, in a row beside the run's own, and what MLflow was told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from workbench.ledger.sqlalchemy_database import Database
from workbench.runs.finding.annotations import NOTHING_SAID, Annotations
from workbench.runs.sqlalchemy_tables import ANNOTATIONS, RUNS, note_change

_PREFIX = "annotation_"
SAID = tuple(
    ANNOTATIONS.c[name].label(f"{_PREFIX}{name}") for name in ("name", "note", "tags", "said_by", "said_at", "archived")
)


def pop_annotations(columns: dict[str, Any]) -> Annotations:
    """Take what was selected as `SAID` out of the columns of a row."""
    return build_annotations([columns.pop(label.name, None) for label in SAID])


def build_annotations(said: Sequence[Any]) -> Annotations:
    """Return what was selected as `SAID`, in that order."""
    if not any(said):
        return NOTHING_SAID
    name, note, tags, by, at, archived = said
    return Annotations(name, note, json.loads(tags or "{}"), by, at, archived)


def write_annotations(connection: sa.Connection, run_id: str, said: Annotations) -> None:
    """Put what is said of a run in the place of what was said before; MLflow is to be told."""
    values = {
        "name": said.name,
        "note": said.note,
        "tags": json.dumps(dict(said.tags), sort_keys=True),
        "said_by": said.by,
        "said_at": said.at,
        "archived": said.archived,
        "is_told": False,
    }
    this = ANNOTATIONS.c.run_id == run_id
    if not connection.execute(ANNOTATIONS.update().where(this).values(values)).rowcount:
        connection.execute(ANNOTATIONS.insert().values(run_id=run_id, **values))


class KeptAnnotations:
    """What is said of each run in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, run_id: str, say: Callable[[Annotations], Annotations]) -> Annotations:
        """Put what `say` makes of a run's annotations in their place, and return it; nobody else's word is lost meanwhile."""
        with self._database.transaction(writes=(RUNS, ANNOTATIONS)) as connection:
            said = say(_read_annotations(connection, run_id))
            write_annotations(connection, run_id, said)
            note_change(connection, run_id)
            return said

    def find(self, run_id: str) -> tuple[Annotations, Annotations]:
        """Return what is said of a run now, and the name, note and tags that MLflow was told of last."""
        query = sa.select(ANNOTATIONS.c.told).where(ANNOTATIONS.c.run_id == run_id)
        with self._database.transaction() as connection:
            told = connection.execute(query).scalar()
            return _read_annotations(connection, run_id), Annotations(**json.loads(told)) if told else NOTHING_SAID

    def count_archived(self) -> int:
        """Return how many runs are put aside."""
        joined = RUNS.join(ANNOTATIONS, ANNOTATIONS.c.run_id == RUNS.c.id)
        is_aside = ANNOTATIONS.c.archived.is_not(None) & RUNS.c.deleted.is_(None)
        query = sa.select(sa.func.count()).select_from(joined).where(is_aside)
        with self._database.transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def mark_told(self, run_id: str, said: Annotations) -> None:
        """Note what MLflow was told of a run; it is to be told again where another thing was said meanwhile."""
        told = json.dumps({"name": said.name, "note": said.note, "tags": dict(said.tags)})
        values = {"told": told, "is_told": sa.case((ANNOTATIONS.c.said_at == said.at, True), else_=False)}
        with self._database.transaction(writes=(ANNOTATIONS,)) as connection:
            connection.execute(ANNOTATIONS.update().where(ANNOTATIONS.c.run_id == run_id).values(values))


def _read_annotations(connection: sa.Connection, run_id: str) -> Annotations:
    """Return what is said of a run."""
    row = connection.execute(sa.select(*SAID).where(ANNOTATIONS.c.run_id == run_id)).first()
    return build_annotations(row) if row else NOTHING_SAID
