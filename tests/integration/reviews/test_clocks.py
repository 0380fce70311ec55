"""Who sets a clock back, or dates what is signed back, approves nothing: by the commands, by the review, by either verifier."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import change_database, run_command
from tests.integration.governed import MODEL, ROLES, VALIDATOR, Governed
from workbench import ledger_verifier
from workbench.errors import Refused
from workbench.ledger.ledger import GENESIS, Entry, Event, seal_entry
from workbench.ledger.ledger_export import write_export
from workbench.releases import releases
from workbench.releases.release import seal_signed_files
from workbench.reviews import auditing, reviewing
from workbench.reviews.judging import review_nominee
from workbench.reviews.ledger_audit import audit_ledger
from workbench.reviews.nominees import load_nominee
from workbench.runs.sqlalchemy_store import Store
from workbench.signing.key import Key
from workbench.signing.namespaces import signing_namespace
from workbench.signing.ssh_signatures import sign_bytes


def set_back(governed: Governed, by: timedelta) -> Governed:
    """Return the project as seen by a machine whose clock is behind."""
    address, folder = governed.bench.settings.store_address, governed.bench.settings.checkpoints_folder
    store = Store(address, last_seen=folder, clock=lambda: (datetime.now(UTC) - by).isoformat())
    return replace(governed, bench=replace(governed.bench, store=store))


def expire(governed: Governed, ended: datetime) -> None:
    """Let every key end at a time; it names no zone."""
    signers = governed.bench.settings.signers_file
    until = f'valid-before="{ended:%Y%m%d%H%M%S}",namespaces='
    signers.write_text(signers.read_text().replace("namespaces=", until), encoding="utf-8")


def test_an_expired_key_approves_nothing_by_setting_the_clock_back(nominated: Governed) -> None:
    expire(nominated, datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(Refused, match="does not let this key sign"):
        nominated.approve("shop/1", VALIDATOR)
    back = set_back(nominated, timedelta(days=2))
    before = nominated.bench.store.read_ledger()
    verbs: list[Callable[[], object]] = [
        lambda: back.approve("shop/1"),
        lambda: back.object("shop/1", "Nobody looked at visitors without a name"),
        lambda: back.waive("shop/1", "beats_baseline"),
        lambda: back.bench.answer("shop/1", "harm", "Nobody can be harmed by a newsletter."),
        lambda: back.bench.nominate(back.bench.list_runs()[0].id, MODEL),
        lambda: back.bench.promote("shop/1"),
    ]
    for verb in verbs:
        with pytest.raises(Refused, match="this machine's clock is behind the ledger") as refused:
            verb()
        assert f"wait until it says {before[-1].time}" in refused.value.next_step
    assert nominated.bench.store.read_ledger() == before


def follow(
    entries: Sequence[Entry], time: str, event: Event, actor: str, subject: str, body: dict[str, object]
) -> Entry:
    return seal_entry(entries[-1], time=time, event=event, actor=actor, subject=subject, body=body)


def approve_by_hand(
    governed: Governed, *, issued: datetime, recorded: datetime, subject: str = "shop/1", names_nothing: bool = False
) -> list[Entry]:
    """Return the ledger with the approvals that people would have signed at a time, written past all commands."""
    entries = list(governed.bench.store.read_ledger())
    for principal, role in ROLES.items():
        nominee = load_nominee(subject, settings=governed.bench.settings, entries=entries)
        statement = reviewing.state_approval(nominee, principal=principal, role=role, now=issued.isoformat())
        statement = replace(statement, sequence=0, head=GENESIS) if names_nothing else statement
        content = statement.to_bytes()
        signature = sign_bytes(content, Key(governed.key_of(principal)), signing_namespace(role))
        body = {"statement": content.decode(), "signature": signature.decode(), "role": role}
        entries.append(follow(entries, recorded.isoformat(), Event.APPROVED, principal, subject, body))
    return entries


def refusals(governed: Governed, entries: list[Entry]) -> dict[str, str]:
    """Return what everybody who judges says against the two approvals at the end of a ledger; nothing where they are taken."""
    settings, subject = governed.bench.settings, entries[-1].subject
    nominee = load_nominee(subject, settings=settings, entries=entries)
    review = review_nominee(nominee).decision.reasons
    audit = audit_ledger(
        entries, [], last_seen=None, checkpoint=None, verify=lambda entry: auditing.find_entry_fault(entry, settings)
    )
    second = ledger_verifier.verify(write_export(entries), None, settings.signers_file.read_bytes())
    files = releases.assemble_release(nominee)
    body = {"endpoint": MODEL, "version": int(subject[-1]), "sealed": seal_signed_files(files)}
    promoted = [*entries, follow(entries, entries[-1].time, Event.PROMOTED, VALIDATOR, subject, body)]
    release = releases.judge_release(files, subject, settings, promoted).decision.reasons
    said = {"review": review, "ledger verify": audit.faults, "second verifier": second, "verify": release}
    return {who: "\n".join(reasons) for who, reasons in said.items()}


def test_approvals_that_are_signed_now_are_taken_by_everybody_who_judges(nominated: Governed) -> None:
    now = datetime.now(UTC)
    assert set(refusals(nominated, approve_by_hand(nominated, issued=now, recorded=now)).values()) == {""}


def test_approvals_in_entries_that_are_dated_back_are_refused_by_everybody_who_judges(nominated: Governed) -> None:
    back = datetime.now(UTC) - timedelta(days=2)
    expire(nominated, datetime.now(UTC) - timedelta(days=1))
    said = refusals(nominated, approve_by_hand(nominated, issued=back, recorded=back))
    for who in ("review", "ledger verify", "verify"):
        assert said[who].count("counts for nothing that is signed: it is dated back: it says") == 2, who
    assert said["second verifier"].count("it is dated back") == 2


def test_approvals_that_are_older_than_the_head_they_name_are_refused_by_everybody_who_judges(
    nominated: Governed,
) -> None:
    """They are kept in time, and were issued within the minutes in which what is signed is kept."""
    last = datetime.fromisoformat(nominated.bench.store.read_ledger()[-1].time)
    said = refusals(nominated, approve_by_hand(nominated, issued=last - timedelta(seconds=20), recorded=last))
    for who in ("review", "ledger verify", "verify"):
        assert said[who].count("which it names, is of") == 2, who
    assert said["second verifier"].count("the last entry it names is of") == 2


def test_naming_an_older_head_makes_no_approval_older_than_its_nomination(nominated: Governed) -> None:
    entries = nominated.bench.store.read_ledger()
    told = next(each for each in entries if each.event is Event.NOMINATED and each.subject == "shop/2")
    early = datetime.fromisoformat(told.body["ended"]) - timedelta(minutes=1)
    last = datetime.fromisoformat(entries[-1].time)
    said = refusals(
        nominated, approve_by_hand(nominated, issued=early, recorded=last, subject="shop/2", names_nothing=True)
    )
    for who in ("review", "ledger verify", "verify"):
        assert said[who].count("which nominated shop/2, is of") == 2, who
    assert said["second verifier"].count("what it signs is of") == 2
    for who in ("review", "verify"):  # which read the evidence too
        assert said[who].count("and the evidence is of") == 2, who


def test_a_nomination_says_when_its_run_ended(nominated: Governed) -> None:
    told = next(entry for entry in nominated.bench.store.read_ledger() if entry.event is Event.NOMINATED)
    assert told.body["ended"] == nominated.bench.show(told.body["run"]).ended


def test_the_commands_name_an_entry_that_is_dated_back(nominated: Governed) -> None:
    entries = nominated.bench.store.read_ledger()
    early = follow(
        entries, "2026-01-01T00:00:00+00:00", Event.REFUSED, VALIDATOR, "shop/1", {"action": "", "reasons": []}
    )
    row = {**vars(early), "event": "refused", "body": json.dumps(early.body)}
    names = ", ".join(f":{name}" for name in row)
    change_database(nominated.bench.settings.store_address, f"insert into ledger values ({names})", **row)
    done = run_command(nominated.project, "ledger", "verify")
    assert done.returncode == 3, done.stderr
    assert f"Entry {early.sequence}: it is dated back: it says {early.time}" in " ".join(done.stdout.split())
    assert nominated.approve("shop/1").decision.is_allowed  # and everything goes on
