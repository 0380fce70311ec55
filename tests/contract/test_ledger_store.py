"""What every store keeps of the ledger: whole, in order, and guarded against whoever changes it; here in an SQLite file.

tests/integration/runs/test_postgresql.py asks the same of a PostgreSQL server.
"""

from __future__ import annotations

import itertools
import multiprocessing
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.contract.stores import append, append_many, at_once
from workbench.errors import Refused
from workbench.ledger.ledger import GENESIS, Checkpoint, Entry, Event, find_chain_faults, head_of, seal_entry
from workbench.runs.sqlalchemy_store import Store

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


# By which clock


class SetClock:
    """A clock that stands where somebody set it."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> str:
        return self.moment.isoformat()


def test_a_clock_that_was_set_back_dates_no_entry_and_says_what_to_do(address, store):
    last, clock = append(store), SetClock(datetime.now(UTC) - timedelta(days=1))
    with closing(Store(address, clock=clock)) as back:
        for use in (lambda: append(back), back.ledger.require_privilege):
            with pytest.raises(Refused, match="this machine's clock is behind the ledger") as refused:
                use()
            assert f"It says {clock()}, and entry 1 of {last.actor} is of {last.time}" in refused.value.reasons[0]
            assert f"wait until it says {last.time}" in refused.value.next_step
        assert back.read_ledger() == back.inspect_ledger()[0] == [last]
        assert [fault[:28] for fault in back.inspect_ledger()[1]] == ["Entry 1: it is dated ahead: "]
        clock.moment = datetime.fromisoformat(last.time) - timedelta(seconds=10)
        assert append(back).time == clock()
    assert store.inspect_ledger()[1] == []


def test_seconds_by_which_clocks_differ_do_not_add_up(address, store):
    begun = datetime.now(UTC) - timedelta(days=1)
    clock = SetClock(begun)
    with closing(Store(address, clock=clock)) as one, closing(Store(address, clock=clock)) as other:
        append(one)
        clock.moment = begun - timedelta(seconds=9)
        append(other)
        clock.moment = begun - timedelta(seconds=18)
        for use in (one, other):
            with pytest.raises(Refused, match="behind the ledger"):
                append(use)


def test_an_entry_that_does_not_stand_there_any_more_holds_up_no_clock(address, store, change):
    """Whoever puts back a copy from before an entry that was far ahead goes on with it."""
    clock = SetClock(datetime.now(UTC) - timedelta(days=1))
    with closing(Store(address, clock=clock)) as opened:
        append(opened)
        clock.moment += timedelta(hours=1)
        append(opened)
        clock.moment -= timedelta(minutes=30)
        change("delete from ledger where sequence = 2")
        assert append(opened).sequence == 2


def test_an_entry_is_dated_when_nobody_else_can_write_any_more(address, store):
    """Whoever waits for others would be behind what they wrote meanwhile, if it looked at the clock before."""
    clock = SetClock(datetime.now(UTC))

    def wait(_: list[Entry]) -> None:
        clock.moment += timedelta(minutes=1)

    with closing(Store(address, clock=clock)) as waiting:
        before = clock()
        assert append(waiting, require=wait).time == clock() != before


def test_a_ledger_of_before_in_which_time_went_back_is_read_named_and_gone_on_with(address, store):
    entries = [append(store, subject=f"m/{number}") for number in range(2)]
    early = seal_entry(
        entries[-1], time="2026-01-01T00:00:00+00:00", event=Event.ANSWERED, actor="a", subject="m/1", body={}
    )
    engine = sa.create_engine(address)
    with engine.begin() as connection:
        names = ", ".join(f":{name}" for name in vars(early))
        connection.execute(
            sa.text(f"insert into ledger values ({names})"), {**vars(early), "event": "answered", "body": "{}"}
        )
    engine.dispose()
    assert store.read_ledger() == [*entries, early]
    assert append(store).sequence == 4
    (fault,) = store.inspect_ledger()[1]
    assert fault == f"Entry 3: it is dated back: it says {early.time}, and entry 2 before it says {entries[1].time}."


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
