"""A ledger in which somebody signed for their own work is faulty, by both verifiers, however the names are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.people import AUTHOR, ISSUED, OWNER, VALIDATOR
from tests.unit.reviews.builders import build_objection, build_statement, build_waiver
from workbench import ledger_verifier
from workbench.ledger.ledger import Entry, Event, head_of, seal_entry
from workbench.ledger.ledger_export import write_export
from workbench.reviews.ledger_audit import audit_ledger

SIGNED = {Event.APPROVED: build_statement, Event.WAIVED: build_waiver, Event.OBJECTED: build_objection}


def write_ledger(event: Event, *, nominator: str, authors: Any, subject: str = "tumour/3") -> list[Entry]:
    """A nomination, and something that the validator (of a waiver: the owner) signed after it."""
    body = {"run": "3f9a1c27d05b", **({} if authors is None else {"authors": authors})}
    nominated = seal_entry(None, time=ISSUED, event=Event.NOMINATED, actor=nominator, subject=subject, body=body)
    head = {"sequence": 1, "head": head_of([nominated]).digest} if event is Event.APPROVED else {}
    record = SIGNED[event](**head)
    said = {"statement": record.to_bytes().decode(), "signature": "", "role": getattr(record, "role", None)}
    signed = seal_entry(nominated, time=ISSUED, event=event, actor=record.principal, subject="tumour/3", body=said)
    return [nominated, signed]


def says_own_work(entries: Sequence[Entry]) -> bool:
    """Whether both verifiers say so; they must agree."""
    audit = audit_ledger(entries, [], last_seen=None, checkpoint=None, verify=lambda _: None)
    lines, faults = ledger_verifier.read_lines(write_export(entries))
    assert faults == []
    first = [fault for fault in audit.faults if "own work" in fault]
    second = [fault for fault in ledger_verifier.check_statement(lines[1][1], lines, b"") if "own work" in fault]
    assert bool(first) == bool(second)
    return bool(first)


@pytest.mark.parametrize(("event", "signer"), [(Event.APPROVED, VALIDATOR), (Event.WAIVED, OWNER)])
def test_who_nominated_or_wrote_it_signs_nothing_for_it(event, signer):
    assert says_own_work(write_ledger(event, nominator=signer, authors=None))
    assert says_own_work(write_ledger(event, nominator=AUTHOR, authors=[AUTHOR, f"Somebody <{signer.upper()}>"]))
    assert says_own_work(write_ledger(event, nominator=AUTHOR, authors=[signer.replace("e", "\u0435")]))
    assert not says_own_work(write_ledger(event, nominator=AUTHOR, authors=[AUTHOR]))


def test_who_wrote_something_else_or_objects_may():
    assert not says_own_work(write_ledger(Event.APPROVED, nominator=VALIDATOR, authors=None, subject="tumour/2"))
    assert not says_own_work(write_ledger(Event.OBJECTED, nominator=VALIDATOR, authors=[VALIDATOR]))


@pytest.mark.parametrize("authors", [VALIDATOR, {VALIDATOR: 1}, 3, [[VALIDATOR]], [None], []])
def test_both_verifiers_agree_on_authors_of_another_shape(authors):
    says_own_work(write_ledger(Event.APPROVED, nominator=AUTHOR, authors=authors))
