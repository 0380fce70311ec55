"""What every store keeps, whoever writes at the same time and whatever dies meanwhile; here an SQLite file."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import AUTHOR, RUN_ID
from workbench.domain.ledger import Entry, Event, find_chain_faults
from workbench.domain.run import FINAL_STATES, TRANSITIONS, IllegalTransition, Run, RunState, new_run_id
from workbench.errors import NotFound, Refused, Unavailable, UsageError, WorkbenchError
from workbench.store.sqlalchemy_store import HEARTBEAT_S, LEASE_S, Store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "deep" / "er" / "workbench.db"


@pytest.fixture
def address(path) -> str:
    """A database of its own; a team's PostgreSQL would be one more parameter here."""
    return f"sqlite:///{path}"


@pytest.fixture
def store(address) -> Iterator[Store]:
    with closing(Store(address)) as opened:
        yield opened


def build_run(**changes) -> Run:
    facts = {
        "id": new_run_id(),
        "notebook": "notebooks/01_train.ipynb",
        "notebook_digest": "ab" * 32,
        "parameters": {"strength": 0.1, "größe": "☃", "depth": None},
        "provenance": {"git_commit": None, "machine": {"processors": 2}},
        "author": AUTHOR,
        "created": "2026-11-20T09:12:31+00:00",
    }
    return Run(**{**facts, **changes})


def add(store: Store, *states: RunState, **changes) -> Run:
    run = build_run(**changes)
    store.add_run(run)
    for state in states:
        move(store, run, state)
    return store.find_run(run.id)


def move(store: Store, run: Run, state: RunState, **changes) -> None:
    store.move_run(replace(run, state=state, **changes))


