"""What every store keeps, whoever writes at the same time and whatever dies meanwhile; here an SQLite file.

tests/integration/runs/test_postgresql.py asks the same of a PostgreSQL server.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import change_database
from tests.unit.people import AUTHOR, RUN_ID
from workbench.errors import NotFound, Refused, WorkbenchError
from workbench.ledger.ledger import GENESIS, Checkpoint, Entry, Event, find_chain_faults, head_of
from workbench.runs.run import FINAL_STATES, TRANSITIONS, IllegalTransition, Run, RunState, new_run_id
from workbench.runs.sqlalchemy_store import HEARTBEAT_S, LEASE_S, Store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "deep" / "er" / "workbench.db"


@pytest.fixture
def address(path) -> str:
    """A database of its own; whoever imports these tests may give them another."""
    return f"sqlite:///{path}"


@pytest.fixture
def store(address) -> Iterator[Store]:
    with closing(Store(address)) as opened:
        yield opened


@pytest.fixture
def change(address, store) -> Callable[..., None]:
    """Change the database behind the store's back."""
    return lambda statement, **values: change_database(address, statement, **values)


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


def test_a_run_says_itself_when_it_began_and_ended(store):
    run = add(store)
    move(store, run, RunState.RUNNING, started="2026-11-20T09:00:00+00:00")
    move(store, store.find_run(run.id), RunState.FINISHED, ended="2026-11-20T09:00:07+00:00")
    found = store.find_run(run.id)
    assert (found.started, found.ended) == ("2026-11-20T09:00:00+00:00", "2026-11-20T09:00:07+00:00")


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
from workbench.runs.run import RunState
from workbench.runs.sqlalchemy_store import HEARTBEAT_S, LEASE_S, Store
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
def test_a_run_of_another_machine_is_not_judged_and_a_reused_pid_is_not_trusted(store, change, owner, lost):
    run = add(store, RunState.RUNNING)
    change("update attempts set owner = :owner", owner=owner)
    assert store.mark_lost_runs() == ([run.id] if lost else [])


# Leases and attempts


def silence(change, run: Run, seconds: float) -> None:
    statement = "update attempts set lease_until_monotonic = lease_until_monotonic - :seconds where run_id = :run"
    change(statement, seconds=seconds, run=run.id)


def test_an_owner_that_is_silent_for_two_heartbeats_has_lost_its_attempt_and_the_reason_says_how_long(store, change):
    spoke, silent = add(store, RunState.RUNNING), add(store, RunState.RUNNING)
    silence(change, spoke, HEARTBEAT_S)
    silence(change, silent, LEASE_S + 5)
    assert store.mark_lost_runs() == [silent.id]
    assert "was silent for 25 s" in store.find_run(silent.id).error
    assert store.find_run(spoke.id).state is RunState.RUNNING


def test_a_run_whose_owner_is_gone_is_lost_for_whoever_looks_and_looking_writes_nothing(store, change):
    run = add(store, RunState.RUNNING)
    silence(change, run, LEASE_S + 5)
    for seen in (store.find_run(run.id), *store.list_runs()):
        assert seen.state is RunState.LOST
        assert "was silent for 25 s" in seen.error
        assert seen.ended is None
    assert store.renew_leases() == {(run.id, 1)}
    assert store.find_run(run.id).state is RunState.RUNNING


def test_an_id_that_is_taken_is_drawn_again(store, monkeypatch):
    taken = add(store)
    drawn = iter([taken.id, taken.id, "0123456789ab"])
    monkeypatch.setattr("workbench.runs.sqlalchemy_store.new_run_id", lambda: next(drawn))
    assert store.draw_run_id() == "0123456789ab"


def test_a_whole_id_names_its_run_though_a_longer_one_begins_with_it(store):
    short, long = add(store, id="3f9a1c27"), add(store, id="3f9a1c270000")
    assert (store.find_run("3f9a1c27"), store.find_run("3f9a1c270000")) == (short, long)
    with pytest.raises(NotFound, match="More than one"):
        store.find_run("3f9a")


