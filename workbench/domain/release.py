"""A release: the exact bytes that may be served, and the audit that says whether these bytes are it.

Layout, below the Bento's `src/`:

    workbench/**                   the serving code
    release/manifest.json          sha256 of every file above and of the model, fixed at nomination
    release/model/**               the model and its contract
    release/evidence.json          what was computed
    release/policy.yaml            under which policy
    release/model_card.md          what people wrote
    release/approvals/*            statements and their signatures over the four digests above
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workbench.domain.approval import Approval, Statement, VerifiedApproval, parse_statement
from workbench.domain.decision import Decision, decide, judge_approvals
from workbench.domain.digest import canonical_json, sha256_hex, strict_json
from workbench.domain.evidence import Evidence, parse_evidence
from workbench.domain.policy import Policy
from workbench.errors import UsageError

MANIFEST = "release/manifest.json"
EVIDENCE = "release/evidence.json"
POLICY = "release/policy.yaml"
CARD = "release/model_card.md"
SUBJECTS = (MANIFEST, EVIDENCE, POLICY, CARD)
_APPROVAL = re.compile(r"release/approvals/([0-9]{3})\.(statement\.json|sig)")

Verifier = Callable[[Approval, Statement], str | None]
PolicyReader = Callable[[bytes], Policy]


@dataclass(frozen=True)
class Release:
    """What a folder of bytes claims to be, and the decision whether it may be served.

    `notes` tell what else happened, and what is still to be done, when it was promoted or put back.
    """

    evidence: Evidence | None
    digest: str
    decision: Decision
    approved_by: tuple[str, ...]
    notes: tuple[str, ...] = ()


def write_manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of these files: path to sha256, canonical."""
    return canonical_json({path: sha256_hex(content) for path, content in files.items()})


def seal_signed_files(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the digests of everything the manifest cannot list: the four signed files and the approvals of them."""
    return {
        path: sha256_hex(content) for path, content in files.items() if path in SUBJECTS or _APPROVAL.fullmatch(path)
    }


def find_seal_faults(files: Mapping[str, bytes], sealed: Mapping[str, str]) -> list[str]:
    """Return which signed files are not the ones that were promoted; empty when all are."""
    now = seal_signed_files(files)
    changed = sorted(path for path in {*now, *sealed} if now.get(path) != sealed.get(path))
    return [f"{path} is not what was promoted." for path in changed]


def approval_paths(number: int) -> tuple[str, str]:
    """Return where the statement and the signature of the n-th approval (from 1) are kept in a release."""
    return f"release/approvals/{number:03d}.statement.json", f"release/approvals/{number:03d}.sig"


def audit_release(
    files: Mapping[str, bytes],
    *,
    verify: Verifier,
    read_policy: PolicyReader,
    least_principals: int,
    now: str,
    subject: str | None = None,
) -> Release:
    """Decide whether these exact files are an approved release.

    `verify` returns what is wrong with a signature, or None. `least_principals` is the server's own floor, which no policy
    inside the release can lower. `subject` is the release they are asked to be, as `model/version` (None: whichever they
    say). Nothing is loaded or run; every reason is collected.
    """
    missing = [f"{path} is missing." for path in SUBJECTS if path not in files]
    if missing:
        return Release(None, "", decide("serve", "this folder", missing), ())
    digest = sha256_hex(files[MANIFEST])
    try:
        evidence, policy = parse_evidence(files[EVIDENCE]), read_policy(files[POLICY])
    except UsageError as exc:
        return Release(None, digest, decide("serve", "this folder", [exc.what, *exc.reasons]), ())
    approvals, faults = _read_approvals(files, verify)
    valid, lacking = judge_approvals(
        approvals,
        subjects={path: sha256_hex(files[path]) for path in SUBJECTS},
        authors=evidence.identity.authors,
        endpoint=evidence.identity.endpoint,
        policy=policy,
        now=now,
    )
    people = tuple(sorted({statement.principal for statement in valid}))
    if len(people) < least_principals:
        lacking.append(f"This server asks for {least_principals} approving people; {len(people)} approved.")
    own = f"{evidence.identity.model}/{evidence.identity.version}"
    moved = [f"These are the files of {own}, not of {subject}."] if subject not in (None, own) else []
    reasons = [*_manifest_faults(files, evidence), *faults, *lacking, *moved]
    return Release(evidence, digest, decide("serve", subject or own, reasons), people)


def _manifest_faults(files: Mapping[str, bytes], evidence: Evidence) -> list[str]:
    if sha256_hex(files[MANIFEST]) != evidence.identity.bundle_digest:
        return [f"{MANIFEST} is not the one the evidence was computed for."]
    try:
        listed = strict_json(files[MANIFEST])
    except ValueError as exc:
        return [f"{MANIFEST} cannot be read: {exc}."]
    if not isinstance(listed, dict):
        return [f"{MANIFEST} cannot be read: it is no mapping."]
    known = {*listed, *SUBJECTS}
    faults = [f"{path} is missing." for path in listed if path not in files]
    faults += [f"{path} was changed." for path in listed if path in files and sha256_hex(files[path]) != listed[path]]
    faults += [f"{path} was added." for path in files if path not in known and not _APPROVAL.fullmatch(path)]
    return faults


def _read_approvals(files: Mapping[str, bytes], verify: Verifier) -> tuple[list[VerifiedApproval], list[str]]:
    numbers = sorted({int(found[1]) for path in files if (found := _APPROVAL.fullmatch(path))})
    approvals, faults = [], []
    for number in numbers:
        statement_path, signature_path = approval_paths(number)
        if statement_path not in files or signature_path not in files:
            faults.append(f"Approval {number} is incomplete.")
            continue
        try:
            approvals.append(_verify_one(Approval(files[statement_path], files[signature_path]), verify))
        except UsageError as exc:
            faults.append(f"{statement_path}: {' '.join(exc.reasons)}")
    return approvals, faults


def _verify_one(approval: Approval, verify: Verifier) -> VerifiedApproval:
    statement = parse_statement(approval.statement)
    return VerifiedApproval(statement, verify(approval, statement))
