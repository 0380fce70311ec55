"""What an SQLite file does as a store when it is busy, broken, of an older version or where nobody can write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.contract.stores import add, append, build_run, move
from workbench.errors import Unavailable, UsageError, WorkbenchError
from workbench.runs.finding.annotations import Annotations
from workbench.runs.run import RunState
from workbench.runs.sqlalchemy_store import Store

# Older versions


def test_a_store_of_before_there_were_leases_is_brought_up_to_this_one(tmp_path):
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "create table attempts (run_id varchar(8), number integer, state varchar(8) not null, owner text"
            " not null, started varchar(32), ended varchar(32), error text, record text)"
        )
    with closing(Store(f"sqlite:///{path}")) as store:
        run = add(store, RunState.RUNNING)
        assert store.renew_leases() == {(run.id, 1)}
        with pytest.raises(sqlite3.IntegrityError), closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "insert into attempts (run_id, number, state, owner) select run_id, 2, 'FINISHED', owner"
                " from attempts union all select run_id, 3, 'FINISHED', owner from attempts"
            )


def test_a_store_of_before_the_ledger_was_guarded_is_guarded_once_it_is_opened_and_keeps_its_entries(store, path):
    entry = append(store)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("drop trigger ledger_refuses_update")
        connection.execute("drop trigger ledger_refuses_delete")
        connection.execute("drop table ledger_trial")
    with closing(Store(f"sqlite:///{path}")) as opened:
        assert opened.read_ledger() == [entry]
        opened.ledger.require_privilege()
        with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute("delete from ledger")


def test_a_store_of_before_there_were_annotations_gets_their_place_and_keeps_its_runs(store, path):
    run = add(store)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("drop table annotations")
        connection.execute("drop index runs_as_they_are")
        for column in ("deleted", "deleted_by", "emptied"):
            connection.execute(f"alter table runs drop column {column}")
    with closing(Store(f"sqlite:///{path}")) as opened:
        assert opened.find_run(run.id) == run
        assert opened.removals.list_begun() == []
        opened.annotations.change(run.id, lambda _: Annotations(name="best"))
        assert opened.find_run("best").id == run.id


def test_what_is_no_text_in_the_ledger_is_a_fault(store, path):
    append(store)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("drop trigger ledger_refuses_update")
        connection.execute("update ledger set actor = x'00ff'")
    assert store.inspect_ledger()[1] == ["Entry 1 was changed: its content does not give its digest."]


# A database that is busy or broken


@pytest.fixture
def locked(path, address, store) -> Iterator[Store]:
    """A store with something in it, opened by somebody with little patience while another program writes."""
    add(store)
    append(store)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("begin immediate")
    writer.execute("insert into ledger values (99, 't', 'nominated', 'a', 's', '{}', 'p', 'd')")
    with closing(Store(f"{address}?timeout=0.05")) as hasty:
        yield hasty
    writer.execute("rollback")
    writer.close()


def test_while_another_writes_everything_can_be_read(locked):
    assert len(locked.list_runs()) == 1
    assert locked.find_run(locked.list_runs()[0].id)
    assert [entry.sequence for entry in locked.read_ledger()] == [1]
    assert locked.list_unpublished_runs() == []
    assert locked.mark_lost_runs() == []


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.add_run(build_run()),
        append,
        lambda store: move(store, store.list_runs()[0], RunState.RUNNING),
        lambda store: store.renew_leases(),
    ],
    ids=["add", "append", "move", "renew"],
)
def test_a_store_that_stays_locked_is_told_in_three_parts_and_nothing_is_half_done(locked, write):
    before = (locked.list_runs(), locked.read_ledger())
    with pytest.raises(Unavailable) as caught:
        write(locked)
    assert "workbench.db" in caught.value.what
    assert "locked" in caught.value.reasons[0]
    assert caught.value.next_step
    assert (locked.list_runs(), locked.read_ledger()) == before


def test_a_short_lock_is_waited_for(address, store, path):
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("begin immediate")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(append, store)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        writer.execute("rollback")
        assert waiting.result().sequence == 1
    writer.close()


def test_a_file_that_is_no_database_is_told(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    with pytest.raises(Unavailable, match="not a database"):
        Store(f"sqlite:///{path}")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(Unavailable) as caught:
        Store(f"sqlite:///{tmp_path}/file/workbench.db")
    assert caught.value.reasons[0]
    assert caught.value.next_step


@pytest.mark.parametrize("address", ["nonsense", "", "sqlite", "oracle://db/x", "sqlite+none:///x", "://"])
def test_an_address_of_no_database_is_wrong_usage(address):
    with pytest.raises(UsageError) as caught:
        Store(address)
    assert caught.value.reasons[0]
    assert caught.value.next_step


def test_a_password_in_the_address_is_never_told():
    with pytest.raises(WorkbenchError) as caught:
        Store("postgresql+psycopg://ada:s3cret@127.0.0.1:1/workbench")
    assert "s3cret" not in str(caught.value)
