"""What people said of a nominee, as the ledger keeps it: answers, approvals, waivers and objections, each signature verified."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.config import Settings
from workbench.errors import Refused
from workbench.evidence.evidence import AnswerFact, ObjectionFact, WaiverFact
from workbench.ledger.history import find_made_alike
from workbench.ledger.ledger import Entry, Event, find_checkpoint_fault
from workbench.ledger.timeline import Timeline
from workbench.records.digest import sha256_hex
from workbench.records.people import name_others
from workbench.reviews.approval import Statement, VerifiedApproval, parse_statement
from workbench.reviews.objection import Objection, parse_objection, settle_objections
from workbench.reviews.signed_records import SignedRecord
from workbench.reviews.waiver import Waiver, parse_waiver
from workbench.signing.ssh_signatures import find_signature_fault
from workbench.signing.statement import Signed, Signer, find_record_fault


@dataclass(frozen=True)
class VerifiedWaiver:
    """A waiver as it was stored, with what verifying its signature said (None: it holds)."""

    waiver: Waiver
    signed: Signed
    fault: str | None

    def to_fact(self) -> WaiverFact:
        """Return what evidence says of it: the check, and the exact statement by digest."""
        return self.waiver.to_fact(sha256_hex(self.signed.statement))


@dataclass(frozen=True)
class Said:
    """What people said so far; of waivers of one check the newest counts.

    `entries` are all of the ledger about the nominee: its own, and the objections to other versions made of the same.
    `answers` are by question the entries that gave the one that stands in its very words: the first wrote it.
    """

    entries: tuple[Entry, ...]
    answers: Mapping[str, tuple[Entry, ...]]
    approvals: tuple[VerifiedApproval, ...]
    signed: tuple[Signed, ...]
    waivers: tuple[VerifiedWaiver, ...]
    objections: tuple[ObjectionFact, ...]


def find_entries_about(entries: Sequence[Entry], subject: str) -> list[Entry]:
    """Return the entries about a version, with the objections to all made of the same run or bundle and what clears those."""
    alike = find_made_alike(entries, subject)
    raised = {
        entry.sequence: find_made_alike(entries, entry.subject)
        for entry in entries
        if entry.event is Event.OBJECTED and entry.subject in alike
    }
    return [
        entry for entry in entries if entry.subject == subject or entry.sequence in raised or _is_cleared(entry, raised)
    ]


def _is_cleared(entry: Entry, raised: Mapping[int, Collection[str]]) -> bool:
    """True for what clears one of these objections on a version made of the same as the one it was raised on."""
    number = entry.body.get("objection")
    return entry.event is Event.CLEARED and isinstance(number, int) and entry.subject in raised.get(number, ())


def read_said(entries: Sequence[Entry], subject: str, settings: Settings) -> Said:
    """Read what the ledger says about one nominee."""
    own = find_entries_about(entries, subject)
    approved, timeline = _of(own, Event.APPROVED), Timeline(entries)
    given = [_verify_waiver(entry, timeline, settings) for entry in _of(own, Event.WAIVED)]
    waived = {each.waiver.check: each for each in given}
    return Said(
        entries=tuple(own),
        answers=_read_answers(_of(own, Event.ANSWERED)),
        approvals=tuple(_verify_approval(entry, entries, timeline, settings) for entry in approved),
        signed=tuple(map(read_signed, approved)),
        waivers=tuple(waived[check] for check in sorted(waived)),
        objections=_settle(own, entries, timeline, settings),
    )


def _read_answers(given: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    answers: dict[str, tuple[Entry, ...]] = {}
    for entry in given:
        before = answers.get(question := read_text(entry, "question"), ())
        is_same = before and read_text(before[-1], "answer") == read_text(entry, "answer")
        answers[question] = (*before, entry) if is_same else (entry,)
    return answers


def describe_answers(said: Said, authors: Sequence[str]) -> tuple[AnswerFact, ...]:
    """Return whose each answer is."""
    return tuple(
        AnswerFact(question, entries[0].actor, name_others((entry.actor for entry in entries), authors))
        for question, entries in sorted(said.answers.items())
    )


def _of(entries: Iterable[Entry], event: Event) -> list[Entry]:
    return [entry for entry in entries if entry.event is event]


def read_signed(entry: Entry) -> Signed:
    """Return the exact bytes somebody signed, and the signature, from the entry that keeps them."""
    return Signed(read_text(entry, "statement").encode(), read_text(entry, "signature").encode())


def read_text(entry: Entry, name: str) -> str:
    """Return a text of an entry's body; raises Refused for an entry that the workbench did not write."""
    found = entry.body.get(name)
    if isinstance(found, str):
        return found
    raise Refused(
        f"Entry {entry.sequence} of the ledger cannot be read.",
        why=f"It says {entry.event} by {entry.actor}, and its {name} is no text.",
        next_step="`workbench ledger show` shows it. Find out who can write to the store's database.",
    )


