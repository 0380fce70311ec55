"""Releases, approvals, waivers, policies, evidence and the ledger are tampered with: refused, each for the right reason (P3).

Each byte of every small record is changed once; besides, each family below makes its own kind of forgery, and says the words of
the rule that must fire. Nothing is served or loaded: what judges is what the server, the promotion and the ledger judge by.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.soak import tampering_bytes, tampering_history, tampering_people, tampering_time
from tests.soak.proof import SEED, Proof, timed_proof
from tests.soak.tampering_release import Forger, Mutation, find_reasons
from tests.unit.evidence.builders import ANSWERS, build_evidence, build_identity
from tests.unit.people import EXPIRES, ISSUED
from workbench.reviews.bundle import CARD, EVIDENCE, MANIFEST, POLICY

FAMILIES = (
    *tampering_bytes.FAMILIES,
    *tampering_people.FAMILIES,
    *tampering_history.FAMILIES,
    *tampering_time.FAMILIES,
)
# What may be said of a changed byte, by the record it is in.
_RECORDS = {
    EVIDENCE: ("The evidence cannot be read", f"stale: {EVIDENCE}"),
    POLICY: ("stale: release/policy.yaml", "policy cannot be used"),
    CARD: (f"stale: {CARD}",),
    MANIFEST: (f"{MANIFEST} is not the one the evidence was computed for.",),
    "approvals": ("cannot be read", "does not hold"),
    "waivers": ("is not a waiver that the evidence names", "is not signed well"),
}
_SHARE_OF_BYTES = 0.6
_VALID_SHARE = 10


def prove(size: int) -> Proof:
    """Try `size` mutations, of which the bytes of small records are at most as many as there are; a tenth as many valid ones."""
    claim = "P3: every mutation of a release, approval, policy, waiver or ledger is refused by its rule, and nothing valid is"
    return timed_proof(claim, lambda: _try_all(size))


def _try_all(size: int) -> tuple[int, Sequence[str], str]:
    folder = Path(tempfile.mkdtemp(prefix="wb-p3-"))
    try:
        forger = Forger(folder, random.Random(SEED))
        mutations = [*_byte_mutations(forger, round(size * _SHARE_OF_BYTES))]
        structured = max(size - len(mutations), len(FAMILIES))
        faults = [fault for mutation in mutations if (fault := find_fault(mutation))]
        for number in range(structured):
            family = FAMILIES[number % len(FAMILIES)]
            fault = find_fault(replace(family(forger), family=family.__name__))
            faults += [fault] if fault else []
        valid = size // _VALID_SHARE
        faults += [fault for number in range(valid) if (fault := _refuse_valid(forger, number))]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    details = (
        f"{len(mutations):,} changed bytes of small records, {structured:,} forgeries of {len(FAMILIES)} kinds; "
        f"{valid:,} valid releases besides"
    )
    return len(mutations) + structured + valid, faults, details


def _byte_mutations(forger: Forger, most: int) -> list[Mutation]:
    """Return a change of each byte of each small record, or of `most` of them."""
    places = [(path, at) for path, content in forger.files.items() if _labels_of(path) for at in range(len(content))]
    chosen = places if most >= len(places) else forger.chance.sample(places, most)
    return [_change_byte(forger, path, at) for path, at in chosen]


def _labels_of(path: str) -> tuple[str, ...]:
    return _RECORDS.get(path) or next((labels for kind, labels in _RECORDS.items() if f"/{kind}/" in path), ())


def _change_byte(forger: Forger, path: str, at: int) -> Mutation:
    content = forger.files[path]
    changed = content[at] ^ (1 << forger.chance.randrange(8))
    files = {**forger.files, path: content[:at] + bytes([changed]) + content[at + 1 :]}
    what = f"byte {at} of {path} from {content[at]:#x} to {changed:#x}"
    return Mutation(what, _labels_of(path), lambda: forger.audit(files), family="changed byte")


def find_fault(mutation: Mutation) -> str | None:
    """Return what is wrong with how a mutation was judged: it was accepted, or refused for another reason."""
    reasons = find_reasons(mutation.judge)
    if not reasons:
        return f"{mutation.family}: {mutation.what}: it was accepted"
    if not any(label in reason for label in mutation.labels for reason in reasons):
        return f"{mutation.family}: {mutation.what}: none of {mutation.labels} in {reasons}"
    return None


def _refuse_valid(forger: Forger, number: int) -> str | None:
    """Make a valid release that nobody saw before, and return why it is refused."""
    chance = forger.chance
    identity = build_identity(
        # A waiver is of one version; without one any may be approved.
        version=3 if number % 2 else chance.randrange(3, 999),
        bundle_digest=forger.evidence.identity.bundle_digest,
        parameters={"regularisation": chance.random(), "name": chance.choice(["a", "ä", "名", "x" * 50]), "big": 2**60},
    )
    answers = {name: f"{text} ({number})" for name, text in ANSWERS.items()}
    waivers = forger.evidence.waivers if number % 2 else ()
    evidence = build_evidence(identity=identity, answers=answers, champion_version=2, waivers=waivers)
    files = forger.release_of(evidence, times=(ISSUED, EXPIRES), people=2 + number % 2)
    reasons = find_reasons(lambda: forger.audit(files))
    return f"valid {number}: {reasons}" if reasons else None
