"""A review as its view shows it: every text decided here, so that the browser only draws and passes on requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.comparisons.comparison import ComparedRun, Comparison
from workbench.evidence.evidence import Evidence, Identity
from workbench.evidence.outcome import draw_outcome, say_importance, say_outcome
from workbench.evidence.serving_form import summarize_form
from workbench.reviews.review import Review, headline
from workbench.widgets.classes_state import classes_state
from workbench.widgets.comparison_state import fact_state, interval_decimals, interval_state
from workbench.widgets.findings_state import checklist_state, count_unfolded, findings_state
from workbench.widgets.interval_chart import JudgedInterval, axis_state, choose_axis, mark_state
from workbench.widgets.own_code_state import local_code_state, own_code_state
from workbench.widgets.people_state import (
    example_commands,
    moment,
    objections_state,
    people_text,
    question_state,
    requests_state,
    role_state,
    say_needed,
    sign_state,
    waiver_state,
)
from workbench.widgets.verdict_words import verdict_state
from workbench.words.changes import changes_state
from workbench.words.explaining import explain_all
from workbench.words.findings import prose, tally
from workbench.words.local_files import describe_reads
from workbench.words.numbers import (
    choose_decimals,
    format_number,
    format_value,
    read_time,
)

_WORDS = (
    "advantage", "approval", "champion", "check", "evidence", "holdout", "holdout digest", "margin", "nominee",
    "objection", "one-sided", "own code", "policy", "reviewed types", "role", "tries", "unknown", "verdict", "waiver",
)  # fmt: skip


def review_state(review: Review) -> dict[str, Any]:
    """Return everything the review view shows, as JSON."""
    return {
        "headline": headline(review),
        "tone": "good" if review.decision.is_allowed else "open",
        "needed": prose(say_needed(review)),
        "why": "The reason why not"
        if len(review.decision.reasons) == 1
        else f"{len(review.decision.reasons)} reasons why not",
        "reasons": [prose(reason) for reason in review.decision.reasons],
        "facts": _facts(review),
        "scores": _scores(review.evidence),
        "score": _score_text(review.evidence),
        "outcome": _outcome_state(review.evidence),
        "classes": classes_state(review.evidence.classes),
        "changes": changes_state(review.changes, review.evidence),
        "local_code": local_code_state(review),
        "own_code": own_code_state(review),
        "findings": findings_state(review),
        "unfolded": count_unfolded(review.findings),
        "passed": f"The {len(review.findings) - count_unfolded(review.findings)} checks that passed",
        "tally": tally(review.findings),
        "checked": {"text": "Computed ", **moment(review.reviewed_at)},
        "checklist": checklist_state(review.checklist),
        "waivers": [waiver_state(waiver) for waiver in review.waivers],
        "objections": objections_state(review.evidence.objections, review.raised_on),
        "questions": [question_state(question) for question in review.questions],
        "roles": [role_state(role, review) for role in sorted(review.roles)],
        "people": people_text(review),
        "sign": sign_state(review),
        "requests": requests_state(review),
        "commands": example_commands(review),
        "words": explain_all(_WORDS),
    }


def _facts(review: Review) -> list[dict[str, Any]]:
    identity = review.evidence.identity
    commit = f"{_dirty(identity)}commit " if identity.git_commit else "not in git"
    return [
        fact_state("Model", f"{identity.model}, version {identity.version}{' (draft)' if identity.draft else ''}"),
        fact_state("Endpoint", f"{identity.endpoint}, which served {_served(review.evidence)} when this was measured"),
        fact_state(
            "Run",
            f"{identity.run_id}, {identity.run_state.lower()} {read_time(identity.ended or 'at an unknown time')}",
        ),
        fact_state("Authors", ", ".join(identity.authors) or "unknown"),
        fact_state("Notebook", f"{identity.notebook}, sha256 ", identity.notebook_digest),
        fact_state("Code", commit, identity.git_commit or ""),
        fact_state("Parameters", _parameters(identity.parameters)),
        fact_state("Data", _data(review.evidence)),
        fact_state("Also read", describe_reads(review.evidence.local_files)),
        *([fact_state("Served", summarize_form(serving))] if (serving := review.evidence.serving) else []),
        fact_state("Policy", f"{review.policy_name}, sha256 ", review.policy_digest),
        fact_state("Evidence", "sha256 ", review.evidence_digest),
    ]


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
    return f"{score.metric} {value}{rows} ({score.direction} is better)."


def _outcome_state(evidence: Evidence) -> dict[str, Any] | None:
    """Return how it came out on the holdout, None where nobody measured that."""
    said, pictures = say_outcome(evidence), [picture.to_state() for picture in draw_outcome(evidence)]
    worth = say_importance(evidence.importance) if evidence.importance else ""
    return {"text": said, "worth": worth, "pictures": pictures} if said or worth or pictures else None


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
        "detail": value
        if name.casefold() in comparison.reference
        else f"{format_value(comparison.reference)}, {value}",
        "axis": axis_state(axis, comparison.margin),
        "mark": mark_state(axis, run.advantage) if run.advantage else None,
        "interval": interval_state(run.advantage, interval_decimals([run])),
        "verdict": verdict_state(run.verdict),
    }


def _own_run(comparison: Comparison, identity: Identity) -> ComparedRun:
    return next((run for run in comparison.runs if run.run_id == identity.run_id), comparison.best)
