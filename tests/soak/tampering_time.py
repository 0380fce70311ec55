"""Forgeries of time: clocks set back or ahead, statements older than what they sign, dates read in somebody's own zone.

Each family makes one, at random, and says the words of the rule that must refuse it. Where both verifiers judge, both must refuse.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from tests.soak.tampering_release import ROLES, Family, Forger, Mutation
from tests.unit.people import ENDED, ISSUED, NOW, OWNER, VALIDATOR
from workbench import ledger_verifier
from workbench.ledger.ledger import GENESIS, Entry, Event, seal_entry
from workbench.ledger.ledger_export import find_export_faults, write_export
from workbench.ledger.timeline import Timeline, find_latest
from workbench.records.digest import sha256_hex
from workbench.releases.release import waiver_paths
from workbench.reviews.approval import Statement
from workbench.reviews.said import find_dating_fault
from workbench.reviews.waiver import parse_waiver

_ZONES = ("Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu", "UTC")


def _shift(time: str, seconds: float) -> str:
    return (datetime.fromisoformat(time) + timedelta(seconds=seconds)).isoformat()


def _add(entries: list[Entry], time: str, event: Event = Event.ANSWERED, **body: Any) -> Entry:
    last = entries[-1] if entries else None
    entries.append(seal_entry(last, time=time, event=event, actor=OWNER, subject="tumour/3", body=body))
    return entries[-1]


def _nominated(forger: Forger) -> list[Entry]:
    """Return an honest ledger in which the nominee's run ended at `ENDED`, and clocks differ by seconds."""
    entries: list[Entry] = []
    _add(entries, ENDED, Event.PLANNED)
    _add(entries, _shift(ENDED, 30), Event.NOMINATED, ended=ENDED)
    for number in range(forger.chance.randrange(2, 12)):
        _add(entries, _shift(ENDED, 60 + number * 30 + forger.chance.uniform(-5, 5)))
    return entries


def _latest(entries: list[Entry]) -> str:
    latest = find_latest(entries)
    assert latest is not None
    return latest.time


def _seconds(forger: Forger) -> float:
    """Return by how much a clock is wrong: a little more than is tolerated, or hours, or years."""
    return forger.pick([10.001, 11, forger.chance.uniform(11, 86_400), forger.chance.uniform(86_400, 10**8)])


def _both(first: Sequence[str], second: Sequence[str]) -> Sequence[str]:
    """Return what both verifiers say; nothing when one of them takes it."""
    return [*first, *second] if first and second else ()


def _verify(entries: list[Entry], now: str | None = None) -> Sequence[str]:
    content, moment = write_export(entries), datetime.fromisoformat(now) if now else None
    return _both(find_export_faults(content, now=now), ledger_verifier.verify(content, now=moment))


def date_an_entry_back(forger: Forger) -> Mutation:
    entries = _nominated(forger)
    time = _shift(_latest(entries), -_seconds(forger))
    _add(entries, time, forger.pick([event for event in Event if event is not Event.UNREADABLE]))
    return Mutation(f"an entry of {time}", ("it is dated back: it says",), lambda: _verify(entries))


def date_an_entry_ahead(forger: Forger) -> Mutation:
    entries = _nominated(forger)
    _add(entries, _shift(NOW, 290 + _seconds(forger)))
    label = ("it is dated ahead: it says",)
    return Mutation(f"an entry of {entries[-1].time} at {NOW}", label, lambda: _verify(entries, NOW))


def nominate_before_the_run_ended(forger: Forger) -> Mutation:
    entries: list[Entry] = []
    _add(entries, ENDED, Event.NOMINATED, ended=_shift(ENDED, _seconds(forger)))
    return Mutation("nominated early", ("the run that it nominates ended at",), lambda: _verify(entries))


def leave_the_zone_out(forger: Forger) -> Mutation:
    entries = _nominated(forger)
    time = forger.pick([_shift(NOW, 0)[:19], "noon", "", "0001-01-01T00:00:00+14:00", "20261121"])
    _add(entries, time)
    return Mutation(f"an entry of {time!r}", ("is none that names its zone",), lambda: _verify(entries))


def _judge_statement(entries: list[Entry], kept: Entry, statement: Statement) -> Sequence[str]:
    lines, _ = ledger_verifier.read_lines(write_export(entries))
    times = ledger_verifier.Times(lines, None)
    second = times.check_statement(lines[kept.sequence - 1][1])
    second += [fault] if (fault := times.faults.get(kept.sequence)) else []
    fault = find_dating_fault(kept, statement, Timeline(entries))
    return _both([fault] if fault else [], second)


