"""Everything that can be verified about a ledger at once: its chain, every signature in it, and what others saw of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.errors import UsageError
from workbench.ledger.events import EVENTS, SignedKind
from workbench.ledger.history import find_nominations
from workbench.ledger.ledger import Checkpoint, Entry, Event, find_checkpoint_fault, head_of
from workbench.ledger.timeline import Timeline
from workbench.records.people import is_author
from workbench.reviews.approval import Statement
from workbench.reviews.bundle import MANIFEST
from workbench.reviews.objection import Objection
from workbench.reviews.signed_records import READERS, SignedRecord


@dataclass(frozen=True)
class AuditedApproval:
    """An approval in the ledger: who signed what, which checkpoint with it (None: unreadable), and what is wrong with it."""

    sequence: int
    subject: str
    principal: str
    role: str
    checkpoint: Checkpoint | None
    faults: tuple[str, ...]


@dataclass(frozen=True)
class LedgerAudit:
    """What was verified about a ledger; `faults` is empty exactly when nothing is wrong.

    `is_rewritten` says that this machine saw another one before: an older copy was put back, or somebody started over.
    """

    entries: int
    head: Checkpoint
    last_seen: Checkpoint | None
    checkpoint: Checkpoint | None
    approvals: tuple[AuditedApproval, ...]
    faults: tuple[str, ...]
    is_rewritten: bool = False


def audit_ledger(
    entries: Sequence[Entry],
    faults: Sequence[str],
    *,
    last_seen: Checkpoint | None,
    checkpoint: Checkpoint | None,
    verify: Callable[[Entry], str | None],
) -> LedgerAudit:
    """Judge entries whose chain has these `faults`; `verify` says what is wrong with the signature in an entry."""
    given, timeline = find_checkpoint_fault(entries, checkpoint) if checkpoint else None, Timeline(entries)
    nominated = find_nominations(entries)
    audited = [
        (entry, *_audit_signed(entry, entries, nominated.get(entry.subject), timeline, verify))
        for entry in entries
        if _kind_of(entry)
    ]
    approvals = tuple(_describe_approval(*each) for each in audited if each[0].event is Event.APPROVED)
    found = [*faults, *([f"The checkpoint given does not hold. {given}"] if given else [])]
    found += [f"Entry {entry.sequence}: {fault}" for entry, _, wrong in audited for fault in wrong]
    is_rewritten = last_seen is not None and find_checkpoint_fault(entries, last_seen) is not None
    return LedgerAudit(
        len(entries), head_of(entries), last_seen, checkpoint, approvals, tuple(found), is_rewritten=is_rewritten
    )


def _kind_of(entry: Entry) -> SignedKind | None:
    return EVENTS[entry.event].signed if entry.event in EVENTS else None


def parse_signed(entry: Entry) -> SignedRecord:
    """Return what somebody signed in an entry; raises UsageError (or KeyError and its like) for what nobody could have."""
    kind = _kind_of(entry)
    if kind is None:
        raise UsageError(f"Nobody signs what is {entry.event}.")
    return READERS[kind](entry.body["statement"].encode())


def _describe_approval(entry: Entry, record: SignedRecord | None, faults: Sequence[str]) -> AuditedApproval:
    checkpoint = record.checkpoint if isinstance(record, Statement) else None
    role = str(entry.body.get("role", ""))
    return AuditedApproval(entry.sequence, entry.subject, entry.actor, role, checkpoint, tuple(faults))


def _audit_signed(
    entry: Entry,
    entries: Sequence[Entry],
    nominated: Entry | None,
    timeline: Timeline,
    verify: Callable[[Entry], str | None],
) -> tuple[SignedRecord | None, list[str]]:
    """Return what was signed in an entry (None: it cannot be read), and everything that is wrong with it."""
    try:
        record = parse_signed(entry)
    except UsageError as exc:
        return None, [f"the statement that was signed cannot be read: {'; '.join([exc.what, *exc.reasons])}"]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        return None, [f"the statement that was signed cannot be read: {type(exc).__name__}: {exc}."]
    faults = [*_find_misfits(entry, record), *_find_own_work(entry, entries)]
    faults += _find_other_bytes(nominated, record) if nominated else []
    fault = verify(entry)
    faults += [f"the signature of {entry.actor} does not hold: {fault}"] if fault else []
    head = record.checkpoint if isinstance(record, Statement) else None
    unheld = find_checkpoint_fault(entries[: entry.sequence - 1], head) if head else None
    faults += [f"the checkpoint that was signed does not hold. {unheld}"] if unheld else []
    dated = timeline.find_statement_fault(entry, record.signer.issued, head)
    return record, faults + ([f"{dated}."] if dated else [])


def _find_own_work(entry: Entry, entries: Sequence[Entry]) -> list[str]:
    """Return that somebody approved or waived what they nominated, or wrote by what was said when it was nominated."""
    before = entries[: entry.sequence - 1]
    made = [each for each in before if each.event is Event.NOMINATED and each.subject == entry.subject]
    authors = [str(author) for each in made for author in (each.actor, *_list(each.body.get("authors")))]
    is_own = entry.event in (Event.APPROVED, Event.WAIVED) and is_author(entry.actor, authors)
    return [f"{entry.actor} is an author of {entry.subject}, and nobody approves their own work."] if is_own else []


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _find_misfits(entry: Entry, record: SignedRecord) -> list[str]:
    """Return in what the statement that was signed is another than the entry says."""
    signed: dict[str, object] = {"actor": record.principal, "subject": f"{record.model}/{record.version}"}
    said: dict[str, object] = {"actor": entry.actor, "subject": entry.subject}
    if not isinstance(record, Objection):
        signed, said = signed | {"role": record.role}, said | {"role": entry.body.get("role")}
    return [
        f"its {name} is {said[name]}, and {signed[name]} was signed." for name in said if said[name] != signed[name]
    ]


def _find_other_bytes(nominated: Entry, record: SignedRecord) -> list[str]:
    """Return in what the version that was nominated is made of something else than what was signed."""
    signed = {"manifest": record.subjects.get(MANIFEST)}
    if isinstance(record, Objection) and record.run:
        signed["run"] = record.run
    return [
        f"its {what} is {nominated.body.get(what)}, and {named} was signed."
        for what, named in signed.items()
        if nominated.body.get(what) != named
    ]
