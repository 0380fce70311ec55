"""A review: everything a reviewer decides on, as one record that CLI, widget and static page show alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.evidence.evidence import AnswerFact, Evidence, Finding, ObjectionFact, Status
from workbench.ledger.history import Standing
from workbench.records.people import name_people
from workbench.reviews.changes import Changes
from workbench.reviews.checklist import ChecklistRow
from workbench.reviews.decision import Decision
from workbench.reviews.own_code import ReviewedModule


@dataclass(frozen=True)
class Question:
    """What only a person can answer, and the answer if there is one (who wrote it, when, who besides the authors stands for it)."""

    name: str
    text: str
    answer: str | None = None
    answered_by: str | None = None
    answered_at: str | None = None
    vouched_by: tuple[str, ...] = ()

    @property
    def is_draft(self) -> bool:
        """True for an answer that nobody but an author stands for yet."""
        return self.answer is not None and not self.vouched_by

    @property
    def whose(self) -> str:
        """Say whose the answer is; empty while there is none."""
        return AnswerFact(self.name, self.answered_by or "", self.vouched_by).whose if self.answer else ""


@dataclass(frozen=True)
class GivenApproval:
    """An approval as reviewers see it; `faults` is empty when it counts."""

    principal: str
    role: str
    issued: str
    expires: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class GivenWaiver:
    """An exception to one check as reviewers see it; `faults` is empty when it counts."""

    check: str
    principal: str
    role: str
    reason: str
    issued: str
    expires: str
    faults: tuple[str, ...]


_STANDINGS = {"served": "is what its endpoint serves", "replaced": "was released, and another version took its place"}


@dataclass(frozen=True)
class Review:
    """A nominee under review; times are ISO 8601 in UTC, and `waiver_roles` may except what is waivable.

    `roles` says how many must sign in each role; `decision` is whether it could be promoted now; `changes` are those since the
    version that is served now (since the one before when that is this very one), None when there is none; `raised_on` names the
    version of each objection that was raised on another one made of the same.
    """

    evidence: Evidence
    evidence_digest: str
    policy_name: str
    policy_digest: str
    tier: int
    findings: tuple[Finding, ...]
    waivers: tuple[GivenWaiver, ...]
    waiver_roles: tuple[str, ...]
    questions: tuple[Question, ...]
    roles: Mapping[str, int]
    principals: int
    approvals: tuple[GivenApproval, ...]
    checklist: tuple[ChecklistRow, ...]
    decision: Decision
    changes: Changes | None
    nominated_at: str
    reviewed_at: str
    policy_note: str = ""
    standing: Standing = "nominee"
    own_code: tuple[ReviewedModule, ...] = ()
    raised_on: Mapping[int, str] = field(default_factory=dict)
    local_code: tuple[ReviewedModule, ...] = ()

    @property
    def subject(self) -> str:
        """The nominee's name, as `model/version`."""
        return f"{self.evidence.identity.model}/{self.evidence.identity.version}"

    @property
    def is_released(self) -> bool:
        """True once it was promoted: nothing can be said of it any more."""
        return self.standing in _STANDINGS

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that block promotion."""
        return tuple(finding for finding in self.findings if finding.blocks)

    @property
    def open_objections(self) -> tuple[ObjectionFact, ...]:
        """The objections that nobody has cleared."""
        return tuple(objection for objection in self.evidence.objections if objection.cleared is None)

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """The questions that nobody has answered."""
        return tuple(question for question in self.questions if question.answer is None)

    @property
    def drafts(self) -> tuple[str, ...]:
        """The questions of which whoever signs next confirms the answer."""
        return tuple(question.name for question in self.questions if question.is_draft)

    @property
    def confirmed(self) -> tuple[str, ...]:
        """The questions of which an author wrote the answer, and nobody but who approved last confirmed it."""
        last = tuple(each.principal for each in self.approvals[-1:])
        given = (question for question in self.questions if question.answer and not question.is_draft)
        return tuple(each.name for each in given if each.answered_by not in each.vouched_by and each.vouched_by == last)

    def signers(self, role: str) -> tuple[str, ...]:
        """Return the people whose approvals count in a role, each once, sorted."""
        return name_people(each.principal for each in self.approvals if each.role == role and not each.faults)

    @property
    def all_signers(self) -> tuple[str, ...]:
        """The people whose approvals count in any role of the policy, each once, sorted."""
        return name_people(each.principal for each in self.approvals if each.role in self.roles and not each.faults)

    @property
    def missing_roles(self) -> tuple[str, ...]:
        """The roles in which approvals are still missing, sorted."""
        return tuple(role for role, needed in sorted(self.roles.items()) if len(self.signers(role)) < needed)


def headline(review: Review) -> str:
    """Say in one sentence where the review stands."""
    if review.is_released:
        return f"{review.subject} {_STANDINGS[review.standing]}."
    if review.decision.is_allowed:
        passed = all(finding.status is Status.PASS for finding in review.findings)
        checks = "every check passed" if passed else "no check blocks, though not every one passed,"
        return f"{review.subject} may be promoted: {checks} and the approvals are complete."
    blocked, objected, unanswered = len(review.blocking), len(review.open_objections), len(review.open_questions)
    lacks_people = len(review.all_signers) < review.principals
    parts = [
        f"{blocked} {'check does' if blocked == 1 else 'checks do'} not pass" if blocked else "",
        f"{objected} {'objection is' if objected == 1 else 'objections are'} open" if objected else "",
        f"{unanswered} {'question is' if unanswered == 1 else 'questions are'} open" if unanswered else "",
        "approvals are missing" if review.missing_roles or lacks_people else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f"{review.subject} may not be promoted yet: {said or review.decision.reasons[0].rstrip('.')}."


def find_next_command(review: Review) -> str:
    """Return what is likely done next: promote, answer what is open, sign in a role that is lacking; else read what blocks."""
    endpoint, version = review.evidence.identity.endpoint, review.evidence.identity.version
    if review.standing == "served":
        return f"workbench serve {endpoint}"
    if review.standing == "replaced":
        return f"workbench rollback {endpoint} --to {version}"
    if review.decision.is_allowed:
        return f"workbench promote {review.subject}"
    if review.open_questions:
        return f'workbench review {review.subject} --answer {review.open_questions[0].name}="..."'
    if review.missing_roles:
        return f"workbench approve {review.subject} --role {review.missing_roles[0]} --key ~/.ssh/id_ed25519"
    return f"workbench review {review.subject}"
