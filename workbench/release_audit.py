"""Auditing a release on disk: read once, judged as a whole; what is served are the very bytes that were judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.domain.policy import Policy, parse_policy
from workbench.domain.release import Release, audit_release
from workbench.errors import Refused
from workbench.packaging.release_folder import read_tree
from workbench.signing.ssh_signatures import find_signature_fault

SUBJECT = "WORKBENCH_SUBJECT"


@dataclass(frozen=True)
class AuditedRelease:
    """A release that may be served, and the bytes that were audited, by path below the folder."""

    release: Release
    files: dict[str, bytes]


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
        verify=lambda approval, statement: find_signature_fault(approval, statement, allowed_signers=allowed_signers),
        read_policy=_read_policy,
        least_principals=least_principals,
        now=now,
        subject=subject,
    )
    release.decision.require(_next_step(release))
    return AuditedRelease(release, files)


def _next_step(release: Release) -> str:
    if any("__pycache__" in reason for reason in release.decision.reasons):
        return "Delete the __pycache__ folders and start with PYTHONDONTWRITEBYTECODE=1, as `workbench serve` does."
    return "Serve an approved release, exactly as it was promoted."


def _read_policy(content: bytes) -> Policy:
    # The checks were run when it was nominated; here the policy only says who must have signed.
    return parse_policy(content, known=None)
