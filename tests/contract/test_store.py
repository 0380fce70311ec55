"""What every store keeps, whoever writes at the same time and whatever dies meanwhile; here an SQLite file.

tests/integration/runs/test_postgresql.py asks the same of a PostgreSQL server.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.stores import ROOT, add, append, at_once, build_run, move
from workbench.errors import NotFound, Refused
from workbench.runs.run import FINAL_STATES, TRANSITIONS, IllegalTransition, Run, RunState
from workbench.runs.sqlalchemy_store import HEARTBEAT_S, LEASE_S, Store

# Runs


def test_a_run_comes_back_as_it_was_added(store):
    run = build_run(sweep="0badcafe")
    store.add_run(run)
    found = store.find_run(run.id)
    assert found == run
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
from tests.contract.stores import add
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


def test_what_a_lost_attempt_kept_is_written_down_afterwards_and_of_no_other(store, change):
    lost, going = add(store, RunState.RUNNING), add(store, RunState.RUNNING)
    silence(change, lost, LEASE_S + 5)
    store.mark_lost_runs()
    for run in (lost, going):
        store.note_lost_files(replace(store.find_run(run.id), record={"kept_files": [1]}))
    assert [store.find_run(run.id).record for run in (lost, going)] == [{"kept_files": [1]}, {}]


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


def test_who_asked_for_the_end_of_a_run_is_told_to_its_holder_alone_and_only_while_it_goes_on(store, change):
    run, other = add(store, RunState.RUNNING), add(store, RunState.RUNNING)
    change("update attempts set owner = 'elsewhere/1/1' where run_id = :run", run=other.id)
    for each in (run, other):
        store.request_stop(each.id, by="boris@example.org")
    assert store.list_stop_requests() == {run.id: "boris@example.org"}
    move(store, run, RunState.KILLED)
    assert store.list_stop_requests() == {}
    with pytest.raises(IllegalTransition):
        store.request_stop(run.id, by="boris@example.org")


def test_a_run_that_was_to_be_stopped_and_died_before_is_attempted_again_without_that_wish(store):
    run = add(store, RunState.RUNNING)
    store.request_stop(run.id, by="boris@example.org")
    move(store, run, RunState.FAILED)
    store.add_attempt(run.id)
    assert store.list_stop_requests() == {}