def test_a_clock_that_is_set_costs_no_run_of_this_machine_and_another_machines_is_judged_by_it(store, change):
    run = add(store, RunState.RUNNING)
    change("update attempts set lease_until = lease_until - 3600")
    assert store.mark_lost_runs() == []
    change("update attempts set owner = 'elsewhere/1/1'")
    assert store.mark_lost_runs() == [run.id]


def test_a_heartbeat_renews_what_this_process_runs_and_says_what_that_is(store, change):
    running, queued, _ended = add(store, RunState.RUNNING), add(store), add(store, *PATHS[RunState.FAILED])
    silence(change, running, LEASE_S + 5)
    assert store.renew_leases() == {(running.id, 1), (queued.id, 1)}
    assert store.mark_lost_runs() == []


def test_who_lost_its_attempt_cannot_end_it_any_more(store, change):
    run = add(store, RunState.RUNNING)
    silence(change, run, LEASE_S + 5)
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


def test_no_run_has_two_finished_attempts_whoever_writes_them(store, change):
    run = add(store, *PATHS[RunState.FAILED])
    store.add_attempt(run.id)
    with pytest.raises(sa.exc.IntegrityError):
        change("update attempts set state = 'FINISHED' where run_id = :run", run=run.id)


def test_of_many_who_attempt_a_run_again_one_does(address, store):
    run = add(store, *PATHS[RunState.LOST])
    stores = [Store(address) for _ in range(6)]
    results = at_once(*(lambda other=other: other.add_attempt(run.id) for other in stores))
    assert results.count(2) == 1
    assert sum(isinstance(result, IllegalTransition) for result in results) == 5
    for other in stores:
        other.close()


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


EDITS = (
    "update ledger set body = '{}' where sequence = 2",
    "update ledger set body = '{' where sequence = 2",
    "update ledger set body = '[]' where sequence = 2",
    "update ledger set event = 'bogus' where sequence = 2",
    "update ledger set actor = 'eve' where sequence = 2",
    "delete from ledger where sequence = 2",
)


@pytest.mark.parametrize("edit", EDITS)
def test_history_that_was_edited_behind_the_store_is_found(address, store, change, edit):
    for number in range(3):
        append(store, subject=f"m/{number}")
    change(edit)
    entries, faults = store.inspect_ledger()
    assert faults == find_chain_faults(entries) != []
    with closing(Store(address)) as newcomer:
        for use in (store.read_ledger, newcomer.read_ledger, lambda: append(newcomer)):
            with pytest.raises(Refused) as refused:
                use()
            assert list(refused.value.reasons) == faults
    assert store.inspect_ledger() == (entries, faults)


@pytest.mark.parametrize("edit", [EDITS[0], EDITS[-1]])
def test_the_database_itself_refuses_to_change_an_entry_and_says_why(address, store, edit):
    entries = [append(store, subject=f"m/{number}") for number in range(3)]
    engine = sa.create_engine(address)
    with pytest.raises(sa.exc.DBAPIError, match="The ledger is append-only"), engine.begin() as connection:
        connection.exec_driver_sql(edit)
    engine.dispose()
    assert store.read_ledger() == entries


def test_a_store_whose_ledger_is_not_guarded_is_guarded_once_it_is_opened(address, store, change):
    append(store)
    append(store)
    change("select 1")  # whoever changes it drops the triggers first
    with closing(Store(address)):
        pass
    engine = sa.create_engine(address)
    with pytest.raises(sa.exc.DBAPIError, match="The ledger is append-only"), engine.begin() as connection:
        connection.exec_driver_sql(EDITS[0])
    engine.dispose()


# What was verified before


