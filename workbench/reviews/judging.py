"""Judging: everything a reviewer decides on about a nominee, and whether it could be promoted now."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.checks import run_checks
from workbench.checks.model_card_complete import find_answer_fault, list_settled
from workbench.evidence.evidence import Finding, Status
from workbench.ledger.ledger import Event
from workbench.records.clock import utc_now
from workbench.records.people import name_people
from workbench.reviews.approval import Statement, Terms, VerifiedApproval, find_approval_faults
from workbench.reviews.bundle import set_terms
from workbench.reviews.changes import Changes, find_changes
from workbench.reviews.checklist import ChecklistRow, judge_checklist
from workbench.reviews.decision import Decision, decide, find_blocking, judge_approvals
from workbench.reviews.nominees import Nominee
from workbench.reviews.objection import find_open_objections
from workbench.reviews.own_code import ReviewedModule, review_local_code, review_own_code
from workbench.reviews.review import GivenApproval, GivenWaiver, Question, Review
from workbench.reviews.said import VerifiedWaiver, describe_answers
from workbench.reviews.waiver import apply_waivers, find_waiver_faults
from workbench.runs.project import Project


def review_nominee(nominee: Nominee) -> Review:
    """Return everything a reviewer decides on, with the decision whether it could be promoted now."""
    now = utc_now()
    evidence, policy = nominee.evidence, nominee.policy
    findings, waivers = judge_findings(nominee, now)
    terms = _terms_of(nominee, now)
    valid, lacking = judge_approvals(nominee.said.approvals, terms)
    signers = _people_of(valid)
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
        questions=_list_questions(nominee, signers),
        roles=policy.roles,
        principals=policy.principals,
        approvals=tuple(_given(item, terms) for item in nominee.said.approvals),
        checklist=_answer_checklist(nominee, findings, signers, agreed=not lacking, unopposed=not objections),
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


def _terms_of(nominee: Nominee, now: str) -> Terms:
    return set_terms(nominee.evidence, nominee.policy, nominee.subjects(), now=now, said=nominee.said.entries)


def _people_of(valid: Sequence[Statement]) -> tuple[str, ...]:
    return name_people(statement.principal for statement in valid)


def _answer_checklist(
    nominee: Nominee, findings: Sequence[Finding], signers: Sequence[str], *, agreed: bool, unopposed: bool
) -> tuple[ChecklistRow, ...]:
    policy, settled = nominee.policy, list_settled(nominee.evidence.confirmed_by(signers), nominee.policy)
    return judge_checklist(
        nominee.checklist,
        tier=policy.tier,
        findings=findings,
        answered={name: name in settled for name in policy.questions},
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


def _list_questions(nominee: Nominee, signers: Sequence[str]) -> tuple[Question, ...]:
    """Return the policy's questions; who signed for the answers stands for them, and one that is no words is none."""
    said, whose = nominee.said.answers, describe_answers(nominee.said, nominee.evidence.identity.authors)
    vouched = {fact.question: name_people((*fact.vouched_by, *signers)) for fact in whose}
    questions = []
    for name, text in nominee.policy.questions.items():
        answer = nominee.evidence.answers.get(name, "")
        if find_answer_fault(answer, nominee.policy):
            questions.append(Question(name, text))
        else:
            questions.append(Question(name, text, answer, said[name][0].actor, said[name][0].time, vouched[name]))
    return tuple(questions)


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
    """Return what the checks found, waivers that hold applied, answers confirmed, and every waiver with what speaks against it."""
    valid, _ = judge_approvals(nominee.said.approvals, _terms_of(nominee, now))
    findings = run_checks(nominee.evidence.confirmed_by(_people_of(valid)), nominee.policy)
    judged = [(given.waiver, _judge_waiver(given, findings, nominee, now)) for given in nominee.said.waivers]
    shown = tuple(
        GivenWaiver(
            waiver.check, waiver.principal, waiver.role, waiver.reason, waiver.issued, waiver.expires, tuple(faults)
        )
        for waiver, faults in judged
    )
    return apply_waivers(findings, [waiver for waiver, faults in judged if not faults]), shown


def _judge_waiver(given: VerifiedWaiver, findings: Sequence[Finding], nominee: Nominee, now: str) -> list[str]:
    """Return what speaks against a waiver; of a check that passes only that nobody needs it."""
    check = given.waiver.check
    finding = next((finding for finding in findings if finding.check == check), None)
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
