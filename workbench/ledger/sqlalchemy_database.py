"""One database behind an SQLAlchemy URL (SQLite in WAL mode, or PostgreSQL through psycopg 3), and whose turn it is to write."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from workbench.errors import Refused, Unavailable, UsageError

METADATA = sa.MetaData()
_BUSY_TIMEOUT_S = 20.0
# Any number will do, as long as everybody who makes tables takes the same one.
_MAKING_TABLES = 7_746_201


class Database:
    """Connections to one database; every error of it is told in three parts, and a password never."""

    def __init__(self, address: str) -> None:
        self._engine = _make_engine(address)
        self.url = self._engine.url
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        if self.is_sqlite:
            sa.event.listen(self._engine, "do_connect", _connect_to_sqlite)
            sa.event.listen(self._engine, "checkin", _forget_frozen)
            sa.event.listen(self._engine, "begin", _begin_immediate)

    @property
    def name(self) -> str:
        """How it is called: the address without a password or options."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @property
    def place(self) -> str:
        """What tells this database from every other one; empty for one that ends with this process."""
        if not self.is_sqlite:
            return f"{self.url.host or self.url.query.get('host')}:{self.url.port or ''}/{self.url.database}"
        return str(Path(self.url.database).resolve()) if self.url.database not in (None, "", ":memory:") else ""

    def prepare(self, guards: Sequence[Guard]) -> None:
        """Make what is missing; an existing database is only read, so that it opens while somebody else writes to it."""
        if self.is_sqlite and self.url.database:
            _make_folder(Path(self.url.database).parent)
        with self.transaction() as connection:
            if _is_complete(connection, guards):
                return
        with self.transaction(writes=()) as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MAKING_TABLES})")
            METADATA.create_all(connection)
            _add_missing_columns(connection)
            for guard in guards:
                guard.add(connection)

    @contextmanager
    def transaction(self, writes: Sequence[sa.Table] | None = None) -> Iterator[sa.Connection]:
        """Read, or write to these tables: one writer at a time, and whoever comes meanwhile waits (`?timeout=` seconds)."""
        try:
            with self._engine.execution_options(workbench_reads=writes is None).begin() as connection:
                for table in () if self.is_sqlite else writes or ():
                    connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")
                yield connection
        except IntegrityError as exc:
            raise Refused("Somebody else wrote first.", why=str(exc.orig), next_step="Run the command again.") from exc
        except DBAPIError as exc:
            raise Unavailable(
                f"The store {self.name} did not answer.",
                why=self._without_password(str(exc.orig).strip()),
                next_step="Check that it is reachable, writable and not locked by another program, then run again.",
            ) from exc

    def _without_password(self, text: str) -> str:
        secrets = [self.url.password, self.url.query.get("password")]
        for secret in filter(None, map(str, filter(None, secrets))):
            text = text.replace(secret, "***")
        return text

    def close(self) -> None:
        """Free the connections."""
        self._engine.dispose()


class Guard:
    """Triggers by which the database itself refuses to change or remove rows of a table: a speed bump that says so.

    Whoever owns the database can drop them; what proves that nothing was changed is the chain of digests.
    """

    def __init__(self, table: sa.Table, why: str) -> None:
        self.table = table
        self._why = why

    def is_missing(self, connection: sa.Connection) -> bool:
        """True when the database does not have every trigger."""
        known = {
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name",
            "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:name)",
        }[connection.dialect.name]
        found = connection.execute(sa.text(known), {"name": self.table.name})
        return not set(self._statements(connection)) <= set(found.scalars())

    def add(self, connection: sa.Connection) -> None:
        """Add the triggers that are missing."""
        if not self.is_missing(connection):
            return
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                f"CREATE OR REPLACE FUNCTION {self.table.name}_refuses() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE EXCEPTION '{self._why}'; END $$"
            )
        for name, statement in self._statements(connection).items():
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{self._on(connection)}")
            connection.exec_driver_sql(statement)

    def _on(self, connection: sa.Connection) -> str:
        return f" ON {self.table.name}" if connection.dialect.name == "postgresql" else ""

    def _statements(self, connection: sa.Connection) -> dict[str, str]:
        table = self.table.name
        if connection.dialect.name == "sqlite":
            return {
                f"{table}_refuses_{change.lower()}": f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change}"
                f" ON {table} BEGIN SELECT RAISE(ABORT, '{self._why}'); END"
                for change in ("UPDATE", "DELETE")
            }
        return {
            f"{table}_refuses_{change.lower()}": f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change}"
            f" ON {table} FOR EACH {each} EXECUTE FUNCTION {table}_refuses()"
            for change, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT"))
        }


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise Unavailable(
            f"The store cannot be kept in {folder}.", why=str(exc), next_step="Fix its rights, or set store_url."
        ) from exc