def find_fault(signed: Signed, signer: Signer, settings: Settings, *, recorded: str) -> str | None:
    """Return what is wrong with a signature that was recorded at a time: the signature itself, or the time it claims."""
    fault = find_signature_fault(signed, signer, allowed_signers=settings.signers_file)
    return fault or find_record_fault(signer.issued, recorded)


def find_dating_fault(entry: Entry, record: SignedRecord, timeline: Timeline) -> str | None:
    """Return why what was signed in an entry was not signed when it says, by all that stands in the ledger."""
    issued, head = record.signer.issued, record.checkpoint if isinstance(record, Statement) else None
    faults = [find_record_fault(issued, entry.time), timeline.find_statement_fault(entry, issued, head)]
    return "; ".join(filter(None, faults)) or None


def _find_kept_fault(entry: Entry, record: SignedRecord, timeline: Timeline, settings: Settings) -> str | None:
    fault = find_signature_fault(read_signed(entry), record.signer, allowed_signers=settings.signers_file)
    return fault or find_dating_fault(entry, record, timeline)


def _verify_approval(
    entry: Entry, entries: Sequence[Entry], timeline: Timeline, settings: Settings
) -> VerifiedApproval:
    statement = parse_statement(read_signed(entry).statement)
    fault = _find_kept_fault(entry, statement, timeline, settings)
    history = find_checkpoint_fault(entries[: entry.sequence - 1], statement.checkpoint)
    return VerifiedApproval(statement, fault or (f"it was signed on another history. {history}" if history else None))


def _verify_waiver(entry: Entry, timeline: Timeline, settings: Settings) -> VerifiedWaiver:
    signed = read_signed(entry)
    waiver = parse_waiver(signed.statement)
    return VerifiedWaiver(waiver, signed, _find_kept_fault(entry, waiver, timeline, settings))


def read_objections(entries: Sequence[Entry], subject: str, settings: Settings) -> tuple[ObjectionFact, ...]:
    """Return all objections to what a version is made of, on whichever version they were raised."""
    return _settle(find_entries_about(entries, subject), entries, Timeline(entries), settings)


def find_told_otherwise(told: Iterable[ObjectionFact], entries: Sequence[Entry], subject: str) -> list[str]:
    """Return which objections to a version are told otherwise than these entries have them, whosever keys hold by now."""
    own = find_entries_about(entries, subject)
    raised, cleared = _read_raised(own), [objection for _, objection in _read_cleared(own)]
    faults = []
    for fact in told:
        answers = [each for each in cleared if (each.issued, each.text) == (fact.cleared, fact.resolution)]
        if fact.number not in raised:
            faults.append(f"Objection {fact.number} is told in the evidence, and nobody raised it.")
        elif settle_objections({fact.number: raised[fact.number]}, answers) != (fact,):
            faults.append(f"Objection {fact.number} is told otherwise in the evidence than in the ledger.")
    return faults


def _read_raised(own: Iterable[Entry]) -> dict[int, Objection]:
    return {entry.sequence: parse_objection(read_signed(entry).statement) for entry in _of(own, Event.OBJECTED)}


def _read_cleared(own: Iterable[Entry]) -> list[tuple[Entry, Objection]]:
    return [(entry, parse_objection(read_signed(entry).statement)) for entry in _of(own, Event.CLEARED)]


def _settle(
    own: Sequence[Entry], entries: Sequence[Entry], timeline: Timeline, settings: Settings
) -> tuple[ObjectionFact, ...]:
    """Return all objections; one whose key is not granted any more still blocks, a clearance must be signed as it should."""
    places = {entry.sequence: find_made_alike(entries, entry.subject) for entry in _of(own, Event.OBJECTED)}
    holding = [
        objection
        for entry, objection in _read_cleared(own)
        if f"{objection.model}/{objection.version}" == entry.subject in places.get(objection.clears, ())
        and _find_kept_fault(entry, objection, timeline, settings) is None
    ]
    return settle_objections(_read_raised(own), holding)
