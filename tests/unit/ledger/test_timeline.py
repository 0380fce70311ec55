"""The ledger's time never goes back, and no statement is older than what it names and signs; both verifiers say so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.people import AUTHOR, VALIDATOR
from workbench import ledger_verifier
from workbench.ledger.ledger import Checkpoint, Entry, Event, find_chain_faults, head_of, seal_entry
from workbench.ledger.ledger_export import find_export_faults, write_export
from workbench.ledger.timeline import Timeline, find_clock_fault, find_latest
from workbench.records.clock import MOST_AHEAD, TOLERANCE
from workbench.records.digest import canonical_json

BEGIN = datetime(2026, 11, 20, 9, tzinfo=UTC)
SHOP = "shop/1"


def at(seconds: float) -> str:
    return (BEGIN + timedelta(seconds=seconds)).isoformat()


def build(*times: str, event: Event = Event.ANSWERED) -> list[Entry]:
    entries: list[Entry] = []
    for time in times:
        add(entries, time, event)
    return entries


def add(entries: list[Entry], time: str, event: Event, body: Mapping[str, Any] | None = None) -> Entry:
    last = entries[-1] if entries else None
    entries.append(seal_entry(last, time=time, event=event, actor=AUTHOR, subject=SHOP, body=dict(body or {})))
    return entries[-1]


def faults_of(entries: list[Entry], now: datetime | None = None) -> tuple[list[str], list[str]]:
    """Return what either verifier says of the export of a chain that is whole."""
    assert find_chain_faults(entries) == []
    content = write_export(entries)
    first = find_export_faults(content, now=now.isoformat() if now else None)
    return first, ledger_verifier.verify(content, now=now)


# Entries


def test_an_entry_that_is_older_than_the_one_before_it_is_named_by_both_verifiers() -> None:
    first, second = faults_of(build(at(0), at(60), at(49), at(61)))
    assert first == [f"Entry 3: it is dated back: it says {at(49)}, and entry 2 before it says {at(60)}."]
    assert [fault.split(" it is of")[0] for fault in second] == ["line 3: it is dated back:"]


def test_two_clocks_that_are_seconds_apart_make_no_fault() -> None:
    assert faults_of(build(at(0), at(60), at(50), at(59), at(51), at(61))) == ([], [])


def test_seconds_do_not_add_up_to_minutes() -> None:
    """Each is held against the latest time there was, and not against the one just before it, which went back a little too."""
    first, second = faults_of(build(*(at(-9 * number) for number in range(4))))
    assert [fault[:7] for fault in first] == ["Entry 3", "Entry 4"]
    assert [fault[:6] for fault in second] == ["line 3", "line 4"]


@pytest.mark.parametrize("time", ["noon", "2026-11-20T09:00:00", "", "0001-01-01T00:00:00+14:00"])
def test_an_entry_without_a_time_in_a_zone_is_named_and_hides_no_other(time: str) -> None:
    first, second = faults_of(build(at(60), time, at(0)))
    assert [fault[:7] for fault in first] == ["Entry 2", "Entry 3"]
    assert [fault[:6] for fault in second] == ["line 2", "line 3"]


def test_an_entry_far_ahead_of_the_clock_is_named_where_a_clock_is_asked_and_never_years_later() -> None:
    entries = build(at(0), at(MOST_AHEAD.seconds + 1))
    first, second = faults_of(entries, BEGIN)
    assert [fault[:28] for fault in first] == ["Entry 2: it is dated ahead: "]
    assert [fault[:27] for fault in second] == ["line 2: it is dated ahead: "]
    assert faults_of(entries) == ([], [])
    assert faults_of(entries, BEGIN + timedelta(days=999)) == ([], [])
    assert faults_of(build(at(0), at(MOST_AHEAD.seconds)), BEGIN) == ([], [])


def test_a_nomination_that_is_older_than_the_end_of_its_run_is_dated_back() -> None:
    for ended, is_refused in (
        (at(11), True),
        (at(10), False),
        (at(-60), False),
        (None, False),
        ("noon", True),
        (7, True),
    ):
        entries: list[Entry] = []
        add(entries, at(0), Event.NOMINATED, {"ended": ended})
        first, second = faults_of(entries)
        assert (bool(first), bool(second)) == (is_refused, is_refused), ended


_jitter = st.lists(st.floats(-TOLERANCE.total_seconds() / 2, TOLERANCE.total_seconds() / 2), max_size=30)


@given(_jitter, st.floats(0, 500))
def test_however_the_clocks_of_many_machines_differ_within_the_tolerance_an_honest_ledger_holds(
    jitter: list[float], pace: float
) -> None:
    assert faults_of(build(*(at(number * pace + drift) for number, drift in enumerate(jitter)))) == ([], [])


@given(st.lists(st.integers(-40, 40), max_size=8))
def test_both_verifiers_name_the_same_entries(steps: list[int]) -> None:
    first, second = faults_of(build(*(at(step) for step in steps)), BEGIN)
    assert [fault.split(":")[0].split()[1] for fault in first] == [fault.split(":")[0].split()[1] for fault in second]


# The clock that dates the next entry


def test_a_clock_behind_the_latest_entry_dates_none_but_for_seconds() -> None:
    latest = find_latest(build(at(0), at(60), at(55)))
    assert latest is not None
    assert latest.sequence == 2
    assert find_clock_fault(latest, at(50)) is None
    fault = find_clock_fault(latest, at(49))
    assert fault == f"It says {at(49)}, and entry 2 of {AUTHOR} is of {at(60)}, more than 10 seconds later."
    assert find_clock_fault(None, at(0)) is None
    assert find_latest(build("noon")) is None


# Statements


def state(issued: str, head: Checkpoint | None = None) -> dict[str, Any]:
    named = {"sequence": head.sequence, "head": head.digest} if head else {}
    predicate = {"principal": VALIDATOR, "role": "validator", "model": "shop", "version": 1, "issued": issued, **named}
    return {"statement": canonical_json({"predicate": predicate}).decode(), "signature": "", "role": "validator"}


def faults_of_statement(entries: list[Entry], issued: str, head: Checkpoint | None) -> tuple[str | None, list[str]]:
    kept = entries[-1]
    lines, _ = ledger_verifier.read_lines(write_export(entries))
    second = ledger_verifier.Times(lines, None).check_statement(lines[-1][1])
    return Timeline(entries).find_statement_fault(kept, issued, head), second


def nominated(ended: str | None = None) -> list[Entry]:
    entries = build(at(0))
    add(entries, at(100), Event.NOMINATED, {"ended": ended} if ended else {})
    return entries


@pytest.mark.parametrize(("seconds", "is_refused"), [(190, False), (189, True), (250, False)])
def test_a_statement_is_not_older_than_the_head_it_names(seconds: int, is_refused: bool) -> None:
    entries = nominated()
    add(entries, at(200), Event.ANSWERED)
    head = head_of(entries)
    add(entries, at(250), Event.APPROVED, state(at(seconds), head))
    first, second = faults_of_statement(entries, at(seconds), head)
    assert (bool(first), bool(second)) == (is_refused, is_refused)
    if first:
        assert first == f"it says it was issued at {at(seconds)}, and entry 3, which it names, is of {at(200)}"


def test_a_head_that_is_dated_back_is_as_late_as_what_stands_before_it() -> None:
    entries = build(at(0), at(500), at(100))
    head = head_of(entries)
    add(entries, at(500), Event.APPROVED, state(at(300), head))
    first, second = faults_of_statement(entries, at(300), head)
    assert first
    assert second


@pytest.mark.parametrize(
    ("ended", "words"),
    [(None, "which nominated shop/1, is of"), (at(105), "which nominated shop/1, is of"), (at(102), "")],
)
def test_a_statement_is_not_older_than_the_nomination_it_is_about_whatever_head_it_names(
    ended: str | None, words: str
) -> None:
    entries = nominated(ended)
    issued = at(80 if words else 95)
    add(entries, at(120), Event.WAIVED, state(issued))
    first, second = faults_of_statement(entries, issued, None)
    assert words in str(first)
    assert (bool(first), bool(second)) == (bool(words), bool(words))


def test_a_statement_is_not_older_than_the_run_it_signs() -> None:
    entries = nominated(at(108))
    add(entries, at(120), Event.APPROVED, state(at(97)))
    first, second = faults_of_statement(entries, at(97), None)
    assert first == f"it says it was issued at {at(97)}, and the end of the run it signs is of {at(108)}"
    assert second == [
        f"issued at {BEGIN + timedelta(seconds=97)}, and what it signs is of {BEGIN + timedelta(seconds=108)}"
    ]


def test_nothing_that_is_signed_counts_in_an_entry_that_is_dated_back() -> None:
    entries = build(at(0), at(500))
    add(entries, at(100), Event.APPROVED, state(at(99)))
    first, _ = faults_of_statement(entries, at(99), None)
    assert first is not None
    assert first.startswith("it is kept in an entry that counts for nothing that is signed: it is dated back: ")
