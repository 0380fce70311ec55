"""Findings in words: which needs a person first, how many ended how, and what may be done about one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from workbench.evidence.evidence import Finding, Severity, Status
from workbench.reviews.review import Review

# Failed first: what needs a person stands on top.
_ORDER = (Status.FAIL, Status.UNKNOWN, Status.PASS)


def sort_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings that block first, then what did not pass, failed before unknown, then passed; else the policy's order."""
    return sorted(findings, key=lambda finding: (not finding.blocks, _ORDER.index(finding.status)))


def prose(text: str) -> list[str]:
    """Return text and commands in turn, text first; commands stand between backticks."""
    parts = text.split("`")
    return parts if len(parts) % 2 else [text]


def can_be_waived(finding: Finding, review: Review) -> bool:
    """True when somebody may except this finding now."""
    return finding.blocks and finding.severity is Severity.WAIVABLE and bool(review.waiver_roles)


def waive_command(review: Review, check: str) -> str:
    """Return the command that waives a check, up to its options."""
    return f"workbench waive {shlex.quote(review.subject)} {shlex.quote(check)}"


def tally(findings: Sequence[Finding]) -> str:
    """Return how many findings ended how, in words."""
    waived = sum(bool(finding.waiver) for finding in findings)
    counts = {status: sum(finding.status is status and not finding.waiver for finding in findings) for status in _ORDER}
    said = {Status.FAIL: "failed", Status.UNKNOWN: "unknown", Status.PASS: "passed"}
    parts = [f"{count} {said[status]}" for status, count in counts.items() if count]
    return ", ".join([*parts, *([f"{waived} waived"] if waived else [])]) or "no checks"
