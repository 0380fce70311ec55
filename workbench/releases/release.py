"""A release: the exact bytes that may be served, and the audit that says whether these bytes are it.

Layout, below the Bento's `src/`:

    workbench/**                   the serving code
    release/manifest.json          sha256 of every file above and of the model, fixed at nomination
    release/model/**               the model and its contract
    release/evidence.json          what was computed
    release/policy.yaml            under which policy
    release/model_card.md          what people wrote
    release/approvals/*            statements and their signatures over the four digests above
    release/waivers/*              the signed exceptions that the evidence names
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from workbench.errors import UsageError
from workbench.evidence.evidence import Evidence, parse_evidence
from workbench.policies.policy import Policy
from workbench.records.digest import sha256_hex, strict_json
from workbench.records.people import name_people
from workbench.reviews.approval import VerifiedApproval, parse_statement
from workbench.reviews.bundle import EVIDENCE, MANIFEST, POLICY, SUBJECTS, set_terms
from workbench.reviews.decision import Decision, decide, judge_approvals
from workbench.reviews.objection import find_open_objections
from workbench.reviews.waiver import find_standing_faults, parse_waiver
from workbench.signing.statement import Signed, Verifier

_SIGNED = re.compile(r"release/(approvals|waivers)/([0-9]{3})\.(statement\.json|sig)")

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


def seal_signed_files(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the digests of everything the manifest cannot list: the four signed files, the approvals of them and the waivers."""
    return {path: sha256_hex(content) for path, content in files.items() if path in SUBJECTS or _SIGNED.fullmatch(path)}


def find_seal_faults(files: Mapping[str, bytes], sealed: Mapping[str, str]) -> list[str]:
    """Return which signed files are not the ones that were promoted; empty when all are."""
    now = seal_signed_files(files)
    changed = sorted(path for path in {*now, *sealed} if now.get(path) != sealed.get(path))
    return [f"{path} is not what was promoted." for path in changed]


def approval_paths(number: int) -> tuple[str, str]:
    """Return where the statement and the signature of the n-th approval (from 1) are kept in a release."""
    return _signed_paths("approvals", number)


def waiver_paths(number: int) -> tuple[str, str]:
    """Return where the statement and the signature of the n-th waiver (from 1) are kept in a release."""
    return _signed_paths("waivers", number)


def _signed_paths(kind: str, number: int) -> tuple[str, str]:
    return f"release/{kind}/{number:03d}.statement.json", f"release/{kind}/{number:03d}.sig"


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
    faults += _waiver_faults(files, evidence, policy, verify, now)
    subjects = {path: sha256_hex(files[path]) for path in SUBJECTS}
    valid, lacking = judge_approvals(approvals, set_terms(evidence, policy, subjects, now=now))
    people = name_people(statement.principal for statement in valid)
    if len(people) < least_principals:
        lacking.append(f"This server asks for {least_principals} approving people; {len(people)} approved.")
    own = f"{evidence.identity.model}/{evidence.identity.version}"
    moved = [f"These are the files of {own}, not of {subject}."] if subject not in (None, own) else []
    said = find_open_objections(evidence.objections)
    reasons = [*_manifest_faults(files, evidence), *faults, *said, *lacking, *moved]
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
    faults += [f"{path} was added." for path in files if path not in known and not _SIGNED.fullmatch(path)]
    return faults


def _read_approvals(files: Mapping[str, bytes], verify: Verifier) -> tuple[list[VerifiedApproval], list[str]]:
    signed, faults = _read_signed(files, "approvals")
    approvals = []
    for path, each in signed.items():
        try:
            statement = parse_statement(each.statement)
        except UsageError as exc:
            faults.append(f"{path} cannot be read: {' '.join(exc.reasons)}")
        else:
            approvals.append(VerifiedApproval(statement, verify(each, statement.signer)))
    return approvals, faults


def _waiver_faults(
    files: Mapping[str, bytes], evidence: Evidence, policy: Policy, verify: Verifier, now: str
) -> list[str]:
    """Return why the exceptions that the evidence names do not hold: all must be there, and stand as in the review."""
    signed, faults = _read_signed(files, "waivers")
    kept = {sha256_hex(each.statement): (path, each) for path, each in signed.items()}
    named = {fact.digest: fact for fact in evidence.waivers}
    standing = partial(
        find_standing_faults,
        subject=f"{evidence.identity.model}/{evidence.identity.version}",
        subjects={path: sha256_hex(files[path]) for path in (MANIFEST, POLICY)},
        authors=evidence.identity.authors,
        policy=policy,
        ended=evidence.identity.ended,
        now=now,
    )
    faults += [
        f"{path} is not a waiver that the evidence names." for digest, (path, _) in kept.items() if digest not in named
    ]
    for digest, fact in named.items():
        what = f"The waiver of {fact.check} by {fact.principal}"
        if digest not in kept:
            faults.append(f"{what} is missing.")
            continue
        try:
            waiver = parse_waiver(kept[digest][1].statement)
        except UsageError as exc:
            faults.append(f"{what} cannot be read: {' '.join(exc.reasons)}")
            continue
        if waiver.to_fact(digest) != fact:
            faults.append(f"{what} says something else than the evidence says of it.")
        faults += standing(waiver, fault=verify(kept[digest][1], waiver.signer))
    return faults


def _read_signed(files: Mapping[str, bytes], kind: str) -> tuple[dict[str, Signed], list[str]]:
    """Return the statements of a kind with their signatures, by path, and which of them are not whole."""
    found = [match for match in map(_SIGNED.fullmatch, files) if match and match[1] == kind]
    signed, faults = {}, []
    for number in sorted({int(match[2]) for match in found}):
        statement_path, signature_path = _signed_paths(kind, number)
        if statement_path in files and signature_path in files:
            signed[statement_path] = Signed(files[statement_path], files[signature_path])
        else:
            faults.append(f"{kind.removesuffix('s').capitalize()} {number} is incomplete.")
    return signed, faults
