"""Forgeries of what happened: the ledger edited or rewritten, and releases that are not the ones it says were promoted.

Each family makes one, at random, and says the words of the rule that must refuse it.
"""

from __future__ import annotations

import json
from dataclasses import replace

from tests.soak.tampering_release import ROLES, SECOND_VALIDATOR, STRANGER, Family, Forger, Mutation
from tests.unit.people import NOW, OWNER
from tests.unit.reviews.builders import build_objection
from workbench import ledger_verifier
from workbench.ledger.ledger import Entry, Event, find_chain_faults, find_checkpoint_fault, read_entry, seal_entry
from workbench.records.digest import canonical_json
from workbench.releases.release import find_seal_faults, seal_signed_files
from workbench.reviews.bundle import MANIFEST
from workbench.reviews.ledger_audit import audit_ledger

Files = dict[str, bytes]

# The ledger


def _entries(forger: Forger, count: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(count):
        said = {"event": forger.pick([*Event]), "actor": forger.pick([*ROLES]), "subject": f"tumour/{number}"}
        entries.append(
            seal_entry(entries[-1] if entries else None, time=NOW, body={"number": number, "text": "ä"}, **said)
        )
    return entries


def harm_the_ledger(forger: Forger) -> Mutation:
    entries = _entries(forger, forger.chance.randrange(4, 30))
    at = forger.chance.randrange(1, len(entries) - 1)
    how = forger.pick(["drop", "reorder", "duplicate", "insert", "beheaded"])
    harmed = list(entries)
    if how == "drop":
        del harmed[at]
    elif how == "reorder":
        harmed[at], harmed[at + 1] = harmed[at + 1], harmed[at]
    elif how == "duplicate":
        harmed.insert(at, harmed[at])
    elif how == "beheaded":
        harmed = harmed[at:]
    else:
        forged = seal_entry(
            entries[at - 1], time=NOW, event=Event.APPROVED, actor=STRANGER, subject="tumour/3", body={}
        )
        harmed.insert(at, forged)
    return Mutation(
        f"ledger: {how} at {at}", ("stands where entry", "came before it"), lambda: find_chain_faults(harmed)
    )


def edit_the_ledger(forger: Forger) -> Mutation:
    entries = _entries(forger, forger.chance.randrange(2, 12))
    at = forger.chance.randrange(len(entries))
    row = {**vars(entries[at]), "event": str(entries[at].event), "body": json.dumps(entries[at].body)}
    column = forger.pick(["time", "event", "actor", "subject", "body", "previous", "digest"])
    text = row[column]
    place = forger.chance.randrange(len(text))
    letter = forger.pick([each for each in "aA0 \u0430~" if each != text[place]])
    row[column] = text[:place] + letter + text[place + 1 :]
    edited = [*entries[:at], read_entry(row), *entries[at + 1 :]]
    if edited[at] == entries[at]:  # JSON that was spelled otherwise and says the same is the same decision
        edited[at] = replace(entries[at], actor=STRANGER)
    return Mutation(
        f"ledger: {column} of entry {at + 1}", ("was changed", "came before it"), lambda: find_chain_faults(edited)
    )


def rewrite_the_ledger(forger: Forger) -> Mutation:
    """Write another history with a chain that is whole: who signed vouches for the one that was there."""
    entries = _entries(forger, forger.chance.randrange(8, 30))
    signed_at = forger.chance.randrange(4, len(entries))
    head = entries[signed_at - 1]
    statement = replace(forger.state(forger.files, OWNER), sequence=head.sequence, head=head.digest)
    cut = forger.chance.randrange(0, signed_at)
    how = forger.pick(["truncated", "rewritten"])
    history = list(entries[:cut])
    if how == "rewritten":
        while len(history) < len(entries):
            history.append(
                seal_entry(
                    history[-1] if history else None,
                    time=NOW,
                    event=Event.ANSWERED,
                    actor=STRANGER,
                    subject="tumour/3",
                    body={},
                )
            )
    assert find_chain_faults(history) == []
    labels = ("its digest is", "the ledger ends with")

    def find_faults() -> list[str]:
        fault = find_checkpoint_fault(history, statement.checkpoint)
        return [fault] if fault else []

    return Mutation(f"ledger {how} from {cut}", labels, find_faults)


def get_behind_an_objection(forger: Forger) -> Mutation:
    """Say of a version that it is made of something else than was objected to, or object to something else."""
    run, bundle = forger.evidence.identity.run_id, forger.evidence.identity.bundle_digest
    made, other = {"run": run, "manifest": bundle}, f"{forger.chance.randrange(16**12):012x}"
    what, is_signed = forger.pick([*made]), forger.pick([True, False])
    signed, nominated = ({**made, what: other}, made) if is_signed else (made, {**made, what: other})
    said = build_objection(subjects={MANIFEST: signed["manifest"]}, run=signed["run"])
    entries = [seal_entry(None, time=NOW, event=Event.NOMINATED, actor=OWNER, subject="tumour/3", body=nominated)]
    body = {"statement": said.to_bytes().decode(), "signature": ""}
    entries.append(
        seal_entry(entries[0], time=NOW, event=Event.OBJECTED, actor=said.principal, subject="tumour/3", body=body)
    )

    def find_faults() -> list[str]:
        audit = audit_ledger(entries, [], last_seen=None, checkpoint=None, verify=lambda _: None)
        second = ledger_verifier.check_made(body["statement"], nominated)
        return list(audit.faults) if audit.faults and second else []

    return Mutation(
        f"the {what} of {'an objection' if is_signed else 'a version'} is another", (f"its {what} is",), find_faults
    )


def exchange_what_was_promoted(forger: Forger) -> Mutation:
    """Exchange a signed file for another that holds as well: it is not the one that was promoted."""
    sealed = seal_signed_files(forger.files)
    path = forger.pick(sorted(sealed))
    if forger.pick([True, False]):
        files = {**forger.files, path: forger.files[path] + b" "}
    else:
        files = {name: content for name, content in forger.files.items() if name != path}
    return Mutation(
        f"{path} is another", (f"{path} is not what was promoted.",), lambda: find_seal_faults(files, sealed)
    )


def approve_once_more(forger: Forger) -> Mutation:
    """Add a third approval that holds to a release that was promoted without it."""
    sealed = seal_signed_files(forger.files)
    more = forger.sign(forger.state(forger.files, SECOND_VALIDATOR))
    files = forger.with_approvals(forger.files, [*forger.approvals(), more])
    return Mutation(
        "one more approval", ("003.sig is not what was promoted.",), lambda: find_seal_faults(files, sealed)
    )


def misspell_a_digest(forger: Forger) -> Mutation:
    """List every file rightly, but the manifest as other bytes of the same meaning."""
    document = json.loads(forger.files[MANIFEST])
    spelled = forger.pick(
        [json.dumps(document), json.dumps(document, indent=1), canonical_json(document).decode() + "\n"]
    )
    files = {**forger.files, MANIFEST: spelled.encode()}
    return Mutation("the manifest in other bytes", (f"{MANIFEST} is not the one",), lambda: forger.audit(files))


FAMILIES: tuple[Family, ...] = (
    harm_the_ledger,
    edit_the_ledger,
    rewrite_the_ledger,
    get_behind_an_objection,
    exchange_what_was_promoted,
    approve_once_more,
    misspell_a_digest,
)
