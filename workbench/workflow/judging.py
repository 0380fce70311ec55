"""Judging: everything a reviewer decides on about a nominee, and whether it could be promoted now."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.checks.model_card_complete import is_long_enough
from workbench.domain.approval import VerifiedApproval, find_approval_faults
from workbench.domain.changes import Changes, find_changes
from workbench.domain.checklist import judge_checklist
from workbench.domain.decision import decide, find_blocking, judge_approvals
from workbench.domain.ledger import Entry
from workbench.domain.objection import find_open_objections
from workbench.domain.release import target_of
from workbench.domain.review import GivenApproval, Question, Review
from workbench.store.sqlalchemy_store import utc_now
from workbench.workflow.nominees import Nominee, judge_findings


def review_nominee(nominee: Nominee) -> Review:
    """Return everything a reviewer decides on, with the decision whether it could be promoted now."""
    now = utc_now()
    evidence, policy, subjects = nominee.evidence, nominee.policy, nominee.subjects()
    findings, waivers = judge_findings(nominee, now)
    authors, endpoint = evidence.identity.authors, evidence.identity.endpoint
    _, lacking = judge_approvals(
        nominee.said.approvals,
        subjects=subjects,
        authors=authors,
        endpoint=endpoint,
        policy=policy,
        now=now,
        target=target_of(evidence),
    )
    blocked = {finding.check for finding in findings if finding.blocks}
    objections = find_open_objections(evidence.objections)
    faults = [fault for given in waivers if given.check in blocked for fault in given.faults]
    blocking = [*find_blocking(findings), *faults, *objections]
    return Review(
        evidence=evidence,
        evidence_digest=evidence.digest,
        policy_name=policy.name,
        policy_digest=policy.digest,
        tier=policy.tier,
        findings=findings,
        waivers=waivers,
        waiver_roles=policy.waivers.roles,
        questions=tuple(
            _question(name, text, nominee.said.answers.get(name)) for name, text in policy.questions.items()
        ),
        roles=policy.roles,
        principals=policy.principals,
        approvals=tuple(_given(item, nominee, subjects, now) for item in nominee.said.approvals),
        checklist=judge_checklist(
            nominee.checklist,
            tier=policy.tier,
            findings=findings,
            answered={name: is_long_enough(evidence.answers.get(name, ""), policy) for name in policy.questions},
            gate={
                "inventory": True,
                "approvals": not lacking,
                "objections": not objections,
                "expiry": True,
            },
        ),
        decision=decide("promote", nominee.subject, [*blocking, *lacking, *filter(None, [nominee.policy_fault])]),
        changes=_find_changes(nominee),
        nominated_at=nominee.nominated.time,
        reviewed_at=now,
        policy_note=nominee.policy_note,
        standing=nominee.standing,
    )


def _find_changes(nominee: Nominee) -> Changes | None:
    before = nominee.before
    if before is None:
        return None
    return find_changes(before.facts, nominee.evidence, source_before=before.source, source_after=nominee.source)


def _question(name: str, text: str, answered: Entry | None) -> Question:
    if answered is None:
        return Question(name, text)
    return Question(name, text, answered.body["answer"], answered.actor, answered.time)


def _given(approval: VerifiedApproval, nominee: Nominee, subjects: Mapping[str, str], now: str) -> GivenApproval:
    identity, statement = nominee.evidence.identity, approval.statement
    faults = find_approval_faults(
        approval,
        subjects=subjects,
        authors=identity.authors,
        roles=nominee.policy.roles,
        endpoint=identity.endpoint,
        now=now,
        valid_days=nominee.policy.valid_days,
        target=target_of(nominee.evidence),
    )
    return GivenApproval(statement.principal, statement.role, statement.issued, statement.expires, tuple(faults))
