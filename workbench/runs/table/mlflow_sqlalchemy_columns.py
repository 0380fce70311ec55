"""Columns out of the database of an MLflow tracking store, whoever logged the runs: read in MLflow's tables, never written.

MLflow's own search builds an object for each value. Here whole columns are read, in one transaction; in SQLite metrics and
parameters are only ever appended, so their row numbers are a high-water mark. Attributes and tags, which change in place, are
read anew each time. What is there, in which order, and which value of a metric is the latest, are MLflow's own answers.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from workbench.errors import NotFound, Unavailable, UsageError
from workbench.runs.table.columns import KINDS, OWN, Columns, build_array, build_columns, patch_array, split_names
from workbench.secrets.addresses import hide_passwords

if TYPE_CHECKING:
    import pyarrow as pa


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns))


_DATABASES = ("sqlite", "postgresql", "postgres", "mysql", "mssql")
# MLflow's tables as far as they are read, as MLflow 2 and 3 have them.
_EXPERIMENTS = _table("experiments", "experiment_id", "name", "lifecycle_stage")
_RUNS = _table(
    "runs",
    *("run_uuid", "name", "status", "user_id", "start_time", "end_time", "experiment_id", "lifecycle_stage"),
)
_LOGGED = _table("metrics", "rowid", "run_uuid", "key", "value", "timestamp", "step")
_VALUES = {
    "metrics": _table("latest_metrics", "run_uuid", "key", "value", "is_nan"),
    "params": _table("params", "rowid", "run_uuid", "key", "value"),
    "tags": _table("tags", "run_uuid", "key", "value"),
}
# What is only ever appended to, by what it tells of.
_APPENDED = {"metrics": _LOGGED, "params": _VALUES["params"]}
NOTE = "mlflow.note.content"
# MLflow's states as ours are called.
STATES = {state: state.lower() for state in ("RUNNING", "FINISHED", "FAILED", "KILLED")} | {"SCHEDULED": "queued"}
# The year 9999; MLflow takes any number for a time.
_LATEST_MS = 253_000_000_000_000
# So many runs are looked up by their ids; of more, whole columns are read.
_MOST_CHANGED, _MOST_IN_QUERY = 2_000, 500


def open_database(address: str) -> MlflowColumns | None:
    """Return the runs in a database of MLflow by its address; None for an address that is none of a database.

    Raises NotFound where there is no such file, which SQLite would make, and UsageError where its driver is missing.
    """
    scheme = address.partition(":")[0].partition("+")[0]
    if scheme not in _DATABASES:
        return None
    try:
        engine = sa.create_engine(address, poolclass=sa.NullPool)
    except (sa.exc.ArgumentError, ImportError, ValueError) as exc:
        raise UsageError(
            f"MLflow's database {address.partition('://')[0]!r} cannot be opened.",
            why=hide_passwords(str(exc), address),
            next_step="Install its driver, or give the address of an MLflow server in front of it.",
        ) from exc
    path = Path(engine.url.database or "")
    if scheme == "sqlite" and not path.is_file():
        raise NotFound(
            "There is no MLflow database.",
            why=f"{path} is no file.",
            next_step="Give the address of a tracking store, such as sqlite:///PATH or http://HOST:PORT.",
        )
    return MlflowColumns(engine)


class MlflowColumns:
    """The runs in all active experiments of one MLflow database, behind an SQLAlchemy engine."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def place(self) -> str:
        """What tells the database from every other one; empty where all is read each time, so that a copy would only be larger."""
        url = self._engine.url
        return f"MLflow at {Path(url.database or '').resolve()}" if url.get_backend_name() == "sqlite" else ""

    def _hide_passwords(self, text: str) -> str:
        return hide_passwords(text, self._engine.url.render_as_string(hide_password=False))

    def refresh(self, kept: Columns | None, asked: Sequence[str]) -> Columns:
        """Return the columns as MLflow has them now; raises Unavailable where its database does not answer."""
        names = list(dict.fromkeys([*(kept.asked if kept else ()), *asked]))
        with self._reading() as connection:
            own = _read_own(connection)
            mark = _read_mark(connection)
            since = kept if kept and len(names) == len(kept.asked) and _holds(connection, kept, own) else None
            values = _read_on(connection, since, own["run.id"], names) if since else None
            if values is None:
                values = _read_all(connection, own["run.id"], names)
            known = {of: _list_names(connection, of) for of in KINDS}
        found = Columns({**build_columns(own), **values}, mark, known, "plain")
        return kept if kept and found.is_same(kept) else found

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """Read as of one moment; the driver of SQLite would begin no transaction for that."""
        try:
            with self._engine.connect() as connection:
                if _is_sqlite(connection):
                    connection.exec_driver_sql("BEGIN")
                yield connection
                connection.rollback()
        except sa.exc.DBAPIError as exc:
            raise Unavailable(
                f"The runs of MLflow at {self._hide_passwords(str(self._engine.url))} cannot be read.",
                why=self._hide_passwords(str(exc.orig).strip()),
                next_step="Check that it is the database of an MLflow tracking store, and reachable.",
            ) from exc