def test_what_a_process_has_verified_it_does_not_verify_again_to_append_and_what_came_after_it_does(
    address, store, change
):
    append(store)
    with closing(Store(address)) as other:
        append(other)
        change("update ledger set actor = 'eve' where sequence = 1")
        append(other)
        change("update ledger set actor = 'eve' where sequence = 3")
        with pytest.raises(Refused, match="1 fault"):
            append(store)


def test_when_what_it_remembers_does_not_stand_there_any_more_all_is_verified(address, store, change):
    for number in range(3):
        append(store, subject=f"m/{number}")
    change("delete from ledger where sequence = 3")
    assert append(store).sequence == 3
    change("update ledger set digest = '" + 64 * "a" + "' where sequence = 3")
    with pytest.raises(Refused, match="was changed"):
        append(store)


def test_a_condition_cannot_change_what_the_next_one_sees(store):
    append(store)
    append(store, require=lambda entries: entries.clear())
    seen: list[int] = []
    append(store, require=lambda entries: seen.append(len(entries)))
    assert seen == [2]


# What was seen before


@pytest.fixture
def watched(address, store, tmp_path) -> Iterator[Store]:
    """A store that remembers elsewhere what was seen of its ledger, with three entries."""
    with closing(Store(address, last_seen=tmp_path / "seen")) as opened:
        for number in range(3):
            append(opened, subject=f"m/{number}")
        yield opened


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ("delete from ledger where sequence = 3", "Seen was entry 3 .*; the ledger ends with entry 2,"),
        ("delete from ledger", "Seen was entry 3 .*; the ledger ends with entry 0,"),
    ],
)
def test_a_ledger_that_lacks_what_was_seen_is_read_and_not_written_to(watched, change, edit, words):
    change(edit)
    entries, faults = watched.inspect_ledger()
    assert find_chain_faults(entries) == []
    assert re.search(words, faults[0])
    assert watched.read_ledger() == entries
    for use in (lambda: append(watched), watched.ledger.require_privilege):
        with pytest.raises(Refused, match="the ledger was rolled back or rewritten") as refused:
            use()
        assert list(refused.value.reasons) == faults
        assert "workbench ledger accept --head" in refused.value.next_step
    assert watched.read_ledger() == entries


def test_another_ledger_in_its_place_is_noticed(watched, change, address):
    change("delete from ledger")
    with closing(Store(address)) as elsewhere:
        for number in range(4):
            append(elsewhere, subject=f"other/{number}")
    with pytest.raises(Refused, match="rolled back or rewritten"):
        append(watched)


def test_going_back_on_purpose_is_accepted_once_and_then_goes_on(watched, change):
    change("delete from ledger where sequence > 1")
    watched.ledger.accept(head_of(watched.read_ledger()))
    assert append(watched).sequence == 2
    assert watched.inspect_ledger()[1] == []
    change("delete from ledger")
    watched.ledger.accept(Checkpoint(0, GENESIS))
    assert append(watched).sequence == 1


def test_another_ledger_than_the_one_that_was_named_is_not_remembered(watched, change):
    head = head_of(watched.read_ledger())
    change("delete from ledger where sequence > 1")
    with pytest.raises(Refused, match="not the ledger that was to be accepted") as refused:
        watched.ledger.accept(head)
    assert "It ends with entry 1," in refused.value.reasons[0]
    with pytest.raises(Refused, match="rolled back or rewritten"):
        append(watched)


def test_who_reads_while_others_append_never_takes_it_for_a_rollback(watched, address, tmp_path):
    def read_many():
        with closing(Store(address, last_seen=tmp_path / "seen")) as reader:
            return [reader.inspect_ledger()[1] for _ in range(40)]

    def append_some():
        return [append(watched).sequence for _ in range(25)]

    found = at_once(append_some, read_many, read_many)
    assert found[1:] == [[[]] * 40] * 2


def test_a_decision_could_be_recorded_where_it_can(watched):
    watched.ledger.require_privilege()
    watched.ledger.require_privilege()
    assert len(watched.read_ledger()) == 3
