"""A review as its view shows it: every text decided here, so that the browser only draws and passes on requests."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.domain.comparison import ComparedRun, Comparison
from workbench.domain.digest import short
from workbench.domain.evidence import Evidence, Finding, Identity, Status
from workbench.domain.review import GivenApproval, Question, Review, headline
from workbench.widgets.comparison_state import fact_state, interval_decimals, interval_state, verdict_state
from workbench.widgets.interval_chart import JudgedInterval, axis_state, choose_axis, mark_state
from workbench.widgets.numbers import (
    MISSING,
    choose_decimals,
    format_number,
    format_value,
    read_time,
    sentence_case,
    words,
)

# Failed first: what needs a person stands on top.
_STATUS: Mapping[Status, tuple[str, str, str]] = {
    Status.FAIL: ("Fail", "✕", "bad"),
    Status.UNKNOWN: ("Unknown", "?", "open"),
    Status.PASS: ("Pass", "✓", "good"),
}


def review_state(review: Review) -> dict[str, Any]:
    """Return everything the review view shows, as JSON."""
    return {
        "headline": headline(review),
        "tone": "good" if review.decision.is_allowed else "open",
        "next": _next_step(review),
        "reasons": [prose(reason) for reason in review.decision.reasons],
        "facts": _facts(review),
        "scores": _scores(review.evidence),
        "score": _score_text(review.evidence),
        "findings": [_finding(finding) for finding in sort_findings(review.findings)],
        "tally": _tally(review.findings),
        "checked": {"text": "Computed ", **_moment(review.reviewed_at)},
        "questions": [_question(question) for question in review.questions],
        "roles": [_role(role, needed, review.approvals) for role, needed in sorted(review.roles.items())],
        "people": _people(review),
        "sign": _sign(review),
    }


def sort_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings failed first, then unknown, then passed; in the policy's order within each."""
    order = list(_STATUS)
    return sorted(findings, key=lambda finding: order.index(finding.status))


def prose(text: str) -> list[str]:
    """Return text and commands in turn, text first; commands stand between backticks."""
    parts = text.split("`")
    return parts if len(parts) % 2 else [text]


def count_valid(review: Review, role: str) -> int:
    """Return how many people's approvals count in a role."""
    return len({given.principal for given in review.approvals if given.role == role and not given.faults})


def _next_step(review: Review) -> str:
    return f"workbench promote {shlex.quote(review.subject)}" if review.decision.is_allowed else ""


def _facts(review: Review) -> list[dict[str, str]]:
    identity = review.evidence.identity
    commit = f"{_dirty(identity)}commit " if identity.git_commit else "not in git"
    return [
        fact_state("Model", f"{identity.model}, version {identity.version}{' (draft)' if identity.draft else ''}"),
        fact_state("Endpoint", f"{identity.endpoint}, now serving {_served(review.evidence)}"),
        fact_state(
            "Run",
            f"{identity.run_id}, {identity.run_state.lower()} {read_time(identity.ended or 'at an unknown time')}",
        ),
        fact_state("Authors", ", ".join(identity.authors) or "unknown"),
        fact_state("Notebook", f"{identity.notebook}, sha256 ", identity.notebook_digest),
        fact_state("Code", commit, identity.git_commit or ""),
        fact_state("Parameters", _parameters(identity.parameters)),
        fact_state("Data", _data(review.evidence)),
        fact_state("Policy", f"{review.policy_name}, sha256 ", review.policy_digest),
        fact_state("Evidence", "sha256 ", review.evidence_digest),
    ]


def _moment(time: str | None) -> dict[str, str]:
    """Return a time for machines and for people; both empty when there is none."""
    return {"iso": time or "", "time": read_time(time) if time else ""}


def _dirty(identity: Identity) -> str:
    return {True: "uncommitted changes on ", False: "", None: "possibly changed "}[identity.git_dirty]


def _served(evidence: Evidence) -> str:
    return f"version {evidence.champion_version}" if evidence.champion_version else "nothing"


