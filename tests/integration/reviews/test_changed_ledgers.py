"""A ledger that somebody changed is shown and never obeyed, and approvals vouch for the one they were signed on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import change_database, run_command
from tests.integration.governed import MODEL, VALIDATOR, Governed, reasons_of
from workbench.errors import Refused
from workbench.ledger.ledger import Event, head_of


def tamper(governed: Governed, change: str) -> None:
    change_database(f"sqlite:///{governed.project / 'runs' / 'workbench.db'}", change.replace(":", "\\:"))


def test_a_changed_ledger_is_shown_and_never_obeyed(released: Governed) -> None:
    """Version 1 is put behind the endpoint by a stroke in the database: no verb goes along, two tell of it."""
    tamper(
        released, "update ledger set body = replace(body, '\"version\": 2', '\"version\": 1') where event = 'promoted'"
    )
    bench = released.bench
    run_id = bench.list_runs()[0].id
    verbs: list[Callable[[], object]] = [
        lambda: bench.find_served(MODEL),
        lambda: bench.verify("shop/2"),
        lambda: bench.serve(MODEL, port=1),
        lambda: bench.rollback(MODEL),
        lambda: bench.promote("shop/2"),
        lambda: bench.review("shop/2"),
        lambda: bench.answer("shop/2", "harm", "Nobody can be harmed by a newsletter."),
        lambda: bench.nominate(run_id, MODEL),
        lambda: released.approve("shop/2"),
        lambda: released.object("shop/2", "Nobody looked at visitors without a name"),
        lambda: released.waive("shop/2", "beats_baseline"),
        bench.list_nominees,
    ]
    for verb in verbs:
        with pytest.raises(Refused, match=r"was changed: its content does not give its digest"):
            verb()
    entries, faults = bench.inspect_ledger()
    assert len(entries) > 0
    assert len(faults) == 1
    assert not next(symptom for symptom in bench.examine() if symptom.part == "ledger").is_well


@pytest.mark.parametrize(
    "change", ["body = '{'", "body = '[]'", "body = '{}'", "event = 'bogus'", "time = 'noon'", "actor = x'00'"]
)
def test_a_row_that_is_no_decision_is_shown_as_faulty_by_the_ledger_and_the_doctor(
    nominated: Governed, change: str
) -> None:
    tamper(nominated, f"update ledger set {change} where sequence = 3")
    for arguments, code in (
        (("ledger",), 3),
        (("ledger", "--json"), 3),
        (("doctor",), 1),
    ):
        done = run_command(nominated.project, *arguments)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert "Entry 3 was changed" in " ".join(done.stdout.split())


def write_anew(governed: Governed, *, without: int) -> None:
    """Cut the ledger off before an entry and append the approvals that came after it, as they were."""
    entries = governed.bench.store.read_ledger()
    tamper(governed, f"delete from ledger where sequence >= {without}")
    governed.bench.store.ledger.accept(
        head_of(governed.bench.store.read_ledger())
    )  # as whoever did this would say it was on purpose
    for entry in entries[without - 1 :]:
        if entry.event is Event.APPROVED:
            governed.bench.store.append_entry(entry.event, actor=entry.actor, subject=entry.subject, body=entry.body)


def test_an_approval_vouches_for_the_ledger_it_was_signed_on(nominated: Governed) -> None:
    """Two entries about something else are cut out from before two approvals: neither counts, and each says why."""
    first = len(nominated.bench.store.read_ledger()) + 1
    for question in ("harm", "limitations"):
        nominated.acting(VALIDATOR).answer("shop/2", question, "Nobody asked this of the second one so far.")
    assert nominated.approve("shop/1").decision.is_allowed
    write_anew(nominated, without=first)
    entries, faults = nominated.bench.inspect_ledger()
    assert (len(entries), faults) == (first + 1, [])
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/1")
    said = reasons_of(refused)
    assert said.count("it was signed on another history. Seen was entry ") == 2
    assert f"Seen was entry {first + 1} with digest " in said
    assert f"Seen was entry {first + 2} with digest " in said
    assert "Role owner: 0 of 1 approvals." in said
    assert "stale" not in said


def test_a_statement_says_how_long_the_ledger_was_and_how_it_ended(nominated: Governed) -> None:
    last = nominated.bench.store.read_ledger()[-1]
    nominated.approve("shop/1", VALIDATOR)
    (given,) = nominated.bench.load_nominee("shop/1").said.approvals
    assert (given.statement.sequence, given.statement.head) == (last.sequence, last.digest)