def _is_sqlite(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _read_own(connection: sa.Connection) -> dict[str, list[Any]]:
    """Return what runs themselves are described by, in the order of MLflow's search: the newest first, then by id."""
    joined = _RUNS.join(_EXPERIMENTS, _RUNS.c.experiment_id == _EXPERIMENTS.c.experiment_id)
    fields = [_RUNS.c[name] for name in ("run_uuid", "name", "status", "user_id", "start_time", "end_time")]
    query = (
        sa.select(*fields, _EXPERIMENTS.c.name)
        .select_from(joined)
        .where(_RUNS.c.lifecycle_stage == "active", _EXPERIMENTS.c.lifecycle_stage == "active")
        .order_by(_RUNS.c.start_time.is_(None), _RUNS.c.start_time.desc(), _RUNS.c.run_uuid)
    )
    ids, names, states, authors, started, ended, experiments = _columns_of(_fetch(connection, query), 7)
    notes = dict(_find_by_key(connection, "tags", NOTE))
    begun = spell_times(started)
    known = {
        "id": ids,
        "name": names,
        "state": [STATES[state] for state in states],
        "author": authors,
        "experiment": experiments,
        "created": begun,
        "started": begun,
        "ended": spell_times(ended),
        "note": [notes.get(run_id) for run_id in ids],
    }
    return {f"run.{name}": known.get(name) or [None] * len(ids) for name in OWN}


def _fetch(connection: sa.Connection, query: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query as its driver has them: wrapping each would take as long as reading it."""
    result = connection.execute(query)
    rows = result.cursor.fetchall() if result.cursor else []
    result.close()
    return [*rows]


def _columns_of(rows: Sequence[Sequence[Any]], width: int) -> Sequence[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def spell_times(moments_ms: Sequence[int | None]) -> list[str | None]:
    """Return milliseconds since 1970 as ISO 8601 texts in UTC; none of what is no time, such as one in nanoseconds."""
    import numpy as np

    moments = np.array([ms if ms is not None and abs(ms) < _LATEST_MS else None for ms in moments_ms], "datetime64[ms]")
    return [None if text == "NaT" else text for text in np.datetime_as_string(moments, timezone="UTC").tolist()]


def _find_by_key(connection: sa.Connection, of: str, key: str) -> list[tuple[str, Any]]:
    table = _VALUES[of]
    query = sa.select(table.c.run_uuid, _value_of(of)).where(table.c.key == key)
    return _fetch(connection, query)


def _value_of(of: str) -> Any:
    """Return what selects a value: of a metric none where it is no number, which MLflow keeps as 0 with a mark."""
    table = _VALUES[of]
    return sa.case((table.c.is_nan, None), else_=table.c.value) if of == "metrics" else table.c.value


def _list_names(connection: sa.Connection, of: str) -> list[str]:
    """Return the names of something, each looked up behind the one before: there are few of them, and very many rows."""
    table, names = _VALUES[of], list[str]()
    smallest = sa.select(sa.func.min(table.c.key))
    following = smallest.where(table.c.key > sa.bindparam("last"))
    name = connection.execute(smallest).scalar()
    while name is not None:
        names.append(name)
        name = connection.execute(following, {"last": name}).scalar()
    return [name for name in names if of != "tags" or is_own_tag(name)]


def is_own_tag(name: str) -> bool:
    """True for a tag that people set; those of MLflow itself are no columns."""
    return not name.startswith("mlflow.")


# How far it was read


def _read_mark(connection: sa.Connection) -> dict[str, list[Any]]:
    """Return the last row of what is only appended to, in SQLite: its number, and what it says, by which it is known again."""
    if not _is_sqlite(connection):
        return {}
    found = {}
    for of, table in _APPENDED.items():
        query = sa.select(*table.c).order_by(table.c.rowid.desc()).limit(1)
        found[of] = list(connection.execute(query).first() or (0,))
    return found


def _holds(connection: sa.Connection, kept: Columns, own: Mapping[str, Sequence[Any]]) -> bool:
    """True where rows behind the mark are new and all others are as they were.

    Whoever purges runs frees numbers that are given again: then a run is missed that was copied, or the row of the mark is
    not there any more or says another thing.
    """
    if kept.mark.keys() != _APPENDED.keys() or not _is_sqlite(connection):
        return False
    for of, table in _APPENDED.items():
        number, *said = kept.mark[of]
        row = connection.execute(sa.select(*table.c).where(table.c.rowid == number)).first() if number else None
        if number and (row is None or list(row)[1:] != said):
            return False
    missed = sorted({*kept.arrays["run.id"].to_pylist()} - {*own["run.id"]})
    if len(missed) > _MOST_IN_QUERY:
        return False
    count = sa.select(sa.func.count()).select_from(_RUNS).where(_RUNS.c.run_uuid.in_(missed))
    return connection.execute(count).scalar_one() == len(missed)


# Values


def _read_all(connection: sa.Connection, ids: Sequence[str], names: Sequence[str]) -> dict[str, pa.Array]:
    """Return whole columns: by name, or all at once in the order they lie in where most of them are asked for."""
    places = {run_id: place for place, run_id in enumerate(ids)}
    columns: dict[str, list[Any]] = {name: [None] * len(ids) for name in names}
    for of, keys in split_names(names).items():
        if 2 * len(keys) > len(_list_names(connection, of)):
            table = _VALUES[of]
            _fill(columns, of, _fetch(connection, sa.select(table.c.run_uuid, table.c.key, _value_of(of))), places)
        else:
            for key in keys:
                _fill(columns, of, [(run_id, key, v) for run_id, v in _find_by_key(connection, of, key)], places)
    return build_columns(columns)


def _fill(columns: Mapping[str, list[Any]], of: str, rows: Iterable[Sequence[Any]], places: Mapping[str, int]) -> None:
    wanted = {name.partition(".")[2]: values for name, values in columns.items() if name.startswith(f"{of}.")}
    nothing: list[Any] = []
    for run_id, key, value in rows:
        values = wanted.get(key, nothing)
        place = places.get(run_id)
        if values is not nothing and place is not None:
            values[place] = read_metric(value) if of == "metrics" else value


def read_metric(value: float | None) -> float:
    """Return a metric as it was logged: a database of MLflow has the largest double where it was infinite."""
    if value is None:
        return math.nan
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value


def _read_on(
    connection: sa.Connection, kept: Columns, ids: Sequence[str], names: Sequence[str]
) -> dict[str, pa.Array] | None:
    """Return columns as they were kept, with what was appended since; None where that is too much to be looked up."""
    import pyarrow as pa
    import pyarrow.compute as pc

    own = pa.array(ids, pa.string())
    before = pc.index_in(own, value_set=kept.arrays["run.id"])
    fresh = {ids[place] for place, is_new in enumerate(before.is_null().to_pylist()) if is_new}
    fresh |= _find_appended(connection, kept)
    if len(fresh) > _MOST_CHANGED:
        return None
    places = [place for place, run_id in enumerate(ids) if run_id in fresh]
    rows = {ids[place]: number for number, place in enumerate(places)}
    found: dict[str, list[Any]] = {name: [None] * len(rows) for name in names}
    for of, keys in split_names(names).items():
        if of == "tags":
            continue
        _fill(found, of, _find_by_run(connection, of, sorted(rows), keys), rows)
    tags = [f"tags.{key}" for key in split_names(names)["tags"]]
    return {
        **{name: patch_array(kept.arrays[name].take(before), places, build_array(name, found[name])) for name in names},
        **_read_all(connection, ids, tags),
    }


def _find_appended(connection: sa.Connection, kept: Columns) -> set[str]:
    """Return the runs of which metrics or parameters were appended behind the mark."""
    found: set[str] = set()
    for of, table in _APPENDED.items():
        query = sa.select(table.c.run_uuid).where(table.c.rowid > kept.mark[of][0])
        for (run_id,) in connection.execute(query):
            found.add(run_id)
            if len(found) > _MOST_CHANGED:
                break
    return found


def _find_by_run(
    connection: sa.Connection, of: str, run_ids: Sequence[str], keys: Sequence[str]
) -> Iterator[Sequence[Any]]:
    table = _VALUES[of]
    query = sa.select(table.c.run_uuid, table.c.key, _value_of(of))
    for start in range(0, len(run_ids) if keys else 0, _MOST_IN_QUERY):
        chosen = query.where(table.c.run_uuid.in_(run_ids[start : start + _MOST_IN_QUERY]))
        yield from _fetch(connection, chosen)
