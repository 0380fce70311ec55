"""A review: everything a reviewer decides on, as one record that CLI, widget and static page show alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.domain.decision import Decision
from workbench.domain.evidence import Evidence, Finding


@dataclass(frozen=True)
class Question:
    """What only a person can answer, and the answer if there is one (who gave it, when)."""

    name: str
    text: str
    answer: str | None = None
    answered_by: str | None = None
    answered_at: str | None = None


@dataclass(frozen=True)
class GivenApproval:
    """An approval as reviewers see it; `faults` is empty when it counts."""

    principal: str
    role: str
    issued: str
    expires: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Review:
    """A nominee under review; times are ISO 8601 in UTC.

    `roles` says how many must sign in each role; `decision` is whether it could be promoted now.
    """

    evidence: Evidence
    evidence_digest: str
    policy_name: str
    policy_digest: str
    findings: tuple[Finding, ...]
    questions: tuple[Question, ...]
    roles: Mapping[str, int]
    principals: int
    approvals: tuple[GivenApproval, ...]
    decision: Decision
    reviewed_at: str

    @property
    def subject(self) -> str:
        """The nominee's name, as `model/version`."""
        return f"{self.evidence.identity.model}/{self.evidence.identity.version}"


def headline(review: Review) -> str:
    """Say in one sentence where the review stands."""
    if review.decision.is_allowed:
        return f"{review.subject} may be promoted: every check passed and the approvals are complete."
    blocked = sum(finding.blocks for finding in review.findings)
    unanswered = sum(question.answer is None for question in review.questions)
    parts = [
        f"{blocked} {'check does' if blocked == 1 else 'checks do'} not pass" if blocked else "",
        f"{unanswered} {'question is' if unanswered == 1 else 'questions are'} open" if unanswered else "",
        "approvals are missing" if _lacks_approvals(review) else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f"{review.subject} may not be promoted yet: {said or review.decision.reasons[0].rstrip('.')}."


def _lacks_approvals(review: Review) -> bool:
    valid = [approval for approval in review.approvals if not approval.faults]
    people = {role: {given.principal for given in valid if given.role == role} for role in review.roles}
    too_few = len(set().union(*people.values())) < review.principals
    return too_few or any(len(people[role]) < needed for role, needed in review.roles.items())
