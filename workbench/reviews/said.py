"""What people said of a nominee, as the ledger keeps it: answers, approvals, waivers and objections, each signature verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workbench.config import Settings
from workbench.errors import Refused
from workbench.evidence.evidence import AnswerFact, ObjectionFact, WaiverFact
from workbench.ledger.ledger import Entry, Event, find_checkpoint_fault
from workbench.records.digest import sha256_hex
from workbench.reviews.approval import VerifiedApproval, is_author, name_people, parse_statement
from workbench.reviews.objection import parse_objection, settle_objections
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
    """What people said so far (`entries` are all of the ledger about the nominee); of waivers of one check the newest counts.

    `answers` are by question the entries that gave the one that stands in its very words: the first wrote it.
    """

    entries: tuple[Entry, ...]
    answers: Mapping[str, tuple[Entry, ...]]
    approvals: tuple[VerifiedApproval, ...]
    signed: tuple[Signed, ...]
    waivers: tuple[VerifiedWaiver, ...]
    objections: tuple[ObjectionFact, ...]


def read_said(own: Sequence[Entry], entries: Sequence[Entry], settings: Settings) -> Said:
    """Read what the entries about one nominee (`own`) say, as a part of the whole ledger (`entries`)."""
    approved = _of(own, Event.APPROVED)
    waived = {
        waiver.waiver.check: waiver for waiver in (_verify_waiver(entry, settings) for entry in _of(own, Event.WAIVED))
    }
    return Said(
        entries=tuple(own),
        answers=_read_answers(_of(own, Event.ANSWERED)),
        approvals=tuple(_verify_approval(entry, entries, settings) for entry in approved),
        signed=tuple(map(read_signed, approved)),
        waivers=tuple(waived[check] for check in sorted(waived)),
        objections=_read_objections(own, settings),
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
        AnswerFact(question, entries[0].actor, name_people(_besides(authors, (entry.actor for entry in entries))))
        for question, entries in sorted(said.answers.items())
    )


def _besides(authors: Sequence[str], people: Iterable[str]) -> list[str]:
    return [each for each in people if not is_author(each, authors)]


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


def _verify_approval(entry: Entry, entries: Sequence[Entry], settings: Settings) -> VerifiedApproval:
    signed = read_signed(entry)
    statement = parse_statement(signed.statement)
    fault = find_fault(signed, statement.signer, settings, recorded=entry.time)
    history = find_checkpoint_fault(entries[: entry.sequence - 1], statement.checkpoint)
    return VerifiedApproval(statement, fault or (f"it was signed on another history. {history}" if history else None))


def _verify_waiver(entry: Entry, settings: Settings) -> VerifiedWaiver:
    signed = read_signed(entry)
    waiver = parse_waiver(signed.statement)
    return VerifiedWaiver(waiver, signed, find_fault(signed, waiver.signer, settings, recorded=entry.time))


def _read_objections(own: Sequence[Entry], settings: Settings) -> tuple[ObjectionFact, ...]:
    """Return all objections; one whose key is not granted any more still blocks, a clearance must be signed as it should."""
    raised = {entry.sequence: parse_objection(read_signed(entry).statement) for entry in _of(own, Event.OBJECTED)}
    cleared = [(entry, parse_objection(read_signed(entry).statement)) for entry in _of(own, Event.CLEARED)]
    holding = [
        objection
        for entry, objection in cleared
        if f"{objection.model}/{objection.version}" == entry.subject
        and find_fault(read_signed(entry), objection.signer, settings, recorded=entry.time) is None
    ]
    return settle_objections(raised, holding)
