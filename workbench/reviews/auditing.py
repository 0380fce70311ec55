"""Verifying the ledger, taking it out of the store, and accepting one that went back on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import Refused, UsageError
from workbench.files.disk import disk_answers
from workbench.ledger.ledger import Checkpoint, Entry, Event, head_of
from workbench.ledger.ledger_export import read_export, write_export
from workbench.reviews import said
from workbench.reviews.ledger_audit import LedgerAudit, audit_ledger, parse_signed
from workbench.runs.project import Project

if TYPE_CHECKING:
    from workbench.config import Settings

_LEAST_OF_DIGEST = 12


def verify_ledger(project: Project, checkpoint: Checkpoint | None) -> LedgerAudit:
    """Verify the store's ledger: chain, what was seen before, every signature, and a checkpoint that somebody noted."""
    last_seen = project.store.ledger.recall()
    entries, faults = project.store.inspect_ledger()
    return audit_ledger(
        entries,
        faults,
        last_seen=last_seen,
        checkpoint=checkpoint,
        verify=lambda entry: find_entry_fault(entry, project.settings),
    )


def find_entry_fault(entry: Entry, settings: Settings) -> str | None:
    """Return what is wrong with the signature in an entry that somebody signed, None when it holds."""
    try:
        signed = said.read_signed(entry)
        return said.find_fault(signed, parse_signed(entry).signer, settings, recorded=entry.time)
    except (UsageError, Refused) as exc:
        return "; ".join([exc.what, *exc.reasons])
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        return f"it cannot be read: {type(exc).__name__}: {exc}"


def export_ledger(project: Project, path: Path) -> int:
    """Write the ledger to a file that can be verified without the workbench, and return how many entries it has."""
    entries = project.store.read_ledger()
    content = write_export(entries)
    read, faults = read_export(content)
    if faults or read != entries:  # what the file says is what was decided, or there is no file
        raise Refused("The ledger cannot be exported.", why=faults or ["Its lines would read differently."])
    with disk_answers(path):
        path.write_bytes(content)
    return len(entries)


def accept_ledger(project: Project, head: str) -> Checkpoint:
    """Take a ledger that was rolled back on purpose for the one to go on with, and record in it who did.

    `head` is its last digest, named by who does it. Raises Refused when the ledger ends elsewhere by then.
    """
    entries = project.store.read_ledger()
    now = head_of(entries)
    if len(head) < _LEAST_OF_DIGEST or not now.digest.startswith(head):
        raise UsageError(
            f"{head!r} is not the ledger's last digest.",
            why=f"It ends with entry {now.sequence}, digest {now.digest}.",
            next_step=f"If that is the ledger you want to go on with: `workbench ledger accept --head {now.digest}`.",
        )
    project.store.ledger.accept(now)
    # Remembered first: a ledger that was rolled back takes no entry before.
    project.store.append_entry(Event.ACCEPTED, actor=project.settings.acting_author, subject="ledger", body=vars(now))
    return now