def _parameters(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {format_value(value)}" for name, value in sorted(parameters.items())) or "none"


def _data(evidence: Evidence) -> str:
    tables = [f"{data.role} {data.rows:,} rows, {data.columns:,} columns" for data in evidence.datasets]
    return "; ".join(tables) or "none declared"


def _score_text(evidence: Evidence) -> str:
    score = evidence.score
    if score is None:
        return "No score could be computed: the run stored no predictions on the holdout."
    rows = f" on {evidence.holdout.rows:,} holdout rows" if evidence.holdout else ""
    value = format_number(score.value, choose_decimals([score.value]))
    return f"{sentence_case(words(score.metric))} {value}{rows} ({score.direction} is better)."


def _scores(evidence: Evidence) -> list[dict[str, Any]]:
    against = [("Baseline", evidence.baseline), (f"Champion, version {evidence.champion_version}", evidence.champion)]
    judged = [(name, comparison) for name, comparison in against if comparison and comparison.runs]
    return [_score(name, comparison, evidence.identity) for name, comparison in judged]


def _score(name: str, comparison: Comparison, identity: Identity) -> dict[str, Any]:
    run = _own_run(comparison, identity)
    judged = [JudgedInterval(run.advantage, run.verdict)] if run.advantage else []
    axis = choose_axis(judged, comparison.margin)
    value = format_number(comparison.reference_value, choose_decimals([comparison.reference_value]))
    return {
        "name": name,
        "detail": f"{format_value(comparison.reference)}, {value}",
        "axis": axis_state(axis, comparison.margin),
        "mark": mark_state(axis, run.advantage) if run.advantage else None,
        "interval": interval_state(run.advantage, interval_decimals([run])),
        "verdict": verdict_state(run.verdict),
    }


def _own_run(comparison: Comparison, identity: Identity) -> ComparedRun:
    return next((run for run in comparison.runs if run.run_id == identity.run_id), comparison.best)


def _finding(finding: Finding) -> dict[str, Any]:
    word, shape, tone = _STATUS[finding.status]
    return {
        "check": finding.check,
        "label": sentence_case(words(finding.check)),
        "status": {"word": word, "shape": shape, "tone": tone},
        "value": finding.value or MISSING,
        "limit": finding.limit or MISSING,
        "reason": prose(finding.reason),
    }


def _tally(findings: Sequence[Finding]) -> str:
    counts = {status: sum(finding.status is status for finding in findings) for status in _STATUS}
    said = {Status.FAIL: "failed", Status.UNKNOWN: "unknown", Status.PASS: "passed"}
    return ", ".join(f"{count} {said[status]}" for status, count in counts.items() if count) or "no checks"


def _question(question: Question) -> dict[str, Any]:
    by = question.answered_by or "somebody unknown"
    return {
        "name": question.name,
        "label": sentence_case(words(question.name)),
        "text": question.text,
        "answer": question.answer or "",
        "answered": {
            "text": f"Answered by {by}, " if question.answer else "Not answered yet",
            **_moment(question.answered_at if question.answer else None),
        },
    }


def _role(role: str, needed: int, approvals: Sequence[GivenApproval]) -> dict[str, Any]:
    given = [approval for approval in approvals if approval.role == role]
    people = len({approval.principal for approval in given if not approval.faults})
    complete = people >= needed
    word = f"{people} of {needed}"
    return {
        "role": role,
        "status": {"word": word, "shape": "✓" if complete else "○", "tone": "good" if complete else "open"},
        "given": [_approval(approval) for approval in given],
    }


def _approval(approval: GivenApproval) -> dict[str, Any]:
    counts = not approval.faults
    return {
        "who": approval.principal,
        "signed": {"text": ", signed ", **_moment(approval.issued)},
        "expires": f", holds until {read_time(approval.expires)}",
        "status": {"word": "Counts", "shape": "✓", "tone": "good"}
        if counts
        else {"word": "Does not count", "shape": "✕", "tone": "bad"},
        "faults": list(approval.faults),
    }


def _people(review: Review) -> str:
    people = len({given.principal for given in review.approvals if not given.faults})
    return (
        f"Signed by {people} of at least {review.principals} different people. Authors cannot sign for their own run."
    )


def _sign(review: Review) -> dict[str, Any]:
    blocked = sum(finding.blocks for finding in review.findings)
    still_open = sum(question.answer is None for question in review.questions)
    cautions = [
        f"{blocked} {'check does' if blocked == 1 else 'checks do'} not pass; a signature does not change that."
        if blocked
        else "",
        "Questions are still open. An answer given later changes what was signed, and the signature no longer counts."
        if still_open
        else "",
    ]
    missing = [role for role, needed in sorted(review.roles.items()) if count_valid(review, role) < needed]
    return {
        "roles": [*missing, *(role for role in sorted(review.roles) if role not in missing)],
        "cautions": [caution for caution in cautions if caution],
        "command": f"workbench approve {shlex.quote(review.subject)}",
        "binds": f"You sign evidence {short(review.evidence_digest)}, policy {short(review.policy_digest)}, "
        f"the model's files and the model card, for endpoint {review.evidence.identity.endpoint}.",
    }
