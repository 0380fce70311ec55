"""An approval vouches for the history it was signed on: on another one it does not count."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evidence.builders import build_objection_fact
from tests.unit.people import AUTHOR, ISSUED, NOW, OWNER
from tests.unit.reviews.builders import build_objection, build_statement
from workbench.config import Settings
from workbench.errors import Refused
from workbench.ledger.ledger import Event, find_chain_faults, find_checkpoint_fault, seal_entry
from workbench.reviews.said import find_told_otherwise, read_said


def chain(*texts):
    entries = []
    for text in texts:
        last = entries[-1] if entries else None
        entries.append(
            seal_entry(last, time=NOW, event=Event.ANSWERED, actor=AUTHOR, subject="tumour/3", body={"answer": text})
        )
    return entries


def signed_on(entries):
    return build_statement(sequence=entries[-1].sequence, head=entries[-1].digest)


def find_head_fault(statement, entries):
    return find_checkpoint_fault(entries, statement.checkpoint)


LEDGER = chain("a", "b", "c")


def test_a_ledger_that_goes_on_is_the_one_it_was_signed_on():
    assert find_head_fault(signed_on(LEDGER), LEDGER) is None
    assert find_head_fault(signed_on(LEDGER), chain("a", "b", "c", "d")) is None


def test_a_ledger_whose_end_was_cut_off_is_told_with_both_lengths():
    for length in (2, 0):
        fault = find_head_fault(signed_on(LEDGER), LEDGER[:length])
        assert fault.startswith(
            f"Seen was entry 3 with digest {LEDGER[2].digest}; the ledger ends with entry {length},"
        )


def test_a_ledger_that_was_written_anew_is_told_with_both_digests():
    rewritten = chain("a", "x", "c", "d")
    assert find_chain_faults(rewritten) == []
    assert find_head_fault(signed_on(LEDGER), rewritten).startswith(
        f"Seen was entry 3 with digest {LEDGER[2].digest}; its digest is {rewritten[2].digest} now"
    )


def test_a_statement_that_names_no_entry_vouches_for_nothing():
    statement = replace(signed_on(LEDGER), sequence=0)
    assert find_head_fault(statement, LEDGER)


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=6), st.lists(st.sampled_from("ab"), max_size=6))
def test_exactly_the_ledgers_that_begin_with_the_signed_one_hold(signed, now):
    statement = signed_on(chain(*signed))
    assert (find_head_fault(statement, chain(*now)) is None) == (now[: len(signed)] == signed)


@pytest.mark.parametrize("event", [Event.ANSWERED, Event.APPROVED, Event.WAIVED, Event.OBJECTED, Event.CLEARED])
@pytest.mark.parametrize("body", [{}, dict.fromkeys(["question", "statement", "signature"], 7)])
def test_an_entry_that_the_workbench_did_not_write_is_named_and_refused(tmp_path, event, body):
    planted = seal_entry(None, time=NOW, event=event, actor=AUTHOR, subject="tumour/3", body=body)
    with pytest.raises(Refused, match=f"Entry 1 of the ledger cannot be read.\n.*{event} by {AUTHOR}"):
        read_said([planted], "tumour/3", Settings(tmp_path))


# Objections, as somebody tells them afterwards


def object_to(entries, **said):
    """Keep an objection to tumour/3, or what clears one, with what it is made of; nobody looks at signatures here."""
    objection = build_objection(**said)
    event, body = (Event.CLEARED, {"objection": objection.clears}) if objection.clears else (Event.OBJECTED, {})
    kept = {"statement": objection.to_bytes().decode(), "signature": "", **body}
    last = entries[-1] if entries else None
    return [*entries, seal_entry(last, time=NOW, event=event, actor=objection.principal, subject="tumour/3", body=kept)]


RAISED = object_to([])
CLEARED = object_to(RAISED, clears=1, text="They were looked at.")
OPEN = build_objection_fact(number=1)
SETTLED = replace(OPEN, cleared=ISSUED, resolution="They were looked at.")


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (RAISED, OPEN),
        (CLEARED, SETTLED),
        (CLEARED, OPEN),  # its key may not hold by now
        (object_to(CLEARED, clears=1, text="Once more."), SETTLED),
    ],
)
def test_objections_may_be_told_as_the_ledger_has_them(entries, told):
    assert find_told_otherwise([told], entries, "tumour/3") == []


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (RAISED, SETTLED),
        (CLEARED, replace(SETTLED, resolution="It is well.")),
        (CLEARED, replace(SETTLED, text="A comma is missing.")),
        (RAISED, replace(OPEN, principal=AUTHOR)),
        (object_to(RAISED, clears=1, text="They were looked at.", principal=OWNER), SETTLED),
    ],
)
def test_and_not_otherwise(entries, told):
    said = "Objection 1 is told otherwise in the evidence than in the ledger."
    assert find_told_otherwise([told], entries, "tumour/3") == [said]


def test_one_that_nobody_raised_is_told_by_nobody():
    said = "Objection 1 is told in the evidence, and nobody raised it."
    assert find_told_otherwise([SETTLED], [], "tumour/3") == [said]
    assert find_told_otherwise([SETTLED], CLEARED, "tumour/4") == [said]
