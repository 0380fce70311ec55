"""History cannot be edited unseen."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import Refused
from workbench.ledger.ledger import GENESIS, Entry, Event, find_chain_faults, read_entry, require_whole, seal_entry

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
_bodies = st.dictionaries(_text, _text | st.integers() | st.booleans() | st.none(), max_size=3)
_decisions = st.fixed_dictionaries(
    {"time": _text, "event": st.sampled_from(Event), "actor": _text, "subject": _text, "body": _bodies}
)


def chain(decisions):
    entries = []
    for decision in decisions:
        entries.append(seal_entry(entries[-1] if entries else None, **decision))
    return entries


CHAINS = st.lists(_decisions, min_size=1, max_size=6).map(chain)
LONG_CHAINS = st.lists(_decisions, min_size=2, max_size=6).map(chain)


@given(st.lists(_decisions, max_size=6).map(chain))
def test_a_chain_that_was_only_appended_to_is_whole(entries):
    assert find_chain_faults(entries) == []
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))


def test_the_first_entry_follows_the_genesis():
    entry = seal_entry(None, time="t", event=Event.NOMINATED, actor="ada", subject="tumour/3", body={})
    assert (entry.sequence, entry.previous) == (1, GENESIS)


OTHER = {
    "sequence": lambda value: value + 1,
    "time": lambda value: value + "x",
    "event": lambda value: next(event for event in Event if event is not value),
    "actor": lambda value: value + "x",
    "subject": lambda value: value + "x",
    "body": lambda value: {**value, "waived": not value.get("waived")},
    "previous": lambda value: value[::-1] if value != value[::-1] else "1" * 64,
    "digest": lambda value: value[::-1] if value != value[::-1] else "1" * 64,
}


def test_every_field_is_tried():
    assert set(OTHER) == {field.name for field in fields(Entry)}


@given(entries=CHAINS, data=st.data(), field=st.sampled_from(sorted(OTHER)))
def test_a_changed_field_is_found(entries, data, field):
    at = data.draw(st.integers(0, len(entries) - 1))
    entries[at] = replace(entries[at], **{field: OTHER[field](getattr(entries[at], field))})
    assert any(f"Entry {entries[at].sequence}" in fault for fault in find_chain_faults(entries))


@given(entries=LONG_CHAINS, data=st.data())
def test_a_dropped_entry_is_found_unless_it_is_the_last(entries, data):
    del entries[data.draw(st.integers(0, len(entries) - 2))]
    assert find_chain_faults(entries)


@given(entries=LONG_CHAINS)
def test_a_cut_off_end_leaves_a_shorter_whole_chain_that_only_a_kept_head_reveals(entries):
    head = entries.pop().digest
    assert find_chain_faults(entries) == []
    assert entries[-1].digest != head


@given(entries=CHAINS, data=st.data())
def test_a_repeated_entry_is_found(entries, data):
    at = data.draw(st.integers(0, len(entries) - 1))
    to = data.draw(st.integers(0, len(entries)))
    entries.insert(to, entries[at])
    assert find_chain_faults(entries)


@given(entries=LONG_CHAINS, data=st.data())
def test_entries_in_another_order_are_found(entries, data):
    shuffled = data.draw(st.permutations(entries))
    assert bool(find_chain_faults(shuffled)) is (shuffled != entries)


@given(entries=LONG_CHAINS, decision=_decisions, data=st.data())
def test_a_rewritten_entry_with_a_matching_digest_breaks_the_next(entries, decision, data):
    at = data.draw(st.integers(0, len(entries) - 2))
    rewritten = seal_entry(entries[at - 1] if at else None, **decision)
    same = rewritten.digest == entries[at].digest
    entries[at] = rewritten
    assert bool(find_chain_faults(entries)) is (not same)


@pytest.mark.parametrize("changes", [{"body": {"score": float("nan")}}, {"body": {"x": {1}}}, {"actor": "\ud800"}])
def test_content_that_nobody_could_have_sealed_is_found(changes):
    entry = seal_entry(None, time="t", event=Event.ANSWERED, actor="ada", subject="tumour/3", body={})
    assert find_chain_faults([replace(entry, **changes)]) == [
        "Entry 1 was changed: its content does not give its digest."
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_body_that_has_no_one_spelling_cannot_be_sealed(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        seal_entry(None, time="t", event=Event.ANSWERED, actor="ada", subject="tumour/3", body={"score": value})


ENTRY = seal_entry(None, time="t", event=Event.ANSWERED, actor="ada", subject="tumour/3", body={})
ROW = {**vars(ENTRY), "event": "answered", "body": json.dumps(ENTRY.body)}


def test_a_stored_row_is_read_back_as_it_was_sealed():
    assert read_entry(ROW) == ENTRY


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "{"},
        {"body": "[]"},
        {"body": '{"a": 1, "a": 2}'},
        {"body": b"\xff"},
        {"event": "bogus"},
        {"actor": b"a"},
    ],
    ids=["no JSON", "a list", "a key twice", "bytes", "unknown event", "no text"],
)
def test_a_row_that_nobody_sealed_is_shown_as_a_faulty_entry(changes):
    entry = read_entry({**ROW, **changes})
    assert entry.event is Event.UNREADABLE
    assert find_chain_faults([entry]) == ["Entry 1 was changed: its content does not give its digest."]


def test_nothing_is_decided_by_a_broken_chain_and_every_fault_is_told():
    require_whole([ENTRY])
    with pytest.raises(Refused) as refused:
        require_whole([replace(ENTRY, actor="eve", previous="1" * 64)])
    assert len(refused.value.reasons) == 2
    assert refused.value.next_step