def _keep(forger: Forger, entries: list[Entry], *, issued: str, recorded: str, **said: Any) -> Mutation:
    """Keep an approval in a ledger past all commands, and have it judged."""
    head = {"sequence": entries[-1].sequence, "head": entries[-1].digest}
    statement = replace(forger.state(forger.files, OWNER), issued=issued, **{**head, **said})
    kept = _add(entries, recorded, Event.APPROVED, statement=statement.to_bytes().decode(), role="owner")
    return Mutation(f"issued at {issued}, kept at {recorded}", (), lambda: _judge_statement(entries, kept, statement))


def sign_before_the_head(forger: Forger) -> Mutation:
    entries = _nominated(forger)
    late = _latest(entries)
    made = _keep(forger, entries, issued=_shift(late, -_seconds(forger)), recorded=late)
    return replace(made, labels=("which it names, is of",))


def sign_before_the_nomination(forger: Forger) -> Mutation:
    entries = _nominated(forger)
    early, late = _shift(ENDED, 30 - _seconds(forger)), _latest(entries)
    named = (
        {"sequence": 1, "head": entries[0].digest} if early > _shift(ENDED, -9) else {"sequence": 0, "head": GENESIS}
    )
    made = _keep(forger, entries, issued=early, recorded=late, **named)
    return replace(made, labels=("which nominated tumour/3, is of",))


def set_the_clock_back(forger: Forger) -> Mutation:
    """Date statement and entry alike to before the key expired, which was before the last entry."""
    entries = _nominated(forger)
    back = _shift(_latest(entries), -_seconds(forger))
    made = _keep(forger, entries, issued=back, recorded=_shift(back, forger.chance.uniform(0, 300)))
    return replace(made, labels=("counts for nothing that is signed", "which it names, is of"))


def sign_before_the_evidence(forger: Forger) -> Mutation:
    issued = _shift(ENDED, -11 - _seconds(forger) % (90 * 86_400))
    signed = [forger.sign(forger.state(forger.files, who, issued=issued)) for who in (VALIDATOR, OWNER)]
    files = forger.with_approvals(forger.files, signed)
    return Mutation(f"approved at {issued}", ("and the evidence is of",), lambda: forger.audit(files))


def waive_before_the_run(forger: Forger) -> Mutation:
    issued = _shift(ENDED, -forger.chance.uniform(11, 20 * 86_400))
    waiver = replace(parse_waiver(forger.waiver.statement), issued=issued, expires=_shift(issued, 80 * 86_400))
    signed = forger.sign_waiver(waiver)
    evidence = replace(forger.evidence, waivers=(waiver.to_fact(sha256_hex(signed.statement)),))
    files = forger.release_of(evidence)
    files |= dict(zip(waiver_paths(1), (signed.statement, signed.signature), strict=True))
    return Mutation(f"waived at {issued}", ("and the run ended at",), lambda: forger.audit(files))


def read_a_date_in_a_zone_of_ones_own(forger: Forger) -> Mutation:
    """A key that ended before it signed would hold by the clock of a zone behind, one that begins later by one ahead."""
    key, zone = " ".join(forger.public[OWNER].split()[:2]), forger.pick(_ZONES)
    option, by = forger.pick([("valid-before", -1), ("valid-after", 1)])
    moment = datetime.fromisoformat(ISSUED) + by * timedelta(seconds=forger.chance.randrange(1, 7 * 3600))
    grant = f'{OWNER} namespaces="workbench.approval.owner",{option}="{moment:%Y%m%d%H%M%S}" {key}'
    signers = forger.trust(f"signers-{forger.chance.randrange(10**9)}", {VALIDATOR: ROLES[VALIDATOR]}, more=grant)

    def judge() -> Sequence[str]:
        with patch.dict(os.environ, {"TZ": zone}):
            reasons = forger.audit(forger.files, signers=signers)
        signers.unlink()
        return reasons

    return Mutation(f"{option} {moment} in {zone}", (f"The signature of {OWNER} (owner) does not hold",), judge)


FAMILIES: tuple[Family, ...] = (
    date_an_entry_back,
    date_an_entry_ahead,
    nominate_before_the_run_ended,
    leave_the_zone_out,
    sign_before_the_head,
    sign_before_the_nomination,
    set_the_clock_back,
    sign_before_the_evidence,
    waive_before_the_run,
    read_a_date_in_a_zone_of_ones_own,
)
