"""A decision: allowed, or every reason why not; the same object in CLI, widget and ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.errors import Refused
from workbench.evidence.evidence import Finding
from workbench.policies.policy import Policy
from workbench.records.people import is_author
from workbench.reviews.approval import (
    Statement,
    Terms,
    VerifiedApproval,
    find_approval_faults,
    find_missing_roles,
)


@dataclass(frozen=True)
class Decision:
    """What was decided about what; `reasons` is empty exactly when it is allowed."""

    action: str
    subject: str
    reasons: tuple[str, ...]

    @property
    def is_allowed(self) -> bool:
        """True when nothing speaks against it."""
        return not self.reasons

    def require(self, next_step: str) -> None:
        """Raise Refused with every reason unless it is allowed."""
        if self.reasons:
            raise Refused(f"Refused: {self.action} {self.subject}.", why=self.reasons, next_step=next_step)


def decide(action: str, subject: str, reasons: Iterable[str]) -> Decision:
    """Return the decision these reasons lead to, each once, sorted."""
    return Decision(action, subject, tuple(sorted(set(reasons))))


def find_blocking(findings: Iterable[Finding]) -> list[str]:
    """Return one reason for each finding that did not pass."""
    return [f"{finding.check}: {finding.status}. {finding.reason}" for finding in findings if finding.blocks]


def judge_approvals(approvals: Iterable[VerifiedApproval], terms: Terms) -> tuple[list[Statement], list[str]]:
    """Return the statements that count, and every reason why they are not enough (empty: they are)."""
    judged = [(approval.statement, find_approval_faults(approval, terms)) for approval in approvals]
    valid = [statement for statement, faults in judged if not faults]
    missing = find_missing_roles(valid, terms)
    return valid, [*missing, *(fault for _, faults in judged for fault in faults)] if missing else []


def decide_approval(*, principal: str, role: str, authors: Sequence[str], policy: Policy, subject: str) -> Decision:
    """Decide whether a principal may sign in a role at all."""
    reasons = []
    if is_author(principal, authors):
        reasons.append(f"{principal} is an author of the run; nobody approves their own work.")
    if role not in policy.roles:
        reasons.append(f"Role {role} is not in policy {policy.name}; it asks for {', '.join(sorted(policy.roles))}.")
    return decide("approve", subject, reasons)
