"""Judging: everything a reviewer decides on about a nominee, and whether it could be promoted now."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.checks.model_card_complete import is_long_enough
from workbench.evidence.evidence import Finding, Status
from workbench.ledger.ledger import Entry, Event
from workbench.records.clock import utc_now
from workbench.reviews.approval import Terms, VerifiedApproval, find_approval_faults
from workbench.reviews.bundle import set_terms
from workbench.reviews.changes import Changes, find_changes
from workbench.reviews.checklist import ChecklistRow, judge_checklist
from workbench.reviews.decision import Decision, decide, find_blocking, judge_approvals
from workbench.reviews.nominees import Nominee
from workbench.reviews.objection import find_open_objections
from workbench.reviews.own_code import ReviewedModule, review_local_code, review_own_code
from workbench.reviews.review import GivenApproval, GivenWaiver, Question, Review
from workbench.reviews.said import VerifiedWaiver
from workbench.reviews.waiver import apply_waivers, find_waiver_faults
from workbench.runs.project import Project


def review_nominee(nominee: Nominee) -> Review:
    """Return everything a reviewer decides on, with the decision whether it could be promoted now."""
    now = utc_now()
    evidence, policy = nominee.evidence, nominee.policy
    findings, waivers = judge_findings(nominee, now)
    terms = set_terms(evidence, policy, nominee.subjects(), now=now, said=nominee.said.entries)
    _, lacking = judge_approvals(nominee.said.approvals, terms)
    blocked = {finding.check for finding in findings if finding.blocks}
    raised_on = {
        entry.sequence: entry.subject
        for entry in nominee.said.entries
        if entry.event is Event.OBJECTED and entry.subject != nominee.subject
    }
    objections = find_open_objections(evidence.objections, raised_on)
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
        approvals=tuple(_given(item, terms) for item in nominee.said.approvals),
        checklist=_answer_checklist(nominee, findings, agreed=not lacking, unopposed=not objections),
        decision=decide("promote", nominee.subject, [*blocking, *lacking, *filter(None, [nominee.policy_fault])]),
        changes=_find_changes(nominee),
        nominated_at=nominee.nominated.time,
        reviewed_at=now,
        policy_note=nominee.policy_note,
        standing=nominee.standing,
        own_code=_review_own_code(nominee),
        raised_on=raised_on,
        local_code=_review_local_code(nominee),
    )


def _answer_checklist(
    nominee: Nominee, findings: Sequence[Finding], *, agreed: bool, unopposed: bool
) -> tuple[ChecklistRow, ...]:
    policy, answers = nominee.policy, nominee.evidence.answers
    return judge_checklist(
        nominee.checklist,
        tier=policy.tier,
        findings=findings,
        answered={name: is_long_enough(answers.get(name, ""), policy) for name in policy.questions},
        # That it is in the inventory and that approvals expire holds of whatever was nominated.
        gate={"inventory": True, "approvals": agreed, "objections": unopposed, "expiry": True},
    )


def _find_changes(nominee: Nominee) -> Changes | None:
    before = nominee.before
    if before is None:
        return None
    return find_changes(before.facts, nominee.evidence, source_before=before.source, source_after=nominee.source)


def _review_own_code(nominee: Nominee) -> tuple[ReviewedModule, ...]:
    before = nominee.before
    then, gone = (before.modules, before.facts.own_code) if before else ({}, ())
    return review_own_code(nominee.evidence.own_code, nominee.modules, then, gone)


def _review_local_code(nominee: Nominee) -> tuple[ReviewedModule, ...]:
    before = nominee.before
    facts, sources = (before.facts, before.local_code) if before else (None, {})
    return review_local_code(nominee.evidence, nominee.local_code, facts, sources)


def _question(name: str, text: str, answered: Entry | None) -> Question:
    if answered is None:
        return Question(name, text)
    return Question(name, text, answered.body["answer"], answered.actor, answered.time)


def _given(approval: VerifiedApproval, terms: Terms) -> GivenApproval:
    statement, faults = approval.statement, find_approval_faults(approval, terms)
    return GivenApproval(statement.principal, statement.role, statement.issued, statement.expires, tuple(faults))


def require_allowed(project: Project, decision: Decision, next_step: str) -> None:
    """Record a refusal in the ledger and raise it; do nothing when the decision allows."""
    if not decision.is_allowed:
        project.store.append_entry(
            Event.REFUSED,
            actor=project.settings.acting_author,
            subject=decision.subject,
            body={"action": decision.action, "reasons": list(decision.reasons)},
        )
    decision.require(next_step)


def judge_findings(nominee: Nominee, now: str) -> tuple[tuple[Finding, ...], tuple[GivenWaiver, ...]]:
    """Return what the checks found, waivers that hold applied, and every waiver with what speaks against it."""
    judged = [(given.waiver, _judge_waiver(given, nominee, now)) for given in nominee.said.waivers]
    shown = tuple(
        GivenWaiver(
            waiver.check, waiver.principal, waiver.role, waiver.reason, waiver.issued, waiver.expires, tuple(faults)
        )
        for waiver, faults in judged
    )
    return apply_waivers(nominee.findings, [waiver for waiver, faults in judged if not faults]), shown


def _judge_waiver(given: VerifiedWaiver, nominee: Nominee, now: str) -> list[str]:
    """Return what speaks against a waiver; of a check that passes only that nobody needs it."""
    check = given.waiver.check
    finding = next((finding for finding in nominee.findings if finding.check == check), None)
    if finding is not None and finding.status is Status.PASS:
        return [f"It is not needed: {check} passes."]
    return find_waiver_faults(
        given.waiver,
        finding=finding,
        fault=given.fault,
        subject=nominee.subject,
        subjects=nominee.waived_subjects(),
        authors=nominee.evidence.identity.authors,
        policy=nominee.policy,
        ended=nominee.evidence.identity.ended,
        now=now,
    )