def _is_complete(connection: sa.Connection, guards: Sequence[Guard]) -> bool:
    inspector = sa.inspect(connection)
    known = set(inspector.get_table_names())
    return (
        set(METADATA.tables) <= known
        and not any(_missing_columns(inspector, table) for table in METADATA.tables.values())
        and not any(_narrow_columns(inspector, table) for table in METADATA.tables.values())
        and not any(guard.is_missing(connection) for guard in guards)
    )


def _add_missing_columns(connection: sa.Connection) -> None:
    """Bring a store of an older version up to this one; what was added since may be empty."""
    for table in METADATA.tables.values():
        for column in _missing_columns(sa.inspect(connection), table):
            kind = column.type.compile(connection.dialect)
            connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"))
        for column in _narrow_columns(sa.inspect(connection), table):
            kind = column.type.compile(connection.dialect)
            connection.execute(sa.text(f"ALTER TABLE {table.name} ALTER COLUMN {column.name} TYPE {kind}"))
        for index in table.indexes:
            index.create(connection, checkfirst=True)


def _missing_columns(inspector: sa.Inspector, table: sa.Table) -> list[sa.Column[Any]]:
    known = {column["name"] for column in inspector.get_columns(table.name)}
    return [column for column in table.columns if column.name not in known]


def _narrow_columns(inspector: sa.Inspector, table: sa.Table) -> list[sa.Column[Any]]:
    """Return the columns of texts that hold fewer characters than they must; SQLite counts none."""
    if inspector.dialect.name == "sqlite":
        return []
    known = {column["name"]: getattr(column["type"], "length", None) for column in inspector.get_columns(table.name)}
    return [
        column
        for column in table.columns
        if isinstance(column.type, sa.String) and (known.get(column.name) or math.inf) < (column.type.length or 0)
    ]


# Connecting


def _make_engine(address: str) -> sa.Engine:
    try:
        url = sa.engine.make_url(address)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "postgresql":
            return _make_postgresql_engine(url)
        # The driver's own wait of 5 s is short beside another writer's fsync; `?timeout=` in the address says otherwise.
        waits = url.get_backend_name() == "sqlite" and "timeout" not in url.query
        return sa.create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S} if waits else {})
    except (ArgumentError, ImportError, ValueError) as exc:
        raise UsageError(
            f"No store can be opened at {address.partition('://')[0]!r}.",
            why=str(exc),
            next_step="Write store_url as an SQLAlchemy URL of a database whose driver is installed"
            " (for PostgreSQL: `pip install '.[postgresql]'` in the checkout of the workbench).",
        ) from exc


def _make_postgresql_engine(url: sa.URL) -> sa.Engine:
    """Return an engine that waits for other writers as long as SQLite's would, and notices that its server was restarted."""
    waits_s = float(str(url.query.get("timeout", _BUSY_TIMEOUT_S)))
    own = f"-c lock_timeout={round(1000 * waits_s)}"
    given = url.query.get("options")
    connect = {"options": f"{given} {own}" if given else own, "connect_timeout": max(2, round(waits_s))}
    arguments = {key: value for key, value in connect.items() if key == "options" or key not in url.query}
    return sa.create_engine(
        url.difference_update_query(["timeout", "options"]), connect_args=arguments, pool_pre_ping=True
    )


_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}


def _connect_to_sqlite(_dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    connection = sqlite3.connect(*arguments, **options)
    try:
        _configure_sqlite(connection)
    except sqlite3.OperationalError as exc:
        connection.close()
        path = Path(str(arguments[0]))
        is_unwritable = (exc.sqlite_errorcode & 0xFF) in _UNWRITABLE
        if not is_unwritable or not path.is_file() or _has_content(path.with_name(f"{path.name}-wal")):
            raise
        # Where nothing can be written beside it, SQLite reads a database in WAL mode only when told that it will not change.
        frozen = f"file:{quote(str(path))}?immutable=1"
        connection = sqlite3.connect(frozen, **{**options, "uri": True})
        connection.isolation_level = None
        record.info["is_frozen"] = True
    return connection


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _configure_sqlite(connection: sqlite3.Connection) -> None:
    # Our own BEGIN IMMEDIATE below; the driver's implicit one would take the write lock too late.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _forget_frozen(_connection: Any, record: Any) -> None:
    # The folder may be writable again when the next one reads.
    if record is not None and record.info.pop("is_frozen", False):
        record.invalidate()


def _begin_immediate(connection: sa.Connection) -> None:
    reads = connection.get_execution_options().get("workbench_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