def append(store: Store, **changes) -> Entry:
    facts = {"event": Event.NOMINATED, "actor": AUTHOR, "subject": "tumour/3", "body": {"run": RUN_ID}}
    return store.append_entry(**{**facts, **changes})


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run the calls in threads that begin together; return what each returned or how it was refused."""
    barrier = threading.Barrier(len(calls))

    def call(function):
        barrier.wait()
        try:
            return function()
        except WorkbenchError as exc:
            return exc

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


# Runs


def test_a_run_comes_back_as_it_was_added(store):
    run = build_run(sweep="0badcafe")
    store.add_run(run)
    found = store.find_run(run.id)
    assert vars(found) == vars(run)
    assert found.state is RunState.QUEUED


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
_json = st.recursive(
    st.none() | st.booleans() | _numbers | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.from_regex("[a-z_]{1,8}", fullmatch=True), _json, max_size=3))
def test_every_parameter_comes_back_exactly(parameters):
    store = Store("sqlite://")
    assert add(store, parameters=parameters).parameters == parameters
    store.close()


def test_a_run_is_added_once(store):
    run = add(store)
    with pytest.raises(Refused, match="wrote first"):
        store.add_run(run)
    assert len(store.list_runs()) == 1


def test_what_was_stored_is_there_for_the_next_one_who_opens(store, address):
    run = add(store, RunState.RUNNING)
    append(store)
    with closing(Store(address)) as other:
        assert other.find_run(run.id) == run
        assert len(other.read_ledger()) == 1


def test_a_run_is_found_by_the_beginning_of_its_id(store):
    first, second = (add(store, id=run_id) for run_id in ("3f9a1c27", "3f9b0000"))
    assert store.find_run("3f9a") == first
    assert store.find_run("3f9b0000") == second


@pytest.mark.parametrize(
    "prefix",
    ["", "3f9", "3", "00", "%", "_", "3f9_1c27", "3F9A1C27", "3f9a1c27\n", " 3f9a", "3f9a1c271", "'; --", "é", "../"],
)
def test_what_is_not_the_beginning_of_one_id_finds_nothing(store, prefix):
    for run_id in ("3f9a1c27", "3f9b0000"):
        add(store, id=run_id)
    with pytest.raises(NotFound) as caught:
        store.find_run(prefix)
    assert caught.value.next_step


def test_runs_are_listed_newest_first_and_by_what_was_asked(store):
    ids = [f"0000000{day}" for day in range(1, 5)]
    for day, run_id in enumerate(ids, 1):
        odd = day % 2
        add(
            store,
            id=run_id,
            created=f"2026-11-0{day}T00:00:00+00:00",
            notebook=f"{odd}.ipynb",
            sweep="5eeb" if odd else None,
        )
    assert [run.id for run in store.list_runs()] == ids[::-1]
    assert [run.id for run in store.list_runs(limit=1)] == ids[-1:]
    assert [run.id for run in store.list_runs(notebook="1.ipynb")] == [ids[2], ids[0]]
    assert [run.id for run in store.list_runs(sweep="5eeb")] == [ids[2], ids[0]]
    assert store.list_runs(notebook="%.ipynb") == []


# States


PATHS = {
    RunState.QUEUED: (),
    RunState.RUNNING: (RunState.RUNNING,),
    **{state: (RunState.RUNNING, state) for state in FINAL_STATES},
}


@pytest.mark.parametrize(("current", "target"), list(itertools.product(RunState, RunState)))
def test_a_state_moves_exactly_where_the_law_allows(store, current, target):
    run = add(store, *PATHS[current])
    if target in TRANSITIONS[current]:
        move(store, run, target)
        assert store.find_run(run.id).state is target
        return
    with pytest.raises(IllegalTransition):
        move(store, run, target)
    assert store.find_run(run.id) == run


def test_a_move_notes_when_why_and_what_came_out(store):
    run = add(store, RunState.RUNNING)
    assert (run.started is None, run.ended, run.error, run.record) == (False, None, None, {})
    move(store, run, RunState.FAILED, error="Cell 2 raised", record={"metrics": {"loss": 0.5}})
    failed = store.find_run(run.id)
    assert failed.started == run.started <= failed.ended
    assert (failed.error, failed.metrics) == ("Cell 2 raised", {"loss": 0.5})


def test_of_many_who_start_a_run_one_does(address, store):
    run = add(store)
    stores = [Store(address) for _ in range(6)]
    results = at_once(*(lambda other=other: move(other, run, RunState.RUNNING) for other in stores))
    assert results.count(None) == 1
    assert sum(isinstance(result, IllegalTransition) for result in results) == 5
    for other in stores:
        other.close()


def test_of_many_ways_to_end_a_run_one_is_taken(store):
    run = add(store, RunState.RUNNING)
    ends = sorted(FINAL_STATES)
    results = at_once(*(lambda end=end: move(store, run, end) for end in ends))
    assert results.count(None) == 1
    assert store.find_run(run.id).state is ends[results.index(None)]


def test_runs_that_ended_untold_are_listed_until_they_are_told(store):
    told, untold, _running = (
        add(store, *PATHS[state], tracked_as=f"mlflow-{state}")
        for state in (RunState.FINISHED, RunState.KILLED, RunState.RUNNING)
    )
    never_tracked = add(store, *PATHS[RunState.FINISHED])
    store.mark_published(told.id)
    (found,) = store.list_unpublished_runs()
    assert (found.id, found.tracked_as) == (untold.id, "mlflow-KILLED")
    assert never_tracked.id not in found.id
    store.mark_published(untold.id)
    assert store.list_unpublished_runs() == []


# Processes that die

OWNER = """
import sys
from tests.contract.test_store import add
from workbench.domain.run import RunState
from workbench.store.sqlalchemy_store import HEARTBEAT_S, LEASE_S, Store
store = Store(sys.argv[1])
print(add(store, RunState.RUNNING).id, add(store).id, add(store, RunState.RUNNING, RunState.FINISHED).id, flush=True)
sys.stdin.read()
"""


def test_the_runs_of_a_killed_process_are_lost_and_nobody_elses(address, store):
    mine = add(store, RunState.RUNNING)
    command = [sys.executable, "-c", OWNER, address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as owner:
        running, queued, finished = owner.stdout.readline().split()
        assert store.mark_lost_runs() == []
        owner.kill()
    assert sorted(store.mark_lost_runs()) == sorted([running, queued])
    assert store.mark_lost_runs() == []
    states = {run.id: run.state for run in store.list_runs()}
    assert states == {
        running: RunState.LOST,
        queued: RunState.LOST,
        finished: RunState.FINISHED,
        mine.id: RunState.RUNNING,
    }
    assert store.find_run(running).error
    assert store.find_run(running).ended


def test_a_process_that_died_but_was_not_buried_is_gone_too(address, store):
    command = [sys.executable, "-c", OWNER, address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as owner:
        owner.stdout.readline()
        owner.kill()
        os.waitid(os.P_PID, owner.pid, os.WEXITED | os.WNOWAIT)  # dead, and still a zombie
        assert len(store.mark_lost_runs()) == 2


@pytest.mark.parametrize(
    ("owner", "lost"),
    [("elsewhere/1/1", False), (f"{os.uname().nodename}/{os.getpid()}/1", True)],
    ids=["host", "pid reused"],
)
def test_a_run_of_another_machine_is_not_judged_and_a_reused_pid_is_not_trusted(store, path, owner, lost):
    run = add(store, RunState.RUNNING)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update attempts set owner = ?", (owner,))
    assert store.mark_lost_runs() == ([run.id] if lost else [])


# Leases and attempts


def silence(path, run: Run, seconds: float) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "update attempts set lease_until_monotonic = lease_until_monotonic - ? where run_id = ?", (seconds, run.id)
        )


def test_an_owner_that_is_silent_for_two_heartbeats_has_lost_its_attempt_and_the_reason_says_how_long(store, path):
    spoke, silent = add(store, RunState.RUNNING), add(store, RunState.RUNNING)
    silence(path, spoke, HEARTBEAT_S)
    silence(path, silent, LEASE_S + 5)
    assert store.mark_lost_runs() == [silent.id]
    assert "was silent for 25 s" in store.find_run(silent.id).error
    assert store.find_run(spoke.id).state is RunState.RUNNING


def test_a_clock_that_is_set_costs_no_run_of_this_machine_and_another_machines_is_judged_by_it(store, path):
    run = add(store, RunState.RUNNING)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update attempts set lease_until = lease_until - 3600")
    assert store.mark_lost_runs() == []
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update attempts set owner = 'elsewhere/1/1'")
    assert store.mark_lost_runs() == [run.id]


def test_a_heartbeat_renews_what_this_process_runs_and_says_what_that_is(store, path):
    running, queued, _ended = add(store, RunState.RUNNING), add(store), add(store, *PATHS[RunState.FAILED])
    silence(path, running, LEASE_S + 5)
    assert store.renew_leases() == {(running.id, 1), (queued.id, 1)}
    assert store.mark_lost_runs() == []


def test_who_lost_its_attempt_cannot_end_it_any_more(store, path):
    run = add(store, RunState.RUNNING)
    silence(path, run, LEASE_S + 5)
    store.mark_lost_runs()
    assert store.renew_leases() == frozenset()
    with pytest.raises(IllegalTransition):
        move(store, run, RunState.FINISHED)
    second = replace(run, attempt=store.add_attempt(run.id))
    assert second.attempt == 2
    move(store, second, RunState.RUNNING)
    with pytest.raises(IllegalTransition, match=r"Attempt 1 of run .* is over"):
        move(store, run, RunState.FINISHED)
    move(store, second, RunState.FINISHED)
    assert (store.find_run(run.id).state, store.find_run(run.id).attempt) == (RunState.FINISHED, 2)


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.FINISHED])
def test_only_a_run_that_ended_without_finishing_is_attempted_again(store, state):
    run = add(store, *PATHS[state])
    with pytest.raises(IllegalTransition, match=f"its attempt 1 is {state}|cannot be attempted again"):
        store.add_attempt(run.id)


def test_no_run_has_two_finished_attempts_whoever_writes_them(store, path):
    run = add(store, *PATHS[RunState.FAILED])
    store.add_attempt(run.id)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError), connection:
        connection.execute("update attempts set state = 'FINISHED' where run_id = ?", (run.id,))


def test_of_many_who_attempt_a_run_again_one_does(address, store):
    run = add(store, *PATHS[RunState.LOST])
    stores = [Store(address) for _ in range(6)]
    results = at_once(*(lambda other=other: other.add_attempt(run.id) for other in stores))
    assert results.count(2) == 1
    assert sum(isinstance(result, IllegalTransition) for result in results) == 5
    for other in stores:
        other.close()


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


# The ledger


def test_an_entry_comes_back_as_it_was_sealed(store):
    body = {"reasons": ["ä", "b"], "value": 0.1, "nothing": None, "many": [1, {"a": 2**60}]}
    entry = append(store, body=body, subject="☃/1")
    assert store.read_ledger() == [entry]
    assert find_chain_faults(store.read_ledger()) == []


@pytest.mark.parametrize(
    "body", [{"x": float("nan")}, {"x": object()}, {"x": "\ud800"}], ids=["nan", "object", "surrogate"]
)
def test_what_cannot_be_sealed_is_not_in_the_ledger(store, body):
    with pytest.raises((ValueError, TypeError)):
        append(store, body=body)
    assert store.read_ledger() == []


def test_a_condition_sees_the_whole_ledger_and_can_forbid_the_entry(store):
    append(store)
    seen: list[list[Entry]] = []

    def forbid(entries: list[Entry]) -> None:
        seen.append(entries)
        raise Refused("no")

    with pytest.raises(Refused, match="no"):
        append(store, require=forbid)
    assert seen == [store.read_ledger()]
    assert len(store.read_ledger()) == 1


def test_a_condition_that_breaks_leaves_nothing_and_no_lock(store):
    with pytest.raises(ZeroDivisionError):
        append(store, require=lambda _: 1 // 0)
    append(store)
    assert [entry.sequence for entry in store.read_ledger()] == [1]


def test_of_many_who_promote_the_same_champion_away_exactly_one_does(address, store):
    def require_none_promoted(entries: list[Entry]) -> None:
        if any(entry.event is Event.PROMOTED for entry in entries):
            raise Refused("Somebody promoted first.")

    stores = [Store(address) for _ in range(6)]
    results = at_once(
        *(
            lambda other=other, number=number: append(
                other, event=Event.PROMOTED, subject=f"tumour/{number}", require=require_none_promoted
            )
            for number, other in enumerate(stores)
        )
    )
    winners = [result for result in results if isinstance(result, Entry)]
    assert store.read_ledger() == winners
    assert len(winners) == 1
    assert all(isinstance(result, Refused) for result in results if result not in winners)
    for other in stores:
        other.close()


def append_many(address: str, name: str, count: int) -> list[str]:
    """Open the store, append, and return the digests: the work of one process."""
    with closing(Store(address)) as store:
        return [append(store, subject=f"{name}/{number}").digest for number in range(count)]


def test_every_entry_of_many_processes_is_kept_in_one_whole_chain(address):
    """They open a database that is not there yet, all at once."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=context) as pool:
        written = list(pool.map(append_many, [address] * 4, "abcd", [12] * 4))
    with closing(Store(address)) as store:
        entries = store.read_ledger()
    assert find_chain_faults(entries) == []
    assert sorted(entry.digest for entry in entries) == sorted(itertools.chain(*written))
    for name, digests in zip("abcd", written, strict=True):
        assert [entry.digest for entry in entries if entry.subject.startswith(name)] == digests


def test_every_entry_of_many_threads_is_kept(store):
    at_once(*(lambda number=number: append(store, subject=f"m/{number}") for number in range(12)))
    entries = store.read_ledger()
    assert find_chain_faults(entries) == []
    assert {entry.subject for entry in entries} == {f"m/{number}" for number in range(12)}


@pytest.mark.parametrize(
    "change",
    [
        "update ledger set body = '{}' where sequence = 2",
        "update ledger set body = '{' where sequence = 2",
        "update ledger set body = '[]' where sequence = 2",
        "update ledger set event = 'bogus' where sequence = 2",
        "update ledger set actor = x'00ff' where sequence = 2",
        "delete from ledger where sequence = 2",
    ],
)
def test_history_that_was_edited_behind_the_store_is_found(store, path, change):
    for number in range(3):
        append(store, subject=f"m/{number}")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    entries, faults = store.inspect_ledger()
    assert faults == find_chain_faults(entries) != []
    for use in (store.read_ledger, lambda: append(store)):
        with pytest.raises(Refused) as refused:
            use()
        assert list(refused.value.reasons) == faults
    assert store.inspect_ledger() == (entries, faults)


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
