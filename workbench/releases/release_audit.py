"""Auditing a release on disk: read once, judged as a whole; what is served are the very bytes that were judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from workbench.checks import FROZEN, run_checks
from workbench.errors import Refused
from workbench.evidence.evidence import Evidence, Severity
from workbench.files.trees import read_tree
from workbench.models.own_modules import OwnModules, read_modules
from workbench.policies.policy import Policy, parse_policy
from workbench.releases.release import Release, audit_release
from workbench.reviews.bundle import POLICY
from workbench.reviews.decision import decide, find_blocking
from workbench.signing.ssh_signatures import find_signature_fault

SUBJECT = "WORKBENCH_SUBJECT"
MODEL = "release/model/"


@dataclass(frozen=True)
class AuditedRelease:
    """What was decided on a release, and the very bytes it was decided on, by path below the folder."""

    release: Release
    files: dict[str, bytes]

    def model_files(self) -> dict[str, bytes]:
        """Return the files of its model, by name."""
        return {path.removeprefix(MODEL): content for path, content in self.files.items() if path.startswith(MODEL)}


def audit_folder(
    folder: Path, *, allowed_signers: Path, least_principals: int, now: str, subject: str | None = None
) -> AuditedRelease:
    """Return the release in a folder (a Bento's `src/`) when it may be served; raises Refused otherwise.

    `allowed_signers` and `least_principals` are whom this machine trusts and how many of them it asks for, `subject` is
    which release it asks for (`model/version`; None: whichever it is): they come from outside of the release. `now` is
    ISO 8601 in UTC.
    """
    if not (folder / "release").is_dir():
        raise Refused(
            f"Refused: serve {folder}.", why="It holds no release.", next_step="Serve a Bento that was promoted."
        )
    if folder.resolve() in allowed_signers.resolve().parents:
        raise Refused(
            f"Refused: serve {folder}.", why="The allowed-signers file lies inside of the release it would judge."
        )
    files = read_tree(folder)
    release = audit_release(
        files,
        verify=partial(find_signature_fault, allowed_signers=allowed_signers),
        read_policy=read_policy,
        least_principals=least_principals,
        now=now,
        subject=subject,
    )
    if release.evidence is not None:
        unmet = find_unmet(release.evidence, read_policy(files[POLICY]), release.approved_by)
        decision = decide("serve", release.decision.subject, [*release.decision.reasons, *unmet])
        release = replace(release, decision=decision)
    release.decision.require(_next_step(release))
    return AuditedRelease(release, files)


def read_own_code(audited: AuditedRelease) -> OwnModules:
    """Return the own modules in the audited bytes; raises Refused unless people approved them, under a policy that allows it."""
    own, evidence = read_modules(audited.model_files()), audited.release.evidence
    if evidence is not None and own.to_facts() != evidence.own_code:
        raise Refused("The model's own code cannot be loaded.", why="It is not the code that the evidence names.")
    if own and not read_policy(audited.files[POLICY]).allows_own_code:
        raise Refused(
            "The model's own code cannot be loaded.", why="The policy it was approved under does not allow it."
        )
    return own


def find_unmet(evidence: Evidence, policy: Policy, approved_by: Sequence[str]) -> list[str]:
    """Return which checks block a release, whoever put it where it is; the audit judges waivers, who approved confirms answers."""
    waived = {fact.check for fact in evidence.waivers}
    findings = run_checks(evidence.confirmed_by(approved_by), policy)
    return find_blocking(
        each for each in findings if each.severity is not Severity.WAIVABLE or each.check not in waived
    )


def _next_step(release: Release) -> str:
    if any("__pycache__" in reason for reason in release.decision.reasons):
        return "Delete the __pycache__ folders and start with PYTHONDONTWRITEBYTECODE=1, as `workbench serve` does."
    return "Serve an approved release, exactly as it was promoted."


def read_policy(content: bytes) -> Policy:
    """Read a policy with the checks this version knows; by which metrics it judges was known when it was judged by."""
    return parse_policy(content, known=FROZEN)
