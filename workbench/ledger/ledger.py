"""The ledger's law: each entry names the one before it, so history cannot be edited unseen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workbench.errors import Refused, UsageError
from workbench.records.digest import canonical_json, sha256_hex, short, strict_json

GENESIS = "0" * 64


class Event(StrEnum):
    """The decisions that are kept; UNREADABLE is what somebody wrote into the ledger that is none."""

    PLANNED = "planned"
    NOMINATED = "nominated"
    ANSWERED = "answered"
    OBJECTED = "objected"
    CLEARED = "cleared"
    WAIVED = "waived"
    APPROVED = "approved"
    REFUSED = "refused"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ACCEPTED = "accepted"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Entry:
    """One decision: who, when (ISO 8601 UTC), about what; `digest` covers everything else, `previous` included."""

    sequence: int
    time: str
    event: Event
    actor: str
    subject: str
    body: Mapping[str, Any]
    previous: str
    digest: str


def seal_entry(
    previous: Entry | None, *, time: str, event: Event, actor: str, subject: str, body: Mapping[str, Any]
) -> Entry:
    """Return the entry that follows `previous` (None: the first)."""
    fields = {
        "sequence": 1 if previous is None else previous.sequence + 1,
        "time": time,
        "event": event,
        "actor": actor,
        "subject": subject,
        "body": body,
        "previous": GENESIS if previous is None else previous.digest,
    }
    return Entry(**fields, digest=_digest(fields))  # type: ignore[arg-type]


def read_entry(row: Mapping[str, Any]) -> Entry:
    """Return the entry a stored row holds, its body as JSON text; a row that nobody sealed becomes an UNREADABLE entry."""
    try:
        body = strict_json(row["body"])
        if not isinstance(body, dict) or not all(isinstance(row[key], str) for key in _TEXTS):
            raise ValueError("no decision has such a body")
        return Entry(**{**row, "event": Event(row["event"]), "body": body})
    except (TypeError, ValueError):
        texts = {key: row[key] if isinstance(row[key], str) else repr(row[key]) for key in _TEXTS}
        kept = {"event": texts["event"], "body": str(row["body"])}
        return Entry(**{**texts, "sequence": row["sequence"], "event": Event.UNREADABLE, "body": kept})


_TEXTS = ("time", "event", "actor", "subject", "previous", "digest")


def _digest(fields: Mapping[str, Any]) -> str:
    return sha256_hex(canonical_json(fields))


def _digest_or_none(fields: Mapping[str, Any]) -> str | None:
    try:
        return _digest(fields)
    except (TypeError, ValueError):  # nothing that was sealed: it has no canonical bytes
        return None


def find_chain_faults(entries: Iterable[Entry], after: Entry | None = None) -> list[str]:
    """Return what is wrong with a chain, in order; empty when it is whole. It goes on from `after` (None: from nothing)."""
    faults: list[str] = []
    head = after.digest if after else GENESIS
    for sequence, entry in enumerate(entries, after.sequence + 1 if after else 1):
        fields = {key: value for key, value in vars(entry).items() if key != "digest"}
        if entry.sequence != sequence:
            faults.append(f"Entry {entry.sequence} stands where entry {sequence} belongs.")
        if entry.previous != head:
            faults.append(f"Entry {entry.sequence} follows {short(entry.previous)}, but {short(head)} came before it.")
        if _digest_or_none(fields) != entry.digest:
            faults.append(f"Entry {entry.sequence} was changed: its content does not give its digest.")
        head = entry.digest
    return faults


def require_whole(entries: Sequence[Entry], after: Entry | None = None) -> Sequence[Entry]:
    """Return the entries when their chain is whole; raises Refused otherwise, because nothing may be decided by them."""
    faults = find_chain_faults(entries, after)
    if faults:
        raise Refused(
            f"The ledger was changed: {len(faults)} {'fault' if len(faults) == 1 else 'faults'} in {len(entries)} entries.",
            why=faults,
            next_step="`workbench ledger` shows all entries; put back a copy of the store that was not changed.",
        )
    return entries


# Checkpoints


@dataclass(frozen=True)
class Checkpoint:
    """What somebody knows a ledger to hold: the digest of its entry `sequence` (0 and GENESIS: nothing yet)."""

    sequence: int
    digest: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest}"


def head_of(entries: Sequence[Entry]) -> Checkpoint:
    """Return the checkpoint that holds all of these entries."""
    return Checkpoint(entries[-1].sequence, entries[-1].digest) if entries else Checkpoint(0, GENESIS)


def find_checkpoint_fault(entries: Sequence[Entry], checkpoint: Checkpoint) -> str | None:
    """Return in what a whole chain does not hold a checkpoint, None when it does: it was cut off, or written anew."""
    seen, head = f"entry {checkpoint.sequence} with digest {checkpoint.digest}", head_of(entries)
    if checkpoint.sequence > len(entries):
        return f"Seen was {seen}; the ledger ends with entry {head.sequence}, digest {head.digest}."
    digest = entries[checkpoint.sequence - 1].digest if checkpoint.sequence else GENESIS
    if digest == checkpoint.digest:
        return None
    return (
        f"Seen was {seen}; its digest is {digest} now, and the ledger ends with entry {head.sequence},"
        f" digest {head.digest}."
    )


def parse_checkpoint(text: str) -> Checkpoint:
    """Read SEQUENCE:DIGEST; raises UsageError for anything else."""
    found = _CHECKPOINT.fullmatch(text)
    if not found:
        raise UsageError(
            f"{text!r} is no checkpoint.",
            why="It is the number of an entry, a colon and its digest of 64 hex characters.",
            next_step="`workbench ledger verify` prints the one of now.",
        )
    return Checkpoint(int(found[1]), found[2])


_CHECKPOINT = re.compile(r"([0-9]{1,12}):([0-9a-f]{64})")
